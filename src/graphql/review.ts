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
  description: 'Decision of an agent or an auditor.',
})
export class Review extends Node {
  @Field(() => ReviewStageEnum, { description: 'Whether the agent or the auditor decided.' })
  stage: ReviewStage;
  @Field(() => ReviewDecisionEnum, { description: 'Outcome: approved, rejected, or unable to validate.' })
  decision: ReviewDecision;
  @Field(() => String, {
    nullable: true,
    description:
      'Remarks of the reviewer. Null if there are none, or for customers. Cannot be selected in subscriptions.',
  })
  remarks?: string;
  @Field(() => TransitionSourceEnum, {
    description:
      'MUTATION if the review was recorded through this API; otherwise it was made at the provider.',
  })
  source: TransitionSource;
  @Field(() => String, {
    nullable: true,
    description:
      'Token subject of the reviewer. Null for customers, and if the review was made at the provider, which does not report the reviewer.',
  })
  reviewer?: string;
  @Field(() => DateTime, { description: 'Time at which the gateway recorded it.' })
  recordedAt: Date;
}

const REMARKS = 'Reason for the decision, up to 2000 characters. Required unless the decision is APPROVED.';

@InputType({
  description:
    'Input of recordAgentReview: the decision of the agent who held the call. An approval is provisional until an auditor confirms it.',
})
class RecordAgentReviewInput extends ActionInput {
  @Field(() => AgentDecisionEnum, {
    description: 'Outcome to record. Anything but APPROVED needs `remarks`.',
  })
  decision: ReviewDecision;
  @Field(() => String, { nullable: true, description: REMARKS })
  remarks?: string;
}

@InputType({ description: "Input of recordAuditorReview: the auditor's decision, which is final." })
class RecordAuditorReviewInput extends ActionInput {
  @Field(() => AuditorDecisionEnum, {
    description: 'Outcome to record. Anything but APPROVED needs `remarks`.',
  })
  decision: ReviewDecision;
  @Field(() => String, { nullable: true, description: REMARKS })
  remarks?: string;
}

@ObjectType({ description: 'The decision was recorded.', simpleResolvers: true })
class RecordReviewSuccess {
  @Field(() => VkycSession, { description: 'The session in its current state.' })
  session: SessionRow;
  @Field(() => Review, {
    description: 'The review that this call recorded. If `replayed` is true, the review of the earlier call.',
  })
  review: ReviewRow;
  @Field(() => Boolean, { description: 'True if this call repeated an earlier one and changed nothing.' })
  replayed: boolean;
}

const RecordReviewResult = createUnionType({
  name: 'RecordReviewResult',
  description: 'The recorded review, or the reason for refusing it.',
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
    description: "Records the agent's decision after the call has ended.",
  })
  recordAgentReview(
    @Arg('input', () => RecordAgentReviewInput, {
      description: "The agent's decision on a session.",
    })
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
    description:
      "Records the auditor's decision on an agent's approval. Refused if you recorded an agent review of this session (four-eyes rule).",
  })
  recordAuditorReview(
    @Arg('input', () => RecordAuditorReviewInput, {
      description: "The auditor's decision on a session.",
    })
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
