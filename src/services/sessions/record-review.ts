import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { findReviews, type ReviewRow } from '../../db/sessions/reviews.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import type { Viewer } from '../../domain/access.ts';
import {
  findDecisionDenial,
  type ReviewDecision,
  type ReviewStage,
  toReviewSubStatus,
} from '../../domain/actions.ts';
import { invariant } from '../../domain/invariant.ts';
import { type ActionDependencies, actionInput, denyAction, performAction } from './perform-action.ts';
import { optional, text, validate } from './validation.ts';

const reviewInput = (decisions: readonly [ReviewDecision, ...ReviewDecision[]]) =>
  actionInput
    .extend({ decision: z.enum(decisions), remarks: optional(text(2000)) })
    .refine(({ decision, remarks }) => decision === 'APPROVED' || remarks, {
      path: ['remarks'],
      message: 'must not be empty, unless the decision is APPROVED',
      // Runs this check even if other fields are invalid; otherwise zod would skip it and the caller would not
      // see all problems at once.
      when: () => true,
    });

const INPUTS = {
  AGENT: reviewInput(['APPROVED', 'REJECTED', 'UNABLE_TO_VALIDATE']),
  AUDITOR: reviewInput(['APPROVED', 'REJECTED']),
} as const;

const ACTIONS = { AGENT: 'RECORD_AGENT_REVIEW', AUDITOR: 'RECORD_AUDITOR_REVIEW' } as const;

export interface ReviewRecorded {
  readonly session: SessionRow;
  readonly review: ReviewRow;
  readonly replayed: boolean;
}

/**
 * Records the review decision of an agent or an auditor. An auditor who also recorded an agent review of the
 * session is refused (four-eyes rule).
 *
 * @throws Refusal
 */
export async function recordReview(
  dependencies: ActionDependencies,
  viewer: Viewer,
  stage: ReviewStage,
  raw: unknown,
): Promise<ReviewRecorded> {
  const input = validate(INPUTS[stage], raw);
  const action = ACTIONS[stage];
  const { outcomeId, ...performed } = await performAction(
    dependencies,
    viewer,
    action,
    input,
    async (writer, session, facts) => {
      const to = toReviewSubStatus(stage, input.decision);
      denyAction(action, session, findDecisionDenial(action, to, facts));
      // After an approval or a rejection there is nothing left to meet for. A meeting that the customer booked
      // at the provider exists on, since the provider has no call for cancelling it.
      const endsMeeting = facts.meetingBookedHere && input.decision !== 'UNABLE_TO_VALIDATE';
      if (endsMeeting) await writer.changes.endMeeting(session.id, 'CANCELLED', viewer.id);
      const before = endsMeeting ? { ...session, meetingAt: null } : session;
      const after = await writer.applyDecision(before, to, viewer.id);
      const id = uuidv7();
      writer.changes.addReview({
        id,
        sessionId: session.id,
        sequence: after.lastSequence,
        stage,
        decision: input.decision,
        remarks: input.remarks || null,
        source: 'MUTATION',
        reviewer: viewer.id,
        recordedAt: dependencies.clock.now(),
        reasons: null,
        customerMessage: null,
        callComplete: null,
      });
      return { session: after, outcomeId: id };
    },
  );
  const [review] = await findReviews(dependencies.db, [outcomeId]);
  invariant(review, 'review action committed but its review is missing');
  return { ...performed, review };
}
