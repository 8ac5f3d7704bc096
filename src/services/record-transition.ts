import DataLoader from 'dataloader';
import { findAuditHeadsOfVerifications } from '../db/audit.ts';
import type { Transaction } from '../db/client.ts';
import { dropDoubt, findDoubt, keepDoubt } from '../db/doubts.ts';
import { lockFreeSessions, releaseWaiting } from '../db/inbox.ts';
import { findIntent, type IntentRow } from '../db/intents.ts';
import { endLookup } from '../db/lookups.ts';
import type { Gathered } from '../db/recording.ts';
import type { Sealer } from '../db/sealing.ts';
import {
  insertSession,
  type LockedSession,
  lockSession,
  lockSessions,
  placeOfLink,
  type SessionRow,
  stateOf,
  withNextPoll,
} from '../db/sessions.ts';
import { confirmSighting, findSightings, type TransitionRow, type Words } from '../db/transitions.ts';
import { findUsers } from '../db/users.ts';
import { Mismatch } from '../domain/errors.ts';
import { findMismatch, type IdentityField } from '../domain/identity.ts';
import type { Clock, IgnoredField, ProviderSession } from '../domain/ports.ts';
import {
  advance,
  type Doubt,
  type FoldedState,
  isLate,
  isTooFarAhead,
  type Judgement,
  judge,
  type ProviderNews,
  SECOND_LOOK_AFTER_MS,
  type Sighting,
  type TransitionSource,
} from '../domain/session.ts';
import { type KnownSubStatus, pairOf, waitingOnOf } from '../domain/status.ts';
import { type AuditedChanges, commitPerson, NO_PERSON } from './audited-changes.ts';
import { takeOver } from './take-over.ts';

/** Question to the provider, with the facts that are needed to order its answer. */
export interface Question {
  readonly verificationId: string;
  /** Time of the request, by our clock. */
  readonly at: Date;
  /** Number of the session's webhooks recorded at the time of the request. */
  readonly webhooks: number;
}

/** Provider update from a webhook. */
export interface WebhookReport {
  readonly source: 'WEBHOOK';
  /** Always null: the provider caused the update. */
  readonly actor: null;
  readonly said: ProviderSession;
  /** Event time by the provider's clock. */
  readonly eventTime: Date;
  /** Arrival by our clock. */
  readonly receivedAt: Date;
}

/** Provider update from an answer to a call. Answers carry no event time. */
export interface AnswerReport {
  readonly source: Exclude<TransitionSource, 'WEBHOOK'>;
  /** Viewer who caused the update; null if the provider did. */
  readonly actor: string | null;
  readonly said: ProviderSession;
  readonly eventTime: null;
  readonly asked: Question;
}

/** Provider update on a session, with its source. */
export type Report = WebhookReport | AnswerReport;

/** Report of a webhook that is not in the inbox yet, with the SHA-256 of its body. */
export interface UnstoredReport {
  readonly report: WebhookReport;
  readonly bodyHash: Buffer;
}

/** Fields of an update that could not be understood and count as missing. */
export interface Ignored {
  readonly sessionId: string;
  readonly fields: readonly IgnoredField[];
  /**
   * Whether the update became a transition. Polls repeat the same fields, which are then not logged again.
   */
  readonly isNews: boolean;
}

export interface Recorded {
  readonly session: SessionRow;
  /** Null if the report was nothing new. */
  readonly transition: TransitionRow | null;
}

/** Data that a session is created with, in addition to the provider's update. */
export type Origin = Pick<SessionRow, 'userId' | 'userTemplate' | 'agentTemplate' | 'replacesId'> & {
  readonly sessionId: string;
  /** Caller who started the session here; null if another system did. */
  readonly caller: string | null;
};

/**
 * Transition writer: the only code that changes a session's status. Within one transaction of the `Recorder`
 * it locks the session, asks the rules, appends the transition with the next sequence and updates the
 * session.
 */
export class Recording {
  readonly tx: Transaction;
  /** Writes transitions, meetings and reviews together with their audit entries. */
  readonly changes: AuditedChanges;
  readonly gathered: Gathered;
  readonly #clock: Clock;
  readonly #sealer: Sealer;
  readonly #fairShareMs: number;
  readonly #recorded: TransitionRow[];
  readonly #ignored: Ignored[];
  /**
   * Looks up all reports of the same tick in one query. No cache: the session may be created between two
   * reports.
   */
  readonly #known = new DataLoader(
    (reports: readonly Report[]) => this.#lookUp(reports, lockSessions(this.tx, reports.map(idOf))),
    { cache: false },
  );
  /** Looks up the free sessions of webhooks that are not stored yet, batched like `#known`. */
  readonly #free = new DataLoader(
    (unstored: readonly UnstoredReport[]) => {
      const reports = unstored.map(({ report }) => report);
      const wanted = unstored.map(({ report, bodyHash }) => ({ verificationId: idOf(report), bodyHash }));
      return this.#lookUp(reports, lockFreeSessions(this.tx, wanted));
    },
    { cache: false },
  );

  constructor(
    tx: Transaction,
    gathered: Gathered,
    changes: AuditedChanges,
    clock: Clock,
    sealer: Sealer,
    fairShareMs: number,
    recorded: TransitionRow[],
    ignored: Ignored[],
  ) {
    this.tx = tx;
    this.gathered = gathered;
    this.changes = changes;
    this.#clock = clock;
    this.#sealer = sealer;
    this.#fairShareMs = fairShareMs;
    this.#recorded = recorded;
    this.#ignored = ignored;
  }

  /**
   * Records an update of a session. The first update creates the session from its start intent. Returns null
   * if there is neither a session nor a matching intent: the session was not started here, or it was
   * archived.
   *
   * @throws Mismatch if the update names another verification or user than the session it would be recorded
   *   on; nothing is written then
   */
  async report(report: Report): Promise<Recorded | null> {
    refuseOtherVerification(report);
    const verificationId = idOf(report);
    const { session, seen } = await this.#known.load(report);
    if (session) return this.#reportOn(session, report, seen);
    const intent = await findIntent(this.tx, verificationId);
    // A DONE intent means that its session exists: it was created since the lookup, or it was archived and
    // must not be created again.
    if (intent?.state === 'DONE') {
      const begun = await lockSession(this.tx, verificationId);
      return begun && this.#reportOn(begun, report);
    }
    if (!intent?.userId || !(await this.#isOurs(report, intent, intent.userId))) return null;
    return this.adopt(report, { ...intent, userId: intent.userId, caller: intent.caller || null });
  }

  /**
   * Records a webhook that the same transaction stores. Returns null if the webhook must be queued: an
   * earlier one of its session is queued, the session is locked or unknown, or the webhook names another user
   * or reference id than the session has.
   */
  async reportIfFree(unstored: UnstoredReport): Promise<Recorded | null> {
    const { session, seen } = await this.#free.load(unstored);
    if (!session || mismatchOf(session, unstored.report)) return null;
    return this.#reportOn(session, unstored.report, seen);
  }

  /**
   * Creates a session from its first update. If another transaction created the session first, adds the
   * update to that one.
   *
   * @throws Mismatch as `report` does
   */
  async adopt(report: Report, origin: Origin): Promise<Recorded> {
    refuseOtherVerification(report);
    const { sessionId, userId, userTemplate, agentTemplate, replacesId, caller } = origin;
    const from = { sessionId, userId, userTemplate, agentTemplate, replacesId, caller };
    const begun = await this.#begin(report, from);
    if (begun) return begun;
    const other = await lockSession(this.tx, idOf(report));
    if (!other) throw new Error('A session could neither be begun nor found');
    return this.#reportOn(other, report);
  }

  /**
   * Returns whether an update belongs to an intent and may create its session. Another system of the account
   * may have started a verification under the same id. A webhook must therefore name our user, and our start
   * must have been sent. An answer may leave the user out, because we asked for it.
   *
   * @throws Mismatch if an answer names another user
   */
  async #isOurs({ said, eventTime }: Report, intent: IntentRow, userId: string): Promise<boolean> {
    const sent = intent.sends > 0 && intent.state !== 'TAKEN' && intent.state !== 'REFUSED';
    if (eventTime && !sent) return false;
    const [user] = await findUsers(this.tx, [userId]);
    if (eventTime) return user !== undefined && user.userId === said.userId;
    const mismatch = findMismatch({ userId: user?.userId ?? null }, { userId: said.userId });
    if (mismatch) throw new Mismatch(mismatch, intent.verificationId);
    return true;
  }

  /** Records a decision made through this API on a session whose row is locked. Returns the updated row. */
  async act(before: SessionRow, to: KnownSubStatus, actor: string): Promise<SessionRow> {
    const now = this.#clock.now();
    const transition: TransitionRow = {
      ...this.#next(before.id, before, now),
      ...pairOf(to),
      rawStatus: null,
      rawSubStatus: null,
      verdict: 'MOVED',
      source: 'MUTATION',
      actor,
      occurredAt: null,
    };
    this.changes.addTransition(transition);
    this.#recorded.push(transition);
    return this.#save({
      ...before,
      ...columnsOf(advance(stateOf(before), transition), transition, now, before),
    });
  }

  /** Creates the session. Returns null if another transaction created it first (race). */
  async #begin(report: Report, from: Origin): Promise<Recorded | null> {
    const { said } = report;
    const now = this.#clock.now();
    const judgement = judge(null, newsOf(report, []), now);
    if (judgement.kind !== 'TRANSITION')
      throw new Error('The first report of a session is always a transition');
    const { sessionId, caller, ...origin } = from;
    const [user] = await findUsers(this.tx, [origin.userId]);
    const person = user ? commitPerson(user) : NO_PERSON;
    const transition = this.#reported(sessionId, null, report, judgement, now);
    const unplanned = {
      ...origin,
      id: sessionId,
      verificationId: said.verificationId,
      createdAt: now,
      erasedAt: null,
      personSalt: person.salt,
      unsettled: judgement.settle,
      providerHeardAt: now,
      providerFoundAt: orderingTime(report) ? null : now,
      ...this.#facts(sessionId, null, report, now),
      ...columnsOf(advance(null, transition), transition, now),
    };
    const session = withNextPoll(unplanned, this.#fairShareMs);
    if (!(await insertSession(this.tx, session))) return null;
    this.changes.addSession(session, person.commitment, caller);
    this.#append(transition, report);
    await takeOver(this.tx, this.changes, {
      said,
      source: wayOf(report),
      before: null,
      session,
      transition,
      now,
    });
    this.#noteIgnored(session, report, transition);
    await releaseWaiting(this.tx, said.verificationId);
    await endLookup(this.tx, said.verificationId);
    return { session, transition };
  }

  /**
   * Returns each report's session, if it is among the locked ones, and the earlier sightings of its raw
   * status.
   */
  async #lookUp(
    reports: readonly Report[],
    locking: Promise<LockedSession[]>,
  ): Promise<{ session: LockedSession | null; seen: Sighting[] }[]> {
    // The lock is sent first on the pipelined connection, so the reads after it see the sessions as of the
    // lock.
    const [rows, heads, sightings] = await Promise.all([
      locking,
      findAuditHeadsOfVerifications(this.tx, reports.map(idOf)),
      this.#seenOf(reports),
    ]);
    for (const { id } of rows) this.changes.know(id, heads.find(({ sessionId }) => sessionId === id) ?? null);
    return reports.map((report, index) => ({
      session: rows.find((row) => row.verificationId === idOf(report)) ?? null,
      seen: sightings[index] ?? [],
    }));
  }

  #seenOf(reports: readonly Report[]): Promise<Sighting[][]> {
    return findSightings(this.tx, reports.map(wordsOf));
  }

  async #reportOn(
    before: LockedSession,
    heard: Report,
    seenBefore: Sighting[] | null = null,
  ): Promise<Recorded> {
    const mismatch = mismatchOf(before, heard);
    if (mismatch) throw new Mismatch(mismatch, before.verificationId);
    const report = before.erasedAt ? withoutPerson(heard) : heard;
    const { said, eventTime } = report;
    this.changes.expect(before.id);
    const seen = seenBefore ?? (await this.#seenOf([report]))[0] ?? [];
    // Webhooks carry an event time, so they need no second poll to confirm them.
    const doubt = eventTime ? null : await findDoubt(this.tx, before.id);
    const state = stateOf(before, doubt);
    const now = this.#clock.now();
    const judgement = judge(state, newsOf(report, seen), now);
    const overtaken = !report.eventTime && report.asked.webhooks !== before.providerWebhooks;
    if (judgement.kind === 'NOTHING' && eventTime) return { session: before, transition: null };
    if (judgement.kind === 'DOUBTED') {
      this.tx.start(keepDoubt(this.tx, before.id, judgement.doubt));
      return this.#fillIn(before, report, true, now, judgement.doubt);
    }
    if (overtaken) return this.#fillIn(before, report, judgement.settle, now, doubt);
    if (doubt) this.tx.start(dropDoubt(this.tx, before.id));

    const transition =
      judgement.kind === 'TRANSITION' ? this.#reported(before.id, before, report, judgement, now) : null;
    const late = transition !== null && isLate(transition.verdict);
    // The webhook could confirm either of two sightings, so its time says nothing about the newest raw
    // status.
    const undated = judgement.kind === 'CONFIRMS' && judgement.settle;
    const facts = late ? this.#times(before, report, now) : this.#facts(before.id, before, report, now);
    const folded = transition && columnsOf(advance(state, transition), transition, now, before);
    const session = this.#save({
      ...before,
      ...facts,
      ...folded,
      ...(undated ? { providerEventTime: believed(before.providerEventTime, now) } : {}),
      ...(judgement.kind === 'NOTHING' || late || undated
        ? {}
        : { providerFoundAt: orderingTime(report) ? null : now }),
      // An answer that no webhook overtook is the provider's present state, so it settles the order.
      unsettled: eventTime !== null && (before.unsettled || judgement.settle),
      providerHeardAt: now,
    });

    this.changes.addDetails(before, session);
    if (transition) this.#append(transition, report);
    if (judgement.kind === 'CONFIRMS')
      this.tx.start(confirmSighting(before.id, said.rawStatus, said.rawSubStatus, eventTime));
    if (!late)
      await takeOver(this.tx, this.changes, {
        said,
        source: wayOf(report),
        before,
        session,
        transition,
        now,
      });
    this.#noteIgnored(session, report, transition);
    return { session, transition };
  }

  #noteIgnored({ id: sessionId }: SessionRow, { said }: Report, transition: TransitionRow | null): void {
    if (said.ignored) this.#ignored.push({ sessionId, fields: said.ignored, isNews: transition !== null });
  }

  /**
   * Fills in missing fields of the session from an answer that is not applied: webhooks overtook it, or it is
   * doubted.
   */
  async #fillIn(
    before: SessionRow,
    report: Report,
    settle: boolean,
    now: Date,
    doubt: Doubt | null,
  ): Promise<Recorded> {
    const said = this.#facts(before.id, null, report, now);
    const filled = {
      ...before,
      referenceId: before.referenceId ?? said.referenceId,
      link: before.link ?? said.link,
      linkExpiresAt: before.linkExpiresAt ?? said.linkExpiresAt,
      unsettled: before.unsettled || settle,
      providerHeardAt: now,
    };
    const isStanding = doubt?.webhooks === before.providerWebhooks;
    const session = this.#save(
      filled,
      doubt && isStanding ? new Date(doubt.since.getTime() + SECOND_LOOK_AFTER_MS) : null,
    );
    this.changes.addDetails(before, session);
    return { session, transition: null };
  }

  #save(session: SessionRow, secondLookAt: Date | null = null): SessionRow {
    const planned = withNextPoll(session, this.#fairShareMs, secondLookAt);
    this.gathered.save(planned);
    return planned;
  }

  #reported(
    sessionId: string,
    before: SessionRow | null,
    report: Report,
    { pair, verdict }: Extract<Judgement, { kind: 'TRANSITION' }>,
    recordedAt: Date,
  ): TransitionRow {
    return {
      ...this.#next(sessionId, before, recordedAt),
      ...pair,
      rawStatus: report.said.rawStatus,
      rawSubStatus: report.said.rawSubStatus,
      verdict,
      source: report.source,
      actor: report.actor,
      occurredAt: report.eventTime,
    };
  }

  #next(sessionId: string, before: SessionRow | null, recordedAt: Date) {
    return {
      sessionId,
      sequence: (before?.lastSequence ?? 0) + 1,
      fromStatus: before?.status ?? null,
      fromSubStatus: before?.subStatus ?? null,
      recordedAt,
    };
  }

  #append(transition: TransitionRow, report: Report): void {
    this.changes.addTransition(transition);
    this.gathered.addSighting({
      sessionId: transition.sessionId,
      sequence: transition.sequence,
      rawStatus: report.said.rawStatus,
      rawSubStatus: report.said.rawSubStatus,
      eventTime: report.eventTime,
    });
    this.#recorded.push(transition);
  }

  /**
   * Columns that an update sets apart from the status. The provider sometimes leaves fields out; stored
   * values then stay.
   */
  #facts(sessionId: string, before: SessionRow | null, report: Report, now: Date) {
    const { said } = report;
    return {
      referenceId: said.referenceId ?? before?.referenceId ?? null,
      link: said.link ? this.#sealer.seal(said.link, placeOfLink(sessionId)) : (before?.link ?? null),
      linkExpiresAt: said.linkExpiresAt ?? before?.linkExpiresAt ?? null,
      providerMeetingAt: said.meetingAt ?? before?.providerMeetingAt ?? null,
      meetingAt: isNews(said.meetingAt, before) ? said.meetingAt : (before?.meetingAt ?? null),
      ...this.#times(before, report, now),
    };
  }

  #times(before: SessionRow | null, report: Report, now: Date) {
    return {
      providerEventTime: newer(believed(before?.providerEventTime ?? null, now), orderingTime(report)),
      providerWebhooks: (before?.providerWebhooks ?? 0) + (report.eventTime ? 1 : 0),
    };
  }
}

/**
 * Removes personal data from an update. Updates may arrive years late, and nothing is stored about an erased
 * person.
 */
const withoutPerson = (report: Report): Report => ({
  ...report,
  said: { ...report.said, link: null, agentRemarks: null, auditorRemarks: null },
});

/** Verification id that an update is recorded on: the id asked about, or the id that the webhook names. */
const idOf = (report: Report): string =>
  report.eventTime ? report.said.verificationId : report.asked.verificationId;

/**
 * Refuses an answer about another verification than the one asked about. The provider's client refuses it
 * too; this check holds for every client.
 */
function refuseOtherVerification(report: Report): void {
  const verificationId = idOf(report);
  if (report.said.verificationId !== verificationId) throw new Mismatch('verificationId', verificationId);
}

/**
 * Returns the id in which an update contradicts the session it would be recorded on; null if all ids match.
 */
const mismatchOf = (session: LockedSession, { said }: Report): IdentityField | null =>
  findMismatch({ ...session, userId: session.providerUserId }, said);

const wordsOf = (report: Report): Words => ({
  verificationId: idOf(report),
  rawStatus: report.said.rawStatus,
  rawSubStatus: report.said.rawSubStatus,
});

/** Source of an update for meetings and reviews. The answer to a start counts as a poll. */
const wayOf = ({ eventTime }: Report) => (eventTime ? 'WEBHOOK' : 'POLL');

/** Returns whether the meeting time is new. The provider repeats it in every later update. */
const isNews = (meetingAt: Date | null, before: SessionRow | null): boolean =>
  meetingAt !== null && meetingAt.getTime() !== before?.providerMeetingAt?.getTime();

/**
 * Event time that orders a webhook; null for an answer, and for a webhook whose time is too far in the
 * future.
 */
const orderingTime = (report: Report): Date | null =>
  report.eventTime && believed(report.eventTime, report.receivedAt);

/** Returns a time of the provider; null if it is too far ahead of our clock. */
const believed = (time: Date | null, now: Date): Date | null =>
  time && !isTooFarAhead(time, now) ? time : null;

const newer = (a: Date | null, b: Date | null): Date | null => (a && b ? (a > b ? a : b) : (a ?? b));

function newsOf(report: Report, seen: readonly (Date | null)[]): ProviderNews {
  const { rawStatus, rawSubStatus } = report.said;
  const words = { rawStatus, rawSubStatus, seen };
  return report.eventTime
    ? { ...words, kind: 'WEBHOOK', eventTime: report.eventTime, receivedAt: report.receivedAt }
    : { ...words, kind: 'ANSWER', webhooksWhenAsked: report.asked.webhooks, askedAt: report.asked.at };
}

/**
 * Columns of the session that are the log reduced (projection). A transition that did not move the session
 * leaves the raw status and `statusSince` unchanged.
 */
function columnsOf(state: FoldedState, transition: TransitionRow, now: Date, before?: SessionRow) {
  const moved = transition.verdict === 'MOVED' || !before;
  return {
    status: state.status,
    subStatus: state.subStatus,
    version: state.version,
    lastSequence: state.lastSequence,
    disputed: state.disputed,
    waitingOn: waitingOnOf(state, state.disputed),
    decidedHere: state.decidedHere,
    providerStatus: state.provider.rawStatus,
    providerSubStatus: state.provider.rawSubStatus,
    rawStatus: moved ? transition.rawStatus : before.rawStatus,
    rawSubStatus: moved ? transition.rawSubStatus : before.rawSubStatus,
    statusSince: moved ? transition.recordedAt : before.statusSince,
    updatedAt: now,
  };
}
