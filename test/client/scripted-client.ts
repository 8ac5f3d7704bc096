/** Sets up the client helper over WebSocket or SSE, with a proxy between the client and a scripted server. */
import * as sse from 'graphql-sse';
import * as ws from 'graphql-ws';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { type FeedState, resuming } from '../../src/client/resuming.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import { type Cuttable, cuttable } from './cuttable.ts';
import { startScriptedServer } from './scripted-server.ts';

export type Client = Pick<sse.Client, 'subscribe' | 'iterate' | 'dispose'>;

export interface Tuning {
  silenceMs?: number;
  quietMs?: number;
  keepAlive?: number;
  retry?: (retries: number) => Promise<void>;
}

const atOnce = async () => {};

const CLIENTS = {
  'graphql-ws': (
    { host }: Cuttable,
    onState: (state: FeedState) => void,
    { keepAlive = 0, retry = atOnce, ...tuning }: Tuning,
  ) =>
    resuming(
      ws.createClient,
      { url: `ws://${host}`, webSocketImpl: WebSocket, retryWait: retry, keepAlive },
      { onState, ...tuning },
    ) as Client,
  'graphql-sse': (
    { host }: Cuttable,
    onState: (state: FeedState) => void,
    { retry = atOnce, ...tuning }: Tuning,
  ) => resuming(sse.createClient, { url: `http://${host}`, retry }, { onState, ...tuning }) as Client,
};

export type Transport = keyof typeof CLIENTS;
export const TRANSPORTS = Object.keys(CLIENTS) as Transport[];

/** Starts a scripted server behind a proxy, and a client that collects states, frames and ends of subscriptions. */
export async function setUp(transport: Transport, tuning: Tuning = {}) {
  const server = await startScriptedServer();
  const proxy = await cuttable(server.url);
  const states: FeedState[] = [];
  const client = CLIENTS[transport](proxy, (state) => states.push(state), tuning);
  atTheEnd(async () => client.dispose());
  const watch = (query: string, variables?: Record<string, unknown>) => {
    const frames: unknown[] = [];
    const ends: unknown[] = [];
    const stop = client.subscribe(
      { query, ...(variables ? { variables } : {}) },
      {
        next: ({ data, errors }) => frames.push(errors ?? Object.values(data ?? {})[0]),
        error: (error) => ends.push(error),
        complete: () => ends.push('complete'),
      },
    );
    return { frames, ends, stop };
  };
  const asked = (count: number) => eventually(async () => server.asked.length >= count);
  const reported = (...expected: FeedState[]) =>
    eventually(async () => states.length >= expected.length).then(() => expect(states).toEqual(expected));
  return { server, proxy, client, states, watch, asked, reported };
}
