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
/** They share the journeys to the database, and its commit. */
const MOST_TOGETHER = 10;
const LOOK_EVERY_MS = 1_000;
/** Faults that may be of one session alone, whose row another transaction holds. */
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

/** Records the webhooks that are in line: in order per session, whatever happens between. */
export class WebhookLine {
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout;
  readonly #working = new Set<Promise<void>>();
  /** Of those put in line here, what nobody here has seen recorded: while there are any it is worth looking for more. */
  readonly #unseen = new Set<bigint>();
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#work(), LOOK_EVERY_MS);
    this.#work();
  }

  /** Says that webhooks were put in line, by their ids. */
  join(ids: readonly bigint[]): void {
    for (const id of ids) this.#unseen.add(id);
    if (ids.length > 0) this.#work();
  }

  /** Takes no more, and waits for the webhook in hand. */
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
   * Processes until none are left. If several fail together, each is tried by itself; one that fails by itself is passed
   * over until the next look. While the database cannot be used, that ends the look.
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

  /** Processes some webhooks, each of another session, in one transaction. If one that was alone failed, says which. */
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
      // What nobody here has in hand, others have.
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
      // A fault of the database is none of the webhook's, and as a rule hits every other as well.
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

  /** Has the provider asked about a verification at once. */
  async #planLookup(tx: Transaction, verificationId: string): Promise<void> {
    const now = this.#parts.clock.now();
    await planLookup(tx, { verificationId, since: now, dueAt: now });
  }

  async #park(tx: Transaction, row: InboxRow, reason: string): Promise<void> {
    const session = row.verificationId === null ? null : await lockSession(tx, row.verificationId);
    const { attempts } = row;
    const body = session?.erasedAt ? this.#withoutBody(row) : {};
    await settleWebhook(tx, row.id, { state: 'PARKED', reason, attempts, ...body });
    // It may have said something of the session that nobody else says: only the provider can tell now.
    if (session) await this.#planLookup(tx, session.verificationId);
  }

  /** Of somebody who was erased nothing is kept: the hash alone stays, by which a repetition is known. */
  #withoutBody({ bodyHash }: InboxRow): { body: Buffer } {
    return { body: this.#parts.sealer.seal('', placeOfWebhook(bodyHash)) };
  }

  /** Parks a webhook after its last attempt: it would hold up its session's later ones for ever. */
  async #countFailure(row: InboxRow): Promise<void> {
    const { db } = this.#parts;
    const attempts = row.attempts + 1;
    if (attempts < MOST_ATTEMPTS) return void (await settleWebhook(db, row.id, { attempts }));
    const reason = `It could not be processed in ${MOST_ATTEMPTS} attempts.`;
    await db.transaction((tx) => this.#park(tx, { ...row, attempts }, reason));
  }
}

/** What a webhook says, as it is recorded. */
export const reportOf = ({ eventTime, session }: WebhookNews, receivedAt: Date): WebhookReport => ({
  source: 'WEBHOOK',
  actor: null,
  said: session,
  eventTime,
  receivedAt,
});
