import { isLosslessNumber, LosslessNumber, parse } from 'lossless-json';

/**
 * Error for JSON that cannot be used. The message is a predicate, such as "is not JSON", to which callers add
 * the subject. The message repeats nothing of the JSON, which may be personal data.
 */
export class UnusableJsonError extends Error {
  override readonly name = 'UnusableJsonError';
}

/**
 * Returns whether a parsed value is a number. The `value` of such a number is its text, because ids may have
 * 64 bits, which a double cannot hold.
 */
export const isLosslessJsonNumber = isLosslessNumber;

interface Options {
  /**
   * Called if an object repeats a key with another value, because RFC 8259 leaves open which value counts.
   * Returns the value to use, or throws, which is the default.
   */
  readonly onRepeatedKey?: (key: string, first: unknown, second: unknown) => unknown;
}

/**
 * Longest text that is parsed, in UTF-16 units: a hundred times the provider's examples. The parser takes 100
 * ms for a megabyte, and the body of an invalid webhook is parsed three times.
 */
export const MAX_JSON_LENGTH = 128 * 1024;
const BYTE_ORDER_MARK = /^\uFEFF/;
/** Form of the keys that may be named in messages. Any other key may contain personal data. */
const FIELD_NAME = /^[A-Za-z_]{1,40}$/;

/**
 * Parses JSON, skipping a byte order mark. Numbers keep their text, so that large ids stay exact.
 * @throws UnusableJsonError
 */
export function parseLosslessJson(
  text: string,
  { onRepeatedKey = refuseRepeatedKey }: Options = {},
): unknown {
  if (text.length > MAX_JSON_LENGTH)
    throw new UnusableJsonError(`has more than ${MAX_JSON_LENGTH} characters`);
  const json = text.replace(BYTE_ORDER_MARK, '');
  if (json.trim() === '') throw new UnusableJsonError('is empty');
  try {
    return parse(json, null, {
      parseNumber: (digits) => new LosslessNumber(digits),
      onDuplicateKey: ({ key, oldValue, newValue }) => onRepeatedKey(key, oldValue, newValue),
    });
  } catch (error) {
    if (error instanceof UnusableJsonError) throw error;
    throw new UnusableJsonError(error instanceof RangeError ? 'is nested too deeply' : 'is not JSON');
  }
}

function refuseRepeatedKey(key: string): never {
  const name = FIELD_NAME.test(key) ? `the key ${key}` : 'a key';
  throw new UnusableJsonError(`repeats ${name} with another value`);
}
