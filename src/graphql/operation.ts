import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  type OperationTypeNode,
  parse,
  print,
  specifiedRules,
  TypeInfo,
  type ValidationRule,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { costOf, tooComplex } from './cost.ts';
import { PARSE_OPTIONS } from './limits.ts';
import type { Trust } from './trusted-documents.ts';

/** What a client sends, on whichever transport; nothing of it has been checked. */
export interface Payload {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

/** What a payload asks for. */
export interface Asked {
  readonly query?: string;
  readonly operationName?: string;
  readonly variables: Record<string, unknown>;
  readonly extensions: Record<string, unknown>;
}

/** What a payload asks for, once it is of the right types. Throws what is wrong with it. */
export function askedBy({ query, operationName, variables, extensions }: Payload): Asked {
  if (query != null && typeof query !== 'string')
    throw badRequest('`query` must be one document, as a string.');
  if (operationName != null && typeof operationName !== 'string')
    throw badRequest('`operationName` must be a string.');
  return {
    ...(query == null ? {} : { query }),
    // Clients with one operation a document often send it empty.
    ...(operationName ? { operationName } : {}),
    variables: objectOf('variables', variables),
    extensions: objectOf('extensions', extensions),
  };
}

function objectOf(name: string, value: unknown): Record<string, unknown> {
  if (value == null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw badRequest(`\`${name}\` must be an object.`);
}

/** An operation that can be executed. */
export interface Operation extends Pick<ExecutionArgs, 'schema' | 'document' | 'operationName'> {
  readonly document: DocumentNode;
  readonly kind: OperationTypeNode;
  readonly variableValues: Record<string, unknown>;
  /** The same for subscriptions that select the same, wherever in the log they began. */
  readonly selectionKey: string;
  /** What it may ask for at most, see `cost.ts`; of a subscription, each frame. */
  readonly cost: number;
}

interface Checked {
  readonly document: DocumentNode;
  readonly errors: readonly GraphQLError[];
  /** Of subscriptions: the document without what only places them, and the variables that are left. */
  readonly selection: { text: string; variables: readonly string[] };
}

/** Documents are few, and sent again at every reconnect of every client. */
const MOST_REMEMBERED = 1_000;
/** Longer ones are rarely sent again, and a thousand of them would fill the memory. */
const LONGEST_REMEMBERED = 8_192;

/** Parses and checks operations, each document once; by the rules of the specification, and those given beside them. */
export class Operations {
  readonly #schema: GraphQLSchema;
  readonly #rules: readonly ValidationRule[];
  readonly #trust: Trust;
  readonly #checked = new Map<string, Checked>();

  constructor(schema: GraphQLSchema, rules: readonly ValidationRule[], trust: Trust) {
    this.#schema = schema;
    this.#rules = rules;
    this.#trust = trust;
  }

  /** The operation, or what is wrong with it. */
  prepare(payload: Payload): Operation | readonly GraphQLError[] {
    try {
      return this.#prepare(this.#trust(payload));
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
  }

  #prepare(payload: Payload): Operation | readonly GraphQLError[] {
    const { query, operationName, variables: variableValues } = askedBy(payload);
    if (query === undefined) return [badRequest('Send a document: {"query": "…"}.')];
    const { document, errors, selection } = this.#check(query);
    if (errors.length > 0) return errors;
    const operation = getOperationAST(document, operationName);
    if (!operation) return [badRequest('Name one of the operations of the document with `operationName`.')];
    // What cannot be coerced is refused when it is executed: its key is never used.
    const { coerced = {} } = getVariableValues(
      this.#schema,
      operation.variableDefinitions ?? [],
      variableValues,
    );
    const cost = costOf({ schema: this.#schema, document, operation, variableValues });
    const refusal = tooComplex(cost);
    if (refusal) return [refusal];
    return {
      cost,
      schema: this.#schema,
      document,
      operationName: operationName ?? null,
      kind: operation.operation,
      variableValues,
      selectionKey: JSON.stringify([
        operation.name?.value,
        selection.text,
        selection.variables.map((name) => (Object.hasOwn(coerced, name) ? [coerced[name]] : [])),
      ]),
    };
  }

  #check(query: string): Checked {
    const checked = this.#checked.get(query) ?? this.#checkAnew(query);
    // Set anew, so that the first is always the one that was not asked for the longest.
    this.#checked.delete(query);
    if (checked.errors.length > 0 || query.length > LONGEST_REMEMBERED) return checked;
    const [oldest] = this.#checked.size < MOST_REMEMBERED ? [] : this.#checked.keys();
    if (oldest !== undefined) this.#checked.delete(oldest);
    this.#checked.set(query, checked);
    return checked;
  }

  #checkAnew(query: string): Checked {
    const nothing = { document: { kind: 'Document', definitions: [] } as never, selection: NO_SELECTION };
    try {
      const document = parse(query, PARSE_OPTIONS);
      const errors = validate(this.#schema, document, [...specifiedRules, ...this.#rules]);
      return errors.length > 0
        ? { ...nothing, errors: errors.map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED')) }
        : { document, errors, selection: this.#selectionOf(document) };
    } catch (error) {
      if (error instanceof GraphQLError)
        return { ...nothing, errors: [coded(error, 'GRAPHQL_PARSE_FAILED')] };
      throw error;
    }
  }

  /** The arguments of a subscription's root field say what to follow and from where: not what is shown of it. */
  #selectionOf(document: DocumentNode): Checked['selection'] {
    const root = this.#schema.getSubscriptionType();
    const types = new TypeInfo(this.#schema);
    const shown = visit(
      document,
      visitWithTypeInfo(types, {
        Field: (field) => (types.getParentType() === root ? { ...field, arguments: [] } : undefined),
      }),
    );
    const variables = new Set<string>();
    const text = visit(shown, {
      VariableDefinition: () => null,
      Variable: ({ name }) => void variables.add(name.value),
    });
    return { text: print(text), variables: [...variables] };
  }
}

const NO_SELECTION = { text: '', variables: [] };

const badRequest = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });

/** The codes that Apollo has for them, on every transport. */
function coded(error: GraphQLError, code: string): GraphQLError {
  const { nodes = null, source = null, positions = null, extensions } = error;
  return new GraphQLError(error.message, { nodes, source, positions, extensions: { ...extensions, code } });
}
