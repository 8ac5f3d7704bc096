/** How the bench talks with its processes: an order goes there, an answer comes back, over Node's own channel. */

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

/** What a process does when it is told to, by the order's name. */
export type Handlers = Record<string, (input: any) => unknown>;

const known: Handlers = {};
/** Orders that came before the script that knows what to do. */
const early: Order[] = [];

/** From now on orders with these names are answered. The process ends when the bench does. */
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
