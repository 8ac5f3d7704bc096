import { ProviderFailure } from '../domain/errors.ts';
import type { Provider, ProviderCalls, ProviderRequest } from '../domain/ports.ts';
import { templateProblems, UNKNOWN_TEMPLATE } from './failures.ts';
import { type MismatchedAnswer, rejectMismatches } from './refuse-mismatches.ts';
import { createTransport, type TransportOptions } from './transport.ts';
import { createWebhooks } from './webhooks.ts';
import {
  readSdkToken,
  readUser,
  readVerification,
  writeRequest,
  writeTokenRequest,
  writeUser,
  writeUserChange,
} from './wire-format.ts';

interface Options extends TransportOptions {
  /**
   * App id, which the provider's account manager issues. Only SDK tokens need the app id; null if none is
   * set.
   */
  readonly appId: string | null;
  /**
   * All secrets that may have signed a webhook: the active one, and those that are being retired (rotation).
   */
  readonly webhookSecrets: readonly string[];
  /**
   * Called for each answer that was refused because it is about another verification or user than the call.
   */
  readonly onMismatch: (mismatch: MismatchedAnswer) => void;
}

/** Creates the Cashfree adapter: the calls to its REST API, and the verification and parsing of its webhooks. */
export function createCashfree({ appId, webhookSecrets, onMismatch, ...options }: Options): Provider {
  const transport = createTransport(options);

  const calls: Provider['calls'] = (purpose) => {
    const get = <T>(path: string, query: Record<string, string>, read: (text: string) => T) =>
      transport(purpose, {
        method: 'GET',
        path: `${path}?${new URLSearchParams(query)}`,
        read,
        repeatable: true,
      });

    const client: ProviderCalls = {
      createUser: (user) =>
        transport(purpose, {
          method: 'POST',
          path: '/user',
          body: writeUser(user),
          read: readUser,
          // The call is safe to repeat: the gateway chooses the user id, so a second call is refused with
          // TAKEN and creates nothing.
          repeatable: true,
        }),
      findUser: (userId) => orNull(get('/user', { user_id: userId }, readUser)),
      updateUser: (user) =>
        transport(purpose, {
          method: 'PATCH',
          path: '/user',
          body: writeUserChange(user),
          read: readUser,
          repeatable: true,
        }),
      startVerification: (request) =>
        transport(purpose, {
          method: 'POST',
          path: '/vkyc',
          body: writeRequest(request),
          read: readVerification,
          // The call is not repeated: after a timeout, only a GET can tell whether the start took effect.
          repeatable: false,
        }).catch((error) => {
          throw withTemplateProblems(error, request);
        }),
      findVerification: (verificationId) =>
        orNull(get('/vkyc', { verification_id: verificationId }, readVerification)),
      async createSdkToken(referenceId, userId) {
        if (!appId)
          throw new ProviderFailure('REFUSED', 'SDK tokens need CASHFREE_APP_ID: an operator must set it.');
        return transport(purpose, {
          method: 'POST',
          path: '/oauth/token',
          body: writeTokenRequest(appId, referenceId, userId),
          read: readSdkToken,
          repeatable: true,
        });
      },
    };
    return rejectMismatches(client, onMismatch);
  };

  return { name: 'cashfree', calls, webhooks: createWebhooks(webhookSecrets) };
}

/**
 * Adds the templates that the request named to a failure that says that a template is unknown, because the
 * provider does not say which one. Returns any other error unchanged.
 */
function withTemplateProblems(error: unknown, request: ProviderRequest): unknown {
  if (!(error instanceof ProviderFailure) || error.details.providerCode !== UNKNOWN_TEMPLATE) return error;
  const problems = templateProblems(request);
  return new ProviderFailure(error.kind, error.message, { ...error.details, problems });
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProviderFailure && error.kind === 'NOT_FOUND') return null;
    throw error;
  }
}
