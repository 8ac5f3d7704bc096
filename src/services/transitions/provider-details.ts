import { v7 as uuidv7 } from 'uuid';
import type { Transaction } from '../../db/connection/client.ts';
import { findBookedMeeting } from '../../db/sessions/meetings.ts';
import { findNewestReview } from '../../db/sessions/reviews.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import type { TransitionRow } from '../../db/sessions/transitions.ts';
import {
  MEETING_OUTCOME_BY_SUB_STATUS,
  type MeetingOutcome,
  REVIEW_BY_SUB_STATUS,
  type ReviewStage,
} from '../../domain/actions.ts';
import { findSessionChanges } from '../../domain/changes.ts';
import type { ProviderSession } from '../../domain/ports.ts';
import type { TransitionSource } from '../../domain/session.ts';
import { getStatusInfo } from '../../domain/status.ts';
import type { AuditedWriter } from './audited-writes.ts';

/**
 * Provider update, and the session row before and after the update. `recordMeetingsAndReviews` derives meetings and
 * reviews from these facts.
 */
export interface AppliedUpdate {
  readonly payload: ProviderSession;
  readonly source: Extract<TransitionSource, 'WEBHOOK' | 'POLL'>;
  /** Session row before the update; null if the update created the session. */
  readonly before: SessionRow | null;
  readonly session: SessionRow;
  /** Transition that the update became; null if the provider only repeated a known status. */
  readonly transition: TransitionRow | null;
  readonly now: Date;
}

/**
 * Derives meetings and reviews from a provider update, because the provider has no separate calls or webhooks for
 * them. Returns the start of the meeting that the update booked, if any. `changedMore`: the update changed a
 * meeting, a review or the agent's remarks, and its transition does not report that change (`findSessionChanges`).
 */
export async function recordMeetingsAndReviews(
  tx: Transaction,
  changes: AuditedWriter,
  details: AppliedUpdate,
): Promise<{ readonly bookedAt: Date | null; readonly changedMore: boolean }> {
  const { transition, payload, before, session } = details;
  const told = transition ? findSessionChanges(transition) : [];
  const bookedAt = await applyMeeting(tx, changes, details);
  await applyReview(changes, details);
  const ofAgent = await applyRemarks(tx, changes, details, 'AGENT', payload.agentRemarks);
  const ofAuditor = await applyRemarks(tx, changes, details, 'AUDITOR', payload.auditorRemarks);
  const ofCall = session.agentRemarks !== (before?.agentRemarks ?? null);
  const changedMore =
    (bookedAt !== null && !told.includes('MEETINGS')) ||
    ((ofAgent || ofAuditor || ofCall) && !told.includes('REVIEWS'));
  return { bookedAt, changedMore };
}

/** Books and ends meetings as the update says. Returns the start of the meeting that it booked; null if it booked none. */
async function applyMeeting(
  tx: Transaction,
  changes: AuditedWriter,
  details: AppliedUpdate,
): Promise<Date | null> {
  const { payload, source, session, transition, now } = details;
  const sessionId = session.id;
  const startsAt = getStatusInfo(session).terminal ? null : payload.meetingAt;
  const isNew = startsAt !== null && (await isNewMeeting(tx, details, startsAt));
  if (isNew) {
    await changes.endMeeting(sessionId, 'RESCHEDULED');
    changes.addMeeting({
      id: uuidv7(),
      sessionId,
      startsAt,
      status: 'SCHEDULED',
      source,
      scheduledBy: null,
      createdAt: now,
    });
  }
  const outcome = transition?.verdict === 'MOVED' ? await findOutcome(tx, sessionId, transition) : null;
  if (outcome) await changes.endMeeting(sessionId, outcome);
  return isNew ? startsAt : null;
}

/**
 * Returns the status that the booked meeting gets by this transition; null if it stays booked. The end of the session
 * cancels it, and so does an agent's decision, except for a meeting that the customer booked at the provider, which
 * exists on there.
 */
async function findOutcome(
  tx: Transaction,
  sessionId: string,
  { status, subStatus }: TransitionRow,
): Promise<MeetingOutcome | null> {
  const outcome = MEETING_OUTCOME_BY_SUB_STATUS[subStatus];
  if (outcome) return outcome;
  if (getStatusInfo({ status, subStatus }).terminal) return 'CANCELLED';
  if (subStatus !== 'AGENT_APPROVED' && subStatus !== 'AGENT_REJECTED') return null;
  const booked = await findBookedMeeting(tx, sessionId);
  return booked?.source === 'MUTATION' ? 'CANCELLED' : null;
}

/**
 * Returns whether the update books a new meeting. The provider repeats the meeting time in every later update, so
 * only a changed time or a new booking counts. A new booking at the provider replaces a meeting that was booked here,
 * which the provider does not know.
 */
async function isNewMeeting(
  tx: Transaction,
  { before, session, transition, now }: AppliedUpdate,
  at: Date,
): Promise<boolean> {
  if (before?.providerMeetingAt?.getTime() !== at.getTime()) return true;
  const booking = transition?.verdict === 'MOVED' && transition.subStatus === 'USER_MEETING_SCHEDULED';
  if (!booking) return false;
  const booked = await findBookedMeeting(tx, session.id);
  return booked === null || (booked.source === 'MUTATION' && at > now);
}

async function applyReview(
  changes: AuditedWriter,
  { payload, source, session, transition, now }: AppliedUpdate,
) {
  const review = transition && REVIEW_BY_SUB_STATUS[transition.subStatus];
  if (!review) return;
  const remarks = review.stage === 'AGENT' ? payload.agentRemarks : payload.auditorRemarks;
  changes.addReview({
    id: uuidv7(),
    sessionId: session.id,
    sequence: transition.sequence,
    ...review,
    remarks,
    source,
    reviewer: null,
    recordedAt: now,
    reasons: null,
    customerMessage: null,
    callComplete: null,
  });
}

/**
 * Adds remarks to the provider's newest review of a stage. Only answers to calls contain remarks, so a review that a
 * webhook reported gets its remarks later. Returns whether it added some.
 */
async function applyRemarks(
  tx: Transaction,
  changes: AuditedWriter,
  { session }: AppliedUpdate,
  stage: ReviewStage,
  remarks: string | null,
): Promise<boolean> {
  if (remarks === null) return false;
  const review = await findNewestReview(tx, session.id, stage);
  if (!review || review.source === 'MUTATION' || review.remarks) return false;
  await changes.addRemarks(review, remarks);
  return true;
}
