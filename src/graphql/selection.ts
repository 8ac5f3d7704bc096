import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { ColumnDetailLevel } from '../db/statements/row-mapper.ts';
import { getOwnTypeName } from './type-names.ts';

interface Selecting {
  readonly selectionSet?: SelectionSetNode | undefined;
}
type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

const answers = new WeakMap<object, Map<string, ReadonlySet<string>>>();

const ITSELF = [''];
/** Paths from a connection to its entries. A client may select `nodes`, `edges { node }`, or both. */
export const CONNECTION_NODE_PATHS = ['nodes', 'edges.node'];

/**
 * Returns the names of the fields that are selected at the end of each path, starting from an operation or
 * field. For a field, pass all its nodes (`fieldNodes`): a document may select a field several times, and the
 * answer merges the selections. Fields under @skip and @include count as selected. Results are cached per
 * operation or list of nodes.
 */
export function findSelectedFields(
  asking: Selecting | readonly Selecting[],
  fragments: Fragments,
  paths: readonly string[] = ITSELF,
): ReadonlySet<string> {
  const known = answers.get(asking) ?? new Map<string, ReadonlySet<string>>();
  answers.set(asking, known);
  const key = paths.join();
  const before = known.get(key);
  if (before) return before;
  const found = new Set<string>();
  const nodes = 'length' in asking ? asking : [asking];
  for (const path of paths) {
    let fields = collectFields(nodes, fragments);
    for (const step of path === '' ? [] : path.split('.'))
      fields = collectFields(
        fields.filter(({ name }) => name.value === step),
        fragments,
      );
    for (const { name } of fields) found.add(name.value);
  }
  known.set(key, found);
  return found;
}

/**
 * Returns the fields directly inside some selections, including those of the fragments in them. Each fragment
 * is walked only once: if n fragments each spread the next one twice, walking every spread would take 2^n
 * steps.
 */
function collectFields(nodes: readonly Selecting[], fragments: Fragments): FieldNode[] {
  const fields: FieldNode[] = [];
  const spread = new Set<string>();
  const unread = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  // This loop also visits the entries that it appends to `unread`.
  for (const { selections } of unread)
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) fields.push(selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) unread.push(selection.selectionSet);
      else if (!spread.has(selection.name.value)) {
        spread.add(selection.name.value);
        const fragment = fragments[selection.name.value];
        if (fragment) unread.push(fragment.selectionSet);
      }
    }
  return fields;
}

/**
 * Whether the selection of a field names this type (by its name in the gateway's own schema) in a fragment. A field of a union is sent objects of later types only
 * if it does, so that clients which do not know the type get none.
 */
export function hasFragmentOnType(
  {
    fieldNodes,
    fragments,
    schema,
  }: {
    readonly fieldNodes: readonly Selecting[];
    readonly fragments: Fragments;
    readonly schema: GraphQLSchema;
  },
  type: string,
): boolean {
  const spread = new Set<string>();
  const unread = fieldNodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  // This loop also visits the entries that it appends to `unread`.
  for (const { selections } of unread)
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) continue;
      const isInline = selection.kind === Kind.INLINE_FRAGMENT;
      const fragment = isInline ? selection : fragments[selection.name.value];
      if (!fragment || (!isInline && spread.has(selection.name.value))) continue;
      if (!isInline) spread.add(selection.name.value);
      const named = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
      if (named && getOwnTypeName(named) === type) return true;
      unread.push(fragment.selectionSet);
    }
  return false;
}

/**
 * Returns which columns of a row the selected fields need: `SUMMARY` if all fields are in `summaryFields`,
 * otherwise `ALL`.
 */
export function getDetailLevel(
  asked: ReadonlySet<string>,
  summaryFields: ReadonlySet<string>,
): ColumnDetailLevel {
  for (const field of asked) if (!summaryFields.has(field)) return 'ALL';
  return 'SUMMARY';
}
