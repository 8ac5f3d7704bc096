import { isDeepStrictEqual } from 'node:util';
import { type ExecutionResult, execute, type GraphQLSchema } from 'graphql';
import type { Context } from '../../src/graphql/context.ts';
import { createJitExecutor, type Executor } from '../../src/graphql/jit-executor.ts';
import { createLoaders } from '../../src/graphql/loaders.ts';

/** Compiling executors by schema: a gateway that is a subgraph has another schema. */
const compiled = new WeakMap<GraphQLSchema, Executor>();

/** Returns a result as a client would receive it. */
const sent = ({ data, errors }: ExecutionResult) =>
  JSON.parse(JSON.stringify({ data, errors: errors?.map((error) => ({ ...error.toJSON() })) }));

/** Sorts errors, because their order depends on timing. */
const sorted = ({ data, errors }: { data: unknown; errors?: unknown[] }) => ({
  data,
  errors: errors?.map((error) => JSON.stringify(error)).toSorted(),
});

/** Number of attempts. Results may differ because a transition was recorded between the two executions. */
const ATTEMPTS = 4;

/**
 * Returns a context with a fixed clock and fresh loaders: both executions see the same time, and neither sees
 * rows that the other has cached.
 */
function atOneMoment(context: Context): Context {
  const now = context.services.clock.now();
  return {
    ...context,
    loaders: createLoaders(context.services.db),
    services: { ...context.services, clock: { ...context.services.clock, now: () => now } },
  };
}

/**
 * Executes the queries of every test twice, by graphql-js and by the compiled executor, and compares data, errors,
 * paths, locations and extensions. If they differ, prints the difference and throws.
 */
export const runBothWays: Executor = async (args) => {
  const compile = compiled.get(args.schema) ?? createJitExecutor(args.schema, 1);
  compiled.set(args.schema, compile);
  const isQuery = args.document.definitions.every(
    (each) => !('operation' in each) || each.operation === 'query',
  );
  if (!isQuery) return execute(args);
  let difference = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const atOneTime = { ...args, contextValue: atOneMoment(args.contextValue as Context) };
    const plain = await execute(atOneTime);
    const fast = await compile(atOneTime);
    const [expected, found] = [sorted(sent(plain)), sorted(sent(fast))];
    if (isDeepStrictEqual(expected, found)) return fast;
    difference = `Compiled result:\n${JSON.stringify(found)}\nResult of graphql-js:\n${JSON.stringify(expected)}`;
  }
  console.error(`${args.document.loc?.source.body}\n${difference}`);
  throw new Error(difference);
};
