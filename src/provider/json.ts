import { isLosslessNumber, LosslessNumber, parse } from 'lossless-json';

/** Says why a text is no JSON that can be used; the message continues "it …" and holds nothing of the text. */
export class UnusableJson extends Error {
  override readonly name = 'UnusableJson';
}

/** Whether a parsed value is a number; its `value` is as it was written: ids may have 64 bits, which a double cannot hold. */
export const isWrittenNumber = isLosslessNumber;

interface Options {
  /**
   * What to do about a key that an object repeats with another value: RFC 8259 leaves open which of them counts. By default
   * it is refused; this returns the value to take, or throws.
   */
  readonly onRepeatedKey?: (key: string, first: unknown, second: unknown) => unknown;
}

const BYTE_ORDER_MARK = /^\uFEFF/;
/** Names of fields; any other key may hold something of a person. */
const FIELD_NAME = /^[A-Za-z_]{1,40}$/;

/**
 * Parses JSON, also after a byte order mark. Numbers stay as they were written.
 *
 * @throws UnusableJson
 */
export function parseJson(text: string, { onRepeatedKey = refuseRepeatedKey }: Options = {}): unknown {
  const json = text.replace(BYTE_ORDER_MARK, '');
  if (json.trim() === '') throw new UnusableJson('is empty');
  try {
    return parse(json, null, {
      parseNumber: (digits) => new LosslessNumber(digits),
      onDuplicateKey: ({ key, oldValue, newValue }) => onRepeatedKey(key, oldValue, newValue),
    });
  } catch (error) {
    if (error instanceof UnusableJson) throw error;
    throw new UnusableJson(error instanceof RangeError ? 'is nested too deeply' : 'is not JSON');
  }
}

function refuseRepeatedKey(key: string): never {
  const name = FIELD_NAME.test(key) ? `the key ${key}` : 'a key';
  throw new UnusableJson(`repeats ${name} with another value`);
}
