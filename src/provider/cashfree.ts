import { ProviderFailure } from '../domain/errors.ts';
import type { Provider } from '../domain/ports.ts';
import {
  readFailure,
  readSdkToken,
  readUser,
  readVerification,
  writeRequest,
  writeTokenRequest,
  writeUser,
} from './wire.ts';

const API_VERSION = '2024-12-01';

interface Options {
  /** Such as https://api.cashfree.com/verification */
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Given out by the provider's account manager; needed for SDK tokens alone. */
  readonly appId: string | null;
  readonly timeoutMs?: number;
}

/** The provider's REST API over HTTP. */
export function createCashfree({
  baseUrl,
  clientId,
  clientSecret,
  appId,
  timeoutMs = 10_000,
}: Options): Provider {
  const headers = {
    'content-type': 'application/json',
    'x-client-id': clientId,
    'x-client-secret': clientSecret,
    'x-api-version': API_VERSION,
  };

  async function call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<string> {
    const request = { method, headers, signal: AbortSignal.timeout(timeoutMs), redirect: 'error' as const };
    let response: Response;
    let text: string;
    try {
      response = await fetch(
        `${baseUrl}${path}`,
        body === undefined ? request : { ...request, body: JSON.stringify(body) },
      );
      text = await response.text();
    } catch (error) {
      const why =
        error instanceof Error && error.name === 'TimeoutError'
          ? `did not answer within ${timeoutMs / 1000} s`
          : 'could not be reached';
      throw new ProviderFailure('UNAVAILABLE', `The provider ${why}.`);
    }
    if (response.ok) return text;
    throw failureOf(response, text);
  }

  const orNull = async <T>(answer: Promise<T>): Promise<T | null> => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof NotFound) return null;
      throw error;
    }
  };

  return {
    createUser: async (user) => readUser(await call('POST', '/user', writeUser(user))),
    findUser: (userId) => orNull(call('GET', `/user?user_id=${encodeURIComponent(userId)}`).then(readUser)),
    startVerification: async (request) =>
      readVerification(await call('POST', '/vkyc', writeRequest(request))),
    findVerification: (verificationId) =>
      orNull(
        call('GET', `/vkyc?verification_id=${encodeURIComponent(verificationId)}`).then(readVerification),
      ),
    async createSdkToken(referenceId, userId) {
      if (!appId) throw new ProviderFailure('REFUSED', 'SDK tokens need CASHFREE_APP_ID to be configured.');
      return readSdkToken(await call('POST', '/oauth/token', writeTokenRequest(appId, referenceId, userId)));
    },
  };
}

class NotFound extends ProviderFailure {
  constructor(code: string | undefined) {
    super('REFUSED', 'The provider does not know it.', code);
  }
}

/** Two codes for the same: the provider's pages show both for a verification id that is in use. */
const TAKEN = ['verification_id_already_exists', 'invalid_verification_id', 'user_id_already_exists'];

function failureOf(response: Response, text: string): ProviderFailure {
  const { status } = response;
  const { code, message } = readFailure(text);
  const providerCode = code ?? `http_${status}`;
  if (status === 404) return new NotFound(providerCode);
  if (status === 409 || TAKEN.includes(providerCode)) {
    return new ProviderFailure('TAKEN', 'The provider has this id already.', providerCode);
  }
  if (providerCode === 'insufficient_balance') {
    return new ProviderFailure('NO_BALANCE', 'The balance at the provider is too low.', providerCode);
  }
  if (status === 429 || status >= 500) {
    return new ProviderFailure(
      'UNAVAILABLE',
      `The provider answered ${status}.`,
      providerCode,
      retryAfter(response),
    );
  }
  return new ProviderFailure(
    'REFUSED',
    `The provider refused: ${message ?? `status ${status}`}`,
    providerCode,
  );
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(
    response.headers.get('retry-after') ?? response.headers.get('x-ratelimit-reset') ?? Number.NaN,
  );
  return Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : undefined;
}
