import {
  Arg,
  Ctx,
  createUnionType,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql';
import { type ReviewRow, remarksContext } from '../db/sessions/reviews.ts';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { ReviewDecision, ReviewStage } from '../domain/actions.ts';
import type { TransitionSource } from '../domain/session.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import {
  AgentDecisionEnum,
  AuditorDecisionEnum,
  ReviewDecisionEnum,
  ReviewStageEnum,
  TransitionSourceEnum,
} from './enums.ts';
import { ActionInput, withDecodedSessionId } from './meeting.ts';
import {
  ActionNotAllowedError,
  ConflictError,
  InvalidInputError,
  NotFoundError,
  resolveByName,
  toMutationResult,
} from './mutation-error.ts';
import { ID_DESCRIPTION, Node, toGlobalId } from './node.ts';
import { VkycSession } from './session-type.ts';
import { decryptText } from './user.ts';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: 'A decision of an agent or of an auditor.',
})
export class Review extends Node {
  @Field(() => ReviewStageEnum, { description: 'Whose decision.' })
  stage: ReviewStage;
  @Field(() => ReviewDecisionEnum, { description: 'What was decided.' })
  decision: ReviewDecision;
  @Field(() => String, {
    nullable: true,
    description: 'Why, in their words; for staff alone. Refused in subscriptions.',
  })
  remarks?: string;
  @Field(() => TransitionSourceEnum, { description: 'MUTATION: recorded here. Else made at the provider.' })
  source: TransitionSource;
  @Field(() => String, {
    nullable: true,
    description:
      'Who decided, by the subject of their token; for staff alone. Unknown (null) where the review was made at the provider.',
  })
  reviewer?: string;
  @Field(() => DateTime, { description: 'When it was recorded here.' })
  recordedAt: Date;
}

const REMARKS = 'Why, up to 2000 characters. Required unless the decision is APPROVED.';

@InputType({
  description: 'What the agent of the call decided. Approving is provisional until an auditor confirms it.',
})
class RecordAgentReviewInput extends ActionInput {
  @Field(() => AgentDecisionEnum, { description: 'What was decided.' })
  decision: ReviewDecision;
  @Field(() => String, { nullable: true, description: REMARKS })
  remarks?: string;
}

@InputType({ description: 'What the auditor decided, which is final.' })
class RecordAuditorReviewInput extends ActionInput {
  @Field(() => AuditorDecisionEnum, { description: 'What was decided.' })
  decision: ReviewDecision;
  @Field(() => String, { nullable: true, description: REMARKS })
  remarks?: string;
}

@ObjectType({ description: 'The decision is recorded.', simpleResolvers: true })
class RecordReviewSuccess {
  @Field(() => VkycSession, { description: 'The session as it is now.' })
  session: SessionRow;
  @Field(() => Review, { description: 'The review that this call, or the one that it repeats, recorded.' })
  review: ReviewRow;
  @Field(() => Boolean, { description: 'True when this call repeated an earlier one and changed nothing.' })
  replayed: boolean;
}

const RecordReviewResult = createUnionType({
  name: 'RecordReviewResult',
  description: 'The review, or why there is none.',
  types: () =>
    [RecordReviewSuccess, InvalidInputError, NotFoundError, ActionNotAllowedError, ConflictError] as const,
  ...resolveByName,
});

@Resolver(() => Review)
export class ReviewResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: ReviewRow): string {
    return toGlobalId('Review', id);
  }

  @FieldResolver(() => String, { nullable: true })
  remarks(@Root() { id, remarks }: ReviewRow, @Ctx() context: Context): string | null {
    return decryptText(context, remarks, remarksContext(id));
  }

  @Mutation(() => RecordReviewResult, {
    description: "Records the agent's decision, once the call has ended.",
  })
  recordAgentReview(
    @Arg('input', () => RecordAgentReviewInput, { description: 'What was decided.' })
    input: RecordAgentReviewInput,
    @Ctx() context: Context,
  ) {
    return toMutationResult(
      'RecordReviewSuccess',
      context,
      context.services.recordReview(context.viewer, 'AGENT', withDecodedSessionId(input)),
    );
  }

  @Mutation(() => RecordReviewResult, {
    description: "Records the auditor's decision on what an agent approved. The auditor is never that agent.",
  })
  recordAuditorReview(
    @Arg('input', () => RecordAuditorReviewInput, { description: 'What was decided.' })
    input: RecordAuditorReviewInput,
    @Ctx() context: Context,
  ) {
    return toMutationResult(
      'RecordReviewSuccess',
      context,
      context.services.recordReview(context.viewer, 'AUDITOR', withDecodedSessionId(input)),
    );
  }
}
