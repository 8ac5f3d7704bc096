import { type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import type { Extent } from '../db/fields.ts';

interface Selecting {
  readonly selectionSet?: SelectionSetNode | undefined;
}
type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

const answers = new WeakMap<object, Map<string, ReadonlySet<string>>>();

const ITSELF = [''];
/** The ways from a connection to the entries of its page. */
export const ENTRIES = ['nodes', 'edges.node'];

/**
 * The fields that are asked for of what a field or operation leads to by some paths, by whichever fragments and aliases.
 * What @skip and @include leave out is asked for as well. Looked for once in each document.
 */
export function fieldsAsked(
  node: Selecting,
  fragments: Fragments,
  paths: readonly string[] = ITSELF,
): ReadonlySet<string> {
  const known = answers.get(node) ?? new Map<string, ReadonlySet<string>>();
  answers.set(node, known);
  const key = paths.join();
  const before = known.get(key);
  if (before) return before;
  const found = new Set<string>();
  for (const path of paths) collect(node, fragments, path === '' ? [] : path.split('.'), found);
  known.set(key, found);
  return found;
}

function collect(
  { selectionSet }: Selecting,
  fragments: Fragments,
  path: readonly string[],
  found: Set<string>,
): void {
  const [name, ...rest] = path;
  for (const selection of selectionSet?.selections ?? []) {
    if (selection.kind !== Kind.FIELD) {
      const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
      if (inner) collect(inner, fragments, path, found);
    } else if (name === undefined) found.add(selection.name.value);
    else if (selection.name.value === name) collect(selection, fragments, rest, found);
  }
}

/** How much of rows is to be read for these fields, where those of `brief` need no more than that. */
export function extentFor(asked: ReadonlySet<string>, brief: ReadonlySet<string>): Extent {
  for (const field of asked) if (!brief.has(field)) return 'ALL';
  return 'BRIEF';
}
