import DataLoader from 'dataloader';
import { findAuditHeadsOfVerifications } from '../../db/audit/audit.ts';
import type { Transaction } from '../../db/connection/client.ts';
import { cancelLookup } from '../../db/polling/lookups.ts';
import { findIntent, type IntentRow } from '../../db/sessions/intents.ts';
import { deleteDoubt, findDoubt, insertDoubt } from '../../db/sessions/order-doubts.ts';
import {
  insertSession,
  type LockedSession,
  linkContext,
  lockSession,
  lockSessions,
  type SessionRow,
  toSessionState,
  withPollSchedule,
} from '../../db/sessions/sessions.ts';
import {
  findObservations,
  type RawStatus,
  setObservationTime,
  type TransitionRow,
} from '../../db/sessions/transitions.ts';
import { findUsers } from '../../db/sessions/users.ts';
import type { WriteBatch } from '../../db/sessions/write-batch.ts';
import { lockReadySessions, requeueWaiting } from '../../db/webhooks/inbox.ts';
import { Mismatch } from '../../domain/errors.ts';
import { findMismatch, type IdentityField } from '../../domain/identity.ts';
import type { Clock, IgnoredField, ProviderSession } from '../../domain/ports.ts';
import {
  applyTransition,
  type Doubt,
  type Evaluation,
  evaluateUpdate,
  isLate,
  isTooFarAhead,
  type Observation,
  type ProjectedState,
  SECOND_LOOK_AFTER_MS,
  type StatusUpdate,
  type TransitionSource,
} from '../../domain/session.ts';
import { findWaitingParty, type KnownSubStatus, toStatusPair } from '../../domain/status.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { type AuditedWrites, commitPerson, NO_PERSON } from './audited-writes.ts';
import { applyProviderDetails } from './provider-details.ts';

/** Question to the provider, with the facts that are needed to order its answer. */
export interface ProviderQuery {
  readonly verificationId: string;
  /** Time of the request, by our clock. */
  readonly at: Date;
  /** Number of the session's webhooks recorded at the time of the request. */
  readonly webhooks: number;
}

/** Provider update from a webhook. */
export interface WebhookUpdate {
  readonly source: 'WEBHOOK';
  /** Always null: the provider caused the update. */
  readonly actor: null;
  readonly payload: ProviderSession;
  /** Event time by the provider's clock. */
  readonly eventTime: Date;
  /** Arrival by our clock. */
  readonly receivedAt: Date;
}

/** Provider update from an answer to a call. Answers carry no event time. */
export interface AnswerUpdate {
  readonly source: Exclude<TransitionSource, 'WEBHOOK'>;
  /** Viewer who caused the update; null if the provider did. */
  readonly actor: string | null;
  readonly payload: ProviderSession;
  readonly eventTime: null;
  readonly query: ProviderQuery;
}

/** Provider update on a session, with its source. */
export type ProviderUpdate = WebhookUpdate | AnswerUpdate;

/** Report of a webhook that is not in the inbox yet, with the SHA-256 of its body. */
export interface UnstoredUpdate {
  readonly update: WebhookUpdate;
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

export interface RecordedUpdate {
  readonly session: SessionRow;
  /** Null if the report was nothing new. */
  readonly transition: TransitionRow | null;
}

/** Data that a session is created with, in addition to the provider's update. */
export type SessionOrigin = Pick<SessionRow, 'userId' | 'userTemplate' | 'agentTemplate' | 'replacesId'> & {
  readonly sessionId: string;
  /** Caller who started the session here; null if another system did. */
  readonly caller: string | null;
};

/**
 * Transition writer: the only code that changes a session's status. Within one transaction of the `UnitOfWork`
 * it locks the session, asks the rules, appends the transition with the next sequence and updates the
 * session.
 */
export class TransitionWriter {
  readonly tx: Transaction;
  /** Writes transitions, meetings and reviews together with their audit entries. */
  readonly changes: AuditedWrites;
  readonly batch: WriteBatch;
  readonly #clock: Clock;
  readonly #sealer: Sealer;
  readonly #fairShareMs: number;
  readonly #recorded: TransitionRow[];
  readonly #ignored: Ignored[];
  /**
   * Looks up all reports of the same tick in one query. No cache: the session may be created between two
   * reports.
   */
  readonly #locked = new DataLoader(
    (updates: readonly ProviderUpdate[]) =>
      this.#lookUp(updates, lockSessions(this.tx, updates.map(verificationIdOf))),
    { cache: false },
  );
  /** Looks up the free sessions of webhooks that are not stored yet, batched like `#known`. */
  readonly #uncontended = new DataLoader(
    (unstored: readonly UnstoredUpdate[]) => {
      const updates = unstored.map(({ update }) => update);
      const wanted = unstored.map(({ update, bodyHash }) => ({
        verificationId: verificationIdOf(update),
        bodyHash,
      }));
      return this.#lookUp(updates, lockReadySessions(this.tx, wanted));
    },
    { cache: false },
  );

  constructor(
    tx: Transaction,
    batch: WriteBatch,
    changes: AuditedWrites,
    clock: Clock,
    sealer: Sealer,
    fairShareMs: number,
    recorded: TransitionRow[],
    ignored: Ignored[],
  ) {
    this.tx = tx;
    this.batch = batch;
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
  async applyUpdate(update: ProviderUpdate): Promise<RecordedUpdate | null> {
    refuseOtherVerification(update);
    const verificationId = verificationIdOf(update);
    const { session, seen } = await this.#locked.load(update);
    if (session) return this.#applyTo(session, update, seen);
    const intent = await findIntent(this.tx, verificationId);
    // A DONE intent means that its session exists: it was created since the lookup, or it was archived and
    // must not be created again.
    if (intent?.state === 'DONE') {
      const begun = await lockSession(this.tx, verificationId);
      return begun && this.#applyTo(begun, update);
    }
    if (!intent?.userId || !(await this.#isOurs(update, intent, intent.userId))) return null;
    return this.createSession(update, { ...intent, userId: intent.userId, caller: intent.caller || null });
  }

  /**
   * Records a webhook that the same transaction stores. Returns null if the webhook must be queued: an
   * earlier one of its session is queued, the session is locked or unknown, or the webhook names another user
   * or reference id than the session has.
   */
  async applyUpdateIfUncontended(unstored: UnstoredUpdate): Promise<RecordedUpdate | null> {
    const { session, seen } = await this.#uncontended.load(unstored);
    if (!session || findUpdateMismatch(session, unstored.update)) return null;
    return this.#applyTo(session, unstored.update, seen);
  }

  /**
   * Creates a session from its first update. If another transaction created the session first, adds the
   * update to that one.
   *
   * @throws Mismatch as `applyUpdate` does
   */
  async createSession(update: ProviderUpdate, origin: SessionOrigin): Promise<RecordedUpdate> {
    refuseOtherVerification(update);
    const { sessionId, userId, userTemplate, agentTemplate, replacesId, caller } = origin;
    const from = { sessionId, userId, userTemplate, agentTemplate, replacesId, caller };
    const begun = await this.#tryCreate(update, from);
    if (begun) return begun;
    const other = await lockSession(this.tx, verificationIdOf(update));
    if (!other) throw new Error('A session could neither be begun nor found');
    return this.#applyTo(other, update);
  }

  /**
   * Returns whether an update belongs to an intent and may create its session. Another system of the account
   * may have started a verification under the same id. A webhook must therefore name our user, and our start
   * must have been sent. An answer may leave the user out, because we asked for it.
   *
   * @throws Mismatch if an answer names another user
   */
  async #isOurs({ payload, eventTime }: ProviderUpdate, intent: IntentRow, userId: string): Promise<boolean> {
    const sent = intent.sends > 0 && intent.state !== 'TAKEN' && intent.state !== 'REFUSED';
    if (eventTime && !sent) return false;
    const [user] = await findUsers(this.tx, [userId]);
    if (eventTime) return user !== undefined && user.userId === payload.userId;
    const mismatch = findMismatch({ userId: user?.userId ?? null }, { userId: payload.userId });
    if (mismatch) throw new Mismatch(mismatch, intent.verificationId);
    return true;
  }

  /** Records a decision made through this API on a session whose row is locked. Returns the updated row. */
  async applyDecision(before: SessionRow, to: KnownSubStatus, actor: string): Promise<SessionRow> {
    const now = this.#clock.now();
    const transition: TransitionRow = {
      ...this.#transitionBase(before.id, before, now),
      ...toStatusPair(to),
      rawStatus: null,
      rawSubStatus: null,
      verdict: 'MOVED',
      source: 'MUTATION',
      actor,
      occurredAt: null,
    };
    this.changes.addTransition(transition);
    this.#recorded.push(transition);
    return this.#queueUpdate({
      ...before,
      ...projectionColumns(applyTransition(toSessionState(before), transition), transition, now, before),
    });
  }

  /** Creates the session. Returns null if another transaction created it first (race). */
  async #tryCreate(update: ProviderUpdate, from: SessionOrigin): Promise<RecordedUpdate | null> {
    const { payload } = update;
    const now = this.#clock.now();
    const evaluation = evaluateUpdate(null, toStatusUpdate(update, []), now);
    if (evaluation.kind !== 'TRANSITION')
      throw new Error('The first report of a session is always a transition');
    const { sessionId, caller, ...origin } = from;
    const [user] = await findUsers(this.tx, [origin.userId]);
    const person = user ? commitPerson(user) : NO_PERSON;
    const transition = this.#reported(sessionId, null, update, evaluation, now);
    const unplanned = {
      ...origin,
      id: sessionId,
      verificationId: payload.verificationId,
      createdAt: now,
      erasedAt: null,
      personSalt: person.salt,
      unsettled: evaluation.settle,
      providerHeardAt: now,
      providerFoundAt: orderingTime(update) ? null : now,
      ...this.#providerColumns(sessionId, null, update, now),
      ...projectionColumns(applyTransition(null, transition), transition, now),
    };
    const session = withPollSchedule(unplanned, this.#fairShareMs);
    if (!(await insertSession(this.tx, session))) return null;
    this.changes.addSession(session, person.commitment, caller);
    this.#append(transition, update);
    await applyProviderDetails(this.tx, this.changes, {
      payload,
      source: toTransitionSource(update),
      before: null,
      session,
      transition,
      now,
    });
    this.#noteIgnored(session, update, transition);
    await requeueWaiting(this.tx, payload.verificationId);
    await cancelLookup(this.tx, payload.verificationId);
    return { session, transition };
  }

  /**
   * Returns each report's session, if it is among the locked ones, and the earlier sightings of its raw
   * status.
   */
  async #lookUp(
    updates: readonly ProviderUpdate[],
    locking: Promise<LockedSession[]>,
  ): Promise<{ session: LockedSession | null; seen: Observation[] }[]> {
    // The lock is sent first on the pipelined connection, so the reads after it see the sessions as of the
    // lock.
    const [rows, heads, observations] = await Promise.all([
      locking,
      findAuditHeadsOfVerifications(this.tx, updates.map(verificationIdOf)),
      this.#findObservations(updates),
    ]);
    for (const { id } of rows)
      this.changes.setHead(id, heads.find(({ sessionId }) => sessionId === id) ?? null);
    return updates.map((update, index) => ({
      session: rows.find((row) => row.verificationId === verificationIdOf(update)) ?? null,
      seen: observations[index] ?? [],
    }));
  }

  #findObservations(updates: readonly ProviderUpdate[]): Promise<Observation[][]> {
    return findObservations(this.tx, updates.map(toRawStatus));
  }

  async #applyTo(
    before: LockedSession,
    received: ProviderUpdate,
    seenBefore: Observation[] | null = null,
  ): Promise<RecordedUpdate> {
    const mismatch = findUpdateMismatch(before, received);
    if (mismatch) throw new Mismatch(mismatch, before.verificationId);
    const update = before.erasedAt ? withoutPerson(received) : received;
    const { payload, eventTime } = update;
    this.changes.prefetchHead(before.id);
    const seen = seenBefore ?? (await this.#findObservations([update]))[0] ?? [];
    // Webhooks carry an event time, so they need no second poll to confirm them.
    const doubt = eventTime ? null : await findDoubt(this.tx, before.id);
    const state = toSessionState(before, doubt);
    const now = this.#clock.now();
    const evaluation = evaluateUpdate(state, toStatusUpdate(update, seen), now);
    const overtaken = !update.eventTime && update.query.webhooks !== before.providerWebhooks;
    if (evaluation.kind === 'NOTHING' && eventTime) return { session: before, transition: null };
    if (evaluation.kind === 'DOUBTED') {
      this.tx.start(insertDoubt(this.tx, before.id, evaluation.doubt));
      return this.#fillMissing(before, update, true, now, evaluation.doubt);
    }
    if (overtaken) return this.#fillMissing(before, update, evaluation.settle, now, doubt);
    if (doubt) this.tx.start(deleteDoubt(this.tx, before.id));

    const transition =
      evaluation.kind === 'TRANSITION' ? this.#reported(before.id, before, update, evaluation, now) : null;
    const late = transition !== null && isLate(transition.verdict);
    // The webhook could confirm either of two sightings, so its time says nothing about the newest raw
    // status.
    const undated = evaluation.kind === 'CONFIRMS' && evaluation.settle;
    const facts = late
      ? this.#providerTimes(before, update, now)
      : this.#providerColumns(before.id, before, update, now);
    const folded =
      transition && projectionColumns(applyTransition(state, transition), transition, now, before);
    const session = this.#queueUpdate({
      ...before,
      ...facts,
      ...folded,
      ...(undated ? { providerEventTime: believed(before.providerEventTime, now) } : {}),
      ...(evaluation.kind === 'NOTHING' || late || undated
        ? {}
        : { providerFoundAt: orderingTime(update) ? null : now }),
      // An answer that no webhook overtook is the provider's present state, so it settles the order.
      unsettled: eventTime !== null && (before.unsettled || evaluation.settle),
      providerHeardAt: now,
    });

    this.changes.addDetails(before, session);
    if (transition) this.#append(transition, update);
    if (evaluation.kind === 'CONFIRMS')
      this.tx.start(setObservationTime(before.id, payload.rawStatus, payload.rawSubStatus, eventTime));
    if (!late)
      await applyProviderDetails(this.tx, this.changes, {
        payload,
        source: toTransitionSource(update),
        before,
        session,
        transition,
        now,
      });
    this.#noteIgnored(session, update, transition);
    return { session, transition };
  }

  #noteIgnored(
    { id: sessionId }: SessionRow,
    { payload }: ProviderUpdate,
    transition: TransitionRow | null,
  ): void {
    if (payload.ignored)
      this.#ignored.push({ sessionId, fields: payload.ignored, isNews: transition !== null });
  }

  /**
   * Fills in missing fields of the session from an answer that is not applied: webhooks overtook it, or it is
   * doubted.
   */
  async #fillMissing(
    before: SessionRow,
    update: ProviderUpdate,
    settle: boolean,
    now: Date,
    doubt: Doubt | null,
  ): Promise<RecordedUpdate> {
    const payload = this.#providerColumns(before.id, null, update, now);
    const filled = {
      ...before,
      referenceId: before.referenceId ?? payload.referenceId,
      link: before.link ?? payload.link,
      linkExpiresAt: before.linkExpiresAt ?? payload.linkExpiresAt,
      unsettled: before.unsettled || settle,
      providerHeardAt: now,
    };
    const isStanding = doubt?.webhooks === before.providerWebhooks;
    const session = this.#queueUpdate(
      filled,
      doubt && isStanding ? new Date(doubt.since.getTime() + SECOND_LOOK_AFTER_MS) : null,
    );
    this.changes.addDetails(before, session);
    return { session, transition: null };
  }

  #queueUpdate(session: SessionRow, secondLookAt: Date | null = null): SessionRow {
    const planned = withPollSchedule(session, this.#fairShareMs, secondLookAt);
    this.batch.saveSession(planned);
    return planned;
  }

  #reported(
    sessionId: string,
    before: SessionRow | null,
    update: ProviderUpdate,
    { pair, verdict }: Extract<Evaluation, { kind: 'TRANSITION' }>,
    recordedAt: Date,
  ): TransitionRow {
    return {
      ...this.#transitionBase(sessionId, before, recordedAt),
      ...pair,
      rawStatus: update.payload.rawStatus,
      rawSubStatus: update.payload.rawSubStatus,
      verdict,
      source: update.source,
      actor: update.actor,
      occurredAt: update.eventTime,
    };
  }

  #transitionBase(sessionId: string, before: SessionRow | null, recordedAt: Date) {
    return {
      sessionId,
      sequence: (before?.lastSequence ?? 0) + 1,
      fromStatus: before?.status ?? null,
      fromSubStatus: before?.subStatus ?? null,
      recordedAt,
    };
  }

  #append(transition: TransitionRow, update: ProviderUpdate): void {
    this.changes.addTransition(transition);
    this.batch.addObservation({
      sessionId: transition.sessionId,
      sequence: transition.sequence,
      rawStatus: update.payload.rawStatus,
      rawSubStatus: update.payload.rawSubStatus,
      eventTime: update.eventTime,
    });
    this.#recorded.push(transition);
  }

  /**
   * Columns that an update sets apart from the status. The provider sometimes leaves fields out; stored
   * values then stay.
   */
  #providerColumns(sessionId: string, before: SessionRow | null, update: ProviderUpdate, now: Date) {
    const { payload } = update;
    return {
      referenceId: payload.referenceId ?? before?.referenceId ?? null,
      link: payload.link ? this.#sealer.seal(payload.link, linkContext(sessionId)) : (before?.link ?? null),
      linkExpiresAt: payload.linkExpiresAt ?? before?.linkExpiresAt ?? null,
      providerMeetingAt: payload.meetingAt ?? before?.providerMeetingAt ?? null,
      meetingAt: isNews(payload.meetingAt, before) ? payload.meetingAt : (before?.meetingAt ?? null),
      ...this.#providerTimes(before, update, now),
    };
  }

  #providerTimes(before: SessionRow | null, update: ProviderUpdate, now: Date) {
    return {
      providerEventTime: newer(believed(before?.providerEventTime ?? null, now), orderingTime(update)),
      providerWebhooks: (before?.providerWebhooks ?? 0) + (update.eventTime ? 1 : 0),
    };
  }
}

/**
 * Removes personal data from an update. Updates may arrive years late, and nothing is stored about an erased
 * person.
 */
const withoutPerson = (update: ProviderUpdate): ProviderUpdate => ({
  ...update,
  payload: { ...update.payload, link: null, agentRemarks: null, auditorRemarks: null },
});

/** Verification id that an update is recorded on: the id asked about, or the id that the webhook names. */
const verificationIdOf = (update: ProviderUpdate): string =>
  update.eventTime ? update.payload.verificationId : update.query.verificationId;

/**
 * Refuses an answer about another verification than the one asked about. The provider's client refuses it
 * too; this check holds for every client.
 */
function refuseOtherVerification(update: ProviderUpdate): void {
  const verificationId = verificationIdOf(update);
  if (update.payload.verificationId !== verificationId) throw new Mismatch('verificationId', verificationId);
}

/**
 * Returns the id in which an update contradicts the session it would be recorded on; null if all ids match.
 */
const findUpdateMismatch = (session: LockedSession, { payload }: ProviderUpdate): IdentityField | null =>
  findMismatch({ ...session, userId: session.providerUserId }, payload);

const toRawStatus = (update: ProviderUpdate): RawStatus => ({
  verificationId: verificationIdOf(update),
  rawStatus: update.payload.rawStatus,
  rawSubStatus: update.payload.rawSubStatus,
});

/** Source of an update for meetings and reviews. The answer to a start counts as a poll. */
const toTransitionSource = ({ eventTime }: ProviderUpdate) => (eventTime ? 'WEBHOOK' : 'POLL');

/** Returns whether the meeting time is new. The provider repeats it in every later update. */
const isNews = (meetingAt: Date | null, before: SessionRow | null): boolean =>
  meetingAt !== null && meetingAt.getTime() !== before?.providerMeetingAt?.getTime();

/**
 * Event time that orders a webhook; null for an answer, and for a webhook whose time is too far in the
 * future.
 */
const orderingTime = (update: ProviderUpdate): Date | null =>
  update.eventTime && believed(update.eventTime, update.receivedAt);

/** Returns a time of the provider; null if it is too far ahead of our clock. */
const believed = (time: Date | null, now: Date): Date | null =>
  time && !isTooFarAhead(time, now) ? time : null;

const newer = (a: Date | null, b: Date | null): Date | null => (a && b ? (a > b ? a : b) : (a ?? b));

function toStatusUpdate(update: ProviderUpdate, seen: readonly (Date | null)[]): StatusUpdate {
  const { rawStatus, rawSubStatus } = update.payload;
  const words = { rawStatus, rawSubStatus, seen };
  return update.eventTime
    ? { ...words, kind: 'WEBHOOK', eventTime: update.eventTime, receivedAt: update.receivedAt }
    : { ...words, kind: 'ANSWER', webhooksWhenAsked: update.query.webhooks, askedAt: update.query.at };
}

/**
 * Columns of the session that are the log reduced (projection). A transition that did not move the session
 * leaves the raw status and `statusSince` unchanged.
 */
function projectionColumns(state: ProjectedState, transition: TransitionRow, now: Date, before?: SessionRow) {
  const moved = transition.verdict === 'MOVED' || !before;
  return {
    status: state.status,
    subStatus: state.subStatus,
    version: state.version,
    lastSequence: state.lastSequence,
    disputed: state.disputed,
    waitingOn: findWaitingParty(state, state.disputed),
    decidedHere: state.decidedHere,
    providerStatus: state.provider.rawStatus,
    providerSubStatus: state.provider.rawSubStatus,
    rawStatus: moved ? transition.rawStatus : before.rawStatus,
    rawSubStatus: moved ? transition.rawSubStatus : before.rawSubStatus,
    statusSince: moved ? transition.recordedAt : before.statusSince,
    updatedAt: now,
  };
}
