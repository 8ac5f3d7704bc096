/** Requests and results of a subscription, as far as this library reads them. */

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

/** Value of a result's root field. */
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

/** Whether the frame is a snapshot or reset, which replaces everything before it. */
export const isRestart = ({ __typename, resync }: Frame): boolean =>
  resync !== undefined || __typename === 'SessionSnapshot' || __typename === 'FeedReset';

/** Temporary server faults: the same request may succeed later. */
const FAULTS = new Set(['INTERNAL_SERVER_ERROR', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'TIMEOUT']);

/** Refusals: the same request fails every time. */
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
 * Classifies the errors of a result. FAULT: the frame is missing or incomplete; request it again. REFUSAL: the
 * subscription is over. NONE: the frame can be used, although fields that this viewer may not see are null.
 */
export function meaningOfErrors({ errors = [], ...result }: Result): 'NONE' | 'FAULT' | 'REFUSAL' {
  if (errors.length === 0) return 'NONE';
  const codes = errors.map(({ extensions }) => String(extensions?.code));
  if (codes.some((code) => FAULTS.has(code))) return 'FAULT';
  if (frameIn(result)) return 'NONE';
  // Without `data` nothing was executed: the request itself was refused, perhaps by a router with its own error codes.
  if (!('data' in result) || codes.some((code) => REFUSALS.has(code))) return 'REFUSAL';
  return 'FAULT';
}
