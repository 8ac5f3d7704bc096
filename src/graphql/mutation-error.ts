/**
 * Refusals of mutations as data: the error members of the result unions, and the conversion of a `Refusal` to
 * such a member.
 */
import { Field, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import { maySeeSession } from '../domain/access.ts';
import type { BookingTimeProblem } from '../domain/calendar.ts';
import { ERROR_CODES, type ErrorCode, type FieldProblem as Problem, Refusal } from '../domain/errors.ts';
import type { SessionAction } from '../domain/session.ts';
import type { Context } from './context.ts';
import { ErrorCodeEnum, SessionActionEnum, TimeProblemEnum } from './enums.ts';
import { MeetingSlot, toMeetingSlot } from './meeting-slot.ts';
import { VkycSession } from './session-type.ts';

/**
 * Option of interface and union types: finds the concrete type of a value by its `__typename`, because
 * resolvers return plain rows, which are not instances of the type's class.
 */
export const RESOLVE_BY_TYPENAME = {
  resolveType: (value: object) => (value as { __typename: string }).__typename,
};

@InterfaceType({
  description:
    'Expected refusal of a mutation, for a UI to show. Match on this interface, so that members added to the unions later do not break your client.',
  ...RESOLVE_BY_TYPENAME,
})
abstract class MutationError {
  @Field(() => ErrorCodeEnum, {
    description: 'Machine-readable reason. Branch on it, with a default case for values added later.',
  })
  code: ErrorCode;
  @Field(() => String, { description: 'What went wrong and what to do, in English, to show to users.' })
  message: string;
  @Field(() => Boolean, { description: 'True if the same call, unchanged, may succeed later.' })
  retryable: boolean;
}

@ObjectType({ description: 'One invalid field of an input.', simpleResolvers: true })
class FieldProblem implements Problem {
  @Field(() => [String], {
    description:
      'Path to the field, from the outermost name inwards, such as ["user", "phone"]. A list index is a number as text.',
  })
  path: readonly string[];
  @Field(() => String, {
    description:
      'Rule that the value breaks, as the rest of a sentence about the field: `must have at most 50 characters`.',
  })
  message: string;
}

@ObjectType({
  implements: MutationError,
  description: 'The input is invalid. Nothing was changed.',
  simpleResolvers: true,
})
export class InvalidInputError extends MutationError {
  @Field(() => [FieldProblem], { description: 'All problems found in the input, not only the first.' })
  problems: readonly FieldProblem[];
}

@ObjectType({
  implements: MutationError,
  description: 'The object does not exist, or you may not see it.',
  simpleResolvers: true,
})
export class NotFoundError extends MutationError {}

@ObjectType({
  implements: MutationError,
  description: 'The action is not allowed on this session now; `message` says why. Nothing was changed.',
  simpleResolvers: true,
})
export class ActionNotAllowedError extends MutationError {
  @Field(() => SessionActionEnum, { description: 'The action that was refused.' })
  action: SessionAction;
  @Field(() => VkycSession, {
    description:
      'The session in its current state. Its `availableActions` lists the actions that are allowed now.',
  })
  session: SessionRow;
}

@ObjectType({
  implements: MutationError,
  description: 'The call conflicts with an earlier change or call. Nothing was changed.',
  simpleResolvers: true,
})
export class ConflictError extends MutationError {
  @Field(() => VkycSession, {
    nullable: true,
    description:
      'The conflicting session in its current state. Null if you may not see it, or the conflict names no session.',
  })
  currentSession: SessionRow | null;
}

@ObjectType({
  implements: MutationError,
  description:
    'No meeting can be booked at this time: it is outside the working hours, or all places are taken. Nothing was changed.',
  simpleResolvers: true,
})
export class TimeUnavailableError extends MutationError {
  @Field(() => TimeProblemEnum, { description: 'Why no meeting can be booked at this time.' })
  reason: BookingTimeProblem;
  @Field(() => [MeetingSlot], {
    description:
      "Next free slots to offer instead, at most five, within 31 days of the wanted time and before the customer's link expires; if there are none, the next ones from now on. Another user may book them first.",
  })
  nextFreeSlots: MeetingSlot[];
  @Field(() => VkycSession, { description: 'The session in its current state.' })
  session: SessionRow;
}

@ObjectType({
  implements: MutationError,
  description: 'The provider refused the request, or could not be reached.',
  simpleResolvers: true,
})
export class ProviderError extends MutationError {
  @Field(() => String, {
    nullable: true,
    description: "The provider's own error code. Null if it gave none or could not be reached.",
  })
  providerCode: string | null;
  @Field(() => Int, {
    nullable: true,
    description: 'Number of seconds to wait before you retry. Null if it is not known.',
  })
  retryAfterSeconds: number | null;
}

const MEMBER_OF: Record<ErrorCode, string> = {
  INVALID_INPUT: 'InvalidInputError',
  NOT_FOUND: 'NotFoundError',
  ACTION_NOT_ALLOWED: 'ActionNotAllowedError',
  TIME_UNAVAILABLE: 'TimeUnavailableError',
  VERSION_CONFLICT: 'ConflictError',
  IDEMPOTENCY_CONFLICT: 'ConflictError',
  VERIFICATION_ID_TAKEN: 'ConflictError',
  PROVIDER_REFUSED: 'ProviderError',
  PROVIDER_UNAVAILABLE: 'ProviderError',
};

/**
 * Awaits the work of a mutation. Returns its success or, for a `Refusal`, an error member of the result
 * union; rethrows any other error.
 */
export async function toMutationResult<Success extends object>(
  typename: string,
  context: Context,
  work: Promise<Success>,
): Promise<Success | MutationError> {
  try {
    const success = await work;
    // Empties the loaders, because a document may contain several mutations: the next mutation must not read
    // rows that were cached before this mutation changed them.
    for (const loader of Object.values(context.loaders)) loader.clearAll();
    return { __typename: typename, ...success };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    context.services.onRefusal(error.code);
    return toUnionMember(error, context);
  }
}

async function toUnionMember(
  { code, message, details }: Refusal,
  { loaders, viewer, services }: Context,
): Promise<MutationError> {
  const session = details.sessionId ? await loaders.session.load(details.sessionId) : null;
  return {
    __typename: MEMBER_OF[code],
    code,
    message,
    retryable: ERROR_CODES[code].retryable,
    problems: details.problems ?? [],
    action: details.action,
    reason: details.timeProblem,
    nextFreeSlots: (details.nextFreeSlots ?? []).map((slot) => toMeetingSlot(slot, services.clock.now())),
    session,
    currentSession: session && maySeeSession(viewer, session.verificationId) ? session : null,
    providerCode: details.providerCode ?? null,
    retryAfterSeconds: details.retryAfterSeconds ?? null,
  } as MutationError;
}
