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
/** A batch whose connection has gone silent delays the next batch by at most this long. */
const PATIENCE_MS = 1_000;

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly recorder: Recorder;
  readonly line: WebhookLine;
  readonly log: Logger;
}

/** Webhook to be stored, and its parsed content; `news` is null if the body could not be understood. */
interface Arrival {
  readonly row: NewWebhook;
  readonly news: WebhookNews | null;
}

/**
 * Webhook receiver: stores verified webhooks. The transaction that stores a webhook also records it if its
 * session is free. Otherwise, or after an error, the webhook is queued.
 */
export class Inbox {
  readonly #parts: Parts;
  /**
   * Batches webhooks: those that arrive while a batch is being stored share the statements and the commit of
   * the next one.
   */
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
  /** Chain that runs the batches one after another, in arrival order. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Stores the raw body of a webhook whose signature was verified. Resolves after the commit, so the webhook
   * cannot be lost.
   */
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
        // Storing them would fail in the same way and take as long. The error is returned instead, and the
        // provider sends them again.
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

  /** Records the first webhook of each session if the session is free, and queues the others. */
  async #recordAtOnce(arrivals: readonly Arrival[]): Promise<void> {
    let inLine: Promise<bigint[]> = Promise.resolve([]);
    await this.#parts.recorder.inTransaction(async (recording) => {
      const recorded = new Set<NewWebhook>();
      const record = async (row: NewWebhook, news: WebhookNews) => {
        const unstored = { report: reportOf(news, row.receivedAt), bodyHash: row.bodyHash };
        if (await recording.reportIfFree(unstored)) recorded.add(row);
      };
      // Wait for all of them to settle before the rollback. Otherwise one could still write after the
      // transaction ended.
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

  /**
   * Stores webhooks without recording them. If the batch fails, stores each alone, since a single one may be
   * at fault.
   */
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

/** Reason for which a webhook without verification id is parked (dead letter). */
const reasonOf = (error: NotUnderstood, text: string): string =>
  namesNobody(text)
    ? 'It names no verification id, as a test call from the dashboard.'
    : `It could not be understood: ${error.message}.`;

/** Keeps one webhook per session, because a transaction may write a session's row only once. */
function firstOfEachSession(arrivals: readonly Arrival[]): Arrival[] {
  const seen = new Set<string | null>();
  return arrivals.filter(({ row: { verificationId } }) => {
    const first = !seen.has(verificationId);
    seen.add(verificationId);
    return first;
  });
}
