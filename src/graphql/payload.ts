import { GraphQLError } from 'graphql';

/** Unchecked request of a client, on any transport. */
export interface Payload {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

/** Content of a payload whose parts have the right types. */
export interface OperationRequest {
  readonly query?: string;
  readonly operationName?: string;
  readonly variables: Record<string, unknown>;
  readonly extensions: Record<string, unknown>;
}

/**
 * Checks the types of a payload's parts and returns them.
 * @throws GraphQLError that says what is wrong
 */
export function parsePayload({ query, operationName, variables, extensions }: Payload): OperationRequest {
  if (query != null && typeof query !== 'string')
    throw badRequest('`query` must be one document, as a string.');
  if (operationName != null && typeof operationName !== 'string')
    throw badRequest('`operationName` must be a string.');
  return {
    ...(query == null ? {} : { query }),
    // Clients whose documents hold one operation often send an empty name.
    ...(operationName ? { operationName } : {}),
    variables: parseObject('variables', variables),
    extensions: parseObject('extensions', extensions),
  };
}

function parseObject(name: string, value: unknown): Record<string, unknown> {
  if (value == null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw badRequest(`\`${name}\` must be an object.`);
}

/** Error of a request that is no GraphQL operation. */
export const badRequest = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
