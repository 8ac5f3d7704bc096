import type { BookingTimeProblem, SlotWithBookings } from './calendar.ts';
import { type IdentityField, NAME_BY_IDENTITY_FIELD } from './identity.ts';
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
  TIME_UNAVAILABLE: {
    retryable: false,
    description:
      'No meeting can be booked at this time: it is outside the working hours, or all places are taken. `nextFreeSlots` lists other times.',
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
  /** Why no meeting can be booked at the time, and when one can, if the code is TIME_UNAVAILABLE. */
  readonly timeProblem?: BookingTimeProblem;
  readonly nextFreeSlots?: readonly SlotWithBookings[];
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
 * Kinds of failed provider calls, and what the gateway does then.
 * - `TAKEN`: the provider already has the user or the verification. The gateway asks whether it is its own: an earlier
 *   send may have arrived.
 * - `NOT_FOUND`: the provider has no object of an id in the call, and the call had no effect. The `find…` calls return
 *   null instead.
 * - `NO_BALANCE`: the account's balance is too low to start. The session is recorded as REJECTED.
 * - `INVALID`: the provider does not accept some input of the caller, named in `problems`. No effect; the caller may
 *   correct the input.
 * - `REFUSED`: the provider will not do this, for a reason that no other input changes. No effect.
 * - `UNAVAILABLE`: no useful answer: a timeout, an error of the server, an exhausted rate limit or call budget. The call
 *   may have taken effect unless `sent` is false; the caller may retry.
 * - `MISMATCH`: the answer names another verification or user than the call (`withMismatchChecks` throws it). The answer
 *   must not be used; the call may have taken effect.
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
   * False if the call certainly did not reach the provider; left out if it may have. Only without it does a start
   * count as sent.
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
export class IdentityMismatch extends ProviderFailure {
  constructor(
    readonly field: IdentityField,
    /**
     * Verification id that the gateway asked about, or that the webhook names; null if the gateway asked about
     * a user.
     */
    readonly verificationId: string | null,
  ) {
    super(
      'MISMATCH',
      `The provider answered with another ${NAME_BY_IDENTITY_FIELD[field]}; the answer was not used.`,
    );
  }
}
