/**
 * Queries that come again are compiled: what graphql-js looks up for every field of every answer is then decided once.
 * Where the compiler and graphql-js would differ, graphql-js answers; `test/api` runs on both, and compares.
 */
import {
  type ArgumentNode,
  type ASTVisitor,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  getVariableValues,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import { LIMITS } from './limits.ts';

/** Executes an operation; what its resolvers throw is in the result. */
export type Run = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>;

type Query = CompiledQuery['query'];

/** Compiling takes a hundred times as long as parsing: it has to be worth it. */
const COMPILED_AT_USE = 2;
/** Compiling holds the event loop for 0.12 to 0.2 ms per field: at most 30 ms. */
const MOST_FIELDS = 150;
/** Limit of the cache of compiled queries, by their estimated size. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;
/** An estimate: 2.9 KB per field were measured before the code runs, and V8 adds machine code to that. */
const BYTES_OF_FIELD = 8 * 1024;

/** Executes queries as compiled from their second use on, and everything else by graphql-js. */
export function createCompiledRun(schema: GraphQLSchema, compiledAtUse = COMPILED_AT_USE): Run {
  const uses = new WeakMap<OperationDefinitionNode, number>();
  const queries = new LRUCache<OperationDefinitionNode, Query>({
    maxSize: MOST_KEPT_BYTES,
    // Else one that was pushed out would be compiled again at its next use, and push out another.
    dispose: (_query, operation) => uses.delete(operation),
  });

  function queryOf(document: DocumentNode, operation: OperationDefinitionNode): Query | null {
    const known = queries.get(operation);
    if (known) return known;
    const times = (uses.get(operation) ?? 0) + 1;
    uses.set(operation, times);
    if (times < compiledAtUse) return null;
    const fields = fieldsToCompile(schema, document, operation);
    const query = fields > MOST_FIELDS ? null : compile(schema, document, operation);
    if (query) queries.set(operation, query, { size: fields * BYTES_OF_FIELD });
    // Never counts up to `compiledAtUse` again: whether it can be compiled does not change.
    else uses.set(operation, Number.NEGATIVE_INFINITY);
    return query;
  }

  return (args) => {
    const operation = getOperationAST(args.document, args.operationName);
    const query = operation && queryOf(args.document, operation);
    if (!query) return execute(args);
    // By graphql-js, whose complaints clients know. What it coerced stays as it is when it is read again.
    const { coerced } = getVariableValues(
      schema,
      operation.variableDefinitions ?? [],
      args.variableValues ?? {},
      { maxErrors: LIMITS.errors },
    );
    if (!coerced) return execute(args);
    const result = query(args.rootValue, args.contextValue, coerced);
    return isPromise(result) ? result.then(withOwnErrors) : withOwnErrors(result);
  };
}

function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Query | null {
  if (operation.operation !== OperationTypeNode.QUERY || isBeyondTheCompiler(document)) return null;
  const compiled = compileQuery(schema, document, operation.name?.value, {
    disablingCapturingStackErrors: true,
  });
  return isCompiledQuery(compiled) ? compiled.query : null;
}

/**
 * Returns for how many fields the compiler writes code: for each of a fragment wherever it is spread, and for each of an
 * interface or union once for every type that it may turn out to be.
 */
function fieldsToCompile(
  schema: GraphQLSchema,
  { definitions }: DocumentNode,
  operation: OperationDefinitionNode,
): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of definitions)
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);

  function fieldsOf(set: SelectionSetNode | undefined, typeName: string | undefined): number {
    const type = typeName === undefined ? undefined : schema.getType(typeName);
    let fields = 0;
    for (const node of set?.selections ?? []) {
      if (fields > MOST_FIELDS) break;
      if (node.kind === Kind.FIELD) {
        const field = type && 'getFields' in type ? type.getFields()[node.name.value] : undefined;
        const below = field && getNamedType(field.type);
        const types = isAbstractType(below) ? schema.getPossibleTypes(below).length : 1;
        fields += 1 + types * fieldsOf(node.selectionSet, below?.name);
      } else {
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        fields += fieldsOf(fragment?.selectionSet, fragment?.typeCondition?.name.value ?? typeName);
      }
    }
    return fields;
  }

  return fieldsOf(operation.selectionSet, schema.getRootType(operation.operation)?.name);
}

/**
 * Prefix of the compiler's placeholders for values that JSON cannot hold (NaN, dates). The compiler replaces a placeholder
 * by code, also inside a string literal that a client sent: such a literal would be code injection.
 */
const PLACEHOLDER_PREFIX = '__MAGIC';

/** Whether some part of a document is compiled to something else than what graphql-js makes of it. */
function isBeyondTheCompiler(document: DocumentNode): boolean {
  let beyond = false;
  const nullable = new Set<string>();
  const conditions = new Set<string>();
  const look: ASTVisitor = {
    // The compiler loses fields of a fragment that is spread both with a condition and without one.
    FragmentSpread({ directives = [] }) {
      beyond ||= directives.length > 0;
    },
    InlineFragment({ directives = [] }) {
      beyond ||= directives.length > 0;
    },
    // The compiler merges nodes of one field and loses their conditions, and it confuses an alias `a_b` with `b` in `a`.
    Field({ alias, directives = [] }) {
      beyond ||=
        directives.length > 0 || (alias !== undefined && (isStray(alias.value) || alias.value.includes('_')));
    },
    VariableDefinition({ variable, type }) {
      beyond ||= isStray(variable.name.value);
      if (type.kind !== Kind.NON_NULL_TYPE) nullable.add(variable.name.value);
    },
    Directive({ arguments: given = [] }) {
      for (const { value } of given as readonly ArgumentNode[])
        if (value.kind === Kind.VARIABLE) conditions.add(value.name.value);
    },
    // Code injection: see PLACEHOLDER_PREFIX.
    StringValue({ value }) {
      beyond ||= value.includes(PLACEHOLDER_PREFIX);
    },
  };
  visit(document, look);
  // The compiler leaves a field out if its condition is null; graphql-js refuses the operation.
  for (const name of conditions) beyond ||= nullable.has(name);
  return beyond;
}

/** The compiler looks for names among what all objects inherit as well, and has names of its own that begin so. */
const isStray = (name: string): boolean => name in Object.prototype || name.startsWith('__');

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
