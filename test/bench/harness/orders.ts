/**
 * Orders (requests) that the bench sends over Node's IPC channel to processes that it started, and the answers of these
 * processes.
 */

export interface Order {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Functions that carry out the orders to a process, by the name of the order. */
export type Handlers = Record<string, (input: any) => unknown>;

const known: Handlers = {};
/** Orders that arrived before the script that handles them was loaded. */
const early: Order[] = [];

/** Carries out the orders with these names from now on. The process ends when the bench disconnects. */
export function answerOrders(handlers: Handlers): void {
  if (Object.keys(known).length === 0) {
    process.on('message', answer);
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  }
  Object.assign(known, handlers);
  for (const order of early.splice(0)) void answer(order);
}

async function answer(order: Order): Promise<void> {
  const handler = known[order.name];
  if (!handler) {
    early.push(order);
    return;
  }
  const reply = (rest: Omit<Answer, 'id'>) => process.connected && process.send?.({ id: order.id, ...rest });
  try {
    reply({ result: await handler(order.input) });
  } catch (error) {
    reply({ error: String((error as Error).stack ?? error) });
  }
}
