import { z } from 'zod';
import { MAX_LABEL_LENGTH, MAX_METADATA_PAIRS, MAX_TAGS } from '../../domain/labels.ts';
import { createIndexedTextSchema, toOptionalSchema } from './validation.ts';

/**
 * Schema of a label. White space at an end and control characters are refused, because two labels would look the same,
 * or one like two.
 */
const labelText = (longest: number) =>
  createIndexedTextSchema(longest, (text) => {
    if (text !== text.trim()) return 'must not begin or end with white space';
    return /\p{Cc}/u.test(text) ? 'must be one line, without control characters' : null;
  });

const key = labelText(MAX_LABEL_LENGTH.key);
const value = labelText(MAX_LABEL_LENGTH.value);
const tag = labelText(MAX_LABEL_LENGTH.tag);

const tooMany = (most: number) => `must have at most ${most} entries`;

/**
 * Adds a check to the schema of a list that reports each entry that repeats an earlier one. `read` returns the text that
 * must be unique, and `path` is the path to that text within the entry.
 */
const withoutRepetition = <Item>(
  list: z.ZodArray<z.ZodType<Item>>,
  read: (item: Item) => string | undefined,
  path: readonly string[],
  message: string,
) =>
  list.superRefine(
    (items, context) => {
      const seen = new Set<string>();
      for (const [index, item] of items.entries()) {
        const text = read(item);
        if (text === undefined) continue;
        if (seen.has(text)) context.addIssue({ code: 'custom', path: [index, ...path], message });
        seen.add(text);
      }
    },
    // Runs this check even if an entry is invalid, so that all problems are reported together.
    { when: ({ value: items }) => Array.isArray(items) && items.length <= 2 * MAX_TAGS },
  );

/** Schema of a list of tags. */
export const tagListSchema = withoutRepetition(
  z.array(tag).max(MAX_TAGS, tooMany(MAX_TAGS)),
  (text) => text,
  [],
  'must not repeat another tag',
).transform((tags) => tags.toSorted());

const pairs = <Value extends z.ZodType>(of: Value, most: number) =>
  withoutRepetition(
    z.array(z.object({ key, value: of })).max(most, tooMany(most)),
    (pair) => pair?.key,
    ['key'],
    'must not repeat the key of another entry',
  ).transform((entries) => entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)));

/** Schema of the metadata of a new session: each pair has a value. */
export const startMetadataSchema = pairs(value, MAX_METADATA_PAIRS);

/**
 * Schema of a change of metadata: a pair without a value, or with an empty one, deletes the key. One change may replace
 * all pairs, so it may have twice as many entries as a session has.
 */
export const metadataChangeSchema = pairs(
  toOptionalSchema(z.union([z.literal(''), value])),
  2 * MAX_METADATA_PAIRS,
);
