import { v7 as uuidv7 } from 'uuid';
import type { Transaction } from '../db/client.ts';
import { endBookedMeeting, findBookedMeeting, insertMeeting } from '../db/meetings.ts';
import { addRemarks, findNewestReview, insertReview, placeOfRemarks } from '../db/reviews.ts';
import type { Sealer } from '../db/sealing.ts';
import type { SessionRow } from '../db/sessions.ts';
import type { TransitionRow } from '../db/transitions.ts';
import { MEETING_OUTCOMES, REVIEW_OF, type ReviewStage } from '../domain/actions.ts';
import type { ProviderSession } from '../domain/ports.ts';
import type { TransitionSource } from '../domain/session.ts';
import { infoOf } from '../domain/status.ts';

/** The provider's newest word on a session, beside its status. */
export interface News {
  readonly said: ProviderSession;
  readonly source: Exclude<TransitionSource, 'MUTATION'>;
  /** Null before the session's first transition. */
  readonly before: SessionRow | null;
  readonly session: SessionRow;
  /** Null where the status was nothing new. */
  readonly transition: TransitionRow | null;
  readonly now: Date;
}

/** Makes meetings and reviews of what the provider says of them, which it has no other way to tell. */
export async function takeOver(tx: Transaction, sealer: Sealer, news: News): Promise<void> {
  await takeOverMeeting(tx, news);
  await takeOverReview(tx, sealer, news);
  await takeOverRemarks(tx, sealer, news, 'AGENT', news.said.agentRemarks);
  await takeOverRemarks(tx, sealer, news, 'AUDITOR', news.said.auditorRemarks);
}

async function takeOverMeeting(tx: Transaction, news: News): Promise<void> {
  const { said, source, session, transition, now } = news;
  const sessionId = session.id;
  if (said.meetingAt && !infoOf(session).terminal && (await isNewMeeting(tx, news, said.meetingAt))) {
    await endBookedMeeting(tx, sessionId, { status: 'RESCHEDULED' });
    await insertMeeting(tx, {
      id: uuidv7(),
      sessionId,
      startsAt: said.meetingAt,
      status: 'SCHEDULED',
      source,
      scheduledBy: null,
      cancelledBy: null,
      cancelReason: null,
      createdAt: now,
    });
  }
  const outcome = transition?.verdict === 'MOVED' ? MEETING_OUTCOMES[transition.subStatus] : undefined;
  if (outcome) await endBookedMeeting(tx, sessionId, { status: outcome });
}

/** The provider repeats the time with everything that follows: it is news when it changes, or is booked again. */
async function isNewMeeting(
  tx: Transaction,
  { before, session, transition }: News,
  at: Date,
): Promise<boolean> {
  if (before?.providerMeetingAt?.getTime() !== at.getTime()) return true;
  const booking = transition?.verdict === 'MOVED' && transition.subStatus === 'USER_MEETING_SCHEDULED';
  return booking && (await findBookedMeeting(tx, session.id)) === null;
}

async function takeOverReview(
  tx: Transaction,
  sealer: Sealer,
  { said, source, session, transition, now }: News,
) {
  const review = transition && REVIEW_OF[transition.subStatus];
  if (!review) return;
  const id = uuidv7();
  const remarks = review.stage === 'AGENT' ? said.agentRemarks : said.auditorRemarks;
  await insertReview(tx, {
    id,
    sessionId: session.id,
    sequence: transition.sequence,
    ...review,
    remarks: remarks === null ? null : sealer.seal(remarks, placeOfRemarks(id)),
    source,
    reviewer: null,
    recordedAt: now,
  });
}

/** Remarks come with answers alone, so that a webhook's review gets them later. */
async function takeOverRemarks(
  tx: Transaction,
  sealer: Sealer,
  { session }: News,
  stage: ReviewStage,
  remarks: string | null,
) {
  if (remarks === null) return;
  const review = await findNewestReview(tx, session.id, stage);
  if (!review || review.source === 'MUTATION' || review.remarks) return;
  await addRemarks(tx, review.id, sealer.seal(remarks, placeOfRemarks(review.id)));
}
