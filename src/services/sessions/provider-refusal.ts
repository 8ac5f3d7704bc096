import { type ErrorCode, ProviderFailure, type ProviderFailureKind, Refusal } from '../../domain/errors.ts';

/**
 * Error code that the caller gets for each kind of provider failure. A start that fails with NO_BALANCE gets no
 * error code: `startSession` records it as a REJECTED session.
 */
const CODES = {
  TAKEN: 'VERIFICATION_ID_TAKEN',
  NOT_FOUND: 'PROVIDER_REFUSED',
  NO_BALANCE: 'PROVIDER_REFUSED',
  INVALID: 'INVALID_INPUT',
  REFUSED: 'PROVIDER_REFUSED',
  UNAVAILABLE: 'PROVIDER_UNAVAILABLE',
  MISMATCH: 'PROVIDER_UNAVAILABLE',
} as const satisfies Record<ProviderFailureKind, ErrorCode>;

/** Converts a `ProviderFailure` into a `Refusal` for the caller. Returns any other error unchanged. */
export function toRefusalIfProviderFailure(error: unknown): unknown {
  if (!(error instanceof ProviderFailure)) return error;
  const { kind } = error;
  const { providerCode, retryAfterSeconds, problems } = error.details;
  const details = {
    ...(providerCode ? { providerCode } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(problems ? { problems } : {}),
  };
  return new Refusal(CODES[kind], describeFailure(error), details);
}

function describeFailure({ kind, message, details }: ProviderFailure): string {
  if (kind === 'UNAVAILABLE' || kind === 'MISMATCH')
    return `${message} Repeat the same call later; repeating it is safe.`;
  if (kind === 'INVALID' && details.problems) {
    const problems = details.problems.map(
      ({ path, message: problem }) => `${path.join('.') || 'it'} ${problem}`,
    );
    return `The provider did not accept the input: ${problems.join('; ')}.`;
  }
  return message;
}
