/**
 * Compiles queries that are sent repeatedly, so that the lookups which graphql-js makes for every field of
 * every answer are made once. Queries for which the compiler would give another result than graphql-js are
 * left to graphql-js. `test/api` runs with both executors and compares their results.
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

/**
 * Executes an operation. Errors that resolvers throw are part of the result; the function itself does not
 * throw them.
 */
export type Executor = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>;

type Query = CompiledQuery['query'];

/**
 * Number of the use at which a query is compiled. Compiling takes a hundred times as long as parsing, which does not
 * pay off for a query that is sent once.
 */
const COMPILE_AT_USE = 2;
/**
 * Maximum number of fields of a compiled query. Compiling blocks the event loop for 0.12 to 0.2 ms per field,
 * so the largest query takes 30 ms.
 */
const MAX_COMPILED_FIELDS = 150;
/** Limit of the cache of compiled queries, in estimated bytes (see BYTES_OF_FIELD). */
const MAX_CACHE_BYTES = 64 * 1024 * 1024;
/**
 * Estimated memory per field of a compiled query: 2.9 KB were measured before the code first runs, and V8
 * adds machine code later.
 */
const BYTES_OF_FIELD = 8 * 1024;

/**
 * Returns an executor that compiles a query at its second use, and passes all other operations to graphql-js.
 */
export function createJitExecutor(schema: GraphQLSchema, compiledAtUse = COMPILE_AT_USE): Executor {
  const uses = new WeakMap<OperationDefinitionNode, number>();
  const queries = new LRUCache<OperationDefinitionNode, Query>({
    maxSize: MAX_CACHE_BYTES,
    // Resets the use count on eviction. Otherwise an evicted query would be compiled again at its next use,
    // and evict another query (cache thrashing).
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
    // The query cannot be compiled. A use count of minus infinity never reaches `compiledAtUse`, so the query
    // is not tried again.
    else uses.set(operation, Number.NEGATIVE_INFINITY);
    return query;
  }

  return (args) => {
    const operation = getOperationAST(args.document, args.operationName);
    const query = operation && queryOf(args.document, operation);
    if (!query) return execute(args);
    // Coerces the variables by graphql-js first, so that errors have the messages of graphql-js. The compiled
    // query coerces them a second time, which changes nothing.
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
 * Returns the number of fields that the compiler generates code for. The fields of a fragment count at each
 * spread; fields below an interface or union count once for each possible type.
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
 * Prefix of the placeholders that the compiler writes for values that JSON cannot hold (NaN, dates), and
 * later replaces by code. If a client's string literal contained a placeholder, the compiler would replace
 * it, too (code injection).
 */
const PLACEHOLDER_PREFIX = '__MAGIC';

/**
 * Whether the document uses a feature that the compiler treats differently from graphql-js. Such a document
 * is executed by graphql-js.
 */
function isUnsupported(document: DocumentNode): boolean {
  let beyond = false;
  const nullable = new Set<string>();
  const conditions = new Set<string>();
  const look: ASTVisitor = {
    // Leaves conditions (@skip, @include) on fragments to graphql-js: if a fragment is spread once with a
    // condition and once without, the compiler loses some of the fragment's fields.
    FragmentSpread({ directives = [] }) {
      beyond ||= directives.length > 0;
    },
    InlineFragment({ directives = [] }) {
      beyond ||= directives.length > 0;
    },
    // Leaves conditions on fields to graphql-js: if a field is selected several times, the compiler merges
    // the selections and loses their conditions. The compiler also confuses an alias `a_b` with the field `b`
    // inside `a`.
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
    // The compiler would replace a placeholder in a client's string by code (code injection).
    StringValue({ value }) {
      beyond ||= value.includes(PLACEHOLDER_PREFIX);
    },
  };
  visit(document, look);
  // Leaves nullable variables in conditions to graphql-js, which refuses the operation if the variable is
  // null. The compiled query would leave the field out.
  for (const name of conditions) beyond ||= nullable.has(name);
  return beyond;
}

/**
 * Whether a name may collide with other names inside the compiler, which looks names up in plain objects.
 * Plain objects inherit from `Object.prototype`, and the compiler's own names begin with `__`.
 */
const isStray = (name: string): boolean => name in Object.prototype || name.startsWith('__');

const isPromise = <Value>(value: Value | Promise<Value>): value is Promise<Value> =>
  typeof (value as Promise<Value>).then === 'function';

/**
 * Converts the errors of compiled queries to GraphQLError: the compiler's own error class does not extend
 * `Error`.
 */
function withOwnErrors({ data, errors }: ExecutionResult): ExecutionResult {
  if (!errors) return { data: data ?? null };
  return { errors: errors.map(ownError), data: data ?? null };
}

function ownError({ message, path, locations, originalError }: GraphQLError): GraphQLError {
  // Like graphql-js, sets the error that a resolver threw as `originalError`, from which the constructor
  // copies the extensions. `locations` is set by hand, because the constructor can compute locations only
  // from AST nodes.
  const error = new GraphQLError(message, { path, originalError });
  return Object.defineProperty(error, 'locations', { value: locations, enumerable: true });
}
