/**
 * Computes an upper bound of an operation's cost before it runs: how many objects its answer may contain,
 * plus surcharges for expensive fields, and how many leaf values.
 */
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
  visit,
} from 'graphql';
import { MAX_METADATA_PAIRS, MAX_TAGS } from '../domain/labels.ts';
import { LIMITS } from './limits.ts';
import { getOwnTypeName } from './type-names.ts';

/**
 * Cost of each field that does not cost 1, the default for a field that returns an object. Fields that return
 * scalars or enums cost nothing, but count as values.
 */
const COSTS: Record<string, number> = {
  'Query.__schema': 100,
  'Query.__type': 10,
  'SessionStats.total': 10,
  'SessionStats.byStatus': 20,
  'SessionStats.byWaitingOn': 10,
  'SessionStats.funnel': 50,
  'FunnelStage.medianSecondsSpent': 50,
  'SessionStats.intervals': 20,
  'Query.statusCatalog': 34,
  'Query.transitionRules': 100,
  'Query.userTemplates': 20,
  'Query.agentTemplates': 20,
  'Query.meetingSlots': 50,
  'Query.merchantEndpoints': 20,
  'Query.webhookDeliveries': 10,
  // A look-up by phone reads little. The surcharge limits how many numbers a caller can try per minute.
  'Query.users': 100,
  'VkycSessionConnection.totalCount': 10,
  // Mutations cost more, because they write to the database or call the provider.
  'Mutation.startSession': 20,
  'Mutation.scheduleMeeting': 10,
  'Mutation.cancelMeeting': 10,
  'Mutation.recordAgentReview': 10,
  'Mutation.recordAuditorReview': 10,
  'Mutation.closeSession': 10,
  'Mutation.addNote': 10,
  'Mutation.escalateSession': 10,
  'Mutation.resolveEscalation': 10,
  'Mutation.resolveDispute': 10,
  'Mutation.assignAgent': 10,
  'Mutation.unassignAgent': 10,
  'Mutation.claimNext': 10,
  'Mutation.labelSession': 10,
  'Mutation.notifyCustomer': 10,
  'Mutation.replayWebhooks': 100,
  'Mutation.refreshSession': 20,
  'Mutation.requestRecording': 20,
  'Mutation.createSdkToken': 20,
};

/**
 * Names of fields, or of types and fields, whose values are encrypted or decrypted for the answer. Each counts as
 * VALUES_OF_SEALED values, because encrypting a value takes about as long as serializing that many values.
 */
const SEALED =
  /[cC]ursor$|\.(link|phone|name|email|remarks|agentRemarks|cancelReason|note)$|^(Meeting\.reason|Note\.text|CustomerNotification\.text|Review\.customerMessage|Escalation\.resolution)$/;
const VALUES_OF_SEALED = 3;
/** A list of scalars or enums, such as `availableActions`, counts as this many values. */
const VALUES_OF_LIST = 5;
/**
 * Maximum numbers of entries of lists without a page size whose entries are read together with the list. Their values
 * count in full; the list costs as much as one object.
 */
const LIST_SIZES: Record<string, number> = {
  'VkycSession.metadata': MAX_METADATA_PAIRS,
  'VkycSession.tags': MAX_TAGS,
  'Query.meetingSlots': LIMITS.slots,
};
/**
 * Cost factor for statistics of all sessions: they count about this many times as many rows as statistics of
 * open sessions (`openOnly: true`).
 */
const ALL_SESSIONS_FACTOR = 20;
const STATISTICS = 'Query.sessionStats';

/** Maximum numbers of entries of lists of objects without a page size. Each entry costs as much as an object. */
const MAX_ENTRIES: Record<string, number> = { 'Query.users': LIMITS.usersOfPhone };

/** Edge types. An edge costs nothing itself, so that `edges { node }` costs the same as `nodes`. */
const CARRIER = /Edge$/;
/** Connection types. The cost of what is selected for each entry is multiplied by the page size. */
const CONNECTION = /Connection$/;

/** Names of arguments that set the page size of a connection. */
const PAGE_SIZES = ['first', 'last'];
/** Names of arguments that list the objects to return: `nodes(ids:)` and `_entities(representations:)`. */
const LISTS = ['ids', 'representations'];
/** Names of arguments that set a number of entries. */
const SIZES = [...PAGE_SIZES, ...LISTS];
/**
 * Names of arguments that change the cost. `estimateOperationSize` caches its results by the variables in these
 * arguments.
 */
const COSTLY_ARGUMENTS = [...SIZES, 'openOnly'];

interface Asked {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** Coerced values of the operation's variables. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** Upper bounds for one operation: its cost in points, and the leaf values of its answer. */
export interface OperationSize {
  /** At least 1, so that every operation is charged. */
  readonly cost: number;
  readonly values: number;
}

const NOTHING: OperationSize = { cost: 0, values: 0 };
const add = (one: OperationSize, other: OperationSize): OperationSize => ({
  cost: one.cost + other.cost,
  values: one.values + other.values,
});
const multiply = (count: number, { cost, values }: OperationSize): OperationSize => ({
  cost: count * cost,
  values: count * values,
});

/**
 * Cache entry of one operation: the variables that change its cost (`sizes`), and the amounts measured so
 * far, keyed by the values of those variables.
 */
interface Known {
  readonly sizes: readonly string[];
  readonly amounts: Map<string, OperationSize>;
}

const known = new WeakMap<OperationDefinitionNode, Known>();
const MAX_KNOWN_SIZES = 100;

/**
 * Returns upper bounds of a valid operation's cost and values. A page size multiplies the amount of the
 * fields selected for each entry. Fields that @skip or @include would leave out count as well. Results are
 * cached per operation and values of the variables that change the cost.
 */
export function estimateOperationSize(asked: Asked): OperationSize {
  const { document, operation, values } = asked;
  const { sizes, amounts } = known.get(operation) ?? { sizes: sizesIn(document), amounts: new Map() };
  known.set(operation, { sizes, amounts });
  const key = JSON.stringify(sizes.map((name) => sizeOf(values[name])));
  const before = amounts.get(key);
  if (before) return before;
  const amount = walk(asked);
  if (amounts.size >= MAX_KNOWN_SIZES) amounts.clear();
  amounts.set(key, amount);
  return amount;
}

/** Returns the names of the variables in arguments that change the cost, such as page sizes. */
function sizesIn(document: DocumentNode): string[] {
  const sizes = new Set<string>();
  visit(document, {
    Argument({ name, value }) {
      if (COSTLY_ARGUMENTS.includes(name.value) && value.kind === Kind.VARIABLE) sizes.add(value.name.value);
      // A list literal may contain variables, too: `ids: [$a, $b]`.
      if (LISTS.includes(name.value))
        visit(value, { Variable: (variable) => void sizes.add(variable.name.value) });
    },
  });
  return [...sizes];
}

const sizeOf = (value: unknown): unknown =>
  Array.isArray(value)
    ? `of ${value.length}`
    : typeof value === 'number' || typeof value === 'boolean'
      ? value
      : typeof value;

function walk({ schema, document, operation, values }: Asked): OperationSize {
  const root = schema.getRootType(operation.operation) as GraphQLObjectType;
  const fragments = new Map(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
    ),
  );
  const ofFragments = new Map<string, OperationSize>();

  /**
   * Returns the amount of a selection set. Below a connection, `page` is the number of entries: it multiplies
   * `nodes` and `edges`, but not fields of the whole list, such as `pageInfo`.
   */
  const ofSet = (set: SelectionSetNode | undefined, type: GraphQLCompositeType, page = 1): OperationSize =>
    (set?.selections ?? []).reduce((sum, node) => add(sum, ofSelection(node, type, page)), NOTHING);

  function ofSelection(node: SelectionNode, type: GraphQLCompositeType, page: number): OperationSize {
    if (node.kind === Kind.FIELD) return ofField(node, type, page);
    if (node.kind === Kind.FRAGMENT_SPREAD) return ofFragment(node.name.value, page);
    return ofSet(node.selectionSet, named(schema, node.typeCondition) ?? type, page);
  }

  function ofFragment(name: string, page: number): OperationSize {
    const fragment = fragments.get(name);
    const type = named(schema, fragment?.typeCondition);
    const key = `${name} ${page}`;
    const amount = ofFragments.get(key) ?? (type ? ofSet(fragment?.selectionSet, type, page) : NOTHING);
    ofFragments.set(key, amount);
    return amount;
  }

  function ofField(node: FieldNode, parent: GraphQLCompositeType, page: number): OperationSize {
    const field = 'getFields' in parent ? parent.getFields()[node.name.value] : undefined;
    const parentName = getOwnTypeName(parent);
    const coordinate = `${parentName}.${node.name.value}`;
    const own = COSTS[coordinate];
    // `getFields` lacks the introspection fields, such as `__schema`, `__type` and `__typename`. Only
    // `__schema` and `__type` have a cost.
    if (!field) return { cost: own ?? 0, values: 1 };
    const type = getNamedType(field.type);
    if (!isCompositeType(type)) return { cost: own ?? 0, values: valuesOf(parentName, field) };
    if (type.name === 'PageInfo') return ofSet(node.selectionSet, type);
    const cost = own ?? (CARRIER.test(type.name) ? 0 : 1);
    if (CONNECTION.test(type.name)) {
      const below = ofSet(node.selectionSet, type, entries(field, node, values));
      return multiply(page, add({ cost, values: 0 }, below));
    }
    const below = ofSet(node.selectionSet, type);
    const size = LIST_SIZES[coordinate];
    if (size !== undefined) return { cost: page * cost, values: page * size * below.values };
    if (coordinate === STATISTICS && !asksForOpenOnly(field, node, values))
      return multiply(page, add({ cost, values: 0 }, multiply(ALL_SESSIONS_FACTOR, below)));
    const most = MAX_ENTRIES[coordinate];
    if (most !== undefined) return multiply(page, add({ cost, values: 0 }, multiply(most, below)));
    // `nodes(ids:)` and `_entities(representations:)` are lists without a connection: each entry of the argument
    // asks for one object.
    return multiply(page * entries(field, node, values), add({ cost, values: 0 }, below));
  }

  const { cost, values: ofAll } = ofSet(operation.selectionSet, root);
  return { cost: Math.max(1, cost), values: ofAll };
}

function valuesOf(parent: string, { name, type }: GraphQLField<unknown, unknown>): number {
  if (SEALED.test(`${parent}.${name}`)) return VALUES_OF_SEALED;
  return LIST_SIZES[`${parent}.${name}`] ?? (isListType(getNullableType(type)) ? VALUES_OF_LIST : 1);
}

/**
 * Cost of one field in the terms of the directives `@cost` and `@listSize` of GraphQL Federation. A GraphQL router
 * multiplies the weight of a list, and what is selected below it, by the size of the list.
 */
export interface FieldCostDirectives {
  /** Null if it is the default of the directives: 1 for a field that returns objects, 0 for other fields. */
  readonly weight: number | null;
  readonly listSize:
    | { readonly assumedSize: number }
    | { readonly slicingArguments: readonly string[]; readonly sizedFields: readonly string[] }
    | null;
}

/** Types of which only `sessionStats` returns objects. */
const TYPES_OF_STATISTICS = /^(SessionStats|StatusCount|PartyCount|FunnelStage|StatsInterval)$/;
/** Fields of a connection that have as many entries as its page. */
const SIZED_FIELDS = ['edges', 'nodes'];

/**
 * Returns the cost of a field for the directives of a subgraph. It is the cost that `estimateOperationSize` computes,
 * except for statistics of open sessions: a router counts them like statistics of all sessions.
 */
export function getFieldCostDirectives(
  parent: GraphQLNamedType,
  field: GraphQLField<unknown, unknown>,
): FieldCostDirectives {
  const parentName = getOwnTypeName(parent);
  const coordinate = `${parentName}.${field.name}`;
  const type = getNamedType(field.type);
  const factor = TYPES_OF_STATISTICS.test(parentName) ? ALL_SESSIONS_FACTOR : 1;
  if (!isCompositeType(type))
    return { weight: weightOf((COSTS[coordinate] ?? 0) * factor, 0), listSize: null };
  if (type.name === 'PageInfo') return { weight: 0, listSize: null };
  const cost = (COSTS[coordinate] ?? (CARRIER.test(type.name) ? 0 : 1)) * factor;
  if (CONNECTION.test(type.name)) {
    const slicingArguments = PAGE_SIZES.filter((name) =>
      field.args.some((argument) => argument.name === name),
    );
    return { weight: weightOf(cost, 1), listSize: { slicingArguments, sizedFields: SIZED_FIELDS } };
  }
  const isSized = CONNECTION.test(parentName) && SIZED_FIELDS.includes(field.name);
  if (isSized || !isListType(getNullableType(field.type)))
    return { weight: weightOf(cost, 1), listSize: null };
  // A router multiplies the weight of a list by its size, whereas the gateway counts the list once.
  const assumedSize = MAX_ENTRIES[coordinate] ?? 1;
  return { weight: weightOf(Math.ceil(cost / assumedSize), 1), listSize: { assumedSize } };
}

const weightOf = (cost: number, byDefault: number): number | null => (cost === byDefault ? null : cost);

/**
 * Returns the error for an operation that exceeds the limits, or null. For a subscription, cost and number of values
 * are those of one frame (one result).
 */
export function findTooComplexError(
  { cost, values }: OperationSize,
  { operation }: OperationDefinitionNode,
): GraphQLError | null {
  const isLive = operation === 'subscription';
  const maxCost = isLive ? LIMITS.frameCost : LIMITS.cost;
  const what = isLive ? 'Each frame of this subscription' : 'This operation';
  if (cost > maxCost)
    return tooComplex(
      `${what} costs ${cost}; the limit is ${maxCost}. Ask for smaller pages, or for fewer fields per entry.`,
    );
  if (values > LIMITS.answerValues)
    return tooComplex(
      `The result of this operation may contain ${values} values; the limit is ${LIMITS.answerValues}. Ask for smaller pages, or for fewer fields per entry.`,
    );
  return null;
}

const tooComplex = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'QUERY_TOO_COMPLEX', http: { status: 400 } } });

function named(schema: GraphQLSchema, node: Parameters<typeof typeFromAST>[1] | undefined) {
  const type = node ? typeFromAST(schema, node as never) : undefined;
  return isCompositeType(type) ? type : undefined;
}

/**
 * Returns the maximum number of entries that a field can have in the answer. An invalid page size is clamped
 * here and reported later, by the field's resolver.
 */
function entries(field: GraphQLField<unknown, unknown>, node: FieldNode, values: Record<string, unknown>) {
  const isPage = field.args.some(({ name }) => SIZES.includes(name));
  // Stryker disable next-line ConditionalExpression: only saves time, a field without these arguments has one entry
  if (!isPage) return 1;
  const { first, last, ids, representations } = argumentsOf(field, node, values);
  return Math.min(LIMITS.page, Math.max(1, first ?? last ?? ids?.length ?? representations?.length ?? 1));
}

const asksForOpenOnly = (...asked: Parameters<typeof getArgumentValues>): boolean =>
  argumentsOf(...asked).openOnly === true;

interface Sizes {
  readonly openOnly?: boolean | null;
  readonly first?: number | null;
  readonly last?: number | null;
  readonly ids?: readonly unknown[] | null;
  readonly representations?: readonly unknown[] | null;
}

function argumentsOf(...asked: Parameters<typeof getArgumentValues>): Sizes {
  try {
    return getArgumentValues(...asked);
  } catch {
    // An argument is invalid, such as null for a non-null type. graphql-js reports the error when it executes
    // the field, so no number is needed here.
    return {};
  }
}
