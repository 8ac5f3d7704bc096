/**
 * Queries that come again are compiled: what graphql-js looks up for every field of every answer is then decided once.
 * Where the compiler and graphql-js would differ, graphql-js answers; `test/api` runs on both, and compares.
 */
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  OperationTypeNode,
  visit,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';

/** Executes an operation; what its resolvers throw is in the result. */
export type Run = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>;

/** Compiling takes a hundred times as long as parsing: it has to be worth it. */
const COMPILED_AT_USE = 2;
const MOST_COMPILED = 500;

/** What is known of an operation of a document: how often it was asked for, or what it was compiled to. */
type Known = { uses: number } | { query: CompiledQuery['query'] } | 'NOT_TO_BE_COMPILED';

/** Executes queries as compiled from their second use on, and everything else by graphql-js. */
export function createCompiledRun(schema: GraphQLSchema, compiledAtUse = COMPILED_AT_USE): Run {
  const known = new LRUCache<DocumentNode, Map<string | null, Known>>({ max: MOST_COMPILED });

  function queryOf({ document, operationName = null }: ExecutionArgs): CompiledQuery['query'] | null {
    const operations = known.get(document) ?? new Map<string | null, Known>();
    known.set(document, operations);
    const before = operations.get(operationName) ?? { uses: 0 };
    if (before === 'NOT_TO_BE_COMPILED') return null;
    if ('query' in before) return before.query;
    const uses = before.uses + 1;
    const now = uses < compiledAtUse ? { uses } : compile(schema, document, operationName);
    operations.set(operationName, now);
    return typeof now === 'object' && 'query' in now ? now.query : null;
  }

  return (args) => {
    const query = queryOf(args);
    const operation = query && getOperationAST(args.document, args.operationName);
    if (!query || !operation) return execute(args);
    // By graphql-js, whose complaints clients know. What it coerced stays as it is when it is read again.
    const { coerced } = getVariableValues(
      schema,
      operation.variableDefinitions ?? [],
      args.variableValues ?? {},
    );
    if (!coerced) return execute(args);
    const result = query(args.rootValue, args.contextValue, coerced);
    return isPromise(result) ? result.then(withOwnErrors) : withOwnErrors(result);
  };
}

function compile(schema: GraphQLSchema, document: DocumentNode, operationName: string | null): Known {
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== OperationTypeNode.QUERY || isBeyondTheCompiler(document))
    return 'NOT_TO_BE_COMPILED';
  const compiled = compileQuery(schema, document, operationName ?? undefined, {
    disablingCapturingStackErrors: true,
  });
  return isCompiledQuery(compiled) ? { query: compiled.query } : 'NOT_TO_BE_COMPILED';
}

/** It loses fields of a fragment that is spread both with a condition and without one. */
function isBeyondTheCompiler(document: DocumentNode): boolean {
  let beyond = false;
  const look = ({ directives }: { directives?: readonly unknown[] | undefined }) => {
    if (directives && directives.length > 0) beyond = true;
  };
  visit(document, { [Kind.FRAGMENT_SPREAD]: { enter: look }, [Kind.INLINE_FRAGMENT]: { enter: look } });
  return beyond;
}

const isPromise = <Value>(value: Value | Promise<Value>): value is Promise<Value> =>
  typeof (value as Promise<Value>).then === 'function';

/** The compiler has a class of errors of its own, which is no `Error`. */
function withOwnErrors({ data, errors }: ExecutionResult): ExecutionResult {
  if (!errors) return { data: data ?? null };
  return { errors: errors.map(ownError), data: data ?? null };
}

function ownError({ message, path, locations, originalError }: GraphQLError): GraphQLError {
  // As graphql-js has it: an error of its own that a resolver threw is no cause of another.
  const error = new GraphQLError(message, { path, originalError });
  return Object.defineProperty(error, 'locations', { value: locations, enumerable: true });
}
