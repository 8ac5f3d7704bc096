import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  getCustomerMessageSealingContext,
  getReviewRemarksSealingContext,
  type ReviewRow,
} from '../db/sessions/reviews.ts';
import type { ReviewDecision, ReviewStage } from '../domain/actions.ts';
import type { Locale } from '../domain/locales.ts';
import {
  APPROVAL_REASONS,
  type ReviewReason,
  SUSPICION_REASONS,
  toCustomerReasons,
  toCustomerReasonTexts,
  toKnownReasons,
} from '../domain/review-reasons.ts';
import type { TransitionSource } from '../domain/session.ts';
import { MAX_TEXT_CHARACTERS } from '../domain/text.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import {
  AgentDecisionEnum,
  AuditorDecisionEnum,
  LocaleEnum,
  ReviewDecisionEnum,
  ReviewReasonEnum,
  ReviewStageEnum,
  TransitionSourceEnum,
} from './enums.ts';
import { toMutationResult } from './mutation-error.ts';
import { ID_DESCRIPTION, Node, toGlobalId } from './node.ts';
import {
  ActionInput,
  ActionSuccess,
  createActionResultUnion,
  withDecodedSessionId,
} from './session-action.ts';
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
  @Field(() => String, {
    nullable: true,
    description:
      "The reviewer's text for the customer, to be shown with `reasonTexts`. Null if there is none. Cannot be selected in subscriptions.",
  })
  customerMessage?: string;
  @Field(() => Boolean, {
    nullable: true,
    description:
      "The agent's statement whether the call was complete. Null if none was made, and for customers.",
  })
  callComplete?: boolean;
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
  @Field(() => DateTime, { description: 'Time at which the gateway recorded the review.' })
  recordedAt: Date;
}

const REMARKS = `Details of the decision, up to ${MAX_TEXT_CHARACTERS.remarks} characters; the customer cannot read them. Required if a reason is OTHER, or if a decision other than APPROVED has no \`reasons\`.`;
const REASONS = `Coded reasons, each at most once. A decision other than APPROVED needs at least one; if you pass none, OTHER is recorded. An approval may have only ${APPROVAL_REASONS.join(', ')}, for doubts that did not prevent the approval.`;
const CUSTOMER_MESSAGE = `Text for the customer, up to ${MAX_TEXT_CHARACTERS.customerMessage} characters. The customer reads it together with the texts of \`reasons\`.`;
const DECISION =
  'Outcome to record. Anything but APPROVED needs `reasons`, or `remarks` that give the reason.';

@InputType({
  description:
    'Input of recordAgentReview: the decision of the agent who held the call. An approval is provisional until an auditor confirms it.',
})
class RecordAgentReviewInput extends ActionInput {
  @Field(() => AgentDecisionEnum, { description: DECISION })
  decision: ReviewDecision;
  @Field(() => String, { nullable: true, description: REMARKS })
  remarks?: string;
  @Field(() => [ReviewReasonEnum], { nullable: true, description: REASONS })
  reasons?: ReviewReason[];
  @Field(() => String, { nullable: true, description: CUSTOMER_MESSAGE })
  customerMessage?: string;
  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether the call was complete, in your judgement. Pass it with every decision about a call that the customer ended (USER_ENDED_CALL): such a call can be approved only with true. False excludes an approval, and true excludes the reason CALL_INCOMPLETE.',
  })
  callComplete?: boolean;
}

@InputType({ description: "Input of recordAuditorReview: the auditor's decision, which is final." })
class RecordAuditorReviewInput extends ActionInput {
  @Field(() => AuditorDecisionEnum, { description: DECISION })
  decision: ReviewDecision;
  @Field(() => String, { nullable: true, description: REMARKS })
  remarks?: string;
  @Field(() => [ReviewReasonEnum], { nullable: true, description: REASONS })
  reasons?: ReviewReason[];
  @Field(() => String, { nullable: true, description: CUSTOMER_MESSAGE })
  customerMessage?: string;
}

@ObjectType({ description: 'The decision was recorded.', simpleResolvers: true })
class RecordReviewSuccess extends ActionSuccess {
  @Field(() => Review, {
    description: 'The review that this call recorded. If `replayed` is true, the review of the earlier call.',
  })
  review: ReviewRow;
}

const RecordReviewResult = createActionResultUnion(
  'RecordReviewResult',
  'The recorded review, or the reason for refusing it.',
  RecordReviewSuccess,
);

@Resolver(() => Review)
export class ReviewResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: ReviewRow): string {
    return toGlobalId('Review', id);
  }

  @FieldResolver(() => String, { nullable: true })
  remarks(@Root() { id, remarks }: ReviewRow, @Ctx() context: Context): string | null {
    return decryptText(context, remarks, getReviewRemarksSealingContext(id));
  }

  @FieldResolver(() => [ReviewReasonEnum], {
    description: `Coded reasons of the decision. Empty if the review was made at the provider or before this field existed. Customers get OTHER in place of ${SUSPICION_REASONS.join(', ')}.`,
  })
  reasons(@Root() { reasons }: ReviewRow, @Ctx() { staff }: Context): readonly ReviewReason[] {
    const known = toKnownReasons(reasons);
    return staff ? known : toCustomerReasons(known);
  }

  @FieldResolver(() => [String], {
    description:
      'Text for the customer about each reason, one sentence each, in the order of `reasons`. Empty for approvals.',
  })
  reasonTexts(
    @Root() { decision, reasons }: ReviewRow,
    @Arg('locale', () => LocaleEnum, { defaultValue: 'EN', description: 'Language of the sentences.' })
    locale: Locale,
  ): readonly string[] {
    return toCustomerReasonTexts(decision, toKnownReasons(reasons), locale);
  }

  @FieldResolver(() => String, { nullable: true })
  customerMessage(@Root() { id, customerMessage }: ReviewRow, @Ctx() context: Context): string | null {
    return decryptText(context, customerMessage, getCustomerMessageSealingContext(id));
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
      "Records the auditor's decision on an agent's approval. Refused if you recorded an agent review of this session, or accepted the provider's approval in a dispute (four-eyes rule).",
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
