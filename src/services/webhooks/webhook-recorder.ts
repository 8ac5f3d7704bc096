import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import DataLoader from 'dataloader';
import type { Logger } from 'pino';
import type { Database } from '../../db/connection/client.ts';
import { classifyDatabaseFault } from '../../db/connection/connection-errors.ts';
import { getWebhookBodySealingContext, insertWebhooks, type NewInboxRow } from '../../db/webhooks/inbox.ts';
import type { Clock, Provider, WebhookPayload } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { getCurrentTraceparent, withSpan } from '../../telemetry/trace.ts';
import type { UnitOfWork } from '../transitions/unit-of-work.ts';
import { toWebhookUpdate, type WebhookQueueWorker } from './webhook-queue-worker.ts';

const MAX_BATCH_SIZE = 50;
/**
 * Maximum time that a batch waits for the batch before it, because the database connection of that batch may
 * hang.
 */
const MAX_BATCH_WAIT_MS = 1_000;

interface Dependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly unitOfWork: UnitOfWork;
  readonly queue: WebhookQueueWorker;
  readonly log: Logger;
}

/** Webhook to be stored, and its parsed content; `payload` is null if the body could not be parsed. */
interface ReceivedWebhook {
  readonly row: NewInboxRow;
  readonly payload: WebhookPayload | null;
}

/**
 * Stores webhooks whose signature was verified. The transaction that stores a webhook also applies
 * it if the row of its session is not locked and no earlier webhook of the session is queued. Otherwise, or after an
 * error, the webhook is queued.
 */
export class WebhookRecorder {
  readonly #dependencies: Dependencies;
  /**
   * Batches webhooks: those that arrive while a batch is being stored share the statements and the commit of
   * the next batch (group commit).
   */
  readonly #storing = new DataLoader((arrivals: readonly ReceivedWebhook[]) => this.#storeAll(arrivals), {
    cache: false,
    maxBatchSize: MAX_BATCH_SIZE,
    batchScheduleFn: (store) => {
      this.#turn = this.#turn.then(() => {
        store();
        return this.#stored;
      });
    },
  });
  #stored: Promise<unknown> = Promise.resolve();
  /** Promise chain that runs the batches one after another, in arrival order. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Stores the raw body of a webhook whose signature was verified. Resolves after the commit, so that the
   * provider gets its 200 only for a webhook that cannot be lost.
   */
  async record({ name, webhooks }: Provider, body: Buffer): Promise<void> {
    const { clock, sealer } = this.#dependencies;
    const bodyHash = createHash('sha256').update(body).digest();
    const reading = webhooks.parse(body);
    const payload = 'problem' in reading ? null : reading;
    const verificationId = 'problem' in reading ? reading.verificationId : reading.session.verificationId;
    const row: NewInboxRow = {
      provider: name,
      bodyHash,
      body: sealer.seal(body, getWebhookBodySealingContext(bodyHash)),
      verificationId,
      state: verificationId ? 'PENDING' : 'PARKED',
      reason: verificationId === null && 'problem' in reading ? reading.problem : null,
      receivedAt: clock.now(),
      traceparent: getCurrentTraceparent(),
    };
    await this.#storing.load({ row, payload });
  }

  #storeAll(arrivals: readonly ReceivedWebhook[]): Promise<(Error | true)[]> {
    const stored = this.#recordAtOnce(arrivals).then(
      () => arrivals.map(() => true as const),
      (error) => {
        const fault = classifyDatabaseFault(error);
        // If the database itself is at fault, storing the webhooks for the queue would fail too. The error is
        // thrown instead: the provider gets no 200 and sends the webhooks again.
        if (fault !== null && fault !== 'BUSY') throw error;
        this.#dependencies.log.warn(
          { err: error },
          'could not apply webhooks immediately; storing them for the queue worker',
        );
        return this.#storeOnly(arrivals.map(({ row }) => row));
      },
    );
    this.#stored = Promise.race([stored.catch(() => {}), wait(MAX_BATCH_WAIT_MS, undefined, { ref: false })]);
    return stored;
  }

  /**
   * Stores the batch. In the same transaction, records the first webhook of each session if the session's row is
   * free; the other webhooks are queued.
   */
  async #recordAtOnce(arrivals: readonly ReceivedWebhook[]): Promise<void> {
    let inLine: Promise<bigint[]> = Promise.resolve([]);
    await this.#dependencies.unitOfWork.inTransaction(async (writer) => {
      const recorded = new Set<NewInboxRow>();
      const record = async (row: NewInboxRow, payload: WebhookPayload) => {
        const unstored = { update: toWebhookUpdate(payload, row), bodyHash: row.bodyHash };
        if (await writer.applyUpdateIfUncontended(unstored)) recorded.add(row);
      };
      // Waits until all writes of the batch have settled, even after an error. Otherwise a write could still be
      // running after the rollback.
      const outcomes = await Promise.allSettled(
        pickFirstPerSession(arrivals).map(
          ({ row, payload }) =>
            payload &&
            withSpan('process webhook', { kind: 'CONSUMER', from: row.traceparent }, () =>
              record(row, payload),
            ),
        ),
      );
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
      const rows = arrivals.map(({ row }) => (recorded.has(row) ? { ...row, state: 'DONE' as const } : row));
      inLine = insertWebhooks(writer.tx, rows);
      writer.tx.start(inLine);
    });
    this.#dependencies.queue.enqueued(await inLine);
  }

  /**
   * Stores webhooks for the queue worker, without applying them. If the batch fails, stores each webhook alone,
   * because a single webhook may cause the failure.
   */
  async #storeOnly(rows: readonly NewInboxRow[]): Promise<(Error | true)[]> {
    const store = async (some: readonly NewInboxRow[]) => {
      this.#dependencies.queue.enqueued(await insertWebhooks(this.#dependencies.db, some));
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

/**
 * Keeps only the first webhook of each session, because the write batch of a transaction may update a session's
 * row only once.
 */
function pickFirstPerSession(arrivals: readonly ReceivedWebhook[]): ReceivedWebhook[] {
  const seen = new Set<string | null>();
  return arrivals.filter(({ row: { verificationId } }) => {
    const first = !seen.has(verificationId);
    seen.add(verificationId);
    return first;
  });
}
