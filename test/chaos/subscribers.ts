/**
 * Subscribers for the fault tests: stock graphql-ws and graphql-sse clients, wrapped by the client helper, that record
 * every frame.
 */
import { createClient as createEventStreamClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type FeedState, resuming } from '../../src/client/resuming.ts';
import { toGlobalId } from '../../src/graphql/node.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import { operationOf, type Wish } from './wishes.ts';

/** Transitions received since a cursor. Each resync (a new snapshot or FeedReset) begins a new stretch. */
export interface Stretch {
  readonly after: string;
  /** Numbers of the transitions in order of arrival; `Names` assigns the numbers. */
  readonly received: number[];
}

export interface Subscriber {
  readonly wish: Wish;
  readonly stretches: Stretch[];
  /** Number of resyncs (a snapshot or FeedReset instead of the missed transitions) so far. */
  resets: number;
  /** Cursor of the newest frame, from which the subscriber resumes. */
  cursor: string;
  /** Number of connections so far. */
  connections: number;
  state: FeedState;
  /** Why the gateway ended the subscription; null while the subscription goes on. */
  ended: string | null;
  /** Closes the connection and keeps the cursor. */
  leave(): void;
  /** Reconnects and resumes after the cursor. */
  comeBack(): void;
}

/** Maps ids to small numbers, since millions of deliveries must fit in memory. */
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

  /** Returns session, sequence and time as readable text. */
  textOf(number: number): string {
    const [id = '', recordedAt] = this.#ids[number]?.split(' ') ?? [];
    return `${Buffer.from(id, 'base64url').toString('utf8')} (${recordedAt})`;
  }
}

/**
 * Names a transition by its id and time. The id (session and sequence) alone is not unique: after a failover that lost
 * the transition, another one may get the same sequence.
 */
export const nameOfTransition = (id: string, recordedAt: string): string => `${id} ${recordedAt}`;

export const transitionId = (sessionId: string, sequence: number): string =>
  toGlobalId('StatusTransition', `${sessionId}:${sequence}`);

/** Returns the number of transitions delivered to all subscribers. */
export const deliveriesTo = (subscribers: readonly Subscriber[]): number =>
  subscribers
    .flatMap(({ stretches }) => stretches)
    .reduce((total, { received }) => total + received.length, 0);

/** Returns the number of connections of all subscribers. */
export const connectionsOf = (subscribers: readonly Subscriber[]): number =>
  subscribers.reduce((total, { connections }) => total + connections, 0);

/** Waits until all subscribers are connected. */
export const everyoneIsConnected = (subscribers: readonly Subscriber[]): Promise<boolean> =>
  eventually(async () => subscribers.every(({ state, ended }) => state !== 'stale' || ended !== null));

interface Options {
  /** URL of the proxy in front of the gateways. */
  readonly url: string;
  readonly wish: Wish;
  readonly after: string;
  readonly names: Names;
  readonly clientOptions?: object;
  /** Called at every reconnect. */
  readonly onComeback?: () => void;
  /** Called after each frame. */
  readonly onFrame?: (frame: Frame, subscriber: Subscriber) => void;
  /** Finds a new cursor after the error CURSOR_EXPIRED; without this function, the error ends the subscription. */
  readonly findCursor?: () => Promise<string>;
}

/** Starts a subscriber, which reconnects for as long as the test runs. */
export async function subscribe(options: Options): Promise<Subscriber> {
  const { url, wish, after, names, clientOptions = {}, onComeback, onFrame, findCursor } = options;
  let client: Client | null = null;
  let subscription = 0;

  const subscriber: Subscriber = {
    wish,
    stretches: [{ after, received: [] }],
    resets: 0,
    cursor: after,
    connections: 0,
    state: 'stale',
    ended: null,
    leave() {
      subscription += 1;
      const leaving = client;
      client = null;
      subscriber.state = 'stale';
      // Not awaited, because a client that is just connecting gives up only after its timeout.
      void Promise.resolve(leaving?.dispose()).catch(() => {});
    },
    comeBack() {
      client = connectBy(wish.transport, url, clientOptions, (state) => {
        const connected = subscriber.state === 'stale' && state !== 'stale';
        subscriber.state = state;
        if (connected) subscriber.connections += 1;
        if (connected && subscriber.connections > 1) onComeback?.();
      });
      begin();
    },
  };

  const begin = () => {
    subscription += 1;
    const own = subscription;
    const end = (why: unknown) => {
      if (own !== subscription) return;
      if (findCursor && isExpiry(why)) return void goOn(findCursor);
      subscriber.ended ??= typeof why === 'string' ? why : describe(why);
    };
    const variables = {
      ...(wish.session ? { sessionId: toGlobalId('VkycSession', wish.session.id) } : {}),
      ...(wish.operation === 'sessionLive' ? {} : { filter: wish.filter }),
      after: subscriber.cursor,
    };
    client?.subscribe(
      { query: operationOf(wish), variables },
      {
        next(result: { data?: { frame: Frame } | null; errors?: readonly { message: string }[] }) {
          if (own !== subscription) return;
          if (!result.data?.frame) return end(result.errors ?? 'a frame without data');
          take(subscriber, result.data.frame, names);
          onFrame?.(result.data.frame, subscriber);
        },
        error: end,
        complete: () => end('completed by the gateway'),
      },
    );
  };
  /** Subscribes again from the cursor that `find` returns. Late frames of the old subscription are ignored. */
  const goOn = async (find: () => Promise<string>) => {
    subscription += 1;
    const own = subscription;
    const cursor = await find();
    beginAgain(subscriber, cursor);
    if (own === subscription) begin();
  };

  subscriber.comeBack();
  atTheEnd(async () => subscriber.leave());
  return subscriber;
}

export type Frame = { cursor: string } & (
  | { __typename: 'StatusTransition'; id: string; recordedAt: string }
  | { __typename: 'SessionSnapshot'; resync: boolean }
  | { __typename: 'Heartbeat'; serverTime: string }
  | { __typename: 'FeedReset' }
);

function take(subscriber: Subscriber, frame: Frame, names: Names): void {
  switch (frame.__typename) {
    case 'StatusTransition':
      subscriber.stretches
        .at(-1)
        ?.received.push(names.numberOf(nameOfTransition(frame.id, frame.recordedAt)));
      break;
    case 'SessionSnapshot':
      if (frame.resync) beginAgain(subscriber, frame.cursor);
      break;
    case 'FeedReset':
      beginAgain(subscriber, frame.cursor);
      break;
    case 'Heartbeat':
      break;
  }
  subscriber.cursor = frame.cursor;
}

function beginAgain(subscriber: Subscriber, after: string): void {
  subscriber.resets += 1;
  subscriber.cursor = after;
  subscriber.stretches.push({ after, received: [] });
}

const isExpiry = (why: unknown): boolean =>
  Array.isArray(why) && why.some((error) => error?.extensions?.code === 'CURSOR_EXPIRED');

/** Common interface of the graphql-ws and graphql-sse clients. */
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
