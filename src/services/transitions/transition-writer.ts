import type { Transaction } from '../../db/connection/client.ts';
import { deleteLookup } from '../../db/polling/lookups.ts';
import { findStartIntent, releaseReplacedSession, type StartIntentRow } from '../../db/sessions/intents.ts';
import { findLabelsOfSessions } from '../../db/sessions/labels.ts';
import {
  deleteDoubtfulPollAnswer,
  findDoubtfulPollAnswer,
  saveDoubtfulPollAnswer,
} from '../../db/sessions/order-doubts.ts';
import { pickStartColumns, type StartColumns } from '../../db/sessions/origin.ts';
import {
  findSessionsById,
  type LockedSession,
  lockSessionByVerificationId,
  lockSessions,
  lockSessionsNoWait,
  type SessionRow,
  toSessionState,
  tryInsertSession,
  withNextPollAt,
} from '../../db/sessions/sessions.ts';
import { setMissingObservationTime, type TransitionRow } from '../../db/sessions/transitions.ts';
import { findUsersById } from '../../db/sessions/users.ts';
import type { SessionWriteBatch } from '../../db/sessions/write-batch.ts';
import { requeueWebhooksOfFoundSession } from '../../db/webhooks/inbox.ts';
import type { DeadlineMinutes } from '../../domain/deadlines.ts';
import { IdentityMismatch } from '../../domain/errors.ts';
import { findIdentityMismatch } from '../../domain/identity.ts';
import { invariant } from '../../domain/invariant.ts';
import { hasLabels, type Labels } from '../../domain/labels.ts';
import type { PollPace } from '../../domain/polling.ts';
import type { Clock, IgnoredProviderField } from '../../domain/ports.ts';
import {
  applyTransition,
  type DoubtfulPollAnswer,
  evaluateProviderUpdate,
  getReplacementVerdict,
  isLateVerdict,
  isStaffRecordVerdict,
  type ObservedEventTime,
  SECOND_POLL_DELAY_MS,
  type TransitionSource,
  type Verdict,
} from '../../domain/session.ts';
import { type KnownSubStatus, parseRawStatus, type StatusPair, toStatusPair } from '../../domain/status.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { type AuditedWriter, createPersonCommitment, NO_PERSON_COMMITMENT } from './audited-writes.ts';
import { recordMeetingsAndReviews } from './provider-details.ts';
import {
  assertAnswerMatchesQuery,
  findMismatchedIdField,
  getOrderingTime,
  getProviderOfUpdate,
  getVerificationIdOfUpdate,
  type ProviderUpdate,
  toStatusUpdate,
  toTransitionSource,
  type UnstoredWebhookUpdate,
  unlessTooFarAhead,
  withoutPersonalData,
} from './provider-update.ts';
import { SessionLocker } from './session-lookup.ts';
import {
  buildLateUpdateColumns,
  buildProjectionColumns,
  buildProviderColumns,
  buildProviderTransition,
  buildTransitionBase,
} from './session-row.ts';

/** Fields of a provider update that could not be parsed and count as missing. */
export interface IgnoredFields {
  readonly sessionId: string;
  readonly fields: readonly IgnoredProviderField[];
  /**
   * True if the update became a transition. Only then are the ignored fields logged, because each further poll
   * repeats the same fields.
   */
  readonly isNews: boolean;
}

export interface RecordedUpdate {
  readonly session: SessionRow;
  /**
   * Null if the update became no transition: the update repeats or confirms a known status, or a second poll
   * must confirm it.
   */
  readonly transition: TransitionRow | null;
}

/** Data for creating a session that the provider's update does not contain. */
export interface NewSession extends StartColumns {
  readonly sessionId: string;
  readonly provider: string;
  /** Row id of the user. */
  readonly userId: string;
  /** Caller who started the session through this gateway; null if another system of the merchant started it. */
  readonly caller: string | null;
  /** Metadata and tags of the start; null if it has none. */
  readonly metadata: Labels['metadata'] | null;
  readonly tags: Labels['tags'] | null;
}

/** Returns the labels of a start. */
export const getStartLabels = ({ metadata, tags }: Pick<NewSession, 'metadata' | 'tags'>): Labels => ({
  metadata: metadata ?? {},
  tags: tags ?? [],
});

/**
 * Transition writer: the only code that changes a session's status. Within one transaction of the `UnitOfWork`
 * it locks the session row, evaluates the update (`evaluateProviderUpdate`), appends a transition with the next
 * sequence, and updates the row.
 */
export class TransitionWriter {
  readonly tx: Transaction;
  /** Writes transitions, meetings and reviews together with their audit entries. */
  readonly changes: AuditedWriter;
  readonly batch: SessionWriteBatch;
  readonly #clock: Clock;
  readonly #sealer: Sealer;
  /** Intervals and grace periods from which the times of polls are computed. */
  readonly pace: PollPace;
  readonly #deadlines: DeadlineMinutes;
  readonly #recorded: TransitionRow[];
  readonly #ignored: IgnoredFields[];
  readonly #lookup: SessionLocker;

  constructor(
    tx: Transaction,
    batch: SessionWriteBatch,
    changes: AuditedWriter,
    clock: Clock,
    sealer: Sealer,
    pace: PollPace,
    deadlines: DeadlineMinutes,
    recorded: TransitionRow[],
    ignored: IgnoredFields[],
  ) {
    this.tx = tx;
    this.batch = batch;
    this.changes = changes;
    this.#clock = clock;
    this.#sealer = sealer;
    this.pace = pace;
    this.#deadlines = deadlines;
    this.#recorded = recorded;
    this.#ignored = ignored;
    this.#lookup = new SessionLocker(tx, changes);
  }

  /**
   * Records an update of a session. The first update creates the session from its start intent. Returns null if there
   * is neither a session nor a matching intent: the session was not started here, or it was archived.
   *
   * @throws IdentityMismatch if an id in the update (verification, reference, user or provider) contradicts the session;
   *   nothing is written then
   */
  async applyUpdate(update: ProviderUpdate): Promise<RecordedUpdate | null> {
    assertAnswerMatchesQuery(update);
    const verificationId = getVerificationIdOfUpdate(update);
    const { session, seen } = await this.#lookup.lock(update);
    if (session) return this.#applyTo(session, update, seen);
    const intent = await findStartIntent(this.tx, verificationId);
    // DONE means that the session was created. Either another transaction created it after the lookup above
    // (race), and it is found now; or the session was archived since, and must not be created again.
    if (intent?.state === 'DONE') {
      const begun = await lockSessionByVerificationId(this.tx, verificationId);
      return begun && this.#applyTo(begun, update);
    }
    if (!intent?.userId || !(await this.#isOurs(update, intent, intent.userId))) return null;
    return this.createSession(update, { ...intent, userId: intent.userId, caller: intent.caller || null });
  }

  /**
   * Records a webhook that the same transaction stores. Returns null if the webhook must be queued instead: an
   * earlier webhook of the session is queued, the session is locked or unknown, or the webhook names another
   * user or reference id than the session has.
   */
  async applyUpdateIfUncontended(unstored: UnstoredWebhookUpdate): Promise<RecordedUpdate | null> {
    const { session, seen } = await this.#lookup.lockIfUncontended(unstored);
    if (!session || findMismatchedIdField(session, unstored.update)) return null;
    return this.#applyTo(session, unstored.update, seen);
  }

  /**
   * Creates a session from its first update, and ends the session that it replaces, if any. A start that the
   * provider does not accept replaces nothing. If another transaction created the session first, records the update
   * on that session.
   *
   * @throws IdentityMismatch if an id in the update (verification, reference, user or provider) contradicts the session
   */
  async createSession(update: ProviderUpdate, origin: NewSession): Promise<RecordedUpdate> {
    assertAnswerMatchesQuery(update);
    const { sessionId, provider, userId, replacesId, caller, metadata, tags } = origin;
    const from = { ...pickStartColumns(origin), sessionId, provider, userId, caller, metadata, tags };
    const accepted = isAccepted(update);
    if (replacesId !== null && !accepted)
      await releaseReplacedSession(this.tx, getVerificationIdOfUpdate(update));
    const { created, replaced } = await this.#lockReplaced(update, accepted ? replacesId : null);
    if (created) return this.#applyTo(created, update);
    // The replaced session may have been archived since the start was accepted.
    const begun = await this.#tryCreate(update, { ...from, replacesId: replaced?.id ?? null });
    if (begun) {
      if (replaced) await this.endReplaced(replaced, caller);
      return begun;
    }
    const other = await lockSessionByVerificationId(this.tx, getVerificationIdOfUpdate(update));
    invariant(other, 'session was neither created nor found after a conflict on its verification id');
    return this.#applyTo(other, update);
  }

  /**
   * Returns whether an update is about the verification of this start intent, and so may create its session.
   * Another system with the same provider account may have started a verification under the same id. Therefore
   * our start must have been sent before a webhook counts, and the webhook must name the user of our start; an
   * answer may leave the user out. An update from another provider never belongs to the intent.
   *
   * @throws IdentityMismatch if an answer names another user
   */
  async #isOurs(update: ProviderUpdate, intent: StartIntentRow, userId: string): Promise<boolean> {
    const { payload, eventTime } = update;
    if (getProviderOfUpdate(update) !== intent.provider) return false;
    const sent = intent.sends > 0 && intent.state !== 'TAKEN' && intent.state !== 'REFUSED';
    if (eventTime && !sent) return false;
    const [user] = await findUsersById(this.tx, [userId]);
    if (eventTime) return user !== undefined && user.userId === payload.userId;
    const mismatch = findIdentityMismatch({ userId: user?.userId ?? null }, { userId: payload.userId });
    if (mismatch) throw new IdentityMismatch(mismatch, intent.verificationId);
    return true;
  }

  /**
   * Locks the session that is about to be created, if another transaction has created it meanwhile (race), and the
   * session that it replaces. A webhook does not wait for the locks (NOWAIT): its transaction may hold the locks of
   * other webhooks' sessions, so that waiting could deadlock. It fails instead, and is applied later in a
   * transaction of its own.
   */
  async #lockReplaced(
    update: ProviderUpdate,
    replacesId: string | null,
  ): Promise<{ created: LockedSession | null; replaced: LockedSession | null }> {
    const [known] = replacesId === null ? [] : await findSessionsById(this.tx, [replacesId]);
    if (!known) return { created: null, replaced: null };
    const verificationId = getVerificationIdOfUpdate(update);
    const lock = update.eventTime ? lockSessionsNoWait : lockSessions;
    const rows = await lock(this.tx, [known.verificationId, verificationId]);
    return {
      created: rows.find((row) => row.verificationId === verificationId) ?? null,
      replaced: rows.find((row) => row.id === replacesId) ?? null,
    };
  }

  /**
   * Ends a session whose row is locked, because another session replaces it, and cancels its booked meeting. Does
   * nothing if that is recorded already.
   */
  async endReplaced(before: SessionRow, actor: string | null): Promise<void> {
    if (before.replaced) return;
    await this.changes.endMeeting(before.id, 'CANCELLED', actor);
    const by = { source: 'MUTATION', actor } as const;
    await this.applyOwn(
      { ...before, meetingAt: null },
      toStatusPair('REPLACED'),
      getReplacementVerdict(before),
      by,
    );
  }

  /**
   * Stores the labels of a start with the session that it created, unless the session has labels: a replica of an
   * earlier release, which knows no labels, may have recorded the session. The session's row must be locked.
   */
  async addMissingLabels(sessionId: string, start: Pick<NewSession, 'metadata' | 'tags'>): Promise<void> {
    const labels = getStartLabels(start);
    if (!hasLabels(labels)) return;
    const stored = await findLabelsOfSessions(this.tx, [sessionId]);
    if (stored.length === 0) this.changes.setLabels(sessionId, labels);
  }

  /** Records a decision made through this API on a session whose row is locked. Returns the updated row. */
  async applyDecision(before: SessionRow, to: KnownSubStatus, actor: string): Promise<SessionRow> {
    return this.applyOwn(before, toStatusPair(to), 'MOVED', { source: 'MUTATION', actor });
  }

  /**
   * Records a transition without a raw status, because the provider did not report one, on a session whose row is
   * locked. Returns the updated row. A transition that is not applied, such as that of a note, only becomes an entry of
   * the log.
   */
  async applyOwn(
    before: SessionRow,
    { status, subStatus }: StatusPair,
    verdict: Verdict,
    { source, actor }: { readonly source: TransitionSource; readonly actor: string | null },
  ): Promise<SessionRow> {
    const now = this.#clock.now();
    const transition: TransitionRow = {
      ...buildTransitionBase(before.id, before, now),
      status,
      subStatus,
      rawStatus: null,
      rawSubStatus: null,
      verdict,
      source,
      actor,
      occurredAt: null,
    };
    this.changes.addTransition(transition);
    this.#recorded.push(transition);
    const after = {
      ...before,
      ...buildProjectionColumns(
        applyTransition(toSessionState(before), transition),
        transition,
        this.#deadlines,
        now,
        before,
      ),
    };
    if (!isStaffRecordVerdict(verdict)) return this.#queueUpdate(after);
    // A record of staff, such as a note, says nothing about the provider: the planned poll stays.
    this.batch.saveSession(after);
    return after;
  }

  /**
   * Creates the session from its first update. Returns null if another transaction created the session first
   * (race).
   */
  async #tryCreate(update: ProviderUpdate, from: NewSession): Promise<RecordedUpdate | null> {
    const { payload } = update;
    const now = this.#clock.now();
    const evaluation = evaluateProviderUpdate(null, toStatusUpdate(update, [], null), now);
    invariant(
      evaluation.kind === 'TRANSITION',
      `first update of a session was evaluated as ${evaluation.kind}`,
    );
    const { sessionId, caller, metadata, tags, ...origin } = from;
    const [user] = await findUsersById(this.tx, [origin.userId]);
    const person = user ? createPersonCommitment(user) : NO_PERSON_COMMITMENT;
    const transition = buildProviderTransition(sessionId, null, update, evaluation, now);
    const unplanned = {
      ...origin,
      id: sessionId,
      verificationId: payload.verificationId,
      createdAt: now,
      erasedAt: null,
      personSalt: person.salt,
      unsettled: evaluation.orderUncertain,
      providerHeardAt: now,
      providerFoundAt: getOrderingTime(update) ? null : now,
      ...buildProviderColumns(this.#sealer, sessionId, null, update, now),
      ...buildProjectionColumns(applyTransition(null, transition), transition, this.#deadlines, now),
    };
    const session = withNextPollAt(unplanned, this.pace);
    if (!(await tryInsertSession(this.tx, session))) return null;
    this.changes.addSession(session, person.commitment, caller);
    const labels = getStartLabels({ metadata, tags });
    if (hasLabels(labels)) this.changes.setLabels(sessionId, labels);
    this.#append(transition, update);
    await recordMeetingsAndReviews(this.tx, this.changes, {
      payload,
      source: toTransitionSource(update),
      before: null,
      session,
      transition,
      now,
    });
    this.#noteIgnored(session, update, transition);
    await requeueWebhooksOfFoundSession(this.tx, payload.verificationId);
    await deleteLookup(this.tx, payload.verificationId);
    return { session, transition };
  }

  async #applyTo(
    before: LockedSession,
    received: ProviderUpdate,
    seenBefore: ObservedEventTime[] | null = null,
  ): Promise<RecordedUpdate> {
    const mismatch = findMismatchedIdField(before, received);
    if (mismatch) throw new IdentityMismatch(mismatch, before.verificationId);
    const update = before.erasedAt ? withoutPersonalData(received) : received;
    const { payload, eventTime } = update;
    this.changes.prefetchHead(before.id);
    const seen = seenBefore ?? (await this.#lookup.observationsOf(update));
    // An answer that repeats an older status is stored as a doubt until a second poll confirms the answer. A
    // webhook has an event time and needs no confirmation.
    const doubt = eventTime ? null : await findDoubtfulPollAnswer(this.tx, before.id);
    const state = toSessionState(before, doubt);
    const now = this.#clock.now();
    const evaluation = evaluateProviderUpdate(state, toStatusUpdate(update, seen, before), now);
    if (evaluation.kind === 'NOTHING' && eventTime) return { session: before, transition: null };
    if (evaluation.kind === 'DOUBTED') {
      this.tx.start(saveDoubtfulPollAnswer(this.tx, before.id, evaluation.doubt));
      return this.#fillMissing(before, update, true, now, evaluation.doubt);
    }
    if (evaluation.kind === 'OVERTAKEN')
      return this.#fillMissing(before, update, evaluation.orderUncertain, now, doubt);
    if (doubt) this.tx.start(deleteDoubtfulPollAnswer(this.tx, before.id));

    const transition =
      evaluation.kind === 'TRANSITION'
        ? buildProviderTransition(before.id, before, update, evaluation, now)
        : null;
    const late = transition !== null && isLateVerdict(transition.verdict);
    // The webhook may be about an earlier occurrence of this raw status, or its event time is unusable. In both
    // cases its event time does not tell when the current status began.
    const undated = evaluation.kind === 'CONFIRMS' && evaluation.orderUncertain;
    const facts = late
      ? buildLateUpdateColumns(this.#sealer, before, update, now)
      : buildProviderColumns(this.#sealer, before.id, before, update, now);
    const folded =
      transition &&
      buildProjectionColumns(applyTransition(state, transition), transition, this.#deadlines, now, before);
    const session = this.#queueUpdate({
      ...before,
      ...facts,
      ...folded,
      ...(undated ? { providerEventTime: unlessTooFarAhead(before.providerEventTime, now) } : {}),
      ...(evaluation.kind === 'NOTHING' || late || undated
        ? {}
        : { providerFoundAt: getOrderingTime(update) ? null : now }),
      // An answer that no webhook overtook is the provider's present state, so the order of the updates is
      // certain again.
      unsettled:
        eventTime !== null &&
        (before.unsettled || (evaluation.kind !== 'NOTHING' && evaluation.orderUncertain)),
      providerHeardAt: now,
    });

    this.changes.addDetails(before, session);
    if (transition) this.#append(transition, update);
    if (evaluation.kind === 'CONFIRMS')
      this.tx.start(setMissingObservationTime(before.id, payload.rawStatus, payload.rawSubStatus, eventTime));
    this.#noteIgnored(session, update, transition);
    const source = toTransitionSource(update);
    const { bookedAt, changedMore } = late
      ? { bookedAt: null, changedMore: session.agentRemarks !== before.agentRemarks }
      : await recordMeetingsAndReviews(this.tx, this.changes, {
          ...{ payload, source, before, session, transition, now },
        });
    const planned = bookedAt ? this.#queueUpdate({ ...session, meetingAt: bookedAt }) : session;
    // The change becomes a transition of its own; otherwise no subscriber would learn of the change.
    const after = changedMore
      ? await this.applyOwn(planned, planned, 'DETAILS', { source, actor: null })
      : planned;
    return { session: after, transition };
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
   * Fills in missing fields of the session from an answer whose status is not applied, because a webhook was
   * recorded while the poll was running, or because a second poll must confirm the answer.
   */
  async #fillMissing(
    before: SessionRow,
    update: ProviderUpdate,
    orderUncertain: boolean,
    now: Date,
    doubt: DoubtfulPollAnswer | null,
  ): Promise<RecordedUpdate> {
    const payload = buildProviderColumns(this.#sealer, before.id, null, update, now);
    const hasNewRemarks = before.agentRemarks === null && payload.agentRemarks !== null;
    const told = hasNewRemarks
      ? await this.applyOwn(before, before, 'DETAILS', { source: toTransitionSource(update), actor: null })
      : before;
    const filled = {
      ...told,
      referenceId: before.referenceId ?? payload.referenceId,
      link: before.link ?? payload.link,
      agentRemarks: before.agentRemarks ?? payload.agentRemarks,
      linkExpiresAt: before.linkExpiresAt ?? payload.linkExpiresAt,
      unsettled: before.unsettled || orderUncertain,
      providerHeardAt: now,
    };
    const isStanding = doubt?.webhooks === before.providerWebhooks;
    const session = this.#queueUpdate(
      filled,
      doubt && isStanding ? new Date(doubt.since.getTime() + SECOND_POLL_DELAY_MS) : null,
    );
    this.changes.addDetails(before, session);
    return { session, transition: null };
  }

  #queueUpdate(session: SessionRow, secondLookAt: Date | null = null): SessionRow {
    const planned = withNextPollAt(session, this.pace, secondLookAt);
    this.batch.saveSession(planned);
    return planned;
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
}

/**
 * Returns whether the provider accepted the start. If the balance is too low, the provider creates no link, and the
 * start replaces no session.
 */
const isAccepted = ({ payload }: ProviderUpdate): boolean =>
  parseRawStatus(payload.rawStatus, payload.rawSubStatus).subStatus !== 'INSUFFICIENT_BALANCE';
