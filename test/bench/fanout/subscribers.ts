/** A process of its own that holds all subscribers of one server, and says when everybody has got everything. */
import { answerOrders } from '../harness/orders.ts';
import { Subscriber } from './socket.ts';

/** How many come at once: fewer than a server lets wait at its door. */
const AT_ONCE = 100;

/** One subscriber to come: where it starts, and how many frames it is to get by that alone. */
export interface Newcomer {
  readonly after: string | null;
  readonly missed: number;
}

/** Who comes, where to, and as whom. */
export interface Arrival {
  readonly port: number;
  readonly token: string;
  readonly newcomers: readonly Newcomer[];
}

/** What came since the last `expect`, or since the newcomers began to come. */
export interface Delivery {
  readonly deliveries: number;
  readonly bytes: number;
  /** From the first frame at whichever subscriber to the last frame at whichever. */
  readonly seconds: number;
  /** What the first subscriber got, as text. */
  readonly frames: string[];
}

let subscribers: Subscriber[] = [];
/** Frames yet to come, by subscriber and in all. */
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

  /** Each subscriber is to get so many frames from now on. */
  expect(each: number) {
    if (left !== 0) throw new Error(`${-left} frames came that were not due`);
    begin(subscribers.map(() => each));
  },

  /** Waits for all that is due. Rejects where somebody got more, and somebody else less. */
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
        `${wrong} of ${due.length} subscribers got too little or too much; ${left} frames are missing. ` +
          `The last that the first subscriber got: ${delivery.frames.at(-1)}`,
      );
    return { ...delivery, seconds: (lastAt - firstAt) / 1000 };
  },

  async close() {
    const leaving = subscribers;
    subscribers = [];
    await Promise.all(leaving.map((subscriber) => subscriber.close()));
  },
});
// Nothing else keeps it while it holds no sockets.
process.channel?.ref();
