/** Refusals as data: the error members of the mutations' unions, and the conversion of a `Refusal` to one. */
import { Field, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import { maySee } from '../domain/access.ts';
import { ERROR_CODES, type ErrorCode, type FieldProblem as Problem, Refusal } from '../domain/errors.ts';
import type { SessionAction } from '../domain/session.ts';
import type { Context } from './context.ts';
import { ErrorCodeEnum, SessionActionEnum } from './enums.ts';
import { VkycSession } from './session-type.ts';

/** Resolves the type of plain objects by their `__typename`, since rows are not instances of classes. */
export const resolveByName = { resolveType: (value: object) => (value as { __typename: string }).__typename };

@InterfaceType({
  description: 'Refusals a UI shows. Match on this interface and a new member of a union never breaks you.',
  ...resolveByName,
})
abstract class MutationError {
  @Field(() => ErrorCodeEnum, { description: 'Why, for programs: switch over it, with a default.' })
  code: ErrorCode;
  @Field(() => String, { description: 'Why and what to do, for people, in English.' })
  message: string;
  @Field(() => Boolean, { description: 'Whether the same call, unchanged, may succeed later.' })
  retryable: boolean;
}

@ObjectType({ description: 'One thing wrong with an input.', simpleResolvers: true })
class FieldProblem implements Problem {
  @Field(() => [String], {
    description:
      'Where in the input, from the outside in, such as ["user", "phone"]; a list index is a number as text.',
  })
  path: readonly string[];
  @Field(() => String, { description: 'What to do about it.' })
  message: string;
}

@ObjectType({
  implements: MutationError,
  description: 'The input is not acceptable; nothing was done.',
  simpleResolvers: true,
})
export class InvalidInputError extends MutationError {
  @Field(() => [FieldProblem], { description: 'Everything wrong with it, not only the first thing.' })
  problems: readonly FieldProblem[];
}

@ObjectType({
  implements: MutationError,
  description: 'There is no such thing, or it is not yours to see.',
  simpleResolvers: true,
})
export class NotFoundError extends MutationError {}

@ObjectType({
  implements: MutationError,
  description: "The session's state does not allow this now; nothing was done.",
  simpleResolvers: true,
})
export class ActionNotAllowedError extends MutationError {
  @Field(() => SessionActionEnum, { description: 'What was refused.' })
  action: SessionAction;
  @Field(() => VkycSession, { description: 'The session as it is, with what may be done instead.' })
  session: SessionRow;
}

@ObjectType({
  implements: MutationError,
  description: 'Something else stands in the way; nothing was done.',
  simpleResolvers: true,
})
export class ConflictError extends MutationError {
  @Field(() => VkycSession, {
    nullable: true,
    description: 'The session that stands in the way, as it is now; null where you may not see it.',
  })
  currentSession: SessionRow | null;
}

@ObjectType({
  implements: MutationError,
  description: 'The provider refused, or could not be reached.',
  simpleResolvers: true,
})
export class ProviderError extends MutationError {
  @Field(() => String, {
    nullable: true,
    description: "The provider's own code; null where it gave none, or was not reached.",
  })
  providerCode: string | null;
  @Field(() => Int, {
    nullable: true,
    description: 'How many seconds to wait before trying again; null where the provider did not say.',
  })
  retryAfterSeconds: number | null;
}

const MEMBER_OF: Record<ErrorCode, string> = {
  INVALID_INPUT: 'InvalidInputError',
  NOT_FOUND: 'NotFoundError',
  ACTION_NOT_ALLOWED: 'ActionNotAllowedError',
  VERSION_CONFLICT: 'ConflictError',
  IDEMPOTENCY_CONFLICT: 'ConflictError',
  VERIFICATION_ID_TAKEN: 'ConflictError',
  PROVIDER_REFUSED: 'ProviderError',
  PROVIDER_UNAVAILABLE: 'ProviderError',
};

/**
 * Runs a mutation. Returns its success, or the error member of its union for a `Refusal`; rethrows any other
 * error.
 */
export async function toMutationResult<Success extends object>(
  typename: string,
  context: Context,
  work: Promise<Success>,
): Promise<Success | MutationError> {
  try {
    const success = await work;
    // A document may run several mutations in sequence: the next one must not read what loaders cached before
    // this one.
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
  { loaders, viewer }: Context,
): Promise<MutationError> {
  const session = details.sessionId ? await loaders.session.load(details.sessionId) : null;
  return {
    __typename: MEMBER_OF[code],
    code,
    message,
    retryable: ERROR_CODES[code].retryable,
    problems: details.problems ?? [],
    action: details.action,
    session,
    currentSession: session && maySee(viewer, session.verificationId) ? session : null,
    providerCode: details.providerCode ?? null,
    retryAfterSeconds: details.retryAfterSeconds ?? null,
  } as MutationError;
}
