/**
 * In-memory log, and fake connections that fill up and drain on command, to test subscribers of the feed
 * without a database.
 */
import { type Viewer } from '../../src/domain/access.ts';
import { systemClock } from '../../src/domain/ports.ts';
import {
  type CursorError,
  getPositionAfter,
  getSessionStartPosition,
  type LogPosition,
} from '../../src/feed/cursor.ts';
import { UNLIMITED_FRAME_BUDGET } from '../../src/feed/frame-budget.ts';
import { FrameJson, PREVIOUS_CURSOR_PLACEHOLDER } from '../../src/feed/frame-json.ts';
import { LogTail, type LogTailEntry } from '../../src/feed/log-tail.ts';
import { Subscriber } from '../../src/feed/subscriber.ts';
import { SubscriberGroup } from '../../src/feed/subscriber-group.ts';
import type {
  FrameSelection,
  LogSubscription,
  ResyncPoint,
  Sink,
  SubscriberProgress,
  UnexecutedFrame,
} from '../../src/feed/subscription.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const SESSION = '018f0000-0000-7000-8000-000000000000';
export const viewer = (id: string): Viewer => ({
  id,
  roles: ['ADMIN'],
  verificationIds: [],
  expiresAt: null,
});
/**
 * Returns a log entry. `life` is the number of rewinds (losses of the newest entries) before the entry was written:
 * entries with the same number but different lives are different entries.
 */
const entry = (number: number, life = 0) =>
  ({
    sessionId: SESSION,
    sequence: number,
    number,
    position: null,
    recordedAt: new Date(life),
  }) as LogTailEntry;

/** Returns the progress of a subscriber that has seen every entry up to a number. */
export const at = (number: number, life = 0): SubscriberProgress => {
  const position = number === 0 ? getSessionStartPosition(SESSION) : getPositionAfter(entry(number, life));
  return { at: position, number, fingerprint: position.fingerprint };
};

/** Creates an in-memory log that counts its reads. The next `failures` reads fail. */
export function createLog(length = 0) {
  const entries = Array.from({ length }, (_, index) => entry(index + 1));
  const archived = new Set<number>();
  /** Resolves asynchronously with a page that was read at the time of the call, as a database does. */
  async function answer(page: LogTailEntry[]): Promise<LogTailEntry[]> {
    await new Promise((resolve) => setImmediate(resolve));
    if (log.failures > 0) {
      log.failures -= 1;
      throw new Error('the database is unreachable');
    }
    return page;
  }
  const isThere = ({ number }: LogTailEntry) => !archived.has(number);
  const log = {
    reads: 0,
    failures: 0,
    /** Number of rewinds of the log so far. */
    life: 0,
    get length() {
      return entries.length;
    },
    append(count = 1) {
      for (let added = 0; added < count; added += 1) entries.push(entry(entries.length + 1, log.life));
    },
    /** Drops all entries after a number, as a failover or a restore does. */
    rewind(to: number) {
      entries.length = to;
      log.life += 1;
    },
    /** Returns the life (number of rewinds) in which the entry with this number was written. */
    lifeAt: (number: number) => entries[number - 1]?.recordedAt.getTime() ?? 0,
    /** Returns the current entry with this number. */
    entryAt: (number: number) => entries[number - 1] as LogTailEntry,
    /** Archives entries: reads no longer return them. */
    archive(...numbers: number[]) {
      for (const number of numbers) archived.add(number);
    },
    readFrom(number: number, limit: number) {
      log.reads += 1;
      const page: LogTailEntry[] = [];
      for (let next = number; next <= entries.length && page.length < limit; next += 1)
        if (isThere(log.entryAt(next))) page.push(log.entryAt(next));
      return answer(page);
    },
    readNewest(limit: number) {
      log.reads += 1;
      return answer(entries.slice(-limit).filter(isThere));
    },
    explainLoss: async () => 'LOG_REWOUND' as const,
  };
  return log;
}

/** Connection that accepts every frame until a test makes the connection full. */
export class Connection implements Sink {
  readonly received: Record<string, any>[] = [];
  /** Numbers of the log entries among the received frames. */
  readonly numbers: number[] = [];
  /** Number of frames that the connection accepts before it is full. */
  roomFor = Number.POSITIVE_INFINITY;
  abandoned = false;
  /** The error that ended the subscription, if its cursor expired. */
  expired: CursorError | null = null;
  #wake: (() => void)[] = [];

  send(json: string, replay: boolean): void {
    const frame = { ...JSON.parse(json), ...(replay ? { replay } : {}) };
    this.received.push(frame);
    if (frame.number) this.numbers.push(frame.number);
    this.roomFor -= 1;
    this.#tell();
  }

  cork(send: () => void): void {
    send();
  }

  get writable(): boolean {
    return this.roomFor > 0;
  }

  async drained(): Promise<void> {
    while (!this.writable) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  drain(room = Number.POSITIVE_INFINITY): void {
    this.roomFor = room;
    this.#tell();
  }

  closeForRetry(): void {
    this.abandoned = true;
    this.#tell();
  }

  expire(error: CursorError): void {
    this.expired = error;
    this.#tell();
  }

  /** Resolves with the received frames as soon as these fulfil a condition. */
  async until(holds: (received: Record<string, any>[]) => boolean): Promise<Record<string, any>[]> {
    while (!holds(this.received)) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.received;
  }

  #tell(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}

export const cursorOf = ({ sequence }: Pick<LogPosition, 'sequence'>) => `after ${sequence}`;

const shown = (frame: UnexecutedFrame, viewer: Viewer | null) => ({
  kind: frame.kind,
  ...(frame.kind === 'TRANSITION'
    ? { number: frame.transition.sequence, life: frame.transition.recordedAt.getTime() }
    : {}),
  ...(frame.kind === 'RESET' ? { cause: frame.cause } : {}),
  ...(viewer ? { viewer: viewer.id } : {}),
  cursor:
    'at' in frame ? cursorOf(frame.at) : frame.kind === 'TRANSITION' ? cursorOf(frame.transition) : null,
  previousCursor: PREVIOUS_CURSOR_PLACEHOLDER,
});

/**
 * Creates a selection whose frames show the numbers of log entries. `executed` collects the JSON of every executed
 * frame.
 */
export function createSelection({ dependsOnViewer = false, immutable = false } = {}) {
  const selection = {
    key: 'numbers',
    executed: [] as string[],
    async execute(frames: readonly UnexecutedFrame[], viewer: Viewer) {
      await new Promise((resolve) => setImmediate(resolve));
      return frames.map((frame) => {
        const json = JSON.stringify(shown(frame, dependsOnViewer ? viewer : null));
        selection.executed.push(json);
        return { json: new FrameJson(json), dependsOnViewer, immutable };
      });
    },
  } satisfies FrameSelection & { executed: string[] };
  return selection;
}

/** Creates a subscriber group (subscribers of one log with the same selection) with its log and log tail. */
export function createFloor(log = createLog(), selection = createSelection()) {
  const errors: unknown[] = [];
  const metrics = createMetrics();
  const rewinds: string[] = [];
  const tail = new LogTail(log, 1_000, {
    error: (error) => errors.push(error),
    rewound: (why) => rewinds.push(why),
  });
  const group = new SubscriberGroup(selection);
  tail.listeners.add(group);
  return {
    log,
    tail,
    audience: group,
    selection,
    errors,
    rewinds,
    metrics,
    append(count = 1) {
      log.append(count);
      tail.wake();
    },
    /** Resolves when at least `count` subscribers are live (in step with the log). */
    async areLive(count: number) {
      while (group.countSubscribers(1_000).live < count)
        await new Promise((resolve) => setImmediate(resolve));
    },
    /**
     * Appends entries and pushes them to the log tail, so that the tail need not read the log. `asTheyCome` chooses
     * which entries are pushed and in which order: by default all, once and in order.
     */
    handOver(count = 1, asTheyCome: (numbers: number[]) => number[] = (numbers) => numbers) {
      log.append(count);
      for (const number of asTheyCome(upTo(log.length, log.length - count + 1)))
        tail.push(log.entryAt(number));
    },
    /**
     * Subscribes from an entry number, or from other progress, onwards. Returns the connection and a function that ends
     * the subscription.
     */
    follow(
      after: number | SubscriberProgress,
      {
        first = null,
        connection = new Connection(),
        ...given
      }: Partial<LogSubscription> & { first?: ResyncPoint | null; connection?: Connection } = {},
    ) {
      const from = typeof after === 'number' ? at(after) : after;
      const subscription: LogSubscription = {
        selection,
        sink: connection,
        viewer: viewer('anyone'),
        budget: UNLIMITED_FRAME_BUDGET,
        after: from.number === 0 ? null : cursorOf(from.at),
        cursorOf,
        wants: () => true,
        heartbeats: false,
        wantsDeadline: null,
        findResyncPoint: null,
        ...given,
      };
      const subscriber = new Subscriber(
        subscription,
        from,
        { tail, group, clock: systemClock, metrics },
        {
          fault: (error) => errors.push(error),
          expiry: (error) => {
            subscriber.end();
            connection.expire(error);
          },
        },
      );
      void tail.warmUp().then(() => subscriber.start(first));
      return { connection, leave: () => subscriber.end() };
    },
  };
}

/**
 * Returns for each frame whether its previousCursor is the cursor of the frame before; for the first frame,
 * the cursor of entry `after`.
 */
export const linked = (after: number, { received }: Connection): boolean[] =>
  received.map(
    ({ previousCursor }, index) =>
      previousCursor ===
      (index > 0 ? received[index - 1]?.cursor : after === 0 ? null : cursorOf(at(after).at)),
  );

export const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
