import { type FieldProblem, ProviderFailure, type ProviderFailureKind } from '../domain/errors.ts';
import type { StartVerificationRequest } from '../domain/ports.ts';
import {
  formatTemplateIds,
  hasTemplate,
  type TemplateCatalogue,
  type TemplateList,
} from '../domain/templates.ts';
import { parseErrorBody } from './wire-format.ts';

/** How the gateway treats one of the provider's error codes. */
interface ErrorMapping {
  readonly kind: ProviderFailureKind;
  /**
   * Error message of the gateway. The provider's own message is not used, because it may contain addresses or
   * repeat what a person typed.
   */
  readonly message: string;
  /** Invalid fields of the input, if `kind` is INVALID. */
  readonly problems?: readonly FieldProblem[];
  /** Seconds after which to retry, if the response does not say how long to wait. */
  readonly retryAfterSeconds?: number;
}

const TAKEN: ErrorMapping = { kind: 'TAKEN', message: 'The provider already has an object with this id.' };
const NOT_FOUND: ErrorMapping = { kind: 'NOT_FOUND', message: 'The provider has no object with this id.' };
const ACCESS_DENIED: ErrorMapping = {
  kind: 'UNAVAILABLE',
  message:
    'The provider denies access to this gateway: an operator must correct the credentials or the allowed IP addresses.',
  retryAfterSeconds: 60,
};
const BUSY: ErrorMapping = {
  kind: 'UNAVAILABLE',
  message: 'The provider applied its rate limit; retry later.',
};
const FAILING: ErrorMapping = { kind: 'UNAVAILABLE', message: 'The provider reported an internal error.' };
const BAD_REQUEST: ErrorMapping = {
  kind: 'REFUSED',
  message:
    'The provider rejected the call as malformed, which is a bug of this gateway: report it to its operator.',
};

const invalid = (...problems: FieldProblem[]): ErrorMapping => ({
  kind: 'INVALID',
  message: 'The provider did not accept the input.',
  problems,
});

/**
 * Error code for an unknown template. The provider uses one code for user and agent templates, and does not
 * say which template is unknown.
 */
export const UNKNOWN_TEMPLATE_ERROR_CODE = 'Bad request, please check API documentation';
const TEMPLATE_PROBLEMS: readonly FieldProblem[] = [
  { path: ['userTemplate'], message: 'must be the name of a user template that exists at the provider' },
  { path: ['agentTemplate'], message: 'must be the name of an agent template that exists at the provider' },
];

/** A template that a start named. */
interface NamedTemplate extends FieldProblem {
  readonly name: string;
  readonly list: TemplateList;
  readonly setting: 'USER_TEMPLATES' | 'AGENT_TEMPLATES';
}

/**
 * Returns the likely problems of a start that was answered with `UNKNOWN_TEMPLATE_ERROR_CODE`. The provider does not say which of
 * two templates it does not know: if the catalogue has only one of them, the other is the problem.
 */
export function findUnknownTemplateProblems(
  { userTemplate, agentTemplate }: StartVerificationRequest,
  { user, agent }: TemplateCatalogue,
): readonly FieldProblem[] {
  const [ofUser, ofAgent] = TEMPLATE_PROBLEMS as readonly [FieldProblem, FieldProblem];
  const named: NamedTemplate[] = [];
  if (userTemplate !== undefined)
    named.push({ ...ofUser, name: userTemplate, list: user, setting: 'USER_TEMPLATES' });
  if (agentTemplate !== undefined)
    named.push({ ...ofAgent, name: agentTemplate, list: agent, setting: 'AGENT_TEMPLATES' });
  if (named.length === 0)
    return [{ path: [], message: 'has an invalid part, but the provider does not say which' }];
  const outside = named.filter(({ name, list }) => !hasTemplate(list, name));
  const suspects = outside.length > 0 ? outside : named;
  return suspects.map((suspect, index) => {
    const other = suspects[1 - index];
    const doubt = other && `; the provider does not say whether this or ${other.path[0]} is wrong`;
    return { path: suspect.path, message: `${suspect.message}${describeCatalogue(suspect)}${doubt ?? ''}` };
  });
}

/**
 * Returns the end of a template's error message: the templates of the catalogue or, if the catalogue has this
 * one, the setting that an operator has to correct.
 */
const describeCatalogue = ({ name, list, setting }: NamedTemplate): string =>
  hasTemplate(list, name)
    ? `, but the provider does not know this one: an operator has to correct ${setting}`
    : `; this gateway knows ${formatTemplateIds(list)}`;

/**
 * All error codes in the provider's documentation, in their three spellings: snake_case, UPPER_CASE and
 * prose. Any other code is counted (`vkyc_provider_unmapped_errors_total`) and treated according to its HTTP
 * status.
 */
export const DOCUMENTED_ERROR_MAPPINGS: Readonly<Record<string, ErrorMapping>> = {
  'x-client-id_missing': ACCESS_DENIED,
  'x-client-secret_missing': ACCESS_DENIED,
  'x-client-secret_value_invalid': ACCESS_DENIED,
  authentication_failed: ACCESS_DENIED,
  ip_validation_failed: ACCESS_DENIED,
  verification_id_missing: invalid({ path: ['verificationId'], message: 'must be given' }),
  verification_id_value_invalid: invalid({
    path: ['verificationId'],
    message: 'may contain only the characters A-Z a-z 0-9 . _ -',
  }),
  verification_id_length_exceeded: invalid({
    path: ['verificationId'],
    message: 'may have at most 50 characters',
  }),
  name_value_invalid: invalid({
    path: ['user', 'name'],
    message: 'may contain only letters, digits, spaces, dots and hyphens',
  }),
  [UNKNOWN_TEMPLATE_ERROR_CODE]: invalid(...TEMPLATE_PROBLEMS),
  identifier_type_value_invalid: BAD_REQUEST,
  identifier_value_value_invalid: BAD_REQUEST,
  REQUEST_INVALID: BAD_REQUEST,
  invalid_request: BAD_REQUEST,
  referenceId_not_found: NOT_FOUND,
  'Resource not found': NOT_FOUND,
  verification_id_already_exists: TAKEN,
  invalid_verification_id: TAKEN,
  user_id_already_exists: TAKEN,
  insufficient_balance: {
    kind: 'NO_BALANCE',
    message: 'The balance at the provider is too low: add funds at the provider.',
  },
  too_many_requests_per_operation: BUSY,
  too_many_requests_per_ip: BUSY,
  request_failed: FAILING,
  verification_failed: FAILING,
  api_error: FAILING,
};

const ADDRESS_FIELDS = ['country', 'dist', 'house', 'pincode', 'state', 'street', 'po', 'subdist', 'vtc'];

/** Paths of the input of startSession, by the provider's field names. */
const INPUT_PATHS: Readonly<Record<string, readonly string[]>> = {
  user_id: ['user', 'userId'],
  phone: ['user', 'phone'],
  name: ['user', 'name'],
  email: ['user', 'email'],
  address: ['user', 'address'],
  user_template: ['userTemplate'],
  agent_template: ['agentTemplate'],
  notification_types: ['notificationTypes'],
  security_questions: ['securityQuestions'],
  aadhaar_details: ['aadhaarDetails'],
  'aadhaar_details.name': ['aadhaarDetails', 'name'],
  dob: ['aadhaarDetails', 'dob'],
  gender: ['aadhaarDetails', 'gender'],
  care_of: ['aadhaarDetails', 'careOf'],
  photo_link: ['aadhaarDetails', 'photoLink'],
  last_verified_at: ['aadhaarDetails', 'lastVerifiedAt'],
  split_address: ['aadhaarDetails', 'address'],
  ...Object.fromEntries(ADDRESS_FIELDS.map((field) => [field, ['aadhaarDetails', 'address', field]])),
};
const QUESTION = /^security_questions\.(\d{1,2})\.(order|question|answer)$/;

const FLAWS = {
  missing: 'must be given',
  value_invalid: 'has a value that the provider does not accept',
  length_exceeded: 'is longer than the provider accepts',
} as const;

/**
 * Returns the problem that a code such as `phone_value_invalid` names. The provider documents this form for three
 * fields only, so the others are an inference. Returns null for any other code.
 */
export function parseFieldErrorCode(code: string): FieldProblem | null {
  const [, field = '', flaw] = code.match(/^([a-z0-9_.]+)_(missing|value_invalid|length_exceeded)$/) ?? [];
  const path = toInputPath(field);
  return path && { path, message: FLAWS[flaw as keyof typeof FLAWS] };
}

/**
 * Returns the input path of a provider field such as `aadhaar_details.dob`: of the whole name if it is known,
 * else of its last part, else of its first part; null if none is known.
 */
function toInputPath(field: string): readonly string[] | null {
  const [, index, part] = field.match(QUESTION) ?? [];
  if (index !== undefined && part !== undefined) return ['securityQuestions', index, part];
  const parts = field.split('.');
  const known = [field, parts.at(-1) as string, parts[0] as string];
  const name = known.find((each) => Object.hasOwn(INPUT_PATHS, each));
  return (name !== undefined && INPUT_PATHS[name]) || null;
}

/** Converts an error response to a failure. Calls `onUnmapped` for a code that the provider does not document. */
export function toProviderFailure(
  status: number,
  body: string,
  retryAfterSeconds: number | undefined,
  onUnmapped: (status: number, code: string) => void,
): ProviderFailure {
  const { code: given, type } = parseErrorBody(body);
  const code = readableCode(given) ?? `http_${status}`;
  const documented = Object.hasOwn(DOCUMENTED_ERROR_MAPPINGS, code)
    ? DOCUMENTED_ERROR_MAPPINGS[code]
    : undefined;
  if (!documented) onUnmapped(status, code);
  const { kind, message, problems, ...meaning } =
    documented ?? byStatus(status, type !== null || readableCode(given) !== null);
  const wait = kind === 'UNAVAILABLE' ? (retryAfterSeconds ?? meaning.retryAfterSeconds) : undefined;
  return new ProviderFailure(kind, message, { providerCode: code, retryAfterSeconds: wait, problems });
}

/**
 * HTTP statuses after which a call may nevertheless have taken effect: Request Timeout, Too Early, and
 * nginx's Client Closed Request.
 */
const TIMEOUTS = [408, 425, 499];

/**
 * Returns a text if it looks like an error code, so that people can look the code up; otherwise null, because
 * the text might contain personal data. Long numbers in it are masked.
 */
function readableCode(code: string | null): string | null {
  if (code === null || !/^[\w .,:-]{1,80}$/.test(code)) return null;
  return code.replace(/\d{4,}/g, '…');
}

/**
 * Maps an undocumented error by its HTTP status. `isTheirs` says whether the body has the form of the
 * provider's errors (a type or a code); otherwise a proxy in between sent the response.
 */
function byStatus(status: number, isTheirs: boolean): ErrorMapping {
  if (status === 401 || status === 403) return ACCESS_DENIED;
  if (status === 429) return BUSY;
  if (!isTheirs || status >= 500 || TIMEOUTS.includes(status)) return FAILING;
  if (status === 404) return NOT_FOUND;
  if (status === 409) return TAKEN;
  return { kind: 'REFUSED', message: 'The provider refused the call.' };
}
