import {
  type DocumentNode,
  type GraphQLError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Metrics } from './metrics.ts';
import { withSpan } from './trace.ts';

interface ExecutedOperation {
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
}

interface Answered {
  readonly errors?: readonly GraphQLError[] | undefined;
}

/**
 * Metric labels of a GraphQL operation. All labels come from the schema. The operation's name is not a label,
 * because clients choose it freely (cardinality).
 */
export interface OperationLabels {
  /** `query`, `mutation` or `subscription`. */
  readonly kind: string;
  /** Name of the root field; `several` if the operation selects more than one. */
  readonly field: string;
}

const labelled = new WeakMap<OperationDefinitionNode, OperationLabels>();
const NONE: OperationLabels = { kind: 'none', field: 'none' };

/** Returns the labels of an operation in a validated document. */
export function getLabels({ document, operationName }: ExecutedOperation): OperationLabels {
  const operation = getOperationAST(document, operationName);
  if (!operation) return NONE;
  let labels = labelled.get(operation);
  if (!labels) {
    const [field = 'none', ...more] = rootFields(document, operation.selectionSet);
    labels = { kind: operation.operation, field: more.length > 0 ? 'several' : field };
    labelled.set(operation, labels);
  }
  return labels;
}

function rootFields(document: DocumentNode, root: SelectionSetNode): Set<string> {
  const found = new Set<string>();
  // Visits each fragment once. Otherwise a chain of n fragments, each of which spreads the next one twice,
  // would take 2^n steps.
  const unread = new Map(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each.selectionSet] as const] : [],
    ),
  );
  const read = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) found.add(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) read(selection.selectionSet);
      else {
        const fragment = unread.get(selection.name.value);
        unread.delete(selection.name.value);
        if (fragment) read(fragment);
      }
    }
  };
  read(root);
  // Client libraries add `__typename` to every selection, so it does not count as a second root field.
  if (found.size > 1) found.delete('__typename');
  return found;
}

/** Runs a GraphQL operation, in a span if tracing is on. */
export const tracedOperation = <T>(
  { kind, field }: OperationLabels,
  work: () => Promise<T>,
  failureIn?: (result: T) => string | undefined,
): Promise<T> =>
  withSpan(
    `${kind} ${field}`,
    { attributes: { 'graphql.operation.type': kind }, ...(failureIn ? { failureIn } : {}) },
    work,
  );

/** Wraps `execute` to measure its duration and outcome: OK, or the code of the first error. */
export const withMetrics = <A extends ExecutedOperation, R extends Answered>(
  execute: (args: A) => Promise<R>,
  { operations }: Metrics,
  codeTold: (error: GraphQLError) => string,
) => {
  const failureIn = ({ errors }: Answered) => errors?.[0] && known(codeTold(errors[0]));
  return async (args: A): Promise<R> => {
    const begun = performance.now();
    const labels = getLabels(args);
    const result = await tracedOperation(labels, () => execute(args), failureIn);
    operations.observe({ ...labels, outcome: failureIn(result) ?? 'OK' }, (performance.now() - begun) / 1000);
    return result;
  };
};

/** Error codes that clients can receive; any other code is counted as OTHER. */
export const CLIENT_ERROR_CODES = new Set([
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'CURSOR_EXPIRED',
  'FORBIDDEN',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'INTERNAL_SERVER_ERROR',
  'OPERATION_RESOLUTION_FAILURE',
  'QUERY_TOO_COMPLEX',
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'TIMEOUT',
  'TOO_MANY_CONNECTIONS',
  'TOO_MANY_SUBSCRIPTIONS',
  'UNAUTHENTICATED',
  'UNTRUSTED_DOCUMENT',
]);

const known = (code: string): string => (CLIENT_ERROR_CODES.has(code) ? code : 'OTHER');

/** Wraps an error formatter to count the errors that it returns. */
export const withErrorCount =
  <T extends { readonly extensions?: Record<string, unknown> | undefined }>(
    formatError: (error: unknown) => T,
    { errors }: Metrics,
  ) =>
  (error: unknown): T => {
    const told = formatError(error);
    errors.inc({ code: known(String(told.extensions?.code)) });
    return told;
  };
