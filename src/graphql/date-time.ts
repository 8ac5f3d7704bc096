import { GraphQLError, GraphQLScalarType } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';

const config = GraphQLDateTime.toConfig();

/**
 * Returns the time, but refuses years outside 1 to 9999, which PostgreSQL, or ISO 8601 without a sign, cannot
 * represent.
 */
function inRange(time: Date): Date {
  const year = time.getUTCFullYear();
  if (year >= 1 && year <= 9999) return time;
  throw new GraphQLError('A time must be between the years 1 and 9999.', {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** Maximum length of the text of a time: twice the longest valid form, which has nine fractional digits. */
const MAX_LENGTH = 64;

/**
 * Returns the value, but refuses a text that is longer than MAX_LENGTH, because the regular expressions of
 * the scalar could take very long on it (ReDoS).
 */
function bounded<Value>(value: Value): Value {
  if (typeof value !== 'string' || value.length <= MAX_LENGTH) return value;
  throw new GraphQLError(`A time has at most ${MAX_LENGTH} characters.`, {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** Scalar for a moment: accepts ISO 8601 with any offset, and returns UTC. */
export const DateTime = new GraphQLScalarType<Date, Date>({
  ...config,
  name: 'DateTime',
  description:
    'Point in time as an ISO 8601 string. Input accepts any offset, such as 2026-01-02T10:00:00+05:30; output is always in UTC with milliseconds, such as 2026-01-02T04:30:00.000Z.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  parseValue: (value) => inRange(config.parseValue(bounded(value)) as Date),
  parseLiteral(node, variables) {
    bounded('value' in node ? node.value : null);
    return inRange(config.parseLiteral(node, variables) as Date);
  },
});
