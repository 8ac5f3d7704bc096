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

/** What the provider was asked, as far as its answer is compared with it. */
export interface Question {
  readonly verificationId: string;
  /** When it was asked, by our clock. */
  readonly at: Date;
  /** The webhooks that were recorded when it was asked. */
  readonly webhooks: number;
}

/** An update that a webhook brought. */
export interface WebhookReport {
  readonly source: 'WEBHOOK';
  /** Null: the provider caused it. */
  readonly actor: null;
  readonly said: ProviderSession;
  /** By the provider's clock. */
  readonly eventTime: Date;
  /** By our clock. */
  readonly receivedAt: Date;
}

/** An update that the provider answered with, which has no time. */
export interface AnswerReport {
  readonly source: Exclude<TransitionSource, 'WEBHOOK'>;
  /** Who caused it; null: the provider did. */
  readonly actor: string | null;
  readonly said: ProviderSession;
  readonly eventTime: null;
  readonly asked: Question;
}

/** An update of the provider on a session, and how it came. */
export type Report = WebhookReport | AnswerReport;

/** What a webhook reports that is not stored yet, and the hash of its body. */
export interface UnstoredReport {
  readonly report: WebhookReport;
  readonly bodyHash: Buffer;
}

/** Fields of an update that count as missing since they could not be understood. */
export interface Ignored {
  readonly sessionId: string;
  readonly fields: readonly IgnoredField[];
  /** Whether the update was a transition. A poll repeats the same fields again and again. */
  readonly isNews: boolean;
}

export interface Recorded {
  readonly session: SessionRow;
  /** Null where the report was nothing new. */
  readonly transition: TransitionRow | null;
}

/** What a session begins with, apart from the provider's update. */
export type Origin = Pick<SessionRow, 'userId' | 'userTemplate' | 'agentTemplate' | 'replacesId'> & {
  readonly sessionId: string;
  /** Who started it here; null if another system did. */
  readonly caller: string | null;
};

/**
 * The one way in which a session's status changes, within one transaction of the `Recorder`: locks the session, asks
 * the rules, appends the transition with the next sequence and updates the session.
 */
export class Recording {
  readonly tx: Transaction;
  /** By which transitions, meetings and reviews are written. */
  readonly changes: AuditedChanges;
  readonly gathered: Gathered;
  readonly #clock: Clock;
  readonly #sealer: Sealer;
  readonly #fairShareMs: number;
  readonly #recorded: TransitionRow[];
  readonly #ignored: Ignored[];
  /** What is reported in the same breath is looked up together. Nothing is kept: a session may be begun meanwhile. */
  readonly #known = new DataLoader(
    (reports: readonly Report[]) => this.#lookUp(reports, lockSessions(this.tx, reports.map(idOf))),
    { cache: false },
  );
  /** The same for webhooks that are not stored yet. */
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
   * Records an update of a session. The first one creates the session from its start intent. Returns null if there is
   * neither: the session was not started here.
   *
   * @throws Mismatch if the update names another verification or user than the session that it would be recorded on;
   *   nothing is written then
   */
  async report(report: Report): Promise<Recorded | null> {
    refuseOtherVerification(report);
    const verificationId = idOf(report);
    const { session, seen } = await this.#known.load(report);
    if (session) return this.#reportOn(session, report, seen);
    const intent = await findIntent(this.tx, verificationId);
    // Of a start that is done there is a session: begun since we looked, or archived long ago, and not to begin again.
    if (intent?.state === 'DONE') {
      const begun = await lockSession(this.tx, verificationId);
      return begun && this.#reportOn(begun, report);
    }
    if (!intent?.userId || !(await this.#isOurs(report, intent, intent.userId))) return null;
    return this.adopt(report, { ...intent, userId: intent.userId, caller: intent.caller || null });
  }

  /**
   * Records a webhook that the same transaction stores. Returns null if it has to be queued: an earlier one of its session
   * is, the session is locked or unknown, or the webhook names another user or reference id than the session has.
   */
  async reportIfFree(unstored: UnstoredReport): Promise<Recorded | null> {
    const { session, seen } = await this.#free.load(unstored);
    if (!session || mismatchOf(session, unstored.report)) return null;
    return this.#reportOn(session, unstored.report, seen);
  }

  /**
   * Records the first update of a session, or adds it to the session that another transaction created first.
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
   * Whether an update begins the session of an intent. A webhook may be about a verification that another system of the
   * account started under this id: it must name our user, and our start must have been sent. An answer was asked for; it
   * may leave the user out.
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

  /** Records what somebody decided here, on a session whose row is locked. */
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

  /** Null where another transaction began the same session first. */
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

  /** Each report's session, if it is among those being locked, and when its words were heard before. */
  async #lookUp(
    reports: readonly Report[],
    locking: Promise<LockedSession[]>,
  ): Promise<{ session: LockedSession | null; seen: Sighting[] }[]> {
    // The lock was sent first: what is read of a session that it holds is of after it.
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
    // Webhooks have a time, and need no second look.
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
    // Which of two sightings a webhook confirms cannot be told: its time then says nothing of the newest word.
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
      // An answer that nothing overtook is the provider's present state: there is no doubt left.
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

  /** Takes from an answer that is not applied what the session does not know yet: one that webhooks overtook, or a doubted one. */
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

  /** What the provider says beside the status. It leaves fields out at times; what is known stays known. */
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

/** News may come years late: of a person who was erased nothing is kept anew. */
const withoutPerson = (report: Report): Report => ({
  ...report,
  said: { ...report.said, link: null, agentRemarks: null, auditorRemarks: null },
});

/** The verification that an update is recorded on: the one that was asked about, or that the webhook names. */
const idOf = (report: Report): string =>
  report.eventTime ? report.said.verificationId : report.asked.verificationId;

/**
 * Refuses an answer about another verification than the one that was asked about. The provider's client refuses it too;
 * this holds for every client.
 */
function refuseOtherVerification(report: Report): void {
  const verificationId = idOf(report);
  if (report.said.verificationId !== verificationId) throw new Mismatch('verificationId', verificationId);
}

/** The id in which an update differs from the session that it would be recorded on; null if it is about that session. */
const mismatchOf = (session: LockedSession, { said }: Report): IdentityField | null =>
  findMismatch({ ...session, userId: session.providerUserId }, said);

const wordsOf = (report: Report): Words => ({
  verificationId: idOf(report),
  rawStatus: report.said.rawStatus,
  rawSubStatus: report.said.rawSubStatus,
});

/** The way that the provider's word came: the answer to a start is one that was asked for. */
const wayOf = ({ eventTime }: Report) => (eventTime ? 'WEBHOOK' : 'POLL');

/** The provider repeats the time of a meeting with everything that follows. */
const isNews = (meetingAt: Date | null, before: SessionRow | null): boolean =>
  meetingAt !== null && meetingAt.getTime() !== before?.providerMeetingAt?.getTime();

/** The time by which a webhook is ordered; null for an answer, and for a webhook whose time is too far ahead. */
const orderingTime = (report: Report): Date | null =>
  report.eventTime && believed(report.eventTime, report.receivedAt);

/** A time of the provider, unless it is too far ahead of our clock. */
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

/** The session's columns that fold its log. A transition that did not move it leaves its words and time alone. */
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
