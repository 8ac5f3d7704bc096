import { type IdentityField, NAME_OF_ID } from './identity.ts';
import type { SessionAction } from './session.ts';

/**
 * The error table: every refusal that a caller can meet, and whether the same call may succeed later.
 * The `ErrorCode` enum, the members of the mutations' unions and the transports' errors derive from it.
 */
export const ERROR_CODES = {
  INVALID_INPUT: {
    retryable: false,
    description: 'Something in the input is not acceptable; `problems` says what and where.',
  },
  NOT_FOUND: { retryable: false, description: 'There is no such thing, or it is not yours to see.' },
  ACTION_NOT_ALLOWED: { retryable: false, description: "The session's state does not allow this now." },
  VERSION_CONFLICT: {
    retryable: false,
    description: 'Somebody else moved the session since you read it; read it again.',
  },
  IDEMPOTENCY_CONFLICT: { retryable: false, description: 'This key was used before with another input.' },
  VERIFICATION_ID_TAKEN: {
    retryable: false,
    description: 'This verification id belongs to another session; choose a new one.',
  },
  PROVIDER_REFUSED: { retryable: false, description: 'The provider understood the request and refused it.' },
  PROVIDER_UNAVAILABLE: {
    retryable: true,
    description: 'The provider did not answer usefully; the same call may succeed later.',
  },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One thing wrong with an input: where, and what to do about it. */
export interface FieldProblem {
  readonly path: readonly string[];
  readonly message: string;
}

interface RefusalDetails {
  readonly problems?: readonly FieldProblem[];
  /** Id of the session that stood in the way, where the caller may see it. */
  readonly sessionId?: string;
  /** What was refused, for ACTION_NOT_ALLOWED. */
  readonly action?: SessionAction;
  readonly providerCode?: string;
  readonly retryAfterSeconds?: number;
}

/** A refusal that a screen shows: thrown by services, answered as a member of the mutation's union. */
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
 * `TAKEN`: the id is in use there. `NOT_FOUND`: it knows nothing of it. `NO_BALANCE`: it wants money first.
 * `INVALID`: something that the caller gave is not acceptable there. `REFUSED`: it will not do this.
 * `UNAVAILABLE`: it may have done it, or may later. `MISMATCH`: its answer names another verification or user than the
 * call did; the answer must not be used, and the call may have had its effect.
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
  /** False where it is certain that the provider heard nothing of it. */
  readonly sent?: false;
  /** What is not acceptable in the input, for INVALID; as in `FieldProblem`, each message continues its path. */
  readonly problems?: readonly FieldProblem[] | undefined;
}

/** Why the provider could not be used: it refused, it did not answer, or what it answered made no sense. */
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

/** Refuses an update of the provider that names another verification or user than it should. */
export class Mismatch extends ProviderFailure {
  constructor(
    readonly field: IdentityField,
    /** The verification that was asked about, or that the update names; null if a user was asked about. */
    readonly verificationId: string | null,
  ) {
    super('MISMATCH', `The provider answered with another ${NAME_OF_ID[field]}; the answer was not used.`);
  }
}
