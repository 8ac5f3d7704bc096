/** Server with graphql-ws and its defaults, and the gateway's schema: it executes every event per subscriber. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { TransitionWithVerificationId } from '../../../src/db/sessions/transitions.ts';
import type { Viewer } from '../../../src/domain/access.ts';
import { createCursorCodec } from '../../../src/feed/cursor.ts';
import type { UnexecutedFrame } from '../../../src/feed/subscription.ts';
import { createContext, type Services } from '../../../src/graphql/context.ts';
import { getSchema } from '../../../src/graphql/schema.ts';
import { answerOrders } from '../harness/orders.ts';
import { eachInTurn } from './each-in-turn.ts';

const DEVELOPER: Viewer = { id: 'developer', roles: ['ADMIN'], verificationIds: [], expiresAt: null };
// The cursor key is all zeros, since the key affects neither the length of a cursor nor the time to make a cursor.
const services = { cursors: createCursorCodec({ epoch: 1, cursorKey: Buffer.alloc(32) }) } as Services;

type Shown = Extract<UnexecutedFrame, { kind: 'TRANSITION' }>;

/** In-memory queue of events for one subscriber. */
class Queue implements AsyncIterableIterator<Shown> {
  readonly #rows: Shown[] = [];
  #wake: (() => void) | null = null;

  push(row: Shown): void {
    this.#rows.push(row);
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Shown>> {
    while (this.#rows.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return { done: false, value: this.#rows.shift() as Shown };
  }

  async return(): Promise<IteratorResult<Shown>> {
    queues.delete(this);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const queues = new Set<Queue>();
const schema = getSchema();
const field = schema.getSubscriptionType()?.getFields().statusTransitions;
if (!field) throw new Error('The schema has no statusTransitions');
// Replaces the gateway's resolver by one that takes events from memory: reading events from a database would only
// slow this server down.
field.subscribe = () => {
  const queue = new Queue();
  queues.add(queue);
  return queue;
};

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
useServer({ schema, context: () => ({ ...createContext(services, DEVELOPER), live: true }) }, server);

const listening = once(server, 'listening');

answerOrders({
  async port() {
    await listening;
    return (server.address() as AddressInfo).port;
  },
  burst: (rows: TransitionWithVerificationId[]) =>
    eachInTurn(rows, (row) => {
      for (const queue of queues) queue.push({ kind: 'TRANSITION', transition: row });
    }),
});
