import { type IdentityField, NAME_OF_ID } from './identity.ts';
import type { SessionAction } from './session.ts';

/**
 * Error table: every code that a caller can receive, and whether the same call may succeed later (`retryable`).
 * The `ErrorCode` enum, the members of the mutation unions and the errors of the transports are derived from
 * the table.
 */
export const ERROR_CODES = {
  INVALID_INPUT: {
    retryable: false,
    description: 'The input is invalid; `problems` lists each invalid field.',
  },
  NOT_FOUND: { retryable: false, description: 'The object does not exist, or you may not see it.' },
  ACTION_NOT_ALLOWED: {
    retryable: false,
    description: 'The action is not allowed on this session now; `message` says why.',
  },
  VERSION_CONFLICT: {
    retryable: false,
    description:
      '`expectedVersion` or `expectedSubStatus` no longer holds: the session changed after you read it. Read the session again.',
  },
  IDEMPOTENCY_CONFLICT: {
    retryable: false,
    description:
      'The `idempotencyKey`, or the `verificationId` of startSession, was used before with a different input. Choose a new one.',
  },
  VERIFICATION_ID_TAKEN: {
    retryable: false,
    description: 'The `verificationId` belongs to another session. Choose a new one.',
  },
  PROVIDER_REFUSED: { retryable: false, description: 'The provider understood the request and refused it.' },
  PROVIDER_UNAVAILABLE: {
    retryable: true,
    description: 'The provider did not answer, or gave an unusable answer. Retry the same call later.',
  },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One invalid field of an input: the path of the field, and a message that says what the value must be. */
export interface FieldProblem {
  readonly path: readonly string[];
  readonly message: string;
}

interface RefusalDetails {
  readonly problems?: readonly FieldProblem[];
  /** Id of the session that caused the refusal, if the caller may see it. */
  readonly sessionId?: string;
  /** Action that was refused, if the code is ACTION_NOT_ALLOWED. */
  readonly action?: SessionAction;
  readonly providerCode?: string;
  readonly retryAfterSeconds?: number;
}

/**
 * Expected refusal of a mutation, thrown by services. Clients get the refusal as a member of the mutation's
 * result union, not as a GraphQL error.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: RefusalDetails = {},
  ) {
    super(message);
  }
}

/**
 * Kinds of failed provider calls.
 * - `TAKEN`: the id is already in use at the provider.
 * - `NOT_FOUND`: the provider has no such object.
 * - `NO_BALANCE`: the account's balance is too low.
 * - `INVALID`: the provider does not accept some input of the caller.
 * - `REFUSED`: the provider understood the call and refuses it.
 * - `UNAVAILABLE`: no useful answer; the call may have taken effect, or may succeed later.
 * - `MISMATCH`: the answer names another verification or user than the call. The answer must not be used; the
 *   call may have taken effect.
 */
export type ProviderFailureKind =
  | 'TAKEN'
  | 'NOT_FOUND'
  | 'NO_BALANCE'
  | 'INVALID'
  | 'REFUSED'
  | 'UNAVAILABLE'
  | 'MISMATCH';

interface ProviderFailureDetails {
  readonly providerCode?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /**
   * False if the call was certainly not sent to the provider; missing if the call may have reached the
   * provider.
   */
  readonly sent?: false;
  /**
   * Invalid fields of the input, if the kind is INVALID. A message is the predicate of its path: "user.phone" +
   * "must be 10 digits".
   */
  readonly problems?: readonly FieldProblem[] | undefined;
}

/** Thrown if a provider call failed: it was refused, not answered, or its answer could not be used. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  constructor(
    readonly kind: ProviderFailureKind,
    message: string,
    readonly details: ProviderFailureDetails = {},
  ) {
    super(message);
  }
}

/** Thrown for a provider update that names another verification or user than expected. */
export class Mismatch extends ProviderFailure {
  constructor(
    readonly field: IdentityField,
    /**
     * Verification id that the gateway asked about, or that the webhook names; null if the gateway asked about
     * a user.
     */
    readonly verificationId: string | null,
  ) {
    super('MISMATCH', `The provider answered with another ${NAME_OF_ID[field]}; the answer was not used.`);
  }
}
