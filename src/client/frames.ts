/** Requests, results and frames of a subscription, with only the fields that this helper reads. */

export interface Payload {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: object | null;
}

/** Execution result, as graphql-ws and graphql-sse deliver it. */
export interface Result {
  readonly data?: object | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: unknown } | undefined }[];
  readonly extensions?: { readonly replay?: boolean };
}

/** Value of the root field in one result of a subscription. */
export interface Frame {
  readonly __typename?: string;
  readonly cursor?: string;
  readonly previousCursor?: string | null;
  readonly resync?: boolean;
}

export interface Sink {
  next(result: Result): void;
  error(error: unknown): void;
  complete(): void;
}

export const frameIn = ({ data }: Result): Frame | null | undefined =>
  Object.values(data ?? {}).find((value) => typeof value === 'object');

/**
 * Whether the frame restarts the stream: a snapshot or reset, which replaces everything that the client knew
 * before.
 */
export const isRestart = ({ __typename, resync }: Frame): boolean =>
  resync !== undefined || __typename === 'SessionSnapshot' || __typename === 'FeedReset';

/** Error codes of temporary faults: the same request may succeed later. */
const FAULTS = new Set(['INTERNAL_SERVER_ERROR', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'TIMEOUT']);

/** Error codes of refusals: the same request would fail every time. */
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
 * Classifies the errors of a result. FAULT: the frame is missing or incomplete, so subscribe again from the
 * last cursor. REFUSAL: the subscription is over. NONE: the frame can be used; there are no errors, or only
 * fields that this viewer may not see.
 */
export function meaningOfErrors({ errors = [], ...result }: Result): 'NONE' | 'FAULT' | 'REFUSAL' {
  if (errors.length === 0) return 'NONE';
  const codes = errors.map(({ extensions }) => String(extensions?.code));
  if (codes.some((code) => FAULTS.has(code))) return 'FAULT';
  if (frameIn(result)) return 'NONE';
  // A result without `data` means that nothing was executed: the gateway, or a router with error codes of its
  // own, refused the request.
  if (!('data' in result) || codes.some((code) => REFUSALS.has(code))) return 'REFUSAL';
  return 'FAULT';
}
