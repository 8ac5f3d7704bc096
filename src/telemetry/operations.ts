import {
  type DocumentNode,
  type GraphQLError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Metrics } from './metrics.ts';
import { traced } from './trace.ts';

interface Asked {
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
}

interface Answered {
  readonly errors?: readonly GraphQLError[] | undefined;
}

/** What an operation is, in words of the schema alone: its own name is its client's to choose. */
export interface OperationLabels {
  /** `query`, `mutation` or `subscription`. */
  readonly kind: string;
  /** Its root field; `several` where there are more. */
  readonly field: string;
}

const labelled = new WeakMap<OperationDefinitionNode, OperationLabels>();
const NONE: OperationLabels = { kind: 'none', field: 'none' };

/** Of a document that was validated. */
export function labelsOf({ document, operationName }: Asked): OperationLabels {
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
  // Each fragment once: those that spread each other twice would take 2^n steps.
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
  // It says nothing, and tools add it everywhere.
  if (found.size > 1) found.delete('__typename');
  return found;
}

/** Runs an operation, within a span where this process is traced. */
export const tracedOperation = <T>(
  { kind, field }: OperationLabels,
  work: () => Promise<T>,
  failureIn?: (result: T) => string | undefined,
): Promise<T> =>
  traced(
    `${kind} ${field}`,
    { attributes: { 'graphql.operation.type': kind }, ...(failureIn ? { failureIn } : {}) },
    work,
  );

/** Measures how long operations take, and what comes of them: OK, or the code of the first error. */
export const measured = <A extends Asked, R extends Answered>(
  execute: (args: A) => Promise<R>,
  { operations }: Metrics,
  codeTold: (error: GraphQLError) => string,
) => {
  const failureIn = ({ errors }: Answered) => errors?.[0] && known(codeTold(errors[0]));
  return async (args: A): Promise<R> => {
    const begun = performance.now();
    const labels = labelsOf(args);
    const result = await tracedOperation(labels, () => execute(args), failureIn);
    operations.observe({ ...labels, outcome: failureIn(result) ?? 'OK' }, (performance.now() - begun) / 1000);
    return result;
  };
};

/** Every code that a client can be told; what is not here is counted as OTHER. */
export const CODES = new Set([
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

const known = (code: string): string => (CODES.has(code) ? code : 'OTHER');

/** Counts what a translator tells clients. */
export const counted =
  <T extends { readonly extensions?: Record<string, unknown> | undefined }>(
    translate: (error: unknown) => T,
    { errors }: Metrics,
  ) =>
  (error: unknown): T => {
    const told = translate(error);
    errors.inc({ code: known(String(told.extensions?.code)) });
    return told;
  };
