import { isDeepStrictEqual } from 'node:util';
import { CONTENDERS, type Contender } from './contenders.ts';
import type { Operation } from './queries.ts';

const COMPARED = 25;

/**
 * Throws if servers answer an operation differently, apart from the order of keys: comparing the speed of such
 * servers would be meaningless.
 */
export async function compareAnswers(
  contenders: readonly Contender[],
  operations: readonly Operation[],
  token: string,
): Promise<string> {
  for (const operation of operations.slice(0, COMPARED)) {
    const answers = await Promise.all(contenders.map((contender) => ask(contender, operation, token)));
    const model = answers[0] ?? null;
    for (const [index, answer] of answers.entries())
      if (!model || !isDeepStrictEqual(answer, model))
        throw new Error(
          `${contenders[index]?.name} answers differently from the gateway:\n${JSON.stringify(answer)}\n${JSON.stringify(model)}`,
        );
  }
  return `${contenders.length} servers give the same answers to ${COMPARED} requests`;
}

/**
 * Sends an operation and returns the `data` of the response. `extensions` are left out, because they differ
 * between servers.
 */
async function ask({ name, port }: Contender, operation: Operation, token: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${CONTENDERS[name].path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(operation),
  });
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: unknown };
  if (!data || errors) throw new Error(`${name} answered with ${JSON.stringify(errors)}`);
  return data;
}
