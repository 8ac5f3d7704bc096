import { z } from 'zod';
import { Refusal } from '../domain/errors.ts';
import { isStorable, UNSTORABLE } from '../domain/storable.ts';
import { hasAtMostCharacters, isVisible } from '../domain/text.ts';

/** More than any syllable of a language needs on average; a single one may need more. */
const MAX_BYTES_PER_CHARACTER = 16;

/** Text of at most `longest` characters, as a reader counts them. It may be empty, but not consist of invisible ones. */
export const text = (longest: number) => textWith((value) => findProblem(value, longest));

/** The same, but not empty. */
export const requiredText = (longest: number) =>
  textWith((value) => (value === '' ? EMPTY : findProblem(value, longest)));

/** Required text of at most `longest` UTF-16 units: it is part of an index entry, whose bytes are limited. */
export const keyText = (longest: number) =>
  textWith((value) => {
    if (value === '') return EMPTY;
    return value.length > longest ? tooLong(longest) : findProblem(value, longest);
  });

const EMPTY = 'must not be empty';
const tooLong = (longest: number) => `must have at most ${longest} characters`;

/** A string to which a rule finds one problem at most. */
const textWith = (findRuleProblem: (value: string) => string | null) =>
  z.string().superRefine((value, context) => {
    const message = findRuleProblem(value);
    if (message) context.addIssue({ code: 'custom', message });
  });

function findProblem(value: string, longest: number): string | null {
  if (!isStorable(value)) return UNSTORABLE;
  const maxBytes = longest * MAX_BYTES_PER_CHARACTER;
  // Before the characters are counted: the number of bytes bounds the time that it takes.
  if (Buffer.byteLength(value) > maxBytes) return `${tooLong(longest)}, and ${maxBytes} bytes in UTF-8`;
  if (!hasAtMostCharacters(value, longest)) return tooLong(longest);
  if (value !== '' && !isVisible(value)) return 'must have a character that can be seen';
  return null;
}

/** GraphQL has null for what is left out. */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);

/** Checks an input; throws a `Refusal` that lists everything wrong with it. */
export function checked<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({
    path: issue.path.map(String),
    message: issue.message,
  }));
  const summary = problems.map(({ path, message }) => `${path.join('.') || 'input'} ${message}`).join('; ');
  throw new Refusal('INVALID_INPUT', `The input is not acceptable: ${summary}.`, { problems });
}

/** Refuses an input for one problem that only a look-up can find. */
export const refuseField = (path: readonly string[], message: string): never => {
  throw new Refusal('INVALID_INPUT', `The input is not acceptable: ${path.join('.')} ${message}.`, {
    problems: [{ path, message }],
  });
};
