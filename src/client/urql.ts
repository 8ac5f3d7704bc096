/** Binding for urql. */
import { type Exchange, mapExchange, subscriptionExchange } from '@urql/core';
import type { Client, Sink } from 'graphql-ws';
import { OrderGuard } from './order.ts';

/** Number of times that a query is sent again because its answer was older than what the page shows. */
const MAX_REPEATS = 3;

/**
 * Exchange that keeps an older answer from overwriting a newer one. Put it after the cache exchange and before the
 * exchanges that send, so that all answers and frames pass through it. A query that was overtaken, and asked for more
 * than the newer answer had, is sent again.
 */
export function orderGuardExchange(guard: OrderGuard = new OrderGuard()): Exchange {
  return (input) => {
    /** Number of repeats and the last complete data of each query that is in use, by the key of its operation. */
    const repeats = new Map<number, number>();
    const shown = new Map<number, unknown>();
    return mapExchange({
      onOperation({ kind, key }) {
        if (kind !== 'teardown') return;
        repeats.delete(key);
        shown.delete(key);
      },
      onResult(result) {
        const { key, kind, query, variables, context } = result.operation;
        const { data, isComplete } = guard.check(query, variables as object | undefined, result.data);
        const done = repeats.get(key) ?? 0;
        if (kind !== 'query' || isComplete || done === MAX_REPEATS) {
          repeats.delete(key);
          if (kind === 'query') shown.set(key, data);
          return { ...result, data };
        }
        repeats.set(key, done + 1);
        input.client.reexecuteOperation({
          ...result.operation,
          context: { ...context, requestPolicy: 'network-only' },
        });
        // urql sends the query again only after a result, so it gets the data that it has, as stale.
        return { ...result, data: shown.get(key), stale: true };
      },
    })(input);
  };
}

/** Exchange that sends subscriptions over a WebSocket that was made with `resuming`. */
export const liveExchange = (live: Pick<Client, 'subscribe'>): Exchange =>
  subscriptionExchange({
    forwardSubscription: ({ query = '', variables }) => ({
      subscribe: (sink) => ({
        unsubscribe: live.subscribe({ query, variables: { ...variables } }, sink as Sink),
      }),
    }),
  });
