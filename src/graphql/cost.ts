/** What an operation costs: in the main, how many objects its answer may hold. */
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isCompositeType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
  visit,
} from 'graphql';
import { LIMITS } from './limits.ts';

/** What costs more, or less, than the one that every object does; leaves are free. */
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
  'VkycSessionConnection.totalCount': 10,
  // They ask the provider, or write.
  'Mutation.startSession': 20,
  'Mutation.scheduleMeeting': 10,
  'Mutation.cancelMeeting': 10,
  'Mutation.recordAgentReview': 10,
  'Mutation.recordAuditorReview': 10,
  'Mutation.refreshSession': 20,
  'Mutation.requestRecording': 20,
  'Mutation.createSdkToken': 20,
};

/** Statistics of all sessions look at that many times as many rows as those of open ones (`openOnly: true`). */
const ALL_SESSIONS_FACTOR = 20;
const STATISTICS = 'Query.sessionStats';

/** They only carry others: asking for `edges` costs what asking for `nodes` does. */
const CARRIER = /(Edge|PageInfo)$/;
/** A list by pages. */
const CONNECTION = /Connection$/;

/** Arguments that say how many entries a field may have. */
const SIZES = ['first', 'last', 'ids'];
/** Arguments whose values change the cost. */
const COSTLY_ARGUMENTS = [...SIZES, 'openOnly'];

interface Asked {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** Coerced values of the operation's variables. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** What is known of an operation: which of its variables are sizes of pages, and what it cost by them. */
interface Known {
  readonly sizes: readonly string[];
  readonly costs: Map<string, number>;
}

const known = new WeakMap<OperationDefinitionNode, Known>();
const MOST_SIZES_KNOWN = 100;

/**
 * The cost of a valid operation, at least 1: each page multiplies what is asked for of its entries, and what @skip and
 * @include leave out counts as well. An operation that comes again with pages of the same size is not walked again.
 */
export function costOf(asked: Asked): number {
  const { document, operation, values } = asked;
  const { sizes, costs } = known.get(operation) ?? { sizes: sizesIn(document), costs: new Map() };
  known.set(operation, { sizes, costs });
  const key = JSON.stringify(sizes.map((name) => sizeOf(values[name])));
  const before = costs.get(key);
  if (before !== undefined) return before;
  const cost = walk(asked);
  if (costs.size >= MOST_SIZES_KNOWN) costs.clear();
  costs.set(key, cost);
  return cost;
}

/** The variables that stand where a page has its size. */
function sizesIn(document: DocumentNode): string[] {
  const sizes = new Set<string>();
  visit(document, {
    Argument({ name, value }) {
      if (COSTLY_ARGUMENTS.includes(name.value) && value.kind === Kind.VARIABLE) sizes.add(value.name.value);
      // In a list each may be one.
      if (name.value === 'ids') visit(value, { Variable: (variable) => void sizes.add(variable.name.value) });
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

function walk({ schema, document, operation, values }: Asked): number {
  const root = schema.getRootType(operation.operation) as GraphQLObjectType;
  const fragments = new Map(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
    ),
  );
  const ofFragments = new Map<string, number>();

  /** Inside a connection `page` is how many entries it may have: what it says of the whole list it says once. */
  const ofSet = (set: SelectionSetNode | undefined, type: GraphQLCompositeType, page = 1): number =>
    (set?.selections ?? []).reduce((sum, node) => sum + ofSelection(node, type, page), 0);

  function ofSelection(node: SelectionNode, type: GraphQLCompositeType, page: number): number {
    if (node.kind === Kind.FIELD) return ofField(node, type, page);
    if (node.kind === Kind.FRAGMENT_SPREAD) return ofFragment(node.name.value, page);
    return ofSet(node.selectionSet, named(schema, node.typeCondition) ?? type, page);
  }

  function ofFragment(name: string, page: number): number {
    const fragment = fragments.get(name);
    const type = named(schema, fragment?.typeCondition);
    const key = `${name} ${page}`;
    const cost = ofFragments.get(key) ?? (type ? ofSet(fragment?.selectionSet, type, page) : 0);
    ofFragments.set(key, cost);
    return cost;
  }

  function ofField(node: FieldNode, parent: GraphQLCompositeType, page: number): number {
    const field = 'getFields' in parent ? parent.getFields()[node.name.value] : undefined;
    const own = COSTS[`${parent.name}.${node.name.value}`];
    // What introspects is not of the schema: its root fields alone have a cost.
    if (!field) return own ?? 0;
    const type = getNamedType(field.type);
    if (!isCompositeType(type)) return own ?? 0;
    const isOfAll =
      `${parent.name}.${node.name.value}` === STATISTICS && !asksForOpenOnly(field, node, values);
    const count = isOfAll ? ALL_SESSIONS_FACTOR : entries(field, node, values);
    const below = CONNECTION.test(type.name)
      ? ofSet(node.selectionSet, type, count)
      : count * ofSet(node.selectionSet, type);
    return page * ((own ?? (CARRIER.test(type.name) ? 0 : 1)) + below);
  }

  return Math.max(1, ofSet(operation.selectionSet, root));
}

/** Returns why an operation is refused; null if it is not. The cost of a subscription is that of each frame. */
export function tooComplex(cost: number, { operation }: OperationDefinitionNode): GraphQLError | null {
  const isLive = operation === 'subscription';
  const most = isLive ? LIMITS.frameCost : LIMITS.cost;
  if (cost <= most) return null;
  const what = isLive ? 'Each frame of this subscription' : 'This operation';
  return new GraphQLError(
    `${what} costs ${cost}, and ${most} is the most: ask for smaller pages, or for less of each entry.`,
    { extensions: { code: 'QUERY_TOO_COMPLEX', http: { status: 400 } } },
  );
}

function named(schema: GraphQLSchema, node: Parameters<typeof typeFromAST>[1] | undefined) {
  const type = node ? typeFromAST(schema, node as never) : undefined;
  return isCompositeType(type) ? type : undefined;
}

/** How many times what is below a field may come in an answer. What is no size of a page is refused when it is used. */
function entries(field: GraphQLField<unknown, unknown>, node: FieldNode, values: Record<string, unknown>) {
  const isPage = field.args.some(({ name }) => SIZES.includes(name));
  if (!isPage) return 1;
  const { first, last, ids } = argumentsOf(field, node, values);
  return Math.min(LIMITS.page, Math.max(1, first ?? last ?? ids?.length ?? 1));
}

const asksForOpenOnly = (...asked: Parameters<typeof getArgumentValues>): boolean =>
  argumentsOf(...asked).openOnly === true;

interface Sizes {
  readonly openOnly?: boolean | null;
  readonly first?: number | null;
  readonly last?: number | null;
  readonly ids?: readonly unknown[] | null;
}

function argumentsOf(...asked: Parameters<typeof getArgumentValues>): Sizes {
  try {
    return getArgumentValues(...asked);
  } catch {
    // A null that its default does not replace, for one: its field is refused when it is executed.
    return {};
  }
}
