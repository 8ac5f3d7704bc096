/** Subscribers that write down what they get. They are stock clients and know nothing of the trouble on the way. */
import { createClient as createEventStreamClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type FeedState, resuming } from '../../src/client/resuming.ts';
import { toGlobalId } from '../../src/graphql/node.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import { OPERATIONS, type Wish } from './wishes.ts';

/** What came without a break after a cursor. Only a reset, or a snapshot that says so, begins another. */
export interface Stretch {
  readonly after: string;
  /** Numbers of transitions; see `Names`. */
  readonly received: number[];
}

export interface Subscriber {
  readonly wish: Wish;
  readonly stretches: Stretch[];
  /** Times that it was told to begin anew. */
  resets: number;
  /** Times that it was connected, from first to last. */
  connections: number;
  state: FeedState;
  /** Why it gets nothing any more, where it was ended by the other side. */
  ended: string | null;
}

/** Ids as small numbers: millions of deliveries have to fit in memory. */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #ids: string[] = [];

  numberOf(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    this.#ids.push(id);
    this.#numbers.set(id, this.#ids.length - 1);
    return this.#ids.length - 1;
  }

  /** As `session sequence`, for people. */
  textOf(number: number): string {
    return Buffer.from(this.#ids[number] ?? '', 'base64url').toString('utf8');
  }
}

export const transitionId = (sessionId: string, sequence: number): string =>
  toGlobalId('StatusTransition', `${sessionId}:${sequence}`);

/** How many transitions came, at all of them. */
export const deliveriesTo = (subscribers: readonly Subscriber[]): number =>
  subscribers
    .flatMap(({ stretches }) => stretches)
    .reduce((total, { received }) => total + received.length, 0);

/** How often they were connected, all together. */
export const connectionsOf = (subscribers: readonly Subscriber[]): number =>
  subscribers.reduce((total, { connections }) => total + connections, 0);

/** Waits until all are connected. */
export const everyoneIsConnected = (subscribers: readonly Subscriber[]): Promise<boolean> =>
  eventually(async () => subscribers.every(({ state, ended }) => state !== 'stale' || ended !== null));

interface Options {
  /** Of the proxy. */
  readonly url: string;
  readonly wish: Wish;
  readonly after: string;
  readonly names: Names;
  readonly clientOptions?: object;
  /** Told of every connection but the first. */
  readonly onComeback?: () => void;
}

/** Subscribes, and keeps at it for as long as the test runs. */
export async function subscribe({
  url,
  wish,
  after,
  names,
  clientOptions = {},
  onComeback,
}: Options): Promise<Subscriber> {
  const subscriber: Subscriber = {
    wish,
    stretches: [{ after, received: [] }],
    resets: 0,
    connections: 0,
    state: 'stale',
    ended: null,
  };
  const client = connectBy(wish.transport, url, clientOptions, (state) => {
    const connected = subscriber.state === 'stale' && state !== 'stale';
    subscriber.state = state;
    if (connected) subscriber.connections += 1;
    if (connected && subscriber.connections > 1) onComeback?.();
  });
  const variables = {
    ...(wish.session ? { sessionId: toGlobalId('VkycSession', wish.session.id) } : {}),
    ...(wish.operation === 'sessionLive' ? {} : { filter: wish.filter }),
    after,
  };
  let leaving = false;
  const onEnd = (why: unknown) => {
    if (!leaving) subscriber.ended ??= typeof why === 'string' ? why : describe(why);
  };
  client.subscribe(
    { query: OPERATIONS[wish.operation], variables },
    {
      next(result: { data?: { frame: Frame } | null; errors?: readonly { message: string }[] }) {
        if (result.data?.frame) take(subscriber, result.data.frame, names);
        else onEnd(result.errors ?? 'a frame without data');
      },
      error: onEnd,
      complete: () => onEnd('completed by the gateway'),
    },
  );
  atTheEnd(async () => {
    leaving = true;
    // Not waited for: those who are about to connect take their time to give up.
    void Promise.resolve(client.dispose()).catch(() => {});
  });
  return subscriber;
}

type Frame = { cursor: string } & (
  | { __typename: 'StatusTransition'; id: string }
  | { __typename: 'SessionSnapshot'; resync: boolean }
  | { __typename: 'FeedReset' | 'Heartbeat' }
);

function take(subscriber: Subscriber, frame: Frame, names: Names): void {
  switch (frame.__typename) {
    case 'StatusTransition':
      subscriber.stretches.at(-1)?.received.push(names.numberOf(frame.id));
      return;
    case 'SessionSnapshot':
      if (!frame.resync) return;
      break;
    case 'FeedReset':
      break;
    case 'Heartbeat':
      return;
  }
  subscriber.resets += 1;
  subscriber.stretches.push({ after: frame.cursor, received: [] });
}

/** What the stock clients have in common. */
interface Client {
  subscribe(payload: object, sink: object): () => void;
  dispose(): void | Promise<void>;
}

function connectBy(
  transport: Wish['transport'],
  url: string,
  options: object,
  onState: (state: FeedState) => void,
): Client {
  const states = { onState };
  const client =
    transport === 'WEBSOCKET'
      ? resuming(
          createClient,
          { url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, ...options },
          states,
        )
      : resuming(createEventStreamClient, { url: `${url}/graphql/stream`, ...options }, states);
  return client as Client;
}

function describe(why: unknown): string {
  if (Array.isArray(why)) return why.map((each) => JSON.stringify(each)).join(', ');
  const { code, reason, message } = (why ?? {}) as { code?: number; reason?: string; message?: string };
  return [code, reason, message].filter(Boolean).join(' ') || String(why);
}
