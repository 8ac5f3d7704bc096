import type { Burst, Contender } from './contenders.ts';
import type { Delivery, Newcomer } from './subscribers.ts';

/** How many cursors subscribers come back with: each has another one than the next. */
const CURSORS = 20;
/** For a machine that is busy with other things; the whole bench has its own limit. */
const DELIVERY_TIMEOUT_MS = 300_000;
/** An order to the subscribers is given up later than what it waits for. */
export const ORDER_TIMEOUT_MS = DELIVERY_TIMEOUT_MS + 10_000;
/** So that one contender's last work does not fall into the next one's time. */
const PAUSE_MS = 150;

/** One burst to everybody. */
export interface Measurement extends Delivery {
  readonly serverCpuSeconds: number;
  readonly clientsCpuSeconds: number;
}

/** Where contenders come on one after the other. The newest burst of the gateway is the model for the others. */
export class Stage {
  #model: Burst = { rows: [], frames: [] };

  /** Everybody comes, gets frames, goes, and comes back from the frame that was their last. All are live then. */
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

  /** A burst of so many events. The gateway's are new; the others are given the gateway's last, which has as many. */
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

  /** Contenders that send something else could not be compared. */
  #expectSameBytes({ name }: Contender, subscribers: number, { bytes }: Delivery): void {
    const expected =
      subscribers * this.#model.frames.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0);
    if (bytes !== expected)
      throw new Error(`${name} sent ${bytes} bytes where the gateway sends ${expected}`);
  }
}

export const cursorIn = (frame: string): string => {
  const message = JSON.parse(frame) as { payload: { data: { statusTransitions: { cursor: string } } } };
  return message.payload.data.statusTransitions.cursor;
};
