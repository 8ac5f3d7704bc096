import { type GraphQLResolveInfo, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

const answers = new WeakMap<OperationDefinitionNode, boolean>();

/** Whether an operation asks for `feedCursor`, which is then read before all else of it. */
export function asksForFeedCursor({ operation, fragments }: GraphQLResolveInfo): boolean {
  const among = ({ selections }: SelectionSetNode): boolean =>
    selections.some((selection) => {
      if (selection.kind === Kind.FIELD) return selection.name.value === 'feedCursor';
      const { selectionSet } =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : (fragments[selection.name.value] ?? {});
      return selectionSet !== undefined && among(selectionSet);
    });
  const answer = answers.get(operation) ?? among(operation.selectionSet);
  answers.set(operation, answer);
  return answer;
}
