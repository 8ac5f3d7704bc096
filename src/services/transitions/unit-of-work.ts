import type { Logger } from 'pino';
import type { Database } from '../../db/connection/client.ts';
import { assignFeedPositionsAtCommit } from '../../db/sessions/feed.ts';
import type { TransitionRow } from '../../db/sessions/transitions.ts';
import { forceIndexPlans, SessionWriteBatch } from '../../db/sessions/write-batch.ts';
import type { AuditKeyring } from '../../domain/audit.ts';
import type { DeadlineMinutes } from '../../domain/deadlines.ts';
import { IdentityMismatch } from '../../domain/errors.ts';
import type { Clock, Doorbell } from '../../domain/ports.ts';
import type { FeedEntry } from '../../domain/session.ts';
import { UNRECOGNIZED } from '../../domain/status.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { OnMismatch } from '../../telemetry/mismatches.ts';
import type { PollFairShare } from '../polling/fair-share.ts';
import { AuditedWriter } from './audited-writes.ts';
import { type IgnoredFields, TransitionWriter } from './transition-writer.ts';

interface UnitOfWorkDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly doorbell: Doorbell;
  readonly sealer: Sealer;
  readonly auditKeys: AuditKeyring;
  readonly fairShare: PollFairShare;
  /** Times after which sessions are overdue. */
  readonly deadlines: DeadlineMinutes;
  readonly metrics: Metrics;
  readonly onMismatch: OnMismatch;
  readonly log: Logger;
}

/**
 * Runs functions that record transitions, each in one transaction (unit of work). After the commit, notifies all
 * replicas (doorbell).
 */
export class UnitOfWork {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #doorbell: Doorbell;
  readonly #sealer: Sealer;
  readonly #auditKeys: AuditKeyring;
  readonly #fairShare: PollFairShare;
  readonly #deadlines: DeadlineMinutes;
  readonly #metrics: Metrics;
  readonly #onMismatch: OnMismatch;
  readonly #log: Logger;

  constructor(dependencies: UnitOfWorkDependencies) {
    this.#db = dependencies.db;
    this.#clock = dependencies.clock;
    this.#doorbell = dependencies.doorbell;
    this.#sealer = dependencies.sealer;
    this.#auditKeys = dependencies.auditKeys;
    this.#fairShare = dependencies.fairShare;
    this.#deadlines = dependencies.deadlines;
    this.#metrics = dependencies.metrics;
    this.#onMismatch = dependencies.onMismatch;
    this.#log = dependencies.log;
  }

  /**
   * Runs `work`, which records an answer of the provider, in one transaction.
   *
   * @throws IdentityMismatch if the answer is about another verification or user; the mismatch is counted and logged,
   *   and nothing is recorded
   */
  async recordAnswer<T>(work: (writer: TransitionWriter) => Promise<T>): Promise<T> {
    try {
      return await this.inTransaction(work);
    } catch (error) {
      if (error instanceof IdentityMismatch)
        this.#onMismatch({ source: 'ANSWER', field: error.field, verificationId: error.verificationId });
      throw error;
    }
  }

  /**
   * Runs `work` in one transaction, then notifies all replicas (doorbell) of the transitions that `work`
   * recorded.
   */
  async inTransaction<T>(work: (writer: TransitionWriter) => Promise<T>): Promise<T> {
    const recorded: TransitionRow[] = [];
    const ignored: IgnoredFields[] = [];
    let numbered: Promise<readonly FeedEntry[]> = Promise.resolve([]);
    const result = await this.#db.transaction(async (tx) => {
      tx.start(forceIndexPlans());
      const batch = new SessionWriteBatch();
      const changes = new AuditedWriter(tx, batch, this.#sealer, this.#auditKeys);
      const { pace } = this.#fairShare;
      const [clock, sealer, deadlines] = [this.#clock, this.#sealer, this.#deadlines];
      const done = await work(
        new TransitionWriter(tx, batch, changes, clock, sealer, pace, deadlines, recorded, ignored),
      );
      await changes.appendChainEntries(this.#clock.now());
      batch.flush(tx);
      if (recorded.length > 0) numbered = assignFeedPositionsAtCommit(tx);
      return done;
    });
    for (const transition of recorded) {
      this.#metrics.transitions.inc({ source: transition.source, verdict: transition.verdict });
      if (transition.subStatus === UNRECOGNIZED) this.#reportUnrecognized(transition);
    }
    for (const each of ignored) this.#reportIgnored(each);
    this.#ring(recorded, await numbered);
    return result;
  }

  /**
   * Notifies all replicas (doorbell) of the recorded transitions, and of earlier transitions of other
   * transactions that got their feed position by this commit.
   */
  #ring(recorded: readonly TransitionRow[], numbered: readonly FeedEntry[]): void {
    for (const entry of numbered) this.#doorbell.ring(entry.sessionId, entry.sequence, entry);
    for (const { sessionId, sequence } of recorded)
      if (!numbered.some((entry) => entry.sessionId === sessionId && entry.sequence === sequence))
        this.#doorbell.ring(sessionId, sequence);
  }

  #reportIgnored({ sessionId, fields, isNews }: IgnoredFields): void {
    for (const { field, problem } of fields) {
      this.#metrics.ignoredFields.inc({ field });
      if (isNews)
        this.#log.warn(
          { sessionId, field, problem },
          'could not parse a field of a provider update; treating it as missing',
        );
    }
  }

  #reportUnrecognized({ sessionId, sequence, rawStatus, rawSubStatus }: TransitionRow): void {
    this.#metrics.unrecognized.inc();
    this.#log.warn(
      { sessionId, sequence, rawStatus, rawSubStatus },
      'provider reported a status unknown to this release; recorded as UNRECOGNIZED',
    );
  }
}
