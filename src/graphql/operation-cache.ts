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
import { estimateOperationSize, findTooComplexError } from './cost.ts';
import { findDocumentSizeErrors } from './document-size.ts';
import { LIMITS, PARSE_OPTIONS } from './limits.ts';
import { oneSessionStatsRule } from './one-statistics.ts';
import {
  createBadRequestError,
  type OperationRequest,
  parsePayload,
  type RequestPayload,
} from './payload.ts';
import { REFUSED_OPERATION_COST, type ViewerRateLimiter } from './rate-limit.ts';
import type { DocumentPolicy } from './trusted-documents.ts';
import { coerceVariables } from './variables.ts';

/** Operation that passed all checks and can be executed. */
export interface CheckedOperation
  extends Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'hideSuggestions'> {
  readonly document: DocumentNode;
  readonly kind: OperationTypeNode;
  readonly variableValues: Record<string, unknown>;
  /**
   * Key of what a subscription selects. Two subscriptions with the same fields have the same key, even if
   * they follow different sessions or begin at different cursors.
   */
  readonly selectionKey: string;
  /** Upper bound of the operation's cost (see `cost.ts`); for a subscription, of the cost of each frame. */
  readonly cost: number;
}

/** Outcome for an operation that is refused: its errors, and its cost if that was computed. */
export interface OperationRefusal {
  readonly errors: readonly GraphQLError[];
  readonly cost?: number;
}

interface Checked {
  readonly document: DocumentNode;
  readonly errors: readonly GraphQLError[];
  /**
   * Selection of a subscription: the text of its document without the root field's arguments, and the names
   * of the variables in that text. Subscriptions with equal selections share executions.
   */
  readonly selection: { text: string; variables: readonly string[] };
  /** Names of the variables in the arguments of @skip and @include. */
  readonly conditions: readonly string[];
}

/**
 * Limit of the cache of checked documents, in estimated bytes. Caching pays off because clients send few
 * different documents, and repeat them at every reconnect.
 */
const MAX_CACHE_BYTES = 32 * 1024 * 1024;
/** Estimated memory per token of a parsed document, AST nodes included; 358 bytes were measured. */
const BYTES_OF_TOKEN = 400;

interface OperationsOptions {
  readonly schema: GraphQLSchema;
  /** Validation rules in addition to those of the specification. */
  readonly rules: readonly ValidationRule[];
  readonly documentPolicy: DocumentPolicy;
  /** Whether errors leave out suggestions (`Did you mean …`), which name parts of the schema. */
  readonly hideSuggestions: boolean;
}

/**
 * Parses, validates and limits documents, and returns their operations. A valid document is checked only once
 * while it stays in the cache.
 */
export class OperationPreparer {
  readonly #options: OperationsOptions;
  readonly #remembered = new LRUCache<string, Checked>({
    maxSize: MAX_CACHE_BYTES,
    sizeCalculation: ({ document }, text) => 2 * text.length + BYTES_OF_TOKEN * countTokens(document),
  });
  readonly #checked = new WeakMap<DocumentNode, Checked>();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** Returns the operation that a client's payload asks for, or its errors if it is refused. */
  prepare(payload: RequestPayload): CheckedOperation | OperationRefusal {
    try {
      const { query, ...asked } = parsePayload(this.#options.documentPolicy(payload));
      if (query === undefined)
        throw createBadRequestError('The request has no document: send {"query": "…"}.');
      return this.operationOf(this.documentOf(query), asked);
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    }
  }

  /**
   * Returns the parsed document. For an invalid document it returns a document without definitions, for which
   * `operationOf` returns the errors.
   */
  documentOf(query: string): DocumentNode {
    const remembered = this.#remembered.get(query);
    if (remembered) return remembered.document;
    const checked = this.#check(query);
    // Refused documents are not cached, because they are rarely sent again.
    if (checked.errors.length === 0) this.#remembered.set(query, checked);
    this.#checked.set(checked.document, checked);
    return checked.document;
  }

  /** Returns an operation of a document that came from `documentOf`, or its errors if it is refused. */
  operationOf(
    document: DocumentNode,
    { operationName, variables: variableValues }: Pick<OperationRequest, 'operationName' | 'variables'>,
  ): CheckedOperation | OperationRefusal {
    const { schema, hideSuggestions } = this.#options;
    const { errors, selection, conditions } = this.#checked.get(document) as Checked;
    if (errors.length > 0) return { errors };
    const operation = getOperationAST(document, operationName);
    if (!operation)
      return {
        errors: [
          createBadRequestError('The document has several operations: name one of them in `operationName`.'),
        ],
      };
    const given = { schema, operation, values: variableValues, hideSuggestions };
    const { coerced, errors: ofVariables } = coerceVariables(given);
    if (!coerced) return { errors: ofVariables ?? [] };
    const unset = conditions.find((name) => coerced[name] === null);
    if (unset !== undefined) return { errors: [nullCondition(unset)] };
    const amount = estimateOperationSize({ schema, document, operation, values: coerced });
    const { cost } = amount;
    const refusal = findTooComplexError(amount, operation);
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
      const document = parseDocument(query);
      const excess = findDocumentSizeErrors(document);
      const errors = excess.length > 0 ? excess : this.#validate(document);
      return errors.length > 0
        ? refused(errors, 'GRAPHQL_VALIDATION_FAILED')
        : { document, errors, selection: this.#selectionOf(document), conditions: findConditions(document) };
    } catch (error) {
      if (error instanceof GraphQLError) return refused([error], 'GRAPHQL_PARSE_FAILED');
      throw error;
    }
  }

  #validate(document: DocumentNode): readonly GraphQLError[] {
    const { schema, rules, hideSuggestions } = this.#options;
    const options = { maxErrors: LIMITS.errors, hideSuggestions };
    return validate(schema, document, [...specifiedRules, oneSessionStatsRule, ...rules], options);
  }

  /**
   * Returns what a subscription selects, as text. The arguments of its root field are left out, because they
   * set only the session to follow, the filter and the start.
   */
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

/**
 * Parses a document.
 *
 * @throws GraphQLError for a syntax error, and for nested lists or objects (`[[[…`) that overflow the stack of the
 *   recursive parser before it has counted `LIMITS.tokens`
 */
function parseDocument(query: string): DocumentNode {
  try {
    return parse(query, PARSE_OPTIONS);
  } catch (error) {
    if (error instanceof RangeError)
      throw new GraphQLError(
        'The document nests its values too deeply: nest them at most a few hundred levels deep.',
      );
    throw error;
  }
}

/**
 * Charges the cost of an operation to the viewer's rate limit, or REFUSED_OPERATION_COST if the operation was refused.
 * Returns the operation, or an error if the viewer has used up the limit.
 */
export async function chargeOperation(
  prepared: CheckedOperation | OperationRefusal,
  viewer: Viewer,
  rateLimit: ViewerRateLimiter,
): Promise<CheckedOperation | OperationRefusal> {
  const isRefused = 'errors' in prepared;
  const excess = await rateLimit.spend(viewer, isRefused ? REFUSED_OPERATION_COST : prepared.cost);
  return excess ? { errors: [excess], ...(isRefused ? {} : { cost: prepared.cost }) } : prepared;
}

const NO_SELECTION = { text: '', variables: [] };

const isSubscription = (definition: DefinitionNode): boolean =>
  definition.kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.SUBSCRIPTION;

function countTokens({ loc }: DocumentNode): number {
  let tokens = 0;
  for (let token = loc?.startToken; token; token = token.next ?? undefined) tokens += 1;
  return tokens;
}

/** Returns the names of the variables that @skip and @include depend on. */
function findConditions(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive({ arguments: given = [] }) {
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}

/**
 * Error for a null variable in @skip or @include. graphql-js would report it only during execution, at the
 * path of a field, so that it would look like a fault of the gateway.
 */
const nullCondition = (name: string): GraphQLError =>
  new GraphQLError(`Variable "$${name}" is used by @skip or @include: it must not be null.`, {
    extensions: { code: 'BAD_USER_INPUT' },
  });

/** Returns the outcome of a check that failed. All transports use the error codes of Apollo Server. */
function refused(errors: readonly GraphQLError[], code: string): Checked {
  for (const { extensions } of errors) Object.assign(extensions, { code });
  return {
    document: { kind: Kind.DOCUMENT, definitions: [] },
    errors,
    selection: NO_SELECTION,
    conditions: [],
  };
}
