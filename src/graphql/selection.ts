import { type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';

interface Selecting {
  readonly selectionSet?: SelectionSetNode | undefined;
}
type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

const answers = new WeakMap<object, Map<string, boolean>>();

/**
 * Whether a field or operation is asked for the field at the end of a path, such as `nodes.user`, by whichever fragments
 * and aliases. What @skip and @include leave out is asked for as well. Looked for once in each document.
 */
export function selects(node: Selecting, fragments: Fragments, path: string): boolean {
  const known = answers.get(node) ?? new Map<string, boolean>();
  answers.set(node, known);
  const answer = known.get(path) ?? isAmong(node, fragments, path.split('.'));
  known.set(path, answer);
  return answer;
}

function isAmong({ selectionSet }: Selecting, fragments: Fragments, path: readonly string[]): boolean {
  const [name, ...rest] = path;
  return (selectionSet?.selections ?? []).some((selection) => {
    if (selection.kind === Kind.FIELD)
      return selection.name.value === name && (rest.length === 0 || isAmong(selection, fragments, rest));
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    return inner !== undefined && isAmong(inner, fragments, path);
  });
}
