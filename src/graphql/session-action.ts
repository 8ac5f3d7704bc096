import { type ClassType, createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import {
  ActionNotAllowedError,
  ConflictError,
  InvalidInputError,
  NotFoundError,
  RESOLVE_BY_TYPENAME,
} from './mutation-error.ts';
import { decodeSessionIdOrEmpty } from './node.ts';
import { VkycSession } from './session-type.ts';

const IDEMPOTENCY_KEY =
  "Key that makes retries safe: choose a new one, such as a UUID, for each user action. The same key with the same input returns the first call's result; with a different input the call is refused.";
const EXPECTED_VERSION =
  '`version` of the session when you read it. The call is refused with VERSION_CONFLICT if the version has changed since. If left out, the version is not checked.';

/** Input fields of every mutation that performs an action on a session. */
@InputType()
export abstract class ActionInput {
  @Field(() => ID, { description: 'Global `id` of a VkycSession; not its verificationId.' })
  sessionId: string;
  @Field(() => String, { description: IDEMPOTENCY_KEY })
  idempotencyKey: string;
  @Field(() => Int, { nullable: true, description: EXPECTED_VERSION })
  expectedVersion?: number;
}

/**
 * Replaces the global id of the session in an input by the session's UUID, which the services expect. An id
 * of another type becomes an empty string, which the services refuse with the path of the input field.
 */
export const withDecodedSessionId = <Input extends ActionInput>(input: Input): Input => ({
  ...input,
  sessionId: decodeSessionIdOrEmpty(input.sessionId),
});

/** Fields of the success of every mutation that performs an action on a session. */
@ObjectType({ simpleResolvers: true })
export abstract class ActionSuccess {
  @Field(() => VkycSession, { description: 'The session in its current state.' })
  session: SessionRow;
  @Field(() => Boolean, { description: 'True if this call repeated an earlier one and changed nothing.' })
  replayed: boolean;
}

/**
 * Creates the union type that a mutation on a session returns: its success, or one of the refusals that every
 * such mutation can answer with, or one of its own (`more`).
 */
export const createActionResultUnion = (
  name: string,
  description: string,
  success: ClassType<ActionSuccess>,
  ...more: ClassType<object>[]
): object =>
  createUnionType({
    name,
    description,
    types: () => [success, InvalidInputError, NotFoundError, ActionNotAllowedError, ConflictError, ...more],
    ...RESOLVE_BY_TYPENAME,
  });
