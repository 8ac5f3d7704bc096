import { z } from 'zod';
import { type FieldProblem, Refusal } from '../../domain/errors.ts';
import { isStorableText, UNSTORABLE_TEXT_MESSAGE } from '../../domain/storable.ts';
import { hasAtMostCharacters, hasVisibleCharacter } from '../../domain/text.ts';

/**
 * Maximum average number of UTF-8 bytes per character that a reader counts (grapheme). A single syllable may
 * have more bytes, but no language needs this many on average.
 */
const MAX_BYTES_PER_CHARACTER = 16;

/**
 * Schema of a text with at most `longest` characters as a reader counts them. May be empty, but not consist of
 * invisible characters only. `findMore` is a further rule, applied to a text that passes the others.
 */
export const createTextSchema = (longest: number, findMore: (value: string) => string | null = () => null) =>
  textWith((value) => findProblem(value, longest) ?? findMore(value));

/** Schema of a non-empty text with at most `longest` characters as a reader counts them. */
export const createRequiredTextSchema = (longest: number) =>
  textWith((value) => (value === '' ? EMPTY : findProblem(value, longest)));

/**
 * Schema of a non-empty text with at most `longest` UTF-16 units. For values that are indexed, because
 * PostgreSQL limits the size of an index entry. `findMore` is a further rule, for a text that passes.
 */
export const createIndexedTextSchema = (
  longest: number,
  findMore: (value: string) => string | null = () => null,
) =>
  textWith((value) => {
    if (value === '') return EMPTY;
    if (value.length > longest) return tooLong(longest);
    return findProblem(value, longest) ?? findMore(value);
  });

/** Schema of a code that is one of the keys of `table`. */
export const createKeyOfSchema = <Key extends string>(table: Record<Key, unknown>) =>
  z.enum(Object.keys(table) as [Key, ...Key[]]);

const EMPTY = 'must not be empty';
const tooLong = (longest: number) => `must have at most ${longest} characters`;

/** Builds a string schema from a function that returns an error message, or null for a valid text. */
const textWith = (findRuleProblem: (value: string) => string | null) =>
  z.string().superRefine((value, context) => {
    const message = findRuleProblem(value);
    if (message) context.addIssue({ code: 'custom', message });
  });

function findProblem(value: string, longest: number): string | null {
  if (!isStorableText(value)) return UNSTORABLE_TEXT_MESSAGE;
  const maxBytes = longest * MAX_BYTES_PER_CHARACTER;
  // The number of bytes is checked first, because it bounds the time that counting the characters takes.
  if (Buffer.byteLength(value) > maxBytes) return `${tooLong(longest)}, and ${maxBytes} bytes in UTF-8`;
  if (!hasAtMostCharacters(value, longest)) return tooLong(longest);
  if (value !== '' && !hasVisibleCharacter(value)) return 'must have a visible character';
  return null;
}

/**
 * Makes a field optional and turns null into undefined, because GraphQL clients may send null instead of
 * leaving a field out.
 */
export const toOptionalSchema = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);

/**
 * Parses an input with a schema, and reports all problems together.
 *
 * @throws Refusal that lists all problems
 */
export function parseOrRefuse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw toRefusal(parsed.error);
}

/** Returns the refusal that `parseOrRefuse` would throw; null if the input is valid. */
export function findInputRefusal(schema: z.ZodType, input: unknown): Refusal | null {
  const parsed = schema.safeParse(input);
  return parsed.success ? null : toRefusal(parsed.error);
}

const toRefusal = ({ issues }: z.ZodError): Refusal =>
  toInputRefusal(issues.map((issue) => ({ path: issue.path.map(String), message: issue.message })));

/** Returns the refusal of an input that has these problems. */
export function toInputRefusal(problems: readonly FieldProblem[]): Refusal {
  const summary = problems.map(({ path, message }) => `${path.join('.') || 'input'} ${message}`).join('; ');
  return new Refusal('INVALID_INPUT', `The input is invalid: ${summary}.`, { problems });
}

/**
 * Refuses an input because of one field whose problem only the database or the provider can reveal.
 *
 * @throws Refusal
 */
export const refuseField = (path: readonly string[], message: string): never => {
  throw toInputRefusal([{ path, message }]);
};
