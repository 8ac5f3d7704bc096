import { createHmac, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Doorbell } from '../domain/ports.ts';
import { createLocalDoorbell } from './doorbell.ts';
import { trackOpenedSockets } from './opened-sockets.ts';
import { type RetryTimings, retryForever } from './retry.ts';
import { PendingRings, type SessionRings, serializeRingMessages } from './ring-message.ts';
import { RingReceiver } from './ring-receiver.ts';

export interface NatsDoorbell extends Doorbell {
  /**
   * Whether the NATS connection is up, so that notifications of other replicas arrive. Notifications sent
   * while it is down are lost; after the next connect, `onGap` makes the listeners read their logs instead.
   */
  readonly connected: boolean;
}

export interface NatsDoorbellTimings extends RetryTimings {
  /** Timeout of the attempt to connect to one server. */
  readonly connectTimeoutMs: number;
  /**
   * Interval of pings to the server. After two intervals without an answer, the connection counts as dead.
   */
  readonly probeEveryMs: number;
  /** Maximum time that `stop` waits for messages that are being sent. */
  readonly farewellMs: number;
}

const TIMINGS: NatsDoorbellTimings = {
  connectTimeoutMs: 3_000,
  probeEveryMs: 3_000,
  firstRetryMs: 100,
  longestRetryMs: 5_000,
  farewellMs: 1_000,
};

interface Dependencies {
  /**
   * URLs of the servers of one NATS cluster; a connection to any one server is enough. User and password, or
   * a token, are taken from the first URL that contains them.
   */
  readonly servers: readonly string[];
  /** NATS subject that all replicas of one database share, see `deriveNatsSubject`. */
  readonly subject: string;
  readonly log: Logger;
  /** Called for each message that cannot be parsed or is too long. */
  readonly onUnreadableRing?: () => void;
  readonly timings?: Partial<NatsDoorbellTimings>;
}

/**
 * Returns the NATS subject of all replicas of one database. Derived from the database's cursor key, so that
 * other deployments on the same NATS servers use other subjects.
 */
export const deriveNatsSubject = ({ cursorKey }: { readonly cursorKey: Buffer }): string =>
  `vkyc.doorbell.${createHmac('sha256', cursorKey).update('doorbell').digest('hex').slice(0, 32)}`;

/**
 * Creates a doorbell (notification that transitions were recorded) between replicas over NATS, for
 * deployments whose database should not carry notifications. Core NATS stores nothing. One batch is sent at a
 * time; rings that arrive while it is being sent form the next batch. A batch that the server does not
 * confirm is sent again.
 */
export function createNatsDoorbell({
  servers,
  subject,
  log,
  onUnreadableRing,
  timings: given,
}: Dependencies): NatsDoorbell {
  const timings = { ...TIMINGS, ...given };
  const options = { ...parseCredentials(servers), ...connectionTimeouts(timings) };
  const origin = randomUUID();
  const here = createLocalDoorbell(log);
  const receiver = new RingReceiver({ here, ownOrigin: origin, log, onUnreadableRing });
  const unsent = new PendingRings();
  const leaving = new AbortController();
  let stopped = false;
  let connection: NatsConnection | null = null;
  let sending: Promise<void> | null = null;

  /**
   * Sends the queued rings to the other replicas. Without a connection, the rings stay in the queue, whose
   * memory is bounded.
   */
  const sendQueuedRings = async () => {
    // Wait one microtask, so that all rings of the same tick go out in one batch.
    await Promise.resolve();
    while (connection && !unsent.isEmpty) {
      const rings = unsent.drain();
      if (!(await trySendRings(connection, rings))) unsent.requeue(rings);
    }
    sending = null;
  };

  /**
   * Sends a batch of rings and returns true if the server confirmed it. If the server stays silent, the pings
   * detect the dead connection, and this function returns false.
   */
  const trySendRings = async (to: NatsConnection, rings: SessionRings): Promise<boolean> => {
    try {
      for (const text of serializeRingMessages({ origin, rings })) to.publish(subject, text);
      return await roundTripSucceeds(to);
    } catch {
      return false;
    }
  };

  /**
   * Connects, and resolves with the reason when the connection is lost. Rejects if no connection could be
   * made.
   */
  const connectOnce = async (succeeded: () => void): Promise<unknown> => {
    const sockets = new Set<Socket>();
    const hangUp = () => {
      for (const socket of sockets) socket.destroy();
    };
    const onSocket = (socket: Socket) => {
      sockets.add(socket);
      if (leaving.signal.aborted) hangUp();
    };
    leaving.signal.addEventListener('abort', hangUp);
    try {
      const made = await trackOpenedSockets(onSocket, () => connect(options));
      void whenStale(made, hangUp);
      made.subscribe(subject, {
        callback: (error, message) =>
          error ? hangUp() : receiver.receive(() => message.string(), message.data.length),
      });
      if (await roundTripSucceeds(made)) {
        connection = made;
        succeeded();
        here.missed();
        sending ??= sendQueuedRings();
      }
      return await made.closed();
    } finally {
      connection = null;
      leaving.signal.removeEventListener('abort', hangUp);
      hangUp();
    }
  };

  const listening = retryForever(timings, leaving.signal, async (succeeded) => {
    const why = await connectOnce(succeeded).catch((error: unknown) => error);
    if (!stopped) log.warn({ err: why }, 'NATS connection lost; reconnecting');
  });

  return {
    get connected() {
      return connection !== null;
    },
    ring(sessionId, sequence, entry) {
      here.ring(sessionId, sequence, entry);
      if (stopped) return;
      unsent.add(sessionId, sequence);
      if (connection) sending ??= sendQueuedRings();
    },
    listen: here.listen,
    async stop() {
      stopped = true;
      const farewell = wait(timings.farewellMs, undefined, { ref: false });
      await Promise.race([sending, farewell]);
      leaving.abort();
      receiver.stop();
      // `listening` may hang in a DNS lookup, which cannot be cancelled, so wait for it at most until the
      // timeout.
      await Promise.race([listening, farewell]);
      await here.stop();
    },
  };
}

/** Returns true if the server has received everything sent so far; false if the connection was lost first. */
const roundTripSucceeds = (connection: NatsConnection): Promise<boolean> =>
  Promise.race([
    connection.flush().then(
      () => true,
      () => false,
    ),
    connection.closed().then(() => false),
  ]);

/**
 * Destroys the sockets when the client reports a stale connection (no answer to pings). Otherwise the client
 * would wait until the dead peer accepts the data that was written last.
 */
async function whenStale(connection: NatsConnection, hangUp: () => void): Promise<void> {
  for await (const { type } of connection.status()) if (type === 'staleConnection') hangUp();
}

/**
 * Options for one connection. The client's own reconnecting is off, because it retries at a fixed interval;
 * `retryForever` reconnects with backoff and jitter.
 */
const connectionTimeouts = (timings: NatsDoorbellTimings): ConnectionOptions => ({
  name: 'vkyc-gateway doorbell',
  noEcho: true,
  reconnect: false,
  timeout: timings.connectTimeoutMs,
  pingInterval: timings.probeEveryMs,
  maxPingOut: 1,
});

/**
 * Splits server URLs into the options of the NATS client, which takes addresses, TLS and credentials
 * separately.
 */
function parseCredentials(servers: readonly string[]): ConnectionOptions {
  const urls = servers.map((server) => new URL(server));
  const { username, password } = urls.find((url) => url.username) ?? { username: '', password: '' };
  const [user, pass] = [username, password].map(decodeURIComponent) as [string, string];
  return {
    servers: urls.map(({ host }) => host),
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
    ...(pass ? { user, pass } : user ? { token: user } : {}),
  };
}
