import { type FieldProblem, ProviderFailure } from '../domain/errors.ts';
import type { Provider, ProviderClient, StartVerificationRequest } from '../domain/ports.ts';
import type { TemplateCatalogue } from '../domain/templates.ts';
import { findUnknownTemplateProblems, parseFieldErrorCode, UNKNOWN_TEMPLATE_ERROR_CODE } from './failures.ts';
import { type AnswerMismatch, withMismatchChecks } from './refuse-mismatches.ts';
import { type ConfiguredTemplates, createTemplateCatalogue } from './templates.ts';
import { createTransport, type TransportOptions } from './transport.ts';
import { createWebhookVerifier } from './webhooks.ts';
import {
  buildCreateUserBody,
  buildSdkTokenBody,
  buildStartVerificationBody,
  buildUpdateUserBody,
  parseSdkToken,
  parseUser,
  parseVerification,
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
  readonly onMismatch: (mismatch: AnswerMismatch) => void;
}

/**
 * Creates the Cashfree adapter: the calls to its REST API, the verification and parsing of its webhooks, and the
 * catalogue of its templates.
 */
export function createCashfreeProvider({
  appId,
  webhookSecrets,
  templates = { user: null, agent: null },
  onMismatch,
  ...options
}: Options): Provider {
  const transport = createTransport(options);
  const catalogue = createTemplateCatalogue(templates);

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
          body: buildCreateUserBody(user),
          read: parseUser,
          // The call is safe to repeat: the gateway chooses the user id, so a second call is refused with
          // TAKEN and creates nothing.
          repeatable: true,
        }).catch(throwWithField),
      findUser: (userId) => orNull(get('/user', { user_id: userId }, parseUser)),
      updateUser: (user) =>
        transport(purpose, {
          method: 'PATCH',
          path: '/user',
          body: buildUpdateUserBody(user),
          read: parseUser,
          repeatable: true,
        }).catch(throwWithField),
      startVerification: (request) =>
        transport(purpose, {
          method: 'POST',
          path: '/vkyc',
          body: buildStartVerificationBody(request),
          read: parseVerification,
          // The call is not repeated: after a timeout, only a GET can tell whether the start took effect.
          repeatable: false,
        }).catch((error) => {
          throw withStartProblems(error, request, catalogue);
        }),
      findVerification: (verificationId) =>
        orNull(get('/vkyc', { verification_id: verificationId }, parseVerification)),
      async createSdkToken(referenceId, userId) {
        if (!appId)
          throw new ProviderFailure('REFUSED', 'SDK tokens need CASHFREE_APP_ID: an operator must set it.');
        return transport(purpose, {
          method: 'POST',
          path: '/oauth/token',
          body: buildSdkTokenBody(appId, referenceId, userId),
          read: parseSdkToken,
          repeatable: true,
        });
      },
    };
    return withMismatchChecks(client, onMismatch);
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
  if (providerCode === UNKNOWN_TEMPLATE_ERROR_CODE)
    return withProblems(error, findUnknownTemplateProblems(request, catalogue));
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
  const problem = parseFieldErrorCode(error.details.providerCode ?? '');
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
