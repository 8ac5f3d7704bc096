import { type ErrorCode, ProviderFailure, type ProviderFailureKind, Refusal } from '../domain/errors.ts';

/** What callers see of each kind of failure. A balance that is too low is not one: it makes a REJECTED session. */
const CODES = {
  TAKEN: 'VERIFICATION_ID_TAKEN',
  NOT_FOUND: 'PROVIDER_REFUSED',
  NO_BALANCE: 'PROVIDER_REFUSED',
  INVALID: 'INVALID_INPUT',
  REFUSED: 'PROVIDER_REFUSED',
  UNAVAILABLE: 'PROVIDER_UNAVAILABLE',
  MISMATCH: 'PROVIDER_UNAVAILABLE',
} as const satisfies Record<ProviderFailureKind, ErrorCode>;

/** A failure of the provider as the refusal that callers see; any other error as it is. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof ProviderFailure)) return error;
  const { kind } = error;
  const { providerCode, retryAfterSeconds, problems } = error.details;
  const details = {
    ...(providerCode ? { providerCode } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(problems ? { problems } : {}),
  };
  return new Refusal(CODES[kind], sentenceOf(error), details);
}

function sentenceOf({ kind, message, details }: ProviderFailure): string {
  if (kind === 'UNAVAILABLE' || kind === 'MISMATCH')
    return `${message} Nothing is lost: repeat the same call later.`;
  if (kind === 'INVALID' && details.problems) {
    const problems = details.problems.map(
      ({ path, message: problem }) => `${path.join('.') || 'it'} ${problem}`,
    );
    return `The provider does not accept the input: ${problems.join('; ')}.`;
  }
  return message;
}
