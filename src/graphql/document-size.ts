/**
 * Measures a document before any other code walks it, because validation by graphql-js takes exponential or
 * quadratic time for some documents (denial of service). The rules of graphql-armor and
 * graphql-query-complexity do not help: they walk a fragment again at every spread, so n fragments that each
 * spread the next one twice cost them 2^n steps.
 */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { LIMITS } from './limits.ts';

/**
 * Size of a selection set, with its fragments expanded at every spread. Each figure has a limit in `LIMITS`.
 */
interface DocumentSize {
  readonly selections: number;
  readonly rootFields: number;
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  readonly schemas: number;
}
type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

const NOTHING: DocumentSize = {
  selections: 0,
  rootFields: 0,
  depth: 0,
  aliases: 0,
  directives: 0,
  schemas: 0,
};

const WHAT_TO_DO: Record<keyof DocumentSize | 'pairs', string> = {
  selections: 'fields and fragments, counted each time a fragment is spread: ask for fewer at a time',
  rootFields: 'root fields: send several operations',
  depth: 'levels of nesting: nest the selection less deeply',
  aliases: 'aliases: use list fields instead, such as nodes(ids:)',
  directives: 'directives: remove some',
  schemas: '__schema fields: request everything in one',
  pairs: 'pairs of equally named fields and of fragments in one selection: request each field once',
};

/**
 * Returns the errors of a document that has too many lines or operations, a cycle of fragments, or a
 * definition that exceeds `LIMITS`; an empty list if there are none.
 */
export function findDocumentSizeErrors(document: DocumentNode): GraphQLError[] {
  const lines = countLines(document);
  if (lines > LIMITS.lines)
    return [new GraphQLError(`A document has at most ${LIMITS.lines} lines: remove empty lines.`)];
  const operations = document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
  if (operations.length > LIMITS.operations)
    return [
      new GraphQLError(`A document has at most ${LIMITS.operations} operations: send several documents.`),
    ];
  const fragments = new Map(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
    ),
  );
  const measure = makeMeasure(fragments);
  try {
    // Unused fragments are measured too, because graphql-js validates them all the same.
    const ofFragments = [...fragments.values()].flatMap((fragment) =>
      findExcessIn(fragment, { ...measure.ofFragment(fragment.name.value), rootFields: 0 }, fragments),
    );
    const ofOperations = operations.flatMap((operation) =>
      findExcessIn(operation, measure.ofOperation(operation), fragments),
    );
    return [...ofOperations, ...ofFragments].slice(0, LIMITS.errors);
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

type Definition = OperationDefinitionNode | FragmentDefinitionNode;

function findExcessIn(definition: Definition, size: DocumentSize, fragments: Fragments): GraphQLError[] {
  const refusals = (Object.keys(size) as (keyof DocumentSize)[])
    .filter((limit) => size[limit] > LIMITS[limit])
    .map((limit) => tooMany(limit, definition));
  if (refusals.length > 0) return refusals;
  // Pairs are counted only if the number of selections is within its limit, because counting expands all
  // fragments.
  return countPairs([definition], fragments) > LIMITS.pairs ? [tooMany('pairs', definition)] : [];
}

const tooMany = (limit: keyof typeof WHAT_TO_DO, definition: Definition): GraphQLError =>
  new GraphQLError(`An operation has at most ${LIMITS[limit]} ${WHAT_TO_DO[limit]}.`, { nodes: definition });

function countLines({ loc }: DocumentNode): number {
  const body = loc?.source.body ?? '';
  let lines = 1;
  for (const _ of body.matchAll(/\r\n|[\n\r]/g)) lines += 1;
  return lines;
}

/**
 * Returns functions that measure fragments and operations. Each fragment is walked once, and its size is
 * added at every spread.
 */
function makeMeasure(fragments: Fragments) {
  const known = new Map<string, DocumentSize | 'IN_PROGRESS'>();

  function ofSet(set: SelectionSetNode | undefined): DocumentSize {
    let sum = NOTHING;
    for (const node of set?.selections ?? []) sum = add(sum, ofSelection(node));
    return sum;
  }

  function ofFragment(name: string): DocumentSize {
    const before = known.get(name);
    const fragment = fragments.get(name);
    // Refuses a cycle of fragments here. The rule of graphql-js reports every fragment of every cycle, and
    // for each report it scans the document for the line number (quadratic time).
    if (before === 'IN_PROGRESS')
      throw new GraphQLError(
        `Fragment "${name}" spreads itself, directly or through other fragments: remove the cycle.`,
        {
          ...(fragment ? { nodes: fragment } : {}),
        },
      );
    if (before) return before;
    known.set(name, 'IN_PROGRESS');
    const size = withDirectives(ofSet(fragment?.selectionSet), fragment?.directives);
    known.set(name, size);
    return size;
  }

  function ofSelection(node: SelectionNode): DocumentSize {
    const inner = node.kind === Kind.FRAGMENT_SPREAD ? ofFragment(node.name.value) : ofSet(node.selectionSet);
    const below = withDirectives({ ...inner, selections: inner.selections + 1 }, node.directives);
    if (node.kind !== Kind.FIELD) return below;
    return {
      ...below,
      rootFields: 1,
      depth: below.depth + 1,
      aliases: below.aliases + (node.alias ? 1 : 0),
      schemas: below.schemas + (node.name.value === '__schema' ? 1 : 0),
    };
  }

  function ofOperation({
    selectionSet,
    directives,
    variableDefinitions,
  }: OperationDefinitionNode): DocumentSize {
    const ofVariables = variableDefinitions?.flatMap((variable) => variable.directives ?? []);
    return withDirectives(withDirectives(ofSet(selectionSet), directives), ofVariables);
  }

  return { ofFragment, ofOperation };
}

const add = (one: DocumentSize, other: DocumentSize): DocumentSize => ({
  selections: one.selections + other.selections,
  rootFields: one.rootFields + other.rootFields,
  depth: Math.max(one.depth, other.depth),
  aliases: one.aliases + other.aliases,
  directives: one.directives + other.directives,
  schemas: one.schemas + other.schemas,
});

const withDirectives = (size: DocumentSize, directives: readonly unknown[] | undefined): DocumentSize => ({
  ...size,
  directives: size.directives + (directives?.length ?? 0),
});

interface Selecting {
  readonly selectionSet?: SelectionSetNode | undefined;
}

/**
 * Counts the pairs that graphql-js compares during validation (quadratic time): fields with the same path of
 * response names, and fragments spread at the same path.
 */
function countPairs(merged: readonly Selecting[], fragments: Fragments): number {
  const fields = new Map<string, FieldNode[]>();
  const spread = new Set<string>();
  const collect = (set: SelectionSetNode | undefined): void => {
    for (const node of set?.selections ?? []) {
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        spread.add(node.name.value);
        collect(fragments.get(node.name.value)?.selectionSet);
      } else if (node.kind === Kind.INLINE_FRAGMENT) collect(node.selectionSet);
      else {
        const name = node.alias?.value ?? node.name.value;
        const same = fields.get(name);
        if (same) same.push(node);
        else fields.set(name, [node]);
      }
    }
  };
  for (const { selectionSet } of merged) collect(selectionSet);
  let pairs = pairsAmong(spread.size);
  for (const same of fields.values()) pairs += pairsAmong(same.length) + countPairs(same, fragments);
  return pairs;
}

const pairsAmong = (count: number): number => (count * (count - 1)) / 2;
