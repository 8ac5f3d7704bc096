import type { Logger } from 'pino';
import type { Database, Transaction } from '../db/client.ts';
import { type DatabaseFault, faultOf, isOfTheValues } from '../db/faults.ts';
import { claimWebhooks, type InboxRow, placeOfWebhook, settleWebhook } from '../db/inbox.ts';
import { planLookup } from '../db/lookups.ts';
import type { Sealer } from '../db/sealing.ts';
import { lockSession } from '../db/sessions.ts';
import { Mismatch } from '../domain/errors.ts';
import { NAME_OF_ID } from '../domain/identity.ts';
import type { Clock } from '../domain/ports.ts';
import { NotUnderstood, readWebhook, type WebhookNews } from '../provider/wire.ts';
import type { OnMismatch } from '../telemetry/mismatches.ts';
import { detached, traced } from '../telemetry/trace.ts';
import type { Recorded, Recording, WebhookReport } from './record-transition.ts';
import type { Recorder } from './recorder.ts';

const MOST_ATTEMPTS = 5;
const WORKERS = 2;
/** Webhooks claimed in one batch; they share the statements and the commit. */
const MOST_TOGETHER = 10;
const LOOK_EVERY_MS = 1_000;
/** Faults that may affect a single session, whose row another transaction has locked. */
const OF_ONE_SESSION: readonly DatabaseFault[] = ['BUSY', 'SILENT'];
const STRANGER = 'No session was started here under this verification id: the provider is asked.';

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly recorder: Recorder;
  readonly onMismatch: OnMismatch;
  readonly log: Logger;
}

/** Queue worker: records queued webhooks, in arrival order within a session. */
export class WebhookLine {
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout;
  readonly #working = new Set<Promise<void>>();
  /**
   * Ids queued by this process and not yet seen processed. While there are any, the worker keeps polling the
   * queue.
   */
  readonly #unseen = new Set<bigint>();
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#work(), LOOK_EVERY_MS);
    this.#work();
  }

  /** Notes the ids of newly queued webhooks and starts a worker. */
  join(ids: readonly bigint[]): void {
    for (const id of ids) this.#unseen.add(id);
    if (ids.length > 0) this.#work();
  }

  /** Stops claiming webhooks and waits for those in progress. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await Promise.all(this.#working);
  }

  #work(): void {
    if (this.#working.size >= WORKERS || this.#stopped) return;
    const work = detached(() => this.#processAll()).finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  /**
   * Processes the queue until it is empty. If a batch fails, retries its webhooks one by one. A webhook that
   * fails alone is skipped until the next round. Ends the round if the database is unavailable.
   */
  async #processAll(): Promise<void> {
    let behind = 0n;
    for (let alone = 0; !this.#stopped; alone -= 1) {
      const limit = alone > 0 ? 1 : MOST_TOGETHER;
      const outcome = await this.#processNext(limit, behind);
      if (outcome === 'NONE_LEFT') return;
      if (outcome === 'MAYBE_MORE') continue;
      if (limit > 1) alone = MOST_TOGETHER + 1;
      else if (outcome.passOver) behind = outcome.passOver.id;
      else return;
    }
  }

  /**
   * Processes up to `limit` webhooks, each of a different session, in one transaction. If a webhook that was
   * alone failed, returns it.
   */
  async #processNext(
    limit: number,
    behind: bigint,
  ): Promise<'MAYBE_MORE' | 'NONE_LEFT' | { passOver: InboxRow | null }> {
    const { recorder, log } = this.#parts;
    let claimed: InboxRow[] = [];
    try {
      const count = await recorder.inTransaction(async (recording) => {
        claimed = await claimWebhooks(recording.tx, limit, behind);
        const outcomes = await Promise.allSettled(
          claimed.map((row) =>
            traced('process webhook', { kind: 'CONSUMER', from: row.traceparent }, () =>
              this.#process(recording, row),
            ),
          ),
        );
        const failed = outcomes.find((outcome) => outcome.status === 'rejected');
        if (failed) throw failed.reason;
        return claimed.length;
      });
      for (const { id } of claimed) this.#unseen.delete(id);
      // No other worker here holds webhooks and none are left, so other replicas have processed the unseen
      // ones.
      if (count === 0 && this.#working.size === 1) this.#unseen.clear();
      return count === limit || (count > 0 && this.#unseen.size > 0) ? 'MAYBE_MORE' : 'NONE_LEFT';
    } catch (error) {
      if (limit > 1) return { passOver: null };
      const [failed = null] = claimed;
      const fault = faultOf(error);
      log.warn(
        { err: error, webhook: failed?.id.toString(), ...(fault ? { fault } : {}) },
        'a webhook could not be processed; retrying',
      );
      // A database fault is not the webhook's fault and usually affects all others as well.
      if (fault !== null && !OF_ONE_SESSION.includes(fault)) return { passOver: null };
      if (failed && isOfTheValues(error)) await this.#countFailure(failed).catch(() => {});
      return { passOver: failed };
    }
  }

  async #process(recording: Recording, row: InboxRow): Promise<void> {
    let news: WebhookNews;
    try {
      news = readWebhook(this.#parts.sealer.open(row.body, placeOfWebhook(row.bodyHash)).toString('utf8'));
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      await this.#park(recording.tx, row, `It could not be understood: ${error.message}.`);
      return;
    }
    let recorded: Recorded | null;
    try {
      recorded = await recording.report(reportOf(news, row.receivedAt));
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      const { field, verificationId } = error;
      this.#parts.onMismatch({ source: 'WEBHOOK', field, verificationId });
      await this.#park(recording.tx, row, `It names another ${NAME_OF_ID[field]} than its session has.`);
      return;
    }
    if (recorded?.session.erasedAt)
      return void (await settleWebhook(recording.tx, row.id, { state: 'DONE', ...this.#withoutBody(row) }));
    if (recorded) return recording.gathered.settleWebhook(row.id);
    const { verificationId } = news.session;
    await settleWebhook(recording.tx, row.id, { state: 'WAITING', verificationId, reason: STRANGER });
    await this.#planLookup(recording.tx, verificationId);
  }

  /** Plans a look-up of the verification at the provider that is due now. */
  async #planLookup(tx: Transaction, verificationId: string): Promise<void> {
    const now = this.#parts.clock.now();
    await planLookup(tx, { verificationId, since: now, dueAt: now });
  }

  async #park(tx: Transaction, row: InboxRow, reason: string): Promise<void> {
    const session = row.verificationId === null ? null : await lockSession(tx, row.verificationId);
    const { attempts } = row;
    const body = session?.erasedAt ? this.#withoutBody(row) : {};
    await settleWebhook(tx, row.id, { state: 'PARKED', reason, attempts, ...body });
    // The webhook may have carried an update that no other webhook repeats, so the provider is asked.
    if (session) await this.#planLookup(tx, session.verificationId);
  }

  /** Empties the body of an erased person's webhook. The hash stays, for de-duplication. */
  #withoutBody({ bodyHash }: InboxRow): { body: Buffer } {
    return { body: this.#parts.sealer.seal('', placeOfWebhook(bodyHash)) };
  }

  /**
   * Counts a failed attempt. After the last one, parks the webhook as a dead letter; otherwise it would block
   * its session's later webhooks forever.
   */
  async #countFailure(row: InboxRow): Promise<void> {
    const { db } = this.#parts;
    const attempts = row.attempts + 1;
    if (attempts < MOST_ATTEMPTS) return void (await settleWebhook(db, row.id, { attempts }));
    const reason = `It could not be processed in ${MOST_ATTEMPTS} attempts.`;
    await db.transaction((tx) => this.#park(tx, { ...row, attempts }, reason));
  }
}

/** Converts a parsed webhook into the report to record. */
export const reportOf = ({ eventTime, session }: WebhookNews, receivedAt: Date): WebhookReport => ({
  source: 'WEBHOOK',
  actor: null,
  said: session,
  eventTime,
  receivedAt,
});
