/** GraphQL server over WebSocket and SSE that streams the frames of a test, and records its requests. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, type ExecutionResult, type FormattedExecutionResult } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/http';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { atTheEnd } from '../harness/gateway.ts';

const schema = buildSchema(`
  type Query { four: Int }
  type StatusTransition { cursor: String! previousCursor: String sequence: Int! }
  type Heartbeat { cursor: String! previousCursor: String }
  type FeedReset { cursor: String! previousCursor: String }
  union Frame = StatusTransition | Heartbeat | FeedReset
  type Subscription { feed(after: String): Frame! statusTransitions(after: String): StatusTransition! }
`);

export interface ScriptedServer {
  readonly url: string;
  /** The variables of every subscription so far, in order. */
  readonly asked: Record<string, unknown>[];
  /** Sends a frame to all subscriptions, or only to subscriptions with the given `after`. */
  send(frame: ExecutionResult, after?: string): void;
  complete(): void;
  /** Answers each of the next subscriptions with one of these results, and completes it. */
  refuse(...results: ExecutionResult[]): void;
}

type Listener = { after: unknown; push(frame: ExecutionResult | null): void };

/** Starts the scripted server, which runs until the test ends. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const asked: Record<string, unknown>[] = [];
  const listeners = new Set<Listener>();
  const refusals: ExecutionResult[] = [];

  async function* play(variables: Record<string, unknown>): AsyncGenerator<ExecutionResult> {
    const frames: (ExecutionResult | null)[] = [];
    let wake = () => {};
    const listener: Listener = {
      after: variables.after,
      push: (frame) => {
        frames.push(frame);
        wake();
      },
    };
    listeners.add(listener);
    asked.push(variables);
    try {
      const refusal = refusals.shift();
      if (refusal) {
        yield refusal;
        return;
      }
      for (;;) {
        for (let frame = frames.shift(); frame !== undefined; frame = frames.shift()) {
          if (frame === null) return;
          yield frame;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      listeners.delete(listener);
    }
  }

  const sse = createHandler({
    onSubscribe: (_request, { query, variables }) =>
      query.startsWith('query') ? { data: { four: 4 } } : play(variables ?? {}),
  });
  const http = createServer(
    (request, response) => void sse(request, response).catch(() => response.destroy()),
  );
  const sockets = new WebSocketServer({ server: http });
  const served = useServer(
    {
      schema,
      subscribe: ({ variableValues }) => play(variableValues ?? {}),
      execute: () => ({ data: { four: 4 } }),
      // Passes results on unchanged, because graphql-ws could format only errors of graphql-js.
      onNext: (_connected, _id, _payload, _args, result) => result as FormattedExecutionResult,
    },
    sockets,
  );
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  atTheEnd(async () => {
    for (const { push } of listeners) push(null);
    await served.dispose();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    asked,
    send: (frame, after) => {
      for (const listener of listeners)
        if (after === undefined || listener.after === after) listener.push(frame);
    },
    complete: () => {
      for (const { push } of listeners) push(null);
    },
    refuse: (...results) => void refusals.push(...results),
  };
}
