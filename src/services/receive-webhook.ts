import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import DataLoader from 'dataloader';
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { faultOf } from '../db/faults.ts';
import { insertWebhooks, type NewWebhook, placeOfWebhook } from '../db/inbox.ts';
import type { Sealer } from '../db/sealing.ts';
import type { Clock } from '../domain/ports.ts';
import {
  NotUnderstood,
  namesNobody,
  readWebhook,
  readWebhookAddress,
  type WebhookNews,
} from '../provider/wire.ts';
import { currentTraceparent, traced } from '../telemetry/trace.ts';
import type { Recorder } from './recorder.ts';
import { reportOf, type WebhookLine } from './webhook-line.ts';

const MOST_TOGETHER = 50;
/** Behind a connection that has fallen silent nobody waits for longer. */
const PATIENCE_MS = 1_000;

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly recorder: Recorder;
  readonly line: WebhookLine;
  readonly log: Logger;
}

/** A webhook on its way to the store, and what it says where that could be understood. */
interface Arrival {
  readonly row: NewWebhook;
  readonly news: WebhookNews | null;
}

/**
 * Stores verified webhooks. Most are recorded by the transaction that stores them; where something stands before one, or
 * goes wrong, it is put in line.
 */
export class Inbox {
  readonly #parts: Parts;
  /** What comes while others are stored shares the next journeys to the database, and its commit. */
  readonly #storing = new DataLoader((arrivals: readonly Arrival[]) => this.#storeAll(arrivals), {
    cache: false,
    maxBatchSize: MOST_TOGETHER,
    batchScheduleFn: (store) => {
      this.#turn = this.#turn.then(() => {
        store();
        return this.#stored;
      });
    },
  });
  #stored: Promise<unknown> = Promise.resolve();
  /** One batch after another, in the order in which they came. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Stores the raw bytes of a webhook whose signature was good. Once this returns, it will not be lost. */
  async receive(body: Buffer): Promise<void> {
    const { clock, sealer } = this.#parts;
    const bodyHash = createHash('sha256').update(body).digest();
    const text = body.toString('utf8');
    const reading = readIfUnderstood(text);
    const news = reading instanceof NotUnderstood ? null : reading;
    const verificationId = news ? news.session.verificationId : readWebhookAddress(text);
    const row: NewWebhook = {
      bodyHash,
      body: sealer.seal(body, placeOfWebhook(bodyHash)),
      verificationId,
      state: verificationId ? 'PENDING' : 'PARKED',
      reason: verificationId === null && reading instanceof NotUnderstood ? reasonOf(reading, text) : null,
      receivedAt: clock.now(),
      traceparent: currentTraceparent(),
    };
    await this.#storing.load({ row, news });
  }

  #storeAll(arrivals: readonly Arrival[]): Promise<(Error | true)[]> {
    const stored = this.#recordAtOnce(arrivals).then(
      () => arrivals.map(() => true as const),
      (error) => {
        const fault = faultOf(error);
        // To store them would fail as well, and take as long: the provider sends them again.
        if (fault !== null && fault !== 'BUSY') throw error;
        this.#parts.log.warn(
          { err: error },
          'webhooks could not be recorded as they came; they are stored first',
        );
        return this.#storeOnly(arrivals.map(({ row }) => row));
      },
    );
    this.#stored = Promise.race([stored.catch(() => {}), wait(PATIENCE_MS, undefined, { ref: false })]);
    return stored;
  }

  /** Records the first of each session if nothing stands before it, and puts the others in line. */
  async #recordAtOnce(arrivals: readonly Arrival[]): Promise<void> {
    let inLine: Promise<bigint[]> = Promise.resolve([]);
    await this.#parts.recorder.inTransaction(async (recording) => {
      const recorded = new Set<NewWebhook>();
      const record = async (row: NewWebhook, news: WebhookNews) => {
        const unstored = { report: reportOf(news, row.receivedAt), bodyHash: row.bodyHash };
        if (await recording.reportIfFree(unstored)) recorded.add(row);
      };
      // What fails must not go on before the others are done: they would write after its end.
      const outcomes = await Promise.allSettled(
        firstOfEachSession(arrivals).map(
          ({ row, news }) =>
            news &&
            traced('process webhook', { kind: 'CONSUMER', from: row.traceparent }, () => record(row, news)),
        ),
      );
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
      const rows = arrivals.map(({ row }) => (recorded.has(row) ? { ...row, state: 'DONE' as const } : row));
      inLine = insertWebhooks(recording.tx, rows);
      recording.tx.start(inLine);
    });
    this.#parts.line.join(await inLine);
  }

  /** Where they cannot be stored together, each is tried by itself: it may be one that is at fault. */
  async #storeOnly(rows: readonly NewWebhook[]): Promise<(Error | true)[]> {
    const store = async (some: readonly NewWebhook[]) => {
      this.#parts.line.join(await insertWebhooks(this.#parts.db, some));
      return true as const;
    };
    try {
      await store(rows);
      return rows.map(() => true);
    } catch (error) {
      if (rows.length === 1) throw error;
      return await Promise.all(rows.map((row) => store([row]).catch((failure: Error) => failure)));
    }
  }
}

function readIfUnderstood(text: string): WebhookNews | NotUnderstood {
  try {
    return readWebhook(text);
  } catch (error) {
    if (error instanceof NotUnderstood) return error;
    throw error;
  }
}

/** Why a webhook is parked as it comes: no session can be found for it. */
const reasonOf = (error: NotUnderstood, text: string): string =>
  namesNobody(text)
    ? 'It names no verification id, as a test call from the dashboard.'
    : `It could not be understood: ${error.message}.`;

/** What a session holds is written once in a transaction. */
function firstOfEachSession(arrivals: readonly Arrival[]): Arrival[] {
  const seen = new Set<string | null>();
  return arrivals.filter(({ row: { verificationId } }) => {
    const first = !seen.has(verificationId);
    seen.add(verificationId);
    return first;
  });
}
