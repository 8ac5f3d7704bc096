import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { type ListenTimings, listenOnce, notify } from '../db/notifications.ts';
import type { Doorbell } from '../domain/ports.ts';
import { createLocalDoorbell } from './doorbell.ts';
import { keepTrying, type RetryTimings } from './persistence.ts';
import { hearMessage, UnsentRings, writeMessages } from './ring-message.ts';

/** One for all sessions and replicas of a database. */
export const CHANNEL = 'vkyc_doorbell';

export interface PostgresDoorbell extends Doorbell {
  /** Whether other replicas are heard now. While they are not, their rings are lost, and made up for by `missed`. */
  readonly connected: boolean;
}

export interface DoorbellTimings extends ListenTimings, RetryTimings {
  /** How long `stop` waits for what is on its way to the others. */
  readonly farewellMs: number;
}

const TIMINGS: DoorbellTimings = {
  connectTimeoutMs: 5_000,
  probeEveryMs: 3_000,
  probeTimeoutMs: 3_000,
  firstRetryMs: 100,
  longestRetryMs: 5_000,
  farewellMs: 1_000,
};

interface Parts {
  /** Of the connection that listens. */
  readonly url: string;
  /** By which the others are told. */
  readonly db: Database;
  readonly log: Logger;
  readonly timings?: Partial<DoorbellTimings>;
}

/**
 * The doorbell between replicas on one database. Listeners here hear a ring at once, those elsewhere by LISTEN and
 * NOTIFY. A notifying commit takes a lock of the whole server, so a process has one under way at a time, outside the
 * recording transactions, and what is rung meanwhile goes together in the next.
 */
export function createPostgresDoorbell({ url, db, log, timings: given }: Parts): PostgresDoorbell {
  const timings = { ...TIMINGS, ...given };
  const origin = randomUUID();
  const here = createLocalDoorbell(log);
  const unsent = new UnsentRings();
  const stopping = new AbortController();
  let telling: Promise<void> | null = null;
  let connected = false;

  /** What fails here is lost, and found by the others' own looking: rings must not pile up behind a sick database. */
  const tellOthers = async () => {
    // What is rung for in the same breath goes together.
    await Promise.resolve();
    while (!unsent.none) {
      await notify(db, CHANNEL, writeMessages({ origin, rings: unsent.take() })).catch((error: unknown) =>
        log.warn({ err: error }, 'the other replicas could not be told what was recorded; they will look'),
      );
    }
    telling = null;
  };

  const listening = keepTrying(timings, stopping.signal, (succeeded) =>
    listenOnce({
      ...timings,
      url,
      channel: CHANNEL,
      stopping: stopping.signal,
      onListening() {
        connected = true;
        succeeded();
        here.missed();
      },
      onText: (text) => hearMessage(here, text, origin),
    }).catch((error: unknown) => {
      connected = false;
      if (stopping.signal.aborted) return;
      log.warn({ err: error }, 'the other replicas are not heard; the connection will be renewed');
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
      telling ??= tellOthers();
    },
    listen: here.listen,
    async stop() {
      stopping.abort();
      await listening;
      await Promise.race([telling, wait(timings.farewellMs, undefined, { ref: false })]);
      await here.stop();
    },
  };
}
