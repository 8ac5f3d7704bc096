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
 * Coerces an operation's variables for its resolvers, or returns errors if the variables are invalid. The
 * total size of the variables is checked first, because graphql-js copies every invalid value into an error.
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

/**
 * Returns an error if the variables contain too many values, or too many characters in total; otherwise null.
 */
function excessIn(variables: Values): GraphQLError | null {
  let values = 0;
  let characters = 0;
  /** Counts nested values, too: the limit of values thereby limits the depth of this recursion. */
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
    `The variables of a request may contain at most ${LIMITS.values} values and ${LIMITS.characters} characters: send less at a time.`,
    { extensions: { code: 'BAD_USER_INPUT' } },
  );
}
