import type { Logger } from 'pino';
import type { Database, Transaction } from '../../db/connection/client.ts';
import {
  classifyDatabaseFault,
  type DatabaseFault,
  isPermanentError,
} from '../../db/connection/connection-errors.ts';
import { scheduleLookup } from '../../db/polling/lookups.ts';
import { lockSessionByVerificationId } from '../../db/sessions/sessions.ts';
import {
  claimWebhooks,
  getWebhookBodySealingContext,
  type InboxRow,
  updateInboxWebhook,
} from '../../db/webhooks/inbox.ts';
import { IdentityMismatch } from '../../domain/errors.ts';
import { NAME_BY_IDENTITY_FIELD } from '../../domain/identity.ts';
import type { Clock, WebhookPayload } from '../../domain/ports.ts';
import type { ProviderRegistry } from '../../domain/providers.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { OnMismatch } from '../../telemetry/mismatches.ts';
import { withoutTrace, withSpan } from '../../telemetry/trace.ts';
import type { WebhookUpdate } from '../transitions/provider-update.ts';
import type { RecordedUpdate, TransitionWriter } from '../transitions/transition-writer.ts';
import type { UnitOfWork } from '../transitions/unit-of-work.ts';

const MAX_ATTEMPTS = 5;
const WORKERS = 2;
/**
 * Maximum number of webhooks claimed in one batch. The webhooks of a batch share the statements and the commit.
 */
const MAX_BATCH_SIZE = 10;
const LOOK_INTERVAL_MS = 1_000;
/**
 * Database faults that may concern one webhook only, because another transaction holds its session's row. The worker
 * then skips the webhook instead of ending the round.
 */
const SINGLE_SESSION_FAULTS: readonly DatabaseFault[] = ['BUSY', 'SILENT'];
const REASON_UNKNOWN_SESSION =
  'No session with this verification id exists in the gateway; asking the provider.';

interface Dependencies {
  readonly db: Database;
  readonly providers: ProviderRegistry;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly unitOfWork: UnitOfWork;
  readonly onMismatch: OnMismatch;
  readonly log: Logger;
  /**
   * Interval at which the queue is searched for webhooks that failed before, or that another replica queued.
   */
  readonly lookIntervalMs?: number;
}

/**
 * Queue worker: applies the stored webhooks that wait in the inbox (PENDING), in arrival order within a
 * session.
 */
export class WebhookQueueWorker {
  readonly #dependencies: Dependencies;
  readonly #timer: NodeJS.Timeout;
  readonly #working = new Set<Promise<void>>();
  /**
   * Ids of webhooks that this process queued and has not yet seen processed. While this set is not empty, a
   * worker keeps claiming webhooks from the queue.
   */
  readonly #unseen = new Set<bigint>();
  #stopped = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#timer = setInterval(() => this.#work(), dependencies.lookIntervalMs ?? LOOK_INTERVAL_MS);
    this.#work();
  }

  /** Notes the ids of newly queued webhooks and starts a worker. */
  enqueued(ids: readonly bigint[]): void {
    for (const id of ids) this.#unseen.add(id);
    if (ids.length > 0) this.#work();
  }

  /** Stops claiming webhooks and waits until the claimed ones are processed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await Promise.all(this.#working);
  }

  #work(): void {
    if (this.#working.size >= WORKERS || this.#stopped) return;
    const work = withoutTrace(() => this.#processAll()).finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  /**
   * Processes the queue until it is empty. If a batch fails, processes its webhooks again one by one; a webhook
   * that fails alone is skipped until the next round. Ends the round if the database is unavailable.
   */
  async #processAll(): Promise<void> {
    let behind = 0n;
    for (let alone = 0; !this.#stopped; alone -= 1) {
      const limit = alone > 0 ? 1 : MAX_BATCH_SIZE;
      const outcome = await this.#processNext(limit, behind);
      if (outcome === 'NONE_LEFT') return;
      if (outcome === 'MAYBE_MORE') continue;
      if (limit > 1) alone = MAX_BATCH_SIZE + 1;
      else if (outcome.passOver) behind = outcome.passOver.id;
      else return;
    }
  }

  /**
   * Processes up to `limit` webhooks, each of a different session, in one transaction. If a webhook that was
   * processed alone failed, returns the webhook as `passOver`, and the round goes on after it.
   */
  async #processNext(
    limit: number,
    behind: bigint,
  ): Promise<'MAYBE_MORE' | 'NONE_LEFT' | { passOver: InboxRow | null }> {
    const { unitOfWork, log } = this.#dependencies;
    let claimed: InboxRow[] = [];
    try {
      const count = await unitOfWork.inTransaction(async (writer) => {
        claimed = await claimWebhooks(writer.tx, limit, behind);
        const outcomes = await Promise.allSettled(
          claimed.map((row) =>
            withSpan('process webhook', { kind: 'CONSUMER', from: row.traceparent }, () =>
              this.#process(writer, row),
            ),
          ),
        );
        const failed = outcomes.find((outcome) => outcome.status === 'rejected');
        if (failed) throw failed.reason;
        return claimed.length;
      });
      const foreign = claimed.filter(({ id }) => !this.#unseen.delete(id));
      // The queue is empty and no other worker of this process has claimed webhooks, so other replicas have
      // processed those in `#unseen`.
      if (count === 0 && this.#working.size === 1) this.#unseen.clear();
      // Each claim takes only the oldest webhook of a session. After one that another replica or a replay queued, the
      // session may have more that are not in `#unseen`.
      const mayHaveMore = count === limit || this.#unseen.size > 0 || foreign.length > 0;
      return count > 0 && mayHaveMore ? 'MAYBE_MORE' : 'NONE_LEFT';
    } catch (error) {
      if (limit > 1) return { passOver: null };
      const [failed = null] = claimed;
      const fault = classifyDatabaseFault(error);
      log.warn(
        { err: error, webhook: failed?.id.toString(), ...(fault ? { fault } : {}) },
        'could not process a webhook; retrying',
      );
      // A fault of the database is not caused by this webhook and usually affects all other webhooks too, so
      // the round ends.
      if (fault !== null && !SINGLE_SESSION_FAULTS.includes(fault)) return { passOver: null };
      if (failed && isPermanentError(error)) await this.#countFailure(failed).catch(() => {});
      return { passOver: failed };
    }
  }

  async #process(writer: TransitionWriter, row: InboxRow): Promise<void> {
    const { providers, sealer } = this.#dependencies;
    const provider = providers.find(row.provider);
    if (!provider)
      return this.#park(
        writer.tx,
        row,
        `The provider "${row.provider}" of the webhook is not configured in this gateway.`,
      );
    const payload = provider.webhooks.parse(
      sealer.open(row.body, getWebhookBodySealingContext(row.bodyHash)),
    );
    if ('problem' in payload) return this.#park(writer.tx, row, payload.problem);
    let recorded: RecordedUpdate | null;
    try {
      recorded = await writer.applyUpdate(toWebhookUpdate(payload, row));
    } catch (error) {
      if (!(error instanceof IdentityMismatch)) throw error;
      const { field, verificationId } = error;
      this.#dependencies.onMismatch({ source: 'WEBHOOK', field, verificationId });
      await this.#park(
        writer.tx,
        row,
        `The webhook names another ${NAME_BY_IDENTITY_FIELD[field]} than its session has.`,
      );
      return;
    }
    if (recorded?.session.erasedAt)
      return void (await updateInboxWebhook(writer.tx, row.id, { state: 'DONE', ...this.#withoutBody(row) }));
    if (recorded) return writer.batch.markWebhookDone(row.id);
    const { verificationId } = payload.session;
    await updateInboxWebhook(writer.tx, row.id, {
      state: 'WAITING',
      verificationId,
      reason: REASON_UNKNOWN_SESSION,
    });
    await this.#planLookup(writer.tx, verificationId);
  }

  /** Plans an immediate look-up: the reconciler then asks the provider about the verification. */
  async #planLookup(tx: Transaction, verificationId: string): Promise<void> {
    const now = this.#dependencies.clock.now();
    await scheduleLookup(tx, { verificationId, since: now, dueAt: now });
  }

  async #park(tx: Transaction, row: InboxRow, reason: string): Promise<void> {
    const session =
      row.verificationId === null ? null : await lockSessionByVerificationId(tx, row.verificationId);
    const { attempts } = row;
    const body = session?.erasedAt ? this.#withoutBody(row) : {};
    await updateInboxWebhook(tx, row.id, { state: 'PARKED', reason, attempts, ...body });
    // The parked webhook may have carried an update that no other webhook repeats, so the provider is asked.
    if (session) await this.#planLookup(tx, session.verificationId);
  }

  /**
   * Returns an empty, encrypted body for the webhook of an erased person. The body's hash stays stored, for
   * de-duplication.
   */
  #withoutBody({ bodyHash }: InboxRow): { body: Buffer } {
    return { body: this.#dependencies.sealer.seal('', getWebhookBodySealingContext(bodyHash)) };
  }

  /**
   * Counts a failed attempt to process a webhook. After the last attempt, parks the webhook as a dead letter;
   * otherwise it would block its session's later webhooks forever.
   */
  async #countFailure(row: InboxRow): Promise<void> {
    const { db } = this.#dependencies;
    const attempts = row.attempts + 1;
    if (attempts < MAX_ATTEMPTS) return void (await updateInboxWebhook(db, row.id, { attempts }));
    const reason = `Processing failed ${MAX_ATTEMPTS} times.`;
    await db.transaction((tx) => this.#park(tx, { ...row, attempts }, reason));
  }
}

/** Converts a parsed webhook into a provider update for the transition writer. */
export const toWebhookUpdate = (
  { eventTime, session }: WebhookPayload,
  { provider, receivedAt }: Pick<InboxRow, 'provider' | 'receivedAt'>,
): WebhookUpdate => ({
  source: 'WEBHOOK',
  actor: null,
  provider,
  payload: session,
  eventTime,
  receivedAt,
});
