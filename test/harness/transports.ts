/** Sends an operation over any transport, and returns each transport's response in the same form. */
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Gateway } from './gateway.ts';

export interface Outcome {
  /** HTTP status; null over a WebSocket. */
  readonly status: number | null;
  /** HTTP response headers, except those that differ on every request. */
  readonly headers: Record<string, string>;
  readonly errors: readonly { message: string; extensions: Record<string, any> }[];
  readonly data: any;
  /** The received text, unparsed. */
  readonly text: string;
}

export interface Request {
  readonly query?: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly [more: string]: unknown;
}

type Send = (gateway: Gateway, request: Request, authorization?: string) => Promise<Outcome>;

const post = (url: string, body: unknown, authorization?: string) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
    body: JSON.stringify(body),
  });

const outcomeOf = (response: Response | null, text: string, answer: any): Outcome => ({
  status: response?.status ?? null,
  headers: Object.fromEntries(
    [...(response?.headers ?? [])].filter(([name]) => name !== 'date' && name !== 'x-request-id'),
  ),
  errors: answer.errors ?? [],
  data: answer.data ?? null,
  text,
});

/** Functions that send an operation, by the name of their transport. */
export const TRANSPORTS = {
  async HTTP(gateway, request, authorization) {
    const response = await post(`${gateway.url}/graphql`, request, authorization);
    const text = await response.text();
    return outcomeOf(response, text, JSON.parse(text));
  },

  async SSE(gateway, request, authorization) {
    const response = await post(`${gateway.url}/graphql/stream`, request, authorization);
    const text = await response.text();
    const [, frame] = text.match(/^event: next\ndata: (.*)$/m) ?? [];
    return outcomeOf(response, text, JSON.parse(frame ?? text));
  },

  WebSocket(gateway, request, authorization) {
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: authorization ? { authorization } : {},
      retryAttempts: 0,
    });
    return new Promise<Outcome>((resolve, reject) => {
      const end = (answer: object) => {
        resolve(outcomeOf(null, JSON.stringify(answer), answer));
        void client.dispose();
      };
      client.subscribe(request as never, {
        next: (answer) => end(answer),
        error: (error) => (Array.isArray(error) ? end({ errors: error }) : reject(error)),
        complete: () => {},
      });
    });
  },
} satisfies Record<string, Send> as Record<'HTTP' | 'SSE' | 'WebSocket', Send>;

export type Transport = keyof typeof TRANSPORTS;

/** Returns whether a text contains no internals: no stack trace, SQL or file name. */
export const isClean = (text: string): boolean =>
  !/\bat .+:\d+:\d+|select |insert |node_modules|src\//i.test(text);
