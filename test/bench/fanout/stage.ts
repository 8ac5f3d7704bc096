import type { Burst, Contender } from './contenders.ts';
import type { Delivery, Newcomer } from './subscribers.ts';

/**
 * Number of different cursors from which reconnecting subscribers resume, assigned to the subscribers in turn.
 */
const CURSORS = 20;
/** Timeout of one burst, long because the machine may be busy. The whole run of `npm run bench` has its own limit. */
const DELIVERY_TIMEOUT_MS = 300_000;
/**
 * Timeout of an order to another process. It is longer than the timeout of a delivery, so that the process can
 * still report that the delivery timed out.
 */
export const ORDER_TIMEOUT_MS = DELIVERY_TIMEOUT_MS + 10_000;
/**
 * Pause before each burst, so that unfinished work of the previous server does not slow the next server down.
 */
const PAUSE_MS = 150;

/** Measurements of one burst that was delivered to all subscribers. */
export interface Measurement extends Delivery {
  readonly serverCpuSeconds: number;
  readonly clientsCpuSeconds: number;
}

/**
 * Makes one server after another deliver bursts. `#model` is the newest burst of the gateway: the servers that are
 * compared with the gateway repeat it, so that all servers send the same frames.
 */
export class Stage {
  #model: Burst = { rows: [], frames: [] };

  /**
   * Connects all subscribers, delivers frames, disconnects the subscribers, and reconnects each with the cursor
   * of one of these frames. Afterwards every subscriber has received all frames.
   */
  async gather(contender: Contender, subscribers: number): Promise<void> {
    const { clients, port, token, resumes } = contender;
    const open = (newcomerOf: (index: number) => Newcomer) => {
      const newcomers = Array.from({ length: subscribers }, (_, index) => newcomerOf(index));
      return clients.ask('open', { port, token, newcomers }, ORDER_TIMEOUT_MS);
    };
    const start = await contender.start();
    await open(() => ({ after: start, missed: 0 }));
    const { frames } = await this.deliver(contender, subscribers, CURSORS);
    await clients.ask('close');

    const cursors = frames.map(cursorIn);
    await open((index) => ({
      after: cursors[index % CURSORS] as string,
      missed: resumes ? CURSORS - 1 - (index % CURSORS) : 0,
    }));
    await clients.ask('delivered', DELIVERY_TIMEOUT_MS, ORDER_TIMEOUT_MS);
    await this.deliver(contender, subscribers, CURSORS);
  }

  /**
   * Delivers and measures one burst. The gateway records new transitions; the other servers send the
   * gateway's newest burst, which has the same size.
   */
  async deliver(contender: Contender, subscribers: number, events: number): Promise<Measurement> {
    const { server, clients, burst } = contender;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await clients.ask('expect', events);
    const before = await Promise.all([server.cpuSeconds(), clients.cpuSeconds()]);
    const rows = await burst(this.#model, events);
    const delivery = await clients.ask<Delivery>('delivered', DELIVERY_TIMEOUT_MS, ORDER_TIMEOUT_MS);
    const after = await Promise.all([server.cpuSeconds(), clients.cpuSeconds()]);
    if (rows) this.#model = { rows, frames: delivery.frames };
    this.#expectSameBytes(contender, subscribers, delivery);
    return {
      ...delivery,
      serverCpuSeconds: after[0] - before[0],
      clientsCpuSeconds: after[1] - before[1],
    };
  }

  /**
   * Throws if a server sent another number of bytes than the gateway for the same burst: the servers could then
   * not be compared.
   */
  #expectSameBytes({ name }: Contender, subscribers: number, { bytes }: Delivery): void {
    const expected =
      subscribers * this.#model.frames.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0);
    if (bytes !== expected) throw new Error(`${name} sent ${bytes} bytes, but the gateway sends ${expected}`);
  }
}

export const cursorIn = (frame: string): string => {
  const message = JSON.parse(frame) as { payload: { data: { statusTransitions: { cursor: string } } } };
  return message.payload.data.statusTransitions.cursor;
};
