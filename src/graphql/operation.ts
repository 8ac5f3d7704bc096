import {
  type DefinitionNode,
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  OperationTypeNode,
  parse,
  print,
  specifiedRules,
  TypeInfo,
  type ValidationRule,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Viewer } from '../domain/access.ts';
import { findExcessiveAmount, measureAmount } from './cost.ts';
import { findExcess } from './extent.ts';
import { LIMITS, PARSE_OPTIONS } from './limits.ts';
import { ONE_STATISTICS_RULE } from './one-statistics.ts';
import { type RateLimit, REFUSAL_COST } from './rate-limit.ts';
import type { Trust } from './trusted-documents.ts';
import { coerceVariables } from './variables.ts';

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
export interface Operation
  extends Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'hideSuggestions'> {
  readonly document: DocumentNode;
  readonly kind: OperationTypeNode;
  readonly variableValues: Record<string, unknown>;
  /** The same for subscriptions that select the same, wherever in the log they began. */
  readonly selectionKey: string;
  /** What it may ask for at most, see `cost.ts`; of a subscription, each frame. */
  readonly cost: number;
}

/** Why nothing is executed, and what that would have cost if it is known. */
export interface Refusal {
  readonly errors: readonly GraphQLError[];
  readonly cost?: number;
}

interface Checked {
  readonly document: DocumentNode;
  readonly errors: readonly GraphQLError[];
  /** Of subscriptions: the document without what only places them, and the variables that are left. */
  readonly selection: { text: string; variables: readonly string[] };
  /** Variables in the arguments of @skip and @include. */
  readonly conditions: readonly string[];
}

/** Documents are few, and sent again at every reconnect of every client. */
const MOST_REMEMBERED_BYTES = 32 * 1024 * 1024;
/** Nodes of the parsed document, with the tokens that they were read from; 358 were measured. */
const BYTES_OF_TOKEN = 400;

interface OperationsOptions {
  readonly schema: GraphQLSchema;
  /** Rules beside those of the specification. */
  readonly rules: readonly ValidationRule[];
  readonly trust: Trust;
  /** Whether errors leave out what the client may have meant, which names what there is in the schema. */
  readonly hideSuggestions: boolean;
}

/** Parses and checks documents, each once while it is remembered, and makes operations of them. */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #remembered = new LRUCache<string, Checked>({
    maxSize: MOST_REMEMBERED_BYTES,
    sizeCalculation: ({ document }, text) => 2 * text.length + BYTES_OF_TOKEN * tokensOf(document),
  });
  readonly #checked = new WeakMap<DocumentNode, Checked>();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** Returns the operation that a payload asks for, or why it is refused. */
  prepare(payload: Payload): Operation | Refusal {
    try {
      const { query, ...asked } = askedBy(this.#options.trust(payload));
      if (query === undefined) throw badRequest('Send a document: {"query": "…"}.');
      return this.operationOf(this.documentOf(query), asked);
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    }
  }

  /** Returns a document that was parsed and checked. One that is refused is empty, and so are all its operations. */
  documentOf(query: string): DocumentNode {
    const remembered = this.#remembered.get(query);
    if (remembered) return remembered.document;
    const checked = this.#check(query);
    // Refused documents are rarely sent again.
    if (checked.errors.length === 0) this.#remembered.set(query, checked);
    this.#checked.set(checked.document, checked);
    return checked.document;
  }

  /** Returns an operation of a document of `documentOf`, or why it is refused. */
  operationOf(
    document: DocumentNode,
    { operationName, variables: variableValues }: Pick<Asked, 'operationName' | 'variables'>,
  ): Operation | Refusal {
    const { schema, hideSuggestions } = this.#options;
    const { errors, selection, conditions } = this.#checked.get(document) as Checked;
    if (errors.length > 0) return { errors };
    const operation = getOperationAST(document, operationName);
    if (!operation)
      return {
        errors: [badRequest('Name one of the operations of the document with `operationName`.')],
      };
    const given = { schema, operation, values: variableValues, hideSuggestions };
    const { coerced, errors: ofVariables } = coerceVariables(given);
    if (!coerced) return { errors: ofVariables ?? [] };
    const unset = conditions.find((name) => coerced[name] === null);
    if (unset !== undefined) return { errors: [nullCondition(unset)] };
    const amount = measureAmount({ schema, document, operation, values: coerced });
    const { cost } = amount;
    const refusal = findExcessiveAmount(amount, operation);
    if (refusal) return { errors: [refusal], cost };
    return {
      cost,
      schema,
      document,
      hideSuggestions,
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
    try {
      const document = parse(query, PARSE_OPTIONS);
      const excess = findExcess(document);
      const errors = excess.length > 0 ? excess : this.#validate(document);
      return errors.length > 0
        ? refused(errors, 'GRAPHQL_VALIDATION_FAILED')
        : { document, errors, selection: this.#selectionOf(document), conditions: conditionsIn(document) };
    } catch (error) {
      if (error instanceof GraphQLError) return refused([error], 'GRAPHQL_PARSE_FAILED');
      throw error;
    }
  }

  #validate(document: DocumentNode): readonly GraphQLError[] {
    const { schema, rules, hideSuggestions } = this.#options;
    const options = { maxErrors: LIMITS.errors, hideSuggestions };
    return validate(schema, document, [...specifiedRules, ONE_STATISTICS_RULE, ...rules], options);
  }

  /** The arguments of a subscription's root field say what to follow and from where: not what is shown of it. */
  #selectionOf(document: DocumentNode): Checked['selection'] {
    if (!document.definitions.some(isSubscription)) return NO_SELECTION;
    const root = this.#options.schema.getSubscriptionType();
    const types = new TypeInfo(this.#options.schema);
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

/** Spends the cost of an operation. One that is refused costs its caller what checking it took. */
export async function admit(
  prepared: Operation | Refusal,
  viewer: Viewer,
  rateLimit: RateLimit,
): Promise<Operation | Refusal> {
  const isRefused = 'errors' in prepared;
  const excess = await rateLimit.spend(viewer, isRefused ? REFUSAL_COST : prepared.cost);
  return excess ? { errors: [excess], ...(isRefused ? {} : { cost: prepared.cost }) } : prepared;
}

const NO_SELECTION = { text: '', variables: [] };

const isSubscription = (definition: DefinitionNode): boolean =>
  definition.kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.SUBSCRIPTION;

function tokensOf({ loc }: DocumentNode): number {
  let tokens = 0;
  for (let token = loc?.startToken; token; token = token.next ?? undefined) tokens += 1;
  return tokens;
}

/** Returns the names of the variables that decide whether something is skipped or included. */
function conditionsIn(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive({ arguments: given = [] }) {
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}

/** graphql-js finds it only while it executes, within a field, where it looks like a fault of ours. */
const nullCondition = (name: string): GraphQLError =>
  new GraphQLError(
    `Variable "$${name}" decides whether a field is skipped or included: it must not be null.`,
    {
      extensions: { code: 'BAD_USER_INPUT' },
    },
  );

const badRequest = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });

/** The codes are those that Apollo has for them, on every transport. */
function refused(errors: readonly GraphQLError[], code: string): Checked {
  for (const { extensions } of errors) Object.assign(extensions, { code });
  return {
    document: { kind: Kind.DOCUMENT, definitions: [] },
    errors,
    selection: NO_SELECTION,
    conditions: [],
  };
}
