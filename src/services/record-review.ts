import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { findReviews, type ReviewRow } from '../db/reviews.ts';
import type { SessionRow } from '../db/sessions.ts';
import type { Viewer } from '../domain/access.ts';
import { type ReviewDecision, type ReviewStage, reviewedAs, whyNotDecide } from '../domain/actions.ts';
import { type ActionParts, actionInput, performAction, refuse } from './perform-action.ts';
import { checked, optional, text } from './validation.ts';

const reviewInput = (decisions: readonly [ReviewDecision, ...ReviewDecision[]]) =>
  actionInput
    .extend({ decision: z.enum(decisions), remarks: optional(text(2000)) })
    .refine(({ decision, remarks }) => decision === 'APPROVED' || remarks, {
      path: ['remarks'],
      message: 'must say why, unless the decision is APPROVED',
      // Run this check even if other fields are invalid, so that all problems are reported together.
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
 * Records the decision of an agent, or of an auditor, who must not be the session's agent (four eyes).
 *
 * @throws Refusal
 */
export async function recordReview(
  parts: ActionParts,
  viewer: Viewer,
  stage: ReviewStage,
  raw: unknown,
): Promise<ReviewRecorded> {
  const input = checked(INPUTS[stage], raw);
  const action = ACTIONS[stage];
  const { outcomeId, ...performed } = await performAction(
    parts,
    viewer,
    action,
    input,
    async (recording, session) => {
      const to = reviewedAs(stage, input.decision);
      refuse(action, session, whyNotDecide(action, to, session));
      const after = await recording.act(session, to, viewer.id);
      const id = uuidv7();
      recording.changes.addReview({
        id,
        sessionId: session.id,
        sequence: after.lastSequence,
        stage,
        decision: input.decision,
        remarks: input.remarks || null,
        source: 'MUTATION',
        reviewer: viewer.id,
        recordedAt: parts.clock.now(),
      });
      return { session: after, outcomeId: id };
    },
  );
  const [review] = await findReviews(parts.db, [outcomeId]);
  if (!review) throw new Error('The review of a performed action is stored');
  return { ...performed, review };
}
