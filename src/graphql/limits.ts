/**
 * How large an operation may be, whichever transport it comes by; `cost.ts` says how much it may ask for.
 * Own rules, as those of graphql-armor and graphql-query-complexity walk a fragment anew wherever it is spread: a few
 * fragments that spread each other twice cost them 2^n steps, before anything is refused.
 */
import {
  type DocumentNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type ParseOptions,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';

/** Several times what the largest of our own operations, GraphiQL's and the code generators' need. */
export const LIMITS = {
  /** UTF-16 code units of a document, and of all texts in the variables of a request. */
  characters: 65_536,
  tokens: 2_000,
  comments: 1_000,
  /** Fields and fragments of an operation, each counted wherever the fragment that holds it is spread. */
  selections: 1_000,
  depth: 16,
  aliases: 50,
  directives: 50,
  rootFields: 20,
  /** Values in the variables of a request: entries of lists and fields of objects, at all levels. */
  values: 2_000,
  /** Errors that are told of one document, or of the variables of one request. */
  errors: 10,
  /** Entries of a page. */
  page: 100,
  /** A page of 100 sessions with a hundred transitions each, and what those mean. */
  cost: 25_000,
  /** A frame of a subscription: there may be thousands. A hundred times what our own subscriptions need. */
  frameCost: 1_000,
} as const;

/** The parser gives up there: what is longer is not even read to its end. */
export const PARSE_OPTIONS = {
  maxLexicalTokens: LIMITS.tokens,
  maxComments: LIMITS.comments,
  maxSourceLength: LIMITS.characters,
} as const satisfies ParseOptions;

/** What a selection amounts to once its fragments are put in. */
interface Extent {
  readonly selections: number;
  readonly rootFields: number;
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
}

const NOTHING: Extent = { selections: 0, rootFields: 0, depth: 0, aliases: 0, directives: 0 };

const WHAT_TO_DO: Record<keyof Extent, string> = {
  selections: 'fields and fragments, each counted wherever it is spread: ask for less at a time',
  rootFields: 'fields at its root: send them as several operations',
  depth: 'levels of nesting: ask for less at a time',
  aliases: 'aliases: use the lists, such as nodes(ids:)',
  directives: 'directives: leave some out',
};

/**
 * Returns why a document is refused whose operations are too large, too deep, or repeat themselves too often. Asked
 * before anything else walks the document: graphql-js's validation takes longer than its size for some that are larger.
 */
export function excessIn(document: DocumentNode): GraphQLError[] {
  const extentOf = measure(document);
  return document.definitions
    .filter((each) => each.kind === Kind.OPERATION_DEFINITION)
    .flatMap((operation) => {
      const extent = extentOf(operation);
      return (Object.entries(WHAT_TO_DO) as [keyof Extent, string][])
        .filter(([limit]) => extent[limit] > LIMITS[limit])
        .map(([limit, wayOut]) => tooMany(LIMITS[limit], wayOut, operation));
    })
    .slice(0, LIMITS.errors);
}

const tooMany = (most: number, wayOut: string, operation: OperationDefinitionNode): GraphQLError =>
  new GraphQLError(`An operation has at most ${most} ${wayOut}.`, { nodes: operation });

/** For where the schema is not for everybody to explore. */
export const noIntrospectionRule: ValidationRule = (context) => ({
  Field(node) {
    if (node.name.value !== '__schema' && node.name.value !== '__type') return;
    context.reportError(
      new GraphQLError('Introspection is off here: use the published schema, schema/schema.graphql.', {
        nodes: node,
      }),
    );
  },
});

/** Walks each fragment once, and adds what is known of it wherever it is spread. */
function measure(document: DocumentNode): (operation: OperationDefinitionNode) => Extent {
  const fragments = new Map(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
    ),
  );
  const known = new Map<string, Extent>();

  function ofSet(set: SelectionSetNode | undefined): Extent {
    let sum = NOTHING;
    for (const node of set?.selections ?? []) sum = together(sum, ofSelection(node));
    return sum;
  }

  function ofFragment(name: string): Extent {
    const before = known.get(name);
    if (before) return before;
    // One that spreads itself is refused by a rule of its own: here it only must not go on for ever.
    known.set(name, NOTHING);
    const fragment = fragments.get(name);
    const extent = withDirectives(ofSet(fragment?.selectionSet), fragment?.directives);
    known.set(name, extent);
    return extent;
  }

  function ofSelection(node: SelectionNode): Extent {
    const inner = node.kind === Kind.FRAGMENT_SPREAD ? ofFragment(node.name.value) : ofSet(node.selectionSet);
    const below = withDirectives({ ...inner, selections: inner.selections + 1 }, node.directives);
    if (node.kind !== Kind.FIELD) return below;
    const aliases = below.aliases + (node.alias ? 1 : 0);
    return { ...below, rootFields: 1, depth: below.depth + 1, aliases };
  }

  return ({ selectionSet, directives, variableDefinitions }) => {
    const ofVariables = variableDefinitions?.flatMap((variable) => variable.directives ?? []);
    return withDirectives(withDirectives(ofSet(selectionSet), directives), ofVariables);
  };
}

const together = (one: Extent, other: Extent): Extent => ({
  selections: one.selections + other.selections,
  rootFields: one.rootFields + other.rootFields,
  depth: Math.max(one.depth, other.depth),
  aliases: one.aliases + other.aliases,
  directives: one.directives + other.directives,
});

const withDirectives = (extent: Extent, directives: readonly unknown[] | undefined): Extent => ({
  ...extent,
  directives: extent.directives + (directives?.length ?? 0),
});
