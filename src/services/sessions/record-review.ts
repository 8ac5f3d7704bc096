import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { findReviewsById, type ReviewRow } from '../../db/sessions/reviews.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import type { Viewer } from '../../domain/access.ts';
import {
  findReviewDecisionDenial,
  type ReviewDecision,
  type ReviewStage,
  toReviewSubStatus,
} from '../../domain/actions.ts';
import { invariant } from '../../domain/invariant.ts';
import {
  REVIEW_INPUT_RULES,
  REVIEW_REASONS,
  type ReviewInput,
  toRecordedReasons,
} from '../../domain/review-reasons.ts';
import { MAX_TEXT_CHARACTERS } from '../../domain/text.ts';
import {
  type ActionDependencies,
  actionInputSchema,
  performAction,
  throwIfDenied,
} from './perform-action.ts';
import { createKeyOfSchema, createTextSchema, parseOrRefuse, toOptionalSchema } from './validation.ts';

/**
 * Adds the rules to a schema. All rules run even if other fields are invalid, so that all problems are reported
 * together.
 */
const withRules = <Schema extends z.ZodType<ReviewInput>>(schema: Schema): Schema =>
  REVIEW_INPUT_RULES.reduce(
    (checked, { field, message, holds }) =>
      checked.refine(holds, { path: [field], message, when: () => true }) as Schema,
    schema,
  );

// The schema gives no field a default: the idempotency hash covers the parsed input, and a call that a replica of the
// last release recorded must have the same hash here.
const reviewInput = <Decision extends ReviewDecision>(decisions: readonly [Decision, ...Decision[]]) =>
  actionInputSchema.extend({
    decision: z.enum(decisions),
    remarks: toOptionalSchema(createTextSchema(MAX_TEXT_CHARACTERS.remarks)),
    reasons: toOptionalSchema(z.array(createKeyOfSchema(REVIEW_REASONS))),
    customerMessage: toOptionalSchema(createTextSchema(MAX_TEXT_CHARACTERS.customerMessage)),
    callComplete: toOptionalSchema(z.boolean()),
  });

const INPUTS = {
  AGENT: withRules(reviewInput(['APPROVED', 'REJECTED', 'UNABLE_TO_VALIDATE'])),
  AUDITOR: withRules(reviewInput(['APPROVED', 'REJECTED'])),
} as const;

const ACTIONS = { AGENT: 'RECORD_AGENT_REVIEW', AUDITOR: 'RECORD_AUDITOR_REVIEW' } as const;

export interface ReviewActionResult {
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
): Promise<ReviewActionResult> {
  const input = parseOrRefuse(INPUTS[stage], raw);
  const action = ACTIONS[stage];
  const { decision, reasons, remarks, customerMessage, callComplete = null } = input;
  // Clients of the last release send neither of these fields, and do not know `callComplete`.
  const mayState = reasons !== undefined || customerMessage !== undefined;
  const { outcomeId, ...performed } = await performAction(
    dependencies,
    viewer,
    action,
    input,
    async (writer, session, facts) => {
      const to = toReviewSubStatus(stage, decision);
      throwIfDenied(action, session, findReviewDecisionDenial(action, to, facts, { callComplete, mayState }));
      // After an approval or a rejection the booked meeting is no longer needed. A meeting that the customer booked
      // at the provider stays booked, because the provider has no call for cancelling it.
      const endsMeeting = facts.meetingBookedHere && decision !== 'UNABLE_TO_VALIDATE';
      if (endsMeeting) await writer.changes.endMeeting(session.id, 'CANCELLED', viewer.id);
      const before = endsMeeting ? { ...session, meetingAt: null } : session;
      const after = await writer.applyDecision(before, to, viewer.id);
      const id = uuidv7();
      writer.changes.addReview({
        id,
        sessionId: session.id,
        sequence: after.lastSequence,
        stage,
        decision,
        remarks: remarks || null,
        source: 'MUTATION',
        reviewer: viewer.id,
        recordedAt: dependencies.clock.now(),
        reasons: [...toRecordedReasons(input)],
        customerMessage: customerMessage || null,
        callComplete,
      });
      return { session: after, outcomeId: id };
    },
  );
  const [review] = await findReviewsById(dependencies.db, [outcomeId]);
  invariant(review, 'review action committed but its review is missing');
  return { ...performed, review };
}
