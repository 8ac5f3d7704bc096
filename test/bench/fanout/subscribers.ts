/** Process in which all subscribers of one server run. It reports when every expected frame has arrived. */
import { answerOrders } from '../harness/orders.ts';
import { Subscriber } from './socket.ts';

/**
 * Maximum number of connections that are opened at the same time: fewer than the server's accept backlog holds,
 * so that the kernel refuses none.
 */
const AT_ONCE = 100;

/**
 * A subscriber to connect: the cursor to start after, and the number of missed frames that it will get first.
 */
export interface Newcomer {
  readonly after: string | null;
  readonly missed: number;
}

/** Order to connect subscribers to a server, all with one token. */
export interface Arrival {
  readonly port: number;
  readonly token: string;
  readonly newcomers: readonly Newcomer[];
}

/** Frames that arrived since the last `expect`, or since the first subscriber connected. */
export interface Delivery {
  readonly deliveries: number;
  readonly bytes: number;
  /** Time from the first frame at any subscriber to the last frame at any subscriber. */
  readonly seconds: number;
  /** Texts of the frames that the first subscriber got. */
  readonly frames: string[];
}

let subscribers: Subscriber[] = [];
/** Numbers of frames that are still expected, by subscriber (`due`) and in total (`left`). */
let due: number[] = [];
let left = 0;
let delivery = { deliveries: 0, bytes: 0, frames: [] as string[] };
let firstAt = 0;
let lastAt = 0;
let everythingCame: () => void = () => {};

function begin(counts: number[]): void {
  due = counts;
  left = counts.reduce((sum, count) => sum + count, 0);
  delivery = { deliveries: 0, bytes: 0, frames: [] };
}

function arrived(index: number, bytes: number, text: string | null): void {
  if (delivery.deliveries === 0) firstAt = performance.now();
  delivery.deliveries += 1;
  delivery.bytes += bytes;
  due[index] = (due[index] as number) - 1;
  if (text) delivery.frames.push(text);
  left -= 1;
  if (left > 0) return;
  lastAt = performance.now();
  everythingCame();
}

answerOrders({
  async open({ port, token, newcomers }: Arrival) {
    begin(newcomers.map(({ missed }) => missed));
    for (let at = 0; at < newcomers.length; at += AT_ONCE) {
      const group = newcomers.slice(at, at + AT_ONCE).map(({ after }, offset) => {
        const index = at + offset;
        const onData = (bytes: number, text: string | null) => arrived(index, bytes, text);
        return new Subscriber({ port, token, after, onData, keepTexts: index === 0 });
      });
      subscribers.push(...group);
      await Promise.all(group.map(({ ready }) => ready));
    }
  },

  /** Starts a count of frames: each subscriber must get `each` more frames. */
  expect(each: number) {
    if (left !== 0) throw new Error(`Received ${-left} unexpected frames`);
    begin(subscribers.map(() => each));
  },

  /**
   * Resolves when all expected frames have arrived. Rejects after the timeout, or if one subscriber got too
   * many frames and another too few.
   */
  async delivered(timeoutMs: number): Promise<Delivery> {
    const inTime = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      everythingCame = () => {
        clearTimeout(timer);
        resolve(true);
      };
      if (left <= 0) everythingCame();
    });
    everythingCame = () => {};
    const wrong = due.filter((count) => count !== 0).length;
    if (!inTime || wrong > 0)
      throw new Error(
        `${wrong} of ${due.length} subscribers got too few or too many frames; ${left} frames are missing. ` +
          `Last frame of the first subscriber: ${delivery.frames.at(-1)}`,
      );
    return { ...delivery, seconds: (lastAt - firstAt) / 1000 };
  },

  async close() {
    const leaving = subscribers;
    subscribers = [];
    await Promise.all(leaving.map((subscriber) => subscriber.close()));
  },
});
// The IPC channel keeps this process alive while it has no sockets.
process.channel?.ref();
