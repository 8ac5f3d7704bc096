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
  type SelectionNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';

/** Several times what the largest of our own operations, GraphiQL's and the code generators' need. */
export const LIMITS = {
  tokens: 2_000,
  depth: 16,
  aliases: 50,
  directives: 50,
  rootFields: 20,
  /** Entries of a page. */
  page: 100,
  /** A page of 100 sessions with a hundred transitions each, and what those mean. */
  cost: 25_000,
} as const;

/** The parser gives up there: what is longer is not even read to its end. */
export const PARSE_OPTIONS = { maxTokens: LIMITS.tokens } as const;

/** What a selection amounts to once its fragments are put in. */
interface Extent {
  readonly rootFields: number;
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
}

const NOTHING: Extent = { rootFields: 0, depth: 0, aliases: 0, directives: 0 };

const WHAT_TO_DO: Record<keyof Extent, string> = {
  rootFields: 'fields at its root: send them as several operations',
  depth: 'levels of nesting: ask for less at a time',
  aliases: 'aliases: use the lists, such as nodes(ids:)',
  directives: 'directives: leave some out',
};

/** Refuses operations that are too deep, or that repeat themselves too often. */
export const limitsRule: ValidationRule = (context) => ({
  Document(document) {
    const extentOf = measure(document);
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      const extent = extentOf(definition);
      for (const [limit, wayOut] of Object.entries(WHAT_TO_DO) as [keyof Extent, string][])
        if (extent[limit] > LIMITS[limit])
          context.reportError(
            new GraphQLError(`An operation has at most ${LIMITS[limit]} ${wayOut}.`, { nodes: definition }),
          );
    }
  },
});

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

function measure(document: DocumentNode): (operation: OperationDefinitionNode) => Extent {
  const fragments = new Map(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
    ),
  );
  const known = new Map<string, Extent>();

  const ofSet = (set: SelectionSetNode | undefined): Extent =>
    (set?.selections ?? []).map(ofSelection).reduce(together, NOTHING);

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
    if (node.kind === Kind.FRAGMENT_SPREAD)
      return withDirectives(ofFragment(node.name.value), node.directives);
    const below = withDirectives(ofSet(node.selectionSet), node.directives);
    if (node.kind === Kind.INLINE_FRAGMENT) return below;
    const aliases = below.aliases + (node.alias ? 1 : 0);
    return { ...below, rootFields: 1, depth: below.depth + 1, aliases };
  }

  return ({ selectionSet, directives, variableDefinitions }) => {
    const ofVariables = variableDefinitions?.flatMap((variable) => variable.directives ?? []);
    return withDirectives(withDirectives(ofSet(selectionSet), directives), ofVariables);
  };
}

const together = (one: Extent, other: Extent): Extent => ({
  rootFields: one.rootFields + other.rootFields,
  depth: Math.max(one.depth, other.depth),
  aliases: one.aliases + other.aliases,
  directives: one.directives + other.directives,
});

const withDirectives = (extent: Extent, directives: readonly unknown[] | undefined): Extent => ({
  ...extent,
  directives: extent.directives + (directives?.length ?? 0),
});
