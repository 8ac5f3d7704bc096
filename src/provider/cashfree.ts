import { type FieldProblem, ProviderFailure } from '../domain/errors.ts';
import type { Provider, ProviderClient, StartVerificationRequest } from '../domain/ports.ts';
import type { TemplateCatalogue } from '../domain/templates.ts';
import { findFieldProblem, findTemplateProblems, UNKNOWN_TEMPLATE_CODE } from './failures.ts';
import { type MismatchedAnswer, withIdentityChecks } from './refuse-mismatches.ts';
import { type ConfiguredTemplates, createCatalogue } from './templates.ts';
import { createTransport, type TransportOptions } from './transport.ts';
import { createWebhookVerifier } from './webhooks.ts';
import {
  readSdkToken,
  readUser,
  readVerification,
  writeTokenRequest,
  writeUser,
  writeUserChange,
  writeVerificationRequest,
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
  /** Templates of the account; by default, those of the provider's documentation. */
  readonly templates?: ConfiguredTemplates;
  /**
   * Called for each answer that was refused because it is about another verification or user than the call.
   */
  readonly onMismatch: (mismatch: MismatchedAnswer) => void;
}

/**
 * Creates the Cashfree adapter: the calls to its REST API, the verification and parsing of its webhooks, and the
 * catalogue of its templates.
 */
export function createCashfree({
  appId,
  webhookSecrets,
  templates = { user: null, agent: null },
  onMismatch,
  ...options
}: Options): Provider {
  const transport = createTransport(options);
  const catalogue = createCatalogue(templates);

  const calls: Provider['calls'] = (purpose) => {
    const get = <T>(path: string, query: Record<string, string>, read: (text: string) => T) =>
      transport(purpose, {
        method: 'GET',
        path: `${path}?${new URLSearchParams(query)}`,
        read,
        repeatable: true,
      });

    const client: ProviderClient = {
      createUser: (user) =>
        transport(purpose, {
          method: 'POST',
          path: '/user',
          body: writeUser(user),
          read: readUser,
          // The call is safe to repeat: the gateway chooses the user id, so a second call is refused with
          // TAKEN and creates nothing.
          repeatable: true,
        }).catch(throwWithField),
      findUser: (userId) => orNull(get('/user', { user_id: userId }, readUser)),
      updateUser: (user) =>
        transport(purpose, {
          method: 'PATCH',
          path: '/user',
          body: writeUserChange(user),
          read: readUser,
          repeatable: true,
        }).catch(throwWithField),
      startVerification: (request) =>
        transport(purpose, {
          method: 'POST',
          path: '/vkyc',
          body: writeVerificationRequest(request),
          read: readVerification,
          // The call is not repeated: after a timeout, only a GET can tell whether the start took effect.
          repeatable: false,
        }).catch((error) => {
          throw withStartProblems(error, request, catalogue);
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
    return withIdentityChecks(client, onMismatch);
  };

  return { name: 'cashfree', calls, webhooks: createWebhookVerifier(webhookSecrets), templates: catalogue };
}

/** Error code for a name with other characters than letters, digits, spaces, dots and hyphens. */
const INVALID_NAME = 'name_value_invalid';

/**
 * Returns the error of a refused start with the input fields that the provider objects to. Returns any other
 * error unchanged.
 */
function withStartProblems(
  error: unknown,
  request: StartVerificationRequest,
  catalogue: TemplateCatalogue,
): unknown {
  if (!(error instanceof ProviderFailure)) return error;
  const { providerCode, problems = [] } = error.details;
  if (providerCode === UNKNOWN_TEMPLATE_CODE)
    return withProblems(error, findTemplateProblems(request, catalogue));
  // The only name in this call is that of the Aadhaar record.
  if (providerCode === INVALID_NAME && request.aadhaarDetails)
    return withProblems(
      error,
      problems.map((problem) => ({ ...problem, path: ['aadhaarDetails', 'name'] })),
    );
  return withField(error);
}

/**
 * Returns the error of a refused call with the input field that the provider's error code names. Returns any
 * other error unchanged.
 */
function withField(error: unknown): unknown {
  if (!(error instanceof ProviderFailure) || error.kind !== 'REFUSED') return error;
  const problem = findFieldProblem(error.details.providerCode ?? '');
  return problem ? withProblems(error, [problem]) : error;
}

function throwWithField(error: unknown): never {
  throw withField(error);
}

const withProblems = ({ message, details }: ProviderFailure, problems: readonly FieldProblem[]) =>
  new ProviderFailure('INVALID', message, { ...details, problems });

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProviderFailure && error.kind === 'NOT_FOUND') return null;
    throw error;
  }
}
