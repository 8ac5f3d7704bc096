import { GraphQLError } from 'graphql';

/** Request of a client as it arrived on any transport, unchecked. */
export interface RequestPayload {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

/** GraphQL request of a client, after `parsePayload` has checked the types of its parts. */
export interface OperationRequest {
  readonly query?: string;
  readonly operationName?: string;
  readonly variables: Record<string, unknown>;
  readonly extensions: Record<string, unknown>;
}

/**
 * Checks the types of the payload's parts and returns the parts.
 * @throws GraphQLError that names the part with a wrong type
 */
export function parsePayload({
  query,
  operationName,
  variables,
  extensions,
}: RequestPayload): OperationRequest {
  if (query != null && typeof query !== 'string')
    throw createBadRequestError('`query` must be one document, as a string.');
  if (operationName != null && typeof operationName !== 'string')
    throw createBadRequestError('`operationName` must be a string.');
  return {
    ...(query == null ? {} : { query }),
    // An empty `operationName` counts as absent: many clients send an empty string if the document has a
    // single operation.
    ...(operationName ? { operationName } : {}),
    variables: parseObject('variables', variables),
    extensions: parseObject('extensions', extensions),
  };
}

function parseObject(name: string, value: unknown): Record<string, unknown> {
  if (value == null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw createBadRequestError(`\`${name}\` must be an object.`);
}

/** Error for a request that cannot be read as a GraphQL operation. */
export const createBadRequestError = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
