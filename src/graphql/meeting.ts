import {
  Arg,
  Ctx,
  createUnionType,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql';
import { cancelReasonContext, type MeetingRow } from '../db/sessions/meetings.ts';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { MeetingStatus } from '../domain/actions.ts';
import type { TransitionSource } from '../domain/session.ts';
import { connectionTypes } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { MeetingStatusEnum, TransitionSourceEnum } from './enums.ts';
import {
  ActionNotAllowedError,
  ConflictError,
  InvalidInputError,
  NotFoundError,
  resolveByName,
  toMutationResult,
} from './mutation-error.ts';
import { decodeSessionId, ID_DESCRIPTION, Node, toGlobalId } from './node.ts';
import { VkycSession } from './session-type.ts';
import { decryptText } from './user.ts';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description:
    'A meeting for the call. One that was booked here does not reach the provider, which has no call for it.',
})
export class Meeting extends Node {
  @Field(() => DateTime, { description: 'When it begins.' })
  startsAt: Date;
  @Field(() => MeetingStatusEnum, { description: 'What became of it.' })
  status: MeetingStatus;
  @Field(() => TransitionSourceEnum, {
    description: 'MUTATION: booked here. Else booked by the customer at the provider.',
  })
  source: TransitionSource;
  @Field(() => String, {
    nullable: true,
    description:
      'Who booked it, by the subject of their token; null where that was at the provider. Customers are told only of themselves.',
  })
  scheduledBy?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Who cancelled it, by the subject of their token; null where nobody did, or not here. Customers are told only of themselves.',
  })
  cancelledBy?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Why it was cancelled, in their words; null where they gave none. Customers see their own alone. Refused in subscriptions.',
  })
  cancelReason?: string;
  @Field(() => DateTime, { description: 'When it was recorded here.' })
  createdAt: Date;
}

export const Meetings = connectionTypes('Meeting', () => Meeting);

const IDEMPOTENCY_KEY =
  'Yours to choose, such as a UUID, anew for each thing that a person wants: the same key with the same input answers as the first call did, with another input it is refused.';
const EXPECTED_VERSION =
  "The session's version as you read it: refuses where somebody else moved the session since. Left out: whatever the version.";

/** Fields that the inputs of all actions have in common. */
@InputType()
export abstract class ActionInput {
  @Field(() => ID, { description: 'The `id` of a VkycSession, which is not its verificationId.' })
  sessionId: string;
  @Field(() => String, { description: IDEMPOTENCY_KEY })
  idempotencyKey: string;
  @Field(() => Int, { nullable: true, description: EXPECTED_VERSION })
  expectedVersion?: number;
}

/**
 * Replaces the global id of the session by its key, as the services expect it. For an id of another type the
 * key is empty, and the services refuse it with its path.
 */
export const withDecodedSessionId = <Input extends ActionInput>(input: Input): Input => ({
  ...input,
  sessionId: decodeSessionId(input.sessionId),
});

@InputType({ description: 'When the call is to take place. A meeting that is booked already is moved.' })
class ScheduleMeetingInput extends ActionInput {
  @Field(() => DateTime, {
    description: "When it begins: in the future, and before the customer's link expires.",
  })
  startsAt: Date;
}

@InputType({ description: 'Which booked meeting is called off: a session has one at most.' })
class CancelMeetingInput extends ActionInput {
  @Field(() => String, {
    nullable: true,
    description: 'Why it is cancelled, up to 500 characters; shown to staff.',
  })
  reason?: string;
}

@ObjectType({ description: 'The meeting is booked.', simpleResolvers: true })
class ScheduleMeetingSuccess {
  @Field(() => VkycSession, { description: 'The session as it is now.' })
  session: SessionRow;
  @Field(() => Meeting, {
    description: 'The meeting that this call, or the one that it repeats, booked or cancelled.',
  })
  meeting: MeetingRow;
  @Field(() => Boolean, { description: 'True when this call repeated an earlier one and changed nothing.' })
  replayed: boolean;
}

@ObjectType({ description: 'The meeting is cancelled.', simpleResolvers: true })
class CancelMeetingSuccess extends ScheduleMeetingSuccess {}

const refusals = [InvalidInputError, NotFoundError, ActionNotAllowedError, ConflictError] as const;

const ScheduleMeetingResult = createUnionType({
  name: 'ScheduleMeetingResult',
  description: 'The meeting, or why there is none.',
  types: () => [ScheduleMeetingSuccess, ...refusals] as const,
  ...resolveByName,
});

const CancelMeetingResult = createUnionType({
  name: 'CancelMeetingResult',
  description: 'The cancelled meeting, or why it was not.',
  types: () => [CancelMeetingSuccess, ...refusals] as const,
  ...resolveByName,
});

@Resolver(() => Meeting)
export class MeetingResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: MeetingRow): string {
    return toGlobalId('Meeting', id);
  }

  @FieldResolver(() => String, { nullable: true })
  cancelReason(@Root() { id, cancelReason }: MeetingRow, @Ctx() context: Context): string | null {
    return decryptText(context, cancelReason, cancelReasonContext(id));
  }

  @Mutation(() => ScheduleMeetingResult, { description: 'Books a meeting, or moves the one that is booked.' })
  scheduleMeeting(
    @Arg('input', () => ScheduleMeetingInput, {
      description: 'The session that it is for, and when it begins.',
    })
    input: ScheduleMeetingInput,
    @Ctx() context: Context,
  ) {
    return toMutationResult(
      'ScheduleMeetingSuccess',
      context,
      context.services.scheduleMeeting(context.viewer, withDecodedSessionId(input)),
    );
  }

  @Mutation(() => CancelMeetingResult, {
    description: 'Cancels the meeting that is booked, as long as it has not begun.',
  })
  cancelMeeting(
    @Arg('input', () => CancelMeetingInput, { description: 'The session whose meeting it is, and why.' })
    input: CancelMeetingInput,
    @Ctx() context: Context,
  ) {
    return toMutationResult(
      'CancelMeetingSuccess',
      context,
      context.services.cancelMeeting(context.viewer, withDecodedSessionId(input)),
    );
  }
}
