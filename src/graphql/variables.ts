import { GraphQLError, type GraphQLSchema, getVariableValues, type OperationDefinitionNode } from 'graphql';
import { LIMITS } from './limits.ts';

type Values = Readonly<Record<string, unknown>>;

interface Given {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly values: Values;
  readonly hideSuggestions: boolean;
}

/**
 * Returns an operation's variables as its resolvers are given them, or why they are not acceptable. graphql-js writes each
 * value that it cannot take into an error of its own, with all that it holds: how much that may be is bounded before.
 */
export function coerceVariables({ schema, operation, values, hideSuggestions }: Given): {
  readonly coerced?: Values;
  readonly errors?: readonly GraphQLError[];
} {
  const excess = excessIn(values);
  if (excess) return { errors: [excess] };
  const options = { maxErrors: LIMITS.errors, hideSuggestions };
  return getVariableValues(schema, operation.variableDefinitions ?? [], values, options);
}

/** Returns why variables are refused that hold too many values, or texts that are too long together. */
function excessIn(variables: Values): GraphQLError | null {
  let values = 0;
  let characters = 0;
  /** Each value that it holds counts as one, so that it nests no deeper than there may be values. */
  const isTooMuch = (value: unknown): boolean => {
    values += 1;
    if (typeof value === 'string') characters += value.length;
    if (values > LIMITS.values || characters > LIMITS.characters) return true;
    if (typeof value !== 'object' || value === null) return false;
    if (Array.isArray(value)) return value.some(isTooMuch);
    for (const name in value) {
      characters += name.length;
      if (isTooMuch((value as Values)[name])) return true;
    }
    return false;
  };
  if (!isTooMuch(variables)) return null;
  return new GraphQLError(
    `The variables of a request hold at most ${LIMITS.values} values, and ${LIMITS.characters} characters: send less at a time.`,
    { extensions: { code: 'BAD_USER_INPUT' } },
  );
}
