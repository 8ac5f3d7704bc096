import { expect, test } from 'vitest';
import { Tail } from '../../src/feed/tail.ts';

/** A log in memory, whose reads can be counted, delayed and made to fail. */
function createLog(length = 0) {
  const entries = Array.from({ length }, (_, index) => index + 1);
  const log = {
    reads: 0,
    failures: 0,
    append: (count: number) => {
      for (let added = 0; added < count; added += 1) entries.push(entries.length + 1);
    },
    async read(after: number, limit: number) {
      log.reads += 1;
      // As a database does: what is read is of the moment of asking, and comes a little later.
      const page = entries.slice(after, after + limit);
      await new Promise((resolve) => setImmediate(resolve));
      if (log.failures > 0) {
        log.failures -= 1;
        throw new Error('the database is away');
      }
      return page;
    },
    numberOf: (entry: number) => entry,
  };
  return log;
}

async function take(source: AsyncIterableIterator<number>, count: number): Promise<number[]> {
  const taken: number[] = [];
  while (taken.length < count) taken.push((await source.next()).value);
  return taken;
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('first the log, then what comes: no gap and no repeat at the seam', async () => {
  const log = createLog(700);
  const tail = new Tail(log, () => {});
  const subscriber = tail.follow(0);
  const appending = (async () => {
    for (let round = 0; round < 300; round += 1) {
      log.append(1);
      tail.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();

  expect(await take(subscriber, 1000)).toEqual(upTo(1000));
  await appending;
});

test('a knock while nobody was listening is heard by the next who comes', async () => {
  const log = createLog(3);
  const tail = new Tail(log, () => {});
  const subscriber = tail.follow(3);
  const next = subscriber.next();
  log.append(1);
  tail.wake();

  expect((await next).value).toBe(4);
});

test('a subscriber who has read further than the live stream does not get it again from there', async () => {
  const log = createLog(3);
  const tail = new Tail(log, () => {});
  const early = tail.follow(0);
  await take(early, 3);
  const earlyNext = early.next();
  await new Promise((resolve) => setTimeout(resolve));
  log.append(1);
  const ahead = tail.follow(0);
  await take(ahead, 4);
  const aheadNext = ahead.next();
  await new Promise((resolve) => setTimeout(resolve));

  log.append(1);
  tail.wake();

  expect((await aheadNext).value).toBe(5);
  expect([(await earlyNext).value, ...(await take(early, 1))]).toEqual([4, 5]);
});

test('the log is read once for all who are live, however many they are', async () => {
  const log = createLog(1);
  const tail = new Tail(log, () => {});
  const subscribers = Array.from({ length: 200 }, () => tail.follow(0));
  await Promise.all(subscribers.map((each) => take(each, 1)));
  const waiting = subscribers.map((each) => take(each, 10));
  await new Promise((resolve) => setTimeout(resolve));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  log.reads = 0;

  log.append(10);
  tail.wake();

  for (const taken of await Promise.all(waiting)) expect(taken).toEqual(upTo(11, 2));
  expect(log.reads).toBeLessThanOrEqual(2);
});

test('a subscriber who stalls loses nothing and holds nobody up: it reads on from the log', async () => {
  const log = createLog(1);
  const tail = new Tail(log, () => {});
  const stalled = tail.follow(0);
  const lively = tail.follow(0);
  await Promise.all([take(stalled, 1), take(lively, 1)]);
  const first = stalled.next();
  const all = take(lively, 5000);
  for (let round = 0; round < 5000; round += 50) {
    log.append(50);
    tail.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }

  expect(await all).toEqual(upTo(5001, 2));
  expect([(await first).value, ...(await take(stalled, 4999))]).toEqual(upTo(5001, 2));
});

test('a database that is away for a moment is a delay and not an end', async () => {
  const log = createLog(2);
  log.failures = 1;
  const errors: unknown[] = [];
  const tail = new Tail(log, (error) => errors.push(error));

  expect(await take(tail.follow(0), 2)).toEqual([1, 2]);
  expect(errors).toHaveLength(1);
});

test('a subscriber who leaves while waiting is let go at once', async () => {
  const tail = new Tail(createLog(0), () => {});
  const subscriber = tail.follow(0);
  const waiting = subscriber.next();

  await subscriber.return?.();

  expect((await waiting).done).toBe(true);
});
