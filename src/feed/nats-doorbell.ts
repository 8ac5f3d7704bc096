import { createHmac, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Doorbell } from '../domain/ports.ts';
import { createLocalDoorbell } from './doorbell.ts';
import { tellingOfSockets } from './opened-sockets.ts';
import { keepTrying, type RetryTimings } from './persistence.ts';
import { hearMessage, type Rings, UnsentRings, writeMessages } from './ring-message.ts';

export interface NatsDoorbell extends Doorbell {
  /** Whether other replicas are heard now. While they are not, their rings are lost, and made up for by `missed`. */
  readonly connected: boolean;
}

export interface NatsTimings extends RetryTimings {
  /** For each server that is tried. */
  readonly connectTimeoutMs: number;
  /** A connection on which two of these go by without a sign of life is taken for dead. */
  readonly probeEveryMs: number;
  /** How long `stop` waits for what is on its way to the others. */
  readonly farewellMs: number;
}

const TIMINGS: NatsTimings = {
  connectTimeoutMs: 3_000,
  probeEveryMs: 3_000,
  firstRetryMs: 100,
  longestRetryMs: 5_000,
  farewellMs: 1_000,
};

interface Parts {
  /** URLs of servers of one cluster, any of which will do; user and password, or a token, as the first has them. */
  readonly servers: readonly string[];
  /** One for all replicas of a database; see `subjectOf`. */
  readonly subject: string;
  readonly log: Logger;
  readonly timings?: Partial<NatsTimings>;
}

/** The subject of those who share a log. Nobody else rings on it by mistake, whatever else is on the same servers. */
export const subjectOf = ({ cursorKey }: { readonly cursorKey: Buffer }): string =>
  `vkyc.doorbell.${createHmac('sha256', cursorKey).update('doorbell').digest('hex').slice(0, 32)}`;

/**
 * The doorbell between replicas over NATS, for where the database should not carry it. Listeners here hear a ring at
 * once, those elsewhere by NATS, which keeps nothing. One message is under way at a time, and what is rung meanwhile
 * goes together in the next; what a server did not confirm is told again.
 */
export function createNatsDoorbell({ servers, subject, log, timings: given }: Parts): NatsDoorbell {
  const timings = { ...TIMINGS, ...given };
  const options = { ...accessOf(servers), ...patience(timings) };
  const origin = randomUUID();
  const here = createLocalDoorbell(log);
  const unsent = new UnsentRings();
  const leaving = new AbortController();
  let stopped = false;
  let connection: NatsConnection | null = null;
  let telling: Promise<void> | null = null;

  /** Without a connection everything waits, in bounded memory, for the next one. */
  const tellOthers = async () => {
    // What is rung for in the same breath goes together.
    await Promise.resolve();
    while (connection && !unsent.none) {
      const rings = unsent.take();
      if (!(await isTold(connection, rings))) unsent.giveBack(rings);
    }
    telling = null;
  };

  /** Whether a server has them. One that falls silent is found out by the probes. */
  const isTold = async (to: NatsConnection, rings: Rings): Promise<boolean> => {
    try {
      for (const text of writeMessages({ origin, rings })) to.publish(subject, text);
      return await arrived(to);
    } catch {
      return false;
    }
  };

  /** Resolves when the connection is lost, with why; rejects where there was none. */
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
      const made = await tellingOfSockets(onSocket, () => connect(options));
      void whenStale(made, hangUp);
      made.subscribe(subject, {
        callback: (error, message) => (error ? hangUp() : hearMessage(here, message.string(), origin)),
      });
      if (await arrived(made)) {
        connection = made;
        succeeded();
        here.missed();
        telling ??= tellOthers();
      }
      return await made.closed();
    } finally {
      connection = null;
      leaving.signal.removeEventListener('abort', hangUp);
      hangUp();
    }
  };

  const listening = keepTrying(timings, leaving.signal, async (succeeded) => {
    const why = await connectOnce(succeeded).catch((error: unknown) => error);
    if (!stopped)
      log.warn({ err: why }, 'the other replicas are not heard over NATS; the connection will be renewed');
  });

  return {
    get connected() {
      return connection !== null;
    },
    ring(sessionId, sequence, entry) {
      here.ring(sessionId, sequence, entry);
      if (stopped) return;
      unsent.add(sessionId, sequence);
      if (connection) telling ??= tellOthers();
    },
    listen: here.listen,
    async stop() {
      stopped = true;
      const farewell = wait(timings.farewellMs, undefined, { ref: false });
      await Promise.race([telling, farewell]);
      leaving.abort();
      // A name that is being looked up can only be waited for.
      await Promise.race([listening, farewell]);
      await here.stop();
    },
  };
}

/** Whether a server has everything that was sent so far; false where the connection was lost first. */
const arrived = (connection: NatsConnection): Promise<boolean> =>
  Promise.race([
    connection.flush().then(
      () => true,
      () => false,
    ),
    connection.closed().then(() => false),
  ]);

/** The client by itself waits until a dead peer has taken what was written last. */
async function whenStale(connection: NatsConnection, hangUp: () => void): Promise<void> {
  for await (const { type } of connection.status()) if (type === 'staleConnection') hangUp();
}

/** The client would try again at an even pace, and send nobody away: each of its connections lives once. */
const patience = (timings: NatsTimings): ConnectionOptions => ({
  name: 'vkyc-gateway doorbell',
  noEcho: true,
  reconnect: false,
  timeout: timings.connectTimeoutMs,
  pingInterval: timings.probeEveryMs,
  maxPingOut: 1,
});

/** The client takes addresses alone. */
function accessOf(servers: readonly string[]): ConnectionOptions {
  const urls = servers.map((server) => new URL(server));
  const { username, password } = urls.find((url) => url.username) ?? { username: '', password: '' };
  const [user, pass] = [username, password].map(decodeURIComponent) as [string, string];
  return {
    servers: urls.map(({ host }) => host),
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
    ...(pass ? { user, pass } : user ? { token: user } : {}),
  };
}
