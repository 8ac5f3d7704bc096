import { ProviderFailure, Refusal } from '../domain/errors.ts';

/** A failure of the provider as the refusal that callers see; any other error as it is. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof ProviderFailure)) return error;
  const details = {
    ...(error.providerCode ? { providerCode: error.providerCode } : {}),
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  };
  return error.kind === 'UNAVAILABLE'
    ? new Refusal(
        'PROVIDER_UNAVAILABLE',
        `${error.message} Nothing is lost: repeat the same call later.`,
        details,
      )
    : new Refusal('PROVIDER_REFUSED', error.message, details);
}
