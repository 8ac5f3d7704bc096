/**
 * Types of subscription requests, results and frames, limited to the fields that this client helper reads.
 */

export interface Payload {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: object | null;
}

/** GraphQL execution result, in the form that graphql-ws and graphql-sse deliver. */
export interface SubscriptionResult {
  readonly data?: object | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: unknown } | undefined }[];
  readonly extensions?: { readonly replay?: boolean };
}

/** Value of the subscription's root field in one result. */
export interface Frame {
  readonly __typename?: string;
  readonly cursor?: string;
  readonly previousCursor?: string | null;
  readonly resync?: boolean;
}

export interface Sink {
  next(result: SubscriptionResult): void;
  error(error: unknown): void;
  complete(): void;
}

export const findFrame = ({ data }: SubscriptionResult): Frame | null | undefined =>
  Object.values(data ?? {}).find((value) => typeof value === 'object');

/**
 * Whether the frame restarts the stream: a snapshot or reset, which replaces all data that the client
 * received before.
 */
export const isRestartFrame = ({ __typename, resync }: Frame): boolean =>
  resync !== undefined || __typename === 'SessionSnapshot' || __typename === 'FeedReset';

/** Error codes of temporary faults: a retry of the same request may succeed. */
const FAULTS = new Set(['INTERNAL_SERVER_ERROR', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'TIMEOUT']);

/** Error codes of refusals: every retry of the same request would fail. */
const REFUSALS = new Set([
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'CURSOR_EXPIRED',
  'FORBIDDEN',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'QUERY_TOO_COMPLEX',
  'TOO_MANY_SUBSCRIPTIONS',
  'UNAUTHENTICATED',
  'UNTRUSTED_DOCUMENT',
]);

/**
 * Classifies the errors of a result. FAULT: the frame is missing or incomplete, so the client must subscribe
 * again from the last cursor. REFUSAL: the subscription is over. NONE: the frame is usable; there are no
 * errors, or only fields hidden from this viewer.
 */
export function classifyErrors({ errors = [], ...result }: SubscriptionResult): 'NONE' | 'FAULT' | 'REFUSAL' {
  if (errors.length === 0) return 'NONE';
  const codes = errors.map(({ extensions }) => String(extensions?.code));
  if (codes.some((code) => FAULTS.has(code))) return 'FAULT';
  if (findFrame(result)) return 'NONE';
  // A result without `data` means that the request was refused before execution, by the gateway or by a
  // router with its own error codes.
  if (!('data' in result) || codes.some((code) => REFUSALS.has(code))) return 'REFUSAL';
  return 'FAULT';
}
