/** Stands in for the client library's `resuming`, of the same shape, until that is published from src/client. */

export type FeedState = 'live' | 'catching up' | 'stale';

interface Payload {
  query: string;
  variables?: Record<string, unknown> | null;
}

interface Sink {
  next(result: any): void;
  error(error: unknown): void;
  complete(): void;
}

/** What graphql-ws and graphql-sse have in common. */
export interface SubscribingClient {
  subscribe(payload: any, sink: any): () => void;
  dispose(): void | Promise<void>;
}

/**
 * A stock client that comes back for ever and goes on where it was: it sends its payload anew at every connection,
 * whose `after` moves with each frame.
 */
export function resuming<Options extends object>(
  createClient: (options: Options) => SubscribingClient,
  options: Options,
  { onState = () => {} }: { onState?: (state: FeedState) => void } = {},
): SubscribingClient {
  const client = createClient({
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    on: { connected: () => onState('live'), closed: () => onState('stale') },
    ...options,
  });
  return {
    dispose: () => client.dispose(),
    subscribe(payload: Payload, sink: Sink) {
      const variables: Record<string, unknown> = { ...payload.variables };
      return client.subscribe(
        { ...payload, variables },
        {
          ...sink,
          next(result: { data?: Record<string, { cursor?: string } | null> | null }) {
            const cursor = Object.values(result.data ?? {})[0]?.cursor;
            if (cursor) variables.after = cursor;
            sink.next(result);
          },
        },
      );
    },
  };
}
