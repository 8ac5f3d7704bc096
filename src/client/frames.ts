/** What a subscription sends and receives, as far as the helper looks into it. */

export interface Payload {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: object | null;
}

/** An execution result, as the stock clients hand it out. */
export interface Result {
  readonly data?: object | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: unknown } | undefined }[];
  readonly extensions?: { readonly replay?: boolean };
}

/** The value of a result's root field. */
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

/** A snapshot or reset: what came before it no longer counts. */
export const isRestart = ({ __typename, resync }: Frame): boolean =>
  resync !== undefined || __typename === 'SessionSnapshot' || __typename === 'FeedReset';

/** Faults of the server, which the same request may not meet the next time. */
const FAULTS = new Set(['INTERNAL_SERVER_ERROR', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'TIMEOUT']);

/** Refusals that the same request meets every time. */
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
 * Says what the errors of a result mean. FAULT: the frame is missing or incomplete; ask for it again. REFUSAL: the
 * subscription is over. NONE: the frame is good, although it may lack what this viewer may not see.
 */
export function meaningOfErrors({ errors = [], ...result }: Result): 'NONE' | 'FAULT' | 'REFUSAL' {
  if (errors.length === 0) return 'NONE';
  const codes = errors.map(({ extensions }) => String(extensions?.code));
  if (codes.some((code) => FAULTS.has(code))) return 'FAULT';
  if (frameIn(result)) return 'NONE';
  // Without `data` nothing was executed: the request itself was refused, maybe by a router with codes of its own.
  if (!('data' in result) || codes.some((code) => REFUSALS.has(code))) return 'REFUSAL';
  return 'FAULT';
}
