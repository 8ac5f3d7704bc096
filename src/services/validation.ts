import { z } from 'zod';
import { Refusal } from '../domain/errors.ts';
import { isStorable, UNSTORABLE } from '../domain/storable.ts';

/** Text that the database and the provider can hold. */
export const storableText = (longest: number) =>
  z.string().max(longest, `must have at most ${longest} characters`).refine(isStorable, UNSTORABLE);

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

/** Refuses for one reason that only looking something up could find. */
export const refuseField = (path: readonly string[], message: string): never => {
  throw new Refusal('INVALID_INPUT', `The input is not acceptable: ${path.join('.')} ${message}.`, {
    problems: [{ path, message }],
  });
};
