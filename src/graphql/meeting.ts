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
import { getAnnotationSealingContext } from '../db/sessions/annotations.ts';
import { getCancelReasonSealingContext, type MeetingRow } from '../db/sessions/meetings.ts';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { MeetingStatus } from '../domain/actions.ts';
import type { TransitionSource } from '../domain/session.ts';
import { MAX_TEXT_CHARACTERS } from '../domain/text.ts';
import { createConnectionTypes } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { MeetingStatusEnum, TransitionSourceEnum } from './enums.ts';
import { TimeUnavailableError, toMutationResult } from './mutation-error.ts';
import { ID_DESCRIPTION, Node, toGlobalId } from './node.ts';
import {
  ActionInput,
  ActionSuccess,
  createActionResultUnion,
  withDecodedSessionId,
} from './session-action.ts';
import { VkycSession } from './session-type.ts';
import { decryptText } from './user.ts';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description:
    'Appointment for the video call. A meeting booked through this API is not sent to the provider, whose API cannot book one.',
})
export class Meeting extends Node {
  @Field(() => DateTime, { description: 'Time at which the meeting begins, or was due to begin.' })
  startsAt: Date;
  @Field(() => MeetingStatusEnum, {
    description:
      'Whether the meeting is booked, moved, cancelled, held or missed. A booked meeting becomes MISSED some minutes after its start, once the provider has answered that it knows of no call.',
  })
  status: MeetingStatus;
  @Field(() => TransitionSourceEnum, {
    description:
      'MUTATION if the meeting was booked through this API; otherwise (WEBHOOK or POLL) the customer booked it at the provider, and only the customer can move or cancel it, there.',
  })
  source: TransitionSource;
  @Field(() => String, {
    nullable: true,
    description:
      'Token subject of the person who booked the meeting. Null if it was booked at the provider. Customers see only their own subject, otherwise null.',
  })
  scheduledBy?: string;
  @Field(() => String, {
    nullable: true,
    description:
      "Why the meeting was booked, in the words of the person who booked it. Null if no reason was given, or the customer's personal data was erased. Customers see only a reason that they wrote, otherwise null. Cannot be selected in subscriptions.",
  })
  reason?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Token subject of the person who cancelled the meeting. Null if it was not cancelled, or not through this API. Customers see only their own subject, otherwise null.',
  })
  cancelledBy?: string;
  @Field(() => String, {
    nullable: true,
    description:
      "Reason for the cancellation, as the person who cancelled the meeting wrote it. Null if no reason was given, or the customer's personal data was erased. Customers see only a reason that they wrote, otherwise null. Cannot be selected in subscriptions.",
  })
  cancelReason?: string;
  @Field(() => DateTime, { description: 'Time at which the gateway stored the meeting.' })
  createdAt: Date;
  @Field(() => VkycSession, { description: 'The session that the meeting belongs to, in its current state.' })
  session: VkycSession;
}

export const MeetingConnectionTypes = createConnectionTypes('Meeting', () => Meeting, true);

@InputType({
  description:
    'Input of scheduleMeeting. If a meeting is already booked, it is moved; one that the customer booked at the provider can be moved only there.',
})
class ScheduleMeetingInput extends ActionInput {
  @Field(() => DateTime, {
    description:
      "Start time: in the future, and before the customer's link expires. If the deployment has working hours, it must be the start of a slot with a free place (`meetingSlots`).",
  })
  startsAt: Date;
  @Field(() => String, {
    nullable: true,
    description: `Why the meeting is booked, up to ${MAX_TEXT_CHARACTERS.reason} characters. Not recorded if the meeting is booked at this time already. Required if the session is in AGENT_ENDED_CALL or USER_ENDED_CALL, that is, if the call still waits for its review. Staff can read it, and so can you.`,
  })
  reason?: string;
}

@InputType({
  description:
    'Input of cancelMeeting. A session has at most one booked meeting, which is cancelled. One that the customer booked at the provider can be cancelled only there.',
})
class CancelMeetingInput extends ActionInput {
  @Field(() => String, {
    nullable: true,
    description: `Reason for the cancellation, up to ${MAX_TEXT_CHARACTERS.reason} characters. Staff can read it.`,
  })
  reason?: string;
}

@ObjectType({ description: 'The meeting was booked.', simpleResolvers: true })
class ScheduleMeetingSuccess extends ActionSuccess {
  @Field(() => Meeting, {
    description:
      'The meeting that this call booked or cancelled. If `replayed` is true, the meeting of the earlier call.',
  })
  meeting: MeetingRow;
}

@ObjectType({ description: 'The meeting was cancelled.', simpleResolvers: true })
class CancelMeetingSuccess extends ScheduleMeetingSuccess {}

const ScheduleMeetingResult = createActionResultUnion(
  'ScheduleMeetingResult',
  'The booked meeting, or the reason for refusing it.',
  ScheduleMeetingSuccess,
  TimeUnavailableError,
);

const CancelMeetingResult = createActionResultUnion(
  'CancelMeetingResult',
  'The cancelled meeting, or the reason why it was not cancelled.',
  CancelMeetingSuccess,
);

@Resolver(() => Meeting)
export class MeetingResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: MeetingRow): string {
    return toGlobalId('Meeting', id);
  }

  @FieldResolver(() => String, { nullable: true })
  async reason(@Root() { id, sessionId }: MeetingRow, @Ctx() context: Context): Promise<string | null> {
    const reasons = await context.loaders.meetingReasons.load(sessionId);
    const found = reasons.find(({ code }) => code === id);
    return found ? decryptText(context, found.text, getAnnotationSealingContext(found.id)) : null;
  }

  @FieldResolver(() => VkycSession)
  session(@Root() { sessionId }: MeetingRow, @Ctx() { loaders }: Context): Promise<SessionRow | null> {
    return loaders.session.load(sessionId);
  }

  @FieldResolver(() => String, { nullable: true })
  cancelReason(@Root() { id, cancelReason }: MeetingRow, @Ctx() context: Context): string | null {
    return decryptText(context, cancelReason, getCancelReasonSealingContext(id));
  }

  @Mutation(() => ScheduleMeetingResult, {
    description:
      'Books a meeting, or moves the booked meeting to another time; moving it to the time that it has changes nothing. Refused for customers while an ended call waits for its review, and if the customer has booked a meeting at the provider, whose API cannot move it.',
  })
  scheduleMeeting(
    @Arg('input', () => ScheduleMeetingInput, {
      description: 'The meeting to book, and its session.',
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
    description:
      'Cancels the booked meeting. Refused after the meeting has begun, and for a meeting that the customer booked at the provider, whose API cannot cancel it.',
  })
  cancelMeeting(
    @Arg('input', () => CancelMeetingInput, {
      description: 'The session whose meeting is cancelled, and the reason.',
    })
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
