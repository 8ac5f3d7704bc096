import { v7 as uuidv7 } from 'uuid';
import type { Transaction } from '../db/client.ts';
import { findBookedMeeting } from '../db/meetings.ts';
import { findNewestReview } from '../db/reviews.ts';
import type { SessionRow } from '../db/sessions.ts';
import type { TransitionRow } from '../db/transitions.ts';
import { MEETING_OUTCOMES, REVIEW_OF, type ReviewStage } from '../domain/actions.ts';
import type { ProviderSession } from '../domain/ports.ts';
import type { TransitionSource } from '../domain/session.ts';
import { infoOf } from '../domain/status.ts';
import type { AuditedChanges } from './audited-changes.ts';

/** Newest provider update on a session, with what meetings and reviews are derived from. */
export interface News {
  readonly said: ProviderSession;
  readonly source: Exclude<TransitionSource, 'MUTATION'>;
  /** Null for the first update of a session. */
  readonly before: SessionRow | null;
  readonly session: SessionRow;
  /** Null if the status was nothing new. */
  readonly transition: TransitionRow | null;
  readonly now: Date;
}

/** Derives meetings and reviews from a provider update. The provider reports them in no other way. */
export async function takeOver(tx: Transaction, changes: AuditedChanges, news: News): Promise<void> {
  await takeOverMeeting(tx, changes, news);
  await takeOverReview(changes, news);
  await takeOverRemarks(tx, changes, news, 'AGENT', news.said.agentRemarks);
  await takeOverRemarks(tx, changes, news, 'AUDITOR', news.said.auditorRemarks);
}

async function takeOverMeeting(tx: Transaction, changes: AuditedChanges, news: News): Promise<void> {
  const { said, source, session, transition, now } = news;
  const sessionId = session.id;
  if (said.meetingAt && !infoOf(session).terminal && (await isNewMeeting(tx, news, said.meetingAt))) {
    await changes.endMeeting(sessionId, 'RESCHEDULED');
    changes.addMeeting({
      id: uuidv7(),
      sessionId,
      startsAt: said.meetingAt,
      status: 'SCHEDULED',
      source,
      scheduledBy: null,
      createdAt: now,
    });
  }
  const outcome = transition?.verdict === 'MOVED' ? MEETING_OUTCOMES[transition.subStatus] : undefined;
  if (outcome) await changes.endMeeting(sessionId, outcome);
}

/**
 * Returns whether the meeting is new. The provider repeats the time in every later update, so only a changed
 * time or a new booking counts.
 */
async function isNewMeeting(
  tx: Transaction,
  { before, session, transition }: News,
  at: Date,
): Promise<boolean> {
  if (before?.providerMeetingAt?.getTime() !== at.getTime()) return true;
  const booking = transition?.verdict === 'MOVED' && transition.subStatus === 'USER_MEETING_SCHEDULED';
  return booking && (await findBookedMeeting(tx, session.id)) === null;
}

async function takeOverReview(changes: AuditedChanges, { said, source, session, transition, now }: News) {
  const review = transition && REVIEW_OF[transition.subStatus];
  if (!review) return;
  const remarks = review.stage === 'AGENT' ? said.agentRemarks : said.auditorRemarks;
  changes.addReview({
    id: uuidv7(),
    sessionId: session.id,
    sequence: transition.sequence,
    ...review,
    remarks,
    source,
    reviewer: null,
    recordedAt: now,
  });
}

/**
 * Adds remarks to the provider's newest review of a stage. Only answers contain remarks, so a review from a
 * webhook gets them later.
 */
async function takeOverRemarks(
  tx: Transaction,
  changes: AuditedChanges,
  { session }: News,
  stage: ReviewStage,
  remarks: string | null,
) {
  if (remarks === null) return;
  const review = await findNewestReview(tx, session.id, stage);
  if (!review || review.source === 'MUTATION' || review.remarks) return;
  await changes.addRemarks(review, remarks);
}
