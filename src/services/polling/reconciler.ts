import type pg from 'pg';
import type { Logger } from 'pino';
import type { Database } from '../../db/connection/client.ts';
import { classifyDatabaseFault, isPermanentError } from '../../db/connection/connection-errors.ts';
import { createReconcileQueueDrainer, enqueueDueReconcileJobs } from '../../db/polling/jobs.ts';
import { deleteLookup, findLookup, type LookupRow, rescheduleLookup } from '../../db/polling/lookups.ts';
import { findStartIntent } from '../../db/sessions/intents.ts';
import { findPassedMeetingsOfUnpolledSessions } from '../../db/sessions/meetings.ts';
import {
  findSessionsByVerificationId,
  lockSessionByVerificationId,
  reschedulePollIfUnchanged,
  type SessionRow,
  withNextPollAt,
} from '../../db/sessions/sessions.ts';
import {
  findProviderOfWaitingWebhooks,
  parkWaitingWebhooks,
  REASON_UNKNOWN_AT_PROVIDER,
  requeueWebhooksOfFoundSession,
} from '../../db/webhooks/inbox.ts';
import { IdentityMismatch, ProviderFailure } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports.ts';
import type { ProviderClients } from '../../domain/providers.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { withSpan } from '../../telemetry/trace.ts';
import { applyAnswer } from '../transitions/apply-answer.ts';
import { endPassedMeeting } from '../transitions/passed-meeting.ts';
import type { TransitionWriter } from '../transitions/transition-writer.ts';
import type { UnitOfWork } from '../transitions/unit-of-work.ts';
import type { PollFairShare } from './fair-share.ts';
import { importFoundVerification, isUserOfStartIntent } from './import-verification.ts';

const LOOK_INTERVAL_MS = 1_000;
/**
 * Bounds of the retry delay (backoff) after a poll that got no usable answer, or whose verification the provider
 * does not have yet.
 */
const FIRST_RETRY_MS = 30_000;
const MAX_RETRY_MS = 3_600_000;
/** The gateway stops looking up a verification that the provider still does not have after this long. */
export const LOOKUP_GIVE_UP_MS = 3_600_000;
/** Interval, by the gateway's clock, at which booked meetings of sessions that are not polled are ended. */
const MEETINGS_INTERVAL_MS = 60_000;
const ANSWER = { source: 'POLL', actor: null, eventTime: null } as const;

/**
 * Result of a provider call without an answer. NOT_ASKED: the call was not sent, so the poll stays due. FAILED:
 * the call was sent, but the answer is missing or unusable.
 */
type NoAnswer = 'NOT_ASKED' | 'FAILED';

interface Dependencies {
  readonly db: Database;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  /** Provider clients whose calls are taken from the polls' share of the call budget. */
  readonly providers: ProviderClients;
  readonly unitOfWork: UnitOfWork;
  readonly fairShare: PollFairShare;
  readonly sealer: Sealer;
  readonly log: Logger;
  /** Interval at which the database is searched for due polls. */
  readonly lookIntervalMs?: number;
}

/**
 * Reconciler: polls the provider and records new statuses. It polls sessions that are due, starts that got no
 * answer, and verifications that webhooks name but the gateway does not know. The reconciler never repeats a start:
 * if the provider does not have the verification, the start did not arrive, and the caller's retry sends the start
 * again.
 */
export class Reconciler {
  readonly #dependencies: Dependencies;
  readonly #timer: NodeJS.Timeout;
  readonly #drain: () => Promise<void>;
  #looking: Promise<void> | null = null;
  #draining: Promise<void> | null = null;
  /** Time of the last search for passed meetings; 0 before the first. */
  #meetingsSearchedAt = 0;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#drain = createReconcileQueueDrainer(dependencies.pool, (id) =>
      withSpan('reconcile', { from: null }, () => this.#reconcile(id)),
    );
    this.#timer = setInterval(() => this.#look(), dependencies.lookIntervalMs ?? LOOK_INTERVAL_MS);
    this.#look();
  }

  /**
   * Stops the timer and waits for running jobs. Jobs that wait for a free call end when the call budget's
   * `stopping` signal is aborted.
   */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#draining;
  }

  #look(): void {
    const { db, clock, log } = this.#dependencies;
    const complainOf = (failed: string) => (error: unknown) =>
      log.warn({ err: error }, `${failed}; retrying`);
    this.#looking ??= enqueueDueReconcileJobs(db, clock.now())
      .then(() => {
        this.#draining ??= this.#drain()
          .catch(complainOf('could not run due polls'))
          .finally(() => {
            this.#draining = null;
          });
      })
      .catch(complainOf('could not queue due polls'))
      .then(() => this.#endPassedMeetings())
      .catch(complainOf('could not end meetings whose time has passed'))
      .finally(() => {
        this.#looking = null;
      });
  }

  /**
   * Ends booked meetings whose time has passed in sessions that are not polled any more: they have ended, or their
   * link has expired. In all other sessions the provider's answer to a poll does so.
   */
  async #endPassedMeetings(): Promise<void> {
    const { db, clock, fairShare, log } = this.#dependencies;
    const at = clock.now();
    if (at.getTime() < this.#meetingsSearchedAt + MEETINGS_INTERVAL_MS) return;
    this.#meetingsSearchedAt = at.getTime();
    const startedBefore = new Date(at.getTime() - fairShare.pace.meetingGraceMs);
    for (const { verificationId } of await findPassedMeetingsOfUnpolledSessions(db, startedBefore)) {
      try {
        await this.#endPassedMeetingOf(verificationId, at);
      } catch (error) {
        if (!isPermanentError(error)) throw error;
        // Goes on: this session would fail in every round, before the sessions whose meetings are newer.
        log.warn({ err: error, verificationId }, 'could not end a meeting whose time has passed; retrying');
      }
    }
  }

  #endPassedMeetingOf(verificationId: string, at: Date): Promise<unknown> {
    return this.#dependencies.unitOfWork.inTransaction(async (writer) => {
      const session = await lockSessionByVerificationId(writer.tx, verificationId);
      // It may be polled again since (race): the answer ends the meeting then.
      if (session?.nextPollAt === null) await endPassedMeeting(writer, session, at);
    });
  }

  /**
   * Runs one job: the poll or look-up of one verification. After a failure the job stays due or is postponed.
   * Database faults are not reported to the job queue, which would count each fault as an attempt and back off
   * for minutes and finally hours.
   */
  async #reconcile(verificationId: string): Promise<void> {
    const { db, clock, log } = this.#dependencies;
    try {
      const [session] = await findSessionsByVerificationId(db, [verificationId]);
      if (!session) return await this.#lookFor(verificationId);
      await requeueWebhooksOfFoundSession(db, verificationId);
      const lookup = await findLookup(db, verificationId);
      const due = session.nextPollAt !== null && session.nextPollAt <= clock.now();
      if (due || lookup) await this.#poll(session, due, lookup);
    } catch (error) {
      const fault = classifyDatabaseFault(error);
      log.warn(
        { err: error, verificationId, ...(fault ? { fault } : {}) },
        'could not reconcile a verification; retrying',
      );
      if (fault !== null) return;
      throw new Error("could not reconcile a verification; the gateway's log names it and the cause");
    }
  }

  /** Polls a session that is due, or for which a parked webhook scheduled a look-up. */
  async #poll(session: SessionRow, due: boolean, lookup: LookupRow | null): Promise<void> {
    const { db, clock, providers, fairShare, log } = this.#dependencies;
    const { provider } = session;
    const at = clock.now();
    const payload = await this.#ask(() => providers.get(provider).findVerification(session.verificationId));
    if (payload === 'NOT_ASKED') return;
    if (payload !== 'FAILED' && payload !== null) {
      const { verificationId, providerWebhooks: webhooks } = session;
      const update = { ...ANSWER, payload, query: { provider, verificationId, at, webhooks } };
      if (await this.#record((writer) => applyAnswer(writer, update))) {
        if (lookup) await deleteLookup(db, verificationId);
        return;
      }
    }
    if (lookup && payload === null) await deleteLookup(db, lookup.verificationId);
    else if (lookup) await this.#postpone(lookup);
    if (payload === null)
      log.warn({ sessionId: session.id }, 'provider does not know a session of this gateway');
    if (!due) return;
    const now = clock.now();
    // Polling must end after the link's expiry even if the provider cannot be asked, so the schedule is
    // computed as if the provider had answered now.
    const ended = withNextPollAt({ ...session, providerHeardAt: now }, fairShare.pace).nextPollAt === null;
    const retryAt = later(now, session.providerHeardAt);
    await reschedulePollIfUnchanged(db, session, ended ? null : retryAt);
  }

  /**
   * Looks up a verification without a session at the provider: a start that was sent and got no answer, or a
   * verification that only webhooks mention.
   */
  async #lookFor(verificationId: string): Promise<void> {
    const { db, clock, providers } = this.#dependencies;
    const lookup = await findLookup(db, verificationId);
    if (!lookup) return;
    const intent = await findStartIntent(db, verificationId);
    const sent = intent?.state === 'OPEN' && intent.sends > 0;
    const waiting = await findProviderOfWaitingWebhooks(db, verificationId);
    const provider = sent ? intent.provider : waiting;
    if (provider === null) {
      await deleteLookup(db, verificationId);
      return;
    }

    const query = { provider, verificationId, at: clock.now(), webhooks: 0 };
    const payload = await this.#ask(() => providers.get(provider).findVerification(verificationId));
    if (payload === 'NOT_ASKED') return;
    if (payload !== 'FAILED' && payload !== null) {
      const isForIntent = sent
        ? await this.#ask(() => isUserOfStartIntent(this.#dependencies, intent, payload))
        : false;
      if (isForIntent === true) {
        const update = { ...ANSWER, payload, query };
        if (await this.#record((writer) => writer.applyUpdate(update))) return;
        return this.#postpone(lookup);
      }
      if (isForIntent === 'NOT_ASKED') return;
      if (isForIntent === 'FAILED') return this.#postpone(lookup);
      const adopted =
        waiting !== null &&
        (await this.#ask(() => importFoundVerification(this.#dependencies, query, payload)));
      if (adopted === true || adopted === 'NOT_ASKED') return;
      if (adopted === 'FAILED') return this.#postpone(lookup);
    }
    const ageMs = clock.now().getTime() - lookup.since.getTime();
    // A failed call says nothing about the verification, so the look-up goes on until the provider has really
    // answered that it does not have the verification.
    if (payload === 'FAILED' || ageMs < LOOKUP_GIVE_UP_MS) return this.#postpone(lookup);
    await parkWaitingWebhooks(db, verificationId, REASON_UNKNOWN_AT_PROVIDER);
    await deleteLookup(db, verificationId);
  }

  async #postpone({ verificationId, since }: LookupRow): Promise<void> {
    const { db, clock } = this.#dependencies;
    await rescheduleLookup(db, verificationId, later(clock.now(), since));
  }

  /**
   * Records an answer of the provider. Returns false if the answer names another verification or user; such an
   * answer is ignored.
   */
  async #record(work: (writer: TransitionWriter) => Promise<unknown>): Promise<boolean> {
    try {
      await this.#dependencies.unitOfWork.recordAnswer(work);
      return true;
    } catch (error) {
      if (error instanceof IdentityMismatch) return false;
      throw error;
    }
  }

  async #ask<T>(call: () => Promise<T>): Promise<T | NoAnswer> {
    try {
      return await call();
    } catch (error) {
      if ((error as Error).name === 'AbortError') return 'NOT_ASKED';
      if (!(error instanceof ProviderFailure)) throw error;
      return error.details.sent === false ? 'NOT_ASKED' : 'FAILED';
    }
  }
}

/** Computes when to try again: the delay is a quarter of the time since `since`, within bounds (backoff). */
function later(now: Date, since: Date): Date {
  const quarterMs = (now.getTime() - since.getTime()) / 4;
  return new Date(now.getTime() + Math.min(Math.max(quarterMs, FIRST_RETRY_MS), MAX_RETRY_MS));
}
