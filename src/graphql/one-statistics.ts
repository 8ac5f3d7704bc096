import {
  type FieldNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

const STATISTICS = 'sessionStats';

/**
 * Validation rule that refuses an operation with several `sessionStats` under different aliases, because each
 * of them counts many rows.
 */
export const oneSessionStatsRule: ValidationRule = (context) => ({
  OperationDefinition({ selectionSet }) {
    const found = new Map<string, FieldNode>();
    findStatistics(context, selectionSet, found, new Set());
    if (found.size <= 1) return;
    const message = `An operation may select \`${STATISTICS}\` only once: send one operation per window.`;
    context.reportError(new GraphQLError(message, { nodes: [...found.values()] }));
  },
});

/**
 * Collects the `sessionStats` fields by response name. Fields with the same response name are merged by
 * execution, so they count once.
 */
function findStatistics(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  found: Map<string, FieldNode>,
  visited: Set<string>,
): void {
  for (const node of selections) {
    if (node.kind === Kind.FIELD) {
      if (node.name.value === STATISTICS) found.set((node.alias ?? node.name).value, node);
    } else if (node.kind === Kind.INLINE_FRAGMENT) {
      findStatistics(context, node.selectionSet, found, visited);
    } else if (!visited.has(node.name.value)) {
      visited.add(node.name.value);
      const fragment = context.getFragment(node.name.value);
      if (fragment) findStatistics(context, fragment.selectionSet, found, visited);
    }
  }
}
