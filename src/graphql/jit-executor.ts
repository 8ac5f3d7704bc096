/**
 * Compiles queries that are sent again: the lookups that graphql-js makes for every field of every answer are
 * then made once. If the compiler would give another result than graphql-js, graphql-js executes the query;
 * `test/api` runs on both and compares them.
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

/** Executes an operation. Errors that its resolvers throw are in the result. */
export type Executor = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>;

type Query = CompiledQuery['query'];

/**
 * Use at which a query is compiled. Compiling takes a hundred times as long as parsing, so it must pay off.
 */
const COMPILE_AT_USE = 2;
/**
 * Maximum number of fields of a compiled query. Compiling blocks the event loop for 0.12 to 0.2 ms per field:
 * at most 30 ms.
 */
const MAX_COMPILED_FIELDS = 150;
/** Limit of the cache of compiled queries, by their estimated size. */
const MAX_CACHE_BYTES = 64 * 1024 * 1024;
/**
 * Estimated memory per field of a compiled query. 2.9 KB were measured before the code runs; V8 adds machine
 * code to that.
 */
const BYTES_OF_FIELD = 8 * 1024;

/**
 * Returns a function that executes compiled queries from their second use on, and all else with graphql-js.
 */
export function createJitExecutor(schema: GraphQLSchema, compiledAtUse = COMPILE_AT_USE): Executor {
  const uses = new WeakMap<OperationDefinitionNode, number>();
  const queries = new LRUCache<OperationDefinitionNode, Query>({
    maxSize: MAX_CACHE_BYTES,
    // Resets the use count on eviction. Otherwise an evicted query would be compiled again at its next use,
    // and evict another one (cache thrashing).
    dispose: (_query, operation) => uses.delete(operation),
  });

  function queryOf(document: DocumentNode, operation: OperationDefinitionNode): Query | null {
    const known = queries.get(operation);
    if (known) return known;
    const times = (uses.get(operation) ?? 0) + 1;
    uses.set(operation, times);
    if (times < compiledAtUse) return null;
    const fields = fieldsToCompile(schema, document, operation);
    const query = fields > MAX_COMPILED_FIELDS ? null : compile(schema, document, operation);
    if (query) queries.set(operation, query, { size: fields * BYTES_OF_FIELD });
    // Never reaches `compiledAtUse` again: whether a query can be compiled does not change.
    else uses.set(operation, Number.NEGATIVE_INFINITY);
    return query;
  }

  return (args) => {
    const operation = getOperationAST(args.document, args.operationName);
    const query = operation && queryOf(args.document, operation);
    if (!query) return execute(args);
    // Coerces the variables with graphql-js, whose error messages clients know. The compiled query coerces
    // the result again, which does not change it.
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
  if (operation.operation !== OperationTypeNode.QUERY || isUnsupported(document)) return null;
  const compiled = compileQuery(schema, document, operation.name?.value, {
    disablingCapturingStackErrors: true,
  });
  return isCompiledQuery(compiled) ? compiled.query : null;
}

/**
 * Returns the number of fields that the compiler writes code for. The fields of a fragment count at each
 * spread; the fields below an interface or union count once for each of its possible types.
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
      if (fields > MAX_COMPILED_FIELDS) break;
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
 * Prefix of the compiler's placeholders for values that JSON cannot hold (NaN, dates). The compiler replaces
 * placeholders by code, even inside a string literal that a client sent: such a literal would be code
 * injection.
 */
const PLACEHOLDER_PREFIX = '__MAGIC';

/** Whether the compiler would treat some part of the document differently from graphql-js. */
function isUnsupported(document: DocumentNode): boolean {
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
    // The compiler merges the nodes of one field and loses their conditions. It also confuses an alias `a_b`
    // with the field `b` inside `a`.
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

/**
 * Whether the compiler could confuse a name: it also finds names in `Object.prototype`, and its own names
 * begin with `__`.
 */
const isStray = (name: string): boolean => name in Object.prototype || name.startsWith('__');

const isPromise = <Value>(value: Value | Promise<Value>): value is Promise<Value> =>
  typeof (value as Promise<Value>).then === 'function';

/** Converts errors of the compiler's own class, which is not an `Error`, to GraphQLError. */
function withOwnErrors({ data, errors }: ExecutionResult): ExecutionResult {
  if (!errors) return { data: data ?? null };
  return { errors: errors.map(ownError), data: data ?? null };
}

function ownError({ message, path, locations, originalError }: GraphQLError): GraphQLError {
  // As in graphql-js, a GraphQLError that a resolver threw is not kept as the cause of another one.
  const error = new GraphQLError(message, { path, originalError });
  return Object.defineProperty(error, 'locations', { value: locations, enumerable: true });
}
