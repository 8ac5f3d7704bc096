import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/connection/client.ts';
import { type ListenTimings, listenUntilBroken, notifyChannel } from '../db/connection/notifications.ts';
import type { Doorbell } from '../domain/ports.ts';
import { createLocalDoorbell } from './doorbell.ts';
import { type RetryTimings, retryForever } from './retry.ts';
import { PendingRings, serializeRingMessages } from './ring-message.ts';
import { RingReceiver } from './ring-receiver.ts';

/** NOTIFY channel that all replicas of a database share, for all sessions. */
export const DOORBELL_CHANNEL = 'vkyc_doorbell';

export interface PostgresDoorbell extends Doorbell {
  /**
   * Whether the LISTEN connection is up, so that notifications of other replicas arrive. Notifications sent
   * while it is down are lost; after the next connect, `onGap` makes the listeners read their logs instead.
   */
  readonly connected: boolean;
}

export interface PostgresDoorbellTimings extends ListenTimings, RetryTimings {
  /** Maximum time that `stop` waits for notifications that are being sent. */
  readonly farewellMs: number;
}

const TIMINGS: PostgresDoorbellTimings = {
  connectTimeoutMs: 5_000,
  probeEveryMs: 3_000,
  probeTimeoutMs: 3_000,
  firstRetryMs: 100,
  longestRetryMs: 5_000,
  farewellMs: 1_000,
};

interface Dependencies {
  /** URL of the database connection that runs LISTEN. */
  readonly url: string;
  /** Database whose pool runs NOTIFY. */
  readonly db: Database;
  readonly log: Logger;
  /** Called for each notification that cannot be parsed or is too long. */
  readonly onUnreadableRing?: () => void;
  readonly timings?: Partial<PostgresDoorbellTimings>;
}

/**
 * Creates a doorbell (notification that transitions were recorded) between replicas over LISTEN and NOTIFY. A
 * commit with NOTIFY takes a lock of the whole server, so notifications are sent outside the transactions
 * that record transitions, one at a time per process; rings that arrive while a notification is being sent go
 * out in the next one.
 */
export function createPostgresDoorbell({
  url,
  db,
  log,
  onUnreadableRing,
  timings: given,
}: Dependencies): PostgresDoorbell {
  const timings = { ...TIMINGS, ...given };
  const origin = randomUUID();
  const here = createLocalDoorbell(log);
  const receiver = new RingReceiver({ here, ownOrigin: origin, log, onUnreadableRing });
  const unsent = new PendingRings();
  const stopping = new AbortController();
  let sending: Promise<void> | null = null;
  let connected = false;

  /**
   * Sends the queued rings to the other replicas. A failed NOTIFY is not retried: rings must not pile up
   * while the database is slow, and the other replicas poll their logs anyway.
   */
  const sendQueuedRings = async () => {
    // Wait one microtask, so that all rings of the same tick go out in one NOTIFY.
    await Promise.resolve();
    while (!unsent.isEmpty) {
      await notifyChannel(
        db,
        DOORBELL_CHANNEL,
        serializeRingMessages({ origin, rings: unsent.drain() }),
      ).catch((error: unknown) =>
        log.warn({ err: error }, 'NOTIFY failed; other replicas will catch up by polling'),
      );
    }
    sending = null;
  };

  const listening = retryForever(timings, stopping.signal, (succeeded) =>
    listenUntilBroken({
      ...timings,
      url,
      channel: DOORBELL_CHANNEL,
      stopping: stopping.signal,
      onListening() {
        connected = true;
        succeeded();
        here.missed();
      },
      onText: (text) => receiver.receive(() => text),
    }).catch((error: unknown) => {
      connected = false;
      if (stopping.signal.aborted) return;
      log.warn({ err: error }, 'LISTEN connection lost; reconnecting');
    }),
  );
  return {
    get connected() {
      return connected;
    },
    ring(sessionId, sequence, entry) {
      here.ring(sessionId, sequence, entry);
      if (stopping.signal.aborted) return;
      unsent.add(sessionId, sequence);
      sending ??= sendQueuedRings();
    },
    listen: here.listen,
    async stop() {
      stopping.abort();
      receiver.stop();
      await listening;
      await Promise.race([sending, wait(timings.farewellMs, undefined, { ref: false })]);
      await here.stop();
    },
  };
}
