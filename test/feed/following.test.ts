import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/domain/ports.ts';
import type { RestartCause } from '../../src/feed/subscription.ts';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import {
  at,
  Connection,
  createFloor,
  createLog,
  createSelection,
  linked,
  upTo,
  viewer,
} from './followers.ts';

const has = (count: number) => (received: unknown[]) => received.length >= count;

test('a subscriber gets past and then new log entries without a gap or repeat, and only past entries are marked as replay', async () => {
  const floor = createFloor(createLog(700));
  const { connection } = floor.follow(0);
  for (let round = 0; round < 300; round += 1) {
    floor.append();
    await turn();
  }

  await connection.until(has(1000));

  expect(connection.numbers).toEqual(upTo(1000));
  const past = connection.received.filter(({ replay }) => replay);
  expect(past.map(({ number }) => number)).toEqual(upTo(past.length));
  expect(past.length).toBeGreaterThan(600);
});

test('a subscriber that has read further than the log tail (the newest entries in memory) gets no entry twice', async () => {
  const floor = createFloor(createLog(3));
  const early = floor.follow(3);
  floor.log.append();
  const ahead = floor.follow(0);
  await ahead.connection.until(has(3));
  floor.append();

  await ahead.connection.until(has(5));
  await early.connection.until(has(2));

  expect(ahead.connection.numbers).toEqual(upTo(5));
  expect(early.connection.numbers).toEqual([4, 5]);
});

test('each new log entry is read and executed once for all 200 subscribers, whatever cursor each subscriber began at', async () => {
  const floor = createFloor(createLog(200));
  const followers = upTo(200).map((after) => floor.follow(after - 1));
  await Promise.all(followers.map(({ connection }, index) => connection.until(has(200 - index))));
  floor.log.reads = 0;
  floor.selection.executed = [];

  floor.append(10);
  await Promise.all(followers.map(({ connection }, index) => connection.until(has(210 - index))));

  for (const [index, { connection }] of followers.entries())
    expect(connection.numbers).toEqual(upTo(210, index + 1));
  expect(floor.log.reads).toBe(1);
  expect(floor.selection.executed).toHaveLength(10);
});

test('entries that are pushed to the log tail are sent without reading the log; the log is read only to fill a gap', async () => {
  const floor = createFloor(createLog(5));
  const { connection } = floor.follow(5);
  await floor.tail.warmUp();
  await turn();
  floor.log.reads = 0;
  for (let round = 0; round < 10; round += 1) {
    floor.handOver(2);
    await connection.until(has(2 * round + 2));
  }
  expect(floor.log.reads).toBe(0);

  // Does not push the first of the four entries, which leaves a gap, and pushes each other entry twice.
  floor.handOver(4, ([, ...others]) => [...others, ...others]);
  await connection.until(has(24));
  expect(floor.log.reads).toBe(1);

  floor.handOver(300, (numbers) => numbers.toReversed());
  await connection.until(has(324));
  expect(connection.numbers).toEqual(upTo(329, 6));
  expect(floor.errors).toEqual([]);
});

test('subscribers that resume at the same time share one execution of each replayed entry', async () => {
  const floor = createFloor(createLog(100));
  await floor.tail.warmUp();

  const followers = upTo(100).map(() => floor.follow(50));
  await Promise.all(followers.map(({ connection }) => connection.until(has(50))));

  expect(floor.selection.executed).toHaveLength(50);
  // The log was read once for its newest entries, and once to check that it still has them.
  expect(floor.log.reads).toBe(2);
});

test('a frame with an immutable result is executed once for all replays, any other frame once for each replay', async () => {
  for (const [immutable, executions] of [
    [true, 50],
    [false, 150],
  ] as const) {
    const floor = createFloor(createLog(100), createSelection({ immutable }));
    for (let comer = 0; comer < 3; comer += 1) {
      const { connection } = floor.follow(50);
      await connection.until(has(50));
      expect(connection.numbers).toEqual(upTo(100, 51));
    }
    expect(floor.selection.executed).toHaveLength(executions);
  }
});

test('a cached immutable frame that depends on the viewer is never sent to another viewer', async () => {
  const floor = createFloor(createLog(10), createSelection({ immutable: true, dependsOnViewer: true }));
  for (const id of ['a', 'b', 'a', 'b']) {
    const { connection } = floor.follow(0, { viewer: viewer(id) });
    await connection.until(has(10));
    expect(connection.received.map((each) => each.viewer)).toEqual(Array(10).fill(id));
  }
});

test('a frame that depends on the viewer is executed once per viewer, and each viewer gets their own frame', async () => {
  const floor = createFloor(createLog(), createSelection({ dependsOnViewer: true }));
  const followers = ['a', 'b', 'a', 'b'].map((id) => floor.follow(0, { viewer: viewer(id) }));
  floor.append();
  await Promise.all(followers.map(({ connection }) => connection.until(has(1))));
  floor.selection.executed = [];

  floor.append();
  await Promise.all(followers.map(({ connection }) => connection.until(has(2))));

  expect(followers.map(({ connection }) => connection.received[1]?.viewer)).toEqual(['a', 'b', 'a', 'b']);
  expect(floor.selection.executed).toHaveLength(2);
});

test('a subscriber whose connection is full for a while (backpressure) gets every entry later, and no entry is executed again for it', async () => {
  const floor = createFloor();
  const slow = floor.follow(0);
  const lively = floor.follow(0);
  floor.append();
  await slow.connection.until(has(1));
  slow.connection.roomFor = 1;

  floor.append(50);
  await lively.connection.until(has(51));
  expect(slow.connection.numbers).toEqual(upTo(2));
  slow.connection.drain();
  await slow.connection.until(has(51));

  expect(slow.connection.numbers).toEqual(upTo(51));
  expect(floor.selection.executed).toHaveLength(51);
});

test('a subscriber that stops reading delays no other subscriber, keeps no entries in memory, and continues from the log when it reads again', async () => {
  const floor = createFloor();
  const stalled = floor.follow(0, { connection: Object.assign(new Connection(), { roomFor: 1 }) });
  const lively = floor.follow(0);
  await floor.areLive(2);
  for (let round = 0; round < 5000; round += 50) {
    floor.append(50);
    await turn();
  }
  await lively.connection.until(has(5000));
  expect(lively.connection.numbers).toEqual(upTo(5000));
  expect(stalled.connection.numbers).toEqual([1]);
  expect(floor.audience.bufferedAfter(1)).toBeNull();

  stalled.connection.drain();
  await stalled.connection.until(has(5000));

  expect(stalled.connection.numbers).toEqual(upTo(5000));
  expect(await floor.metrics.render()).toMatch(/^vkyc_feed_overflows_total\{sent="LOG"\} 1$/m);
});

test('a resyncable subscriber that stops reading gets a reset frame instead of its long backlog, and then new entries', async () => {
  const floor = createFloor();
  const startAnew = async (cause: RestartCause) => ({
    frame: { kind: 'RESET', at: at(floor.log.length).at, cause } as const,
    ...at(floor.log.length),
  });
  const stalled = floor.follow(0, {
    findResyncPoint: startAnew,
    connection: Object.assign(new Connection(), { roomFor: 1 }),
  });
  const lively = floor.follow(0);
  await floor.areLive(2);
  floor.append(3000);
  await lively.connection.until(has(3000));

  stalled.connection.drain();
  await stalled.connection.until(has(2));
  floor.append();
  await stalled.connection.until(has(3));

  expect(stalled.connection.received.map(({ kind }) => kind)).toEqual(['TRANSITION', 'RESET', 'TRANSITION']);
  expect(stalled.connection.numbers).toEqual([1, 3001]);
  expect(linked(0, stalled.connection)).toEqual([true, true, true]);
  expect(await floor.metrics.render()).toMatch(/^vkyc_feed_overflows_total\{sent="RESET"\} 1$/m);
});

test('a subscriber whose backlog is archived while it catches up is reset, or ends with an expired cursor, but never skips entries', async () => {
  const floor = createFloor(createLog(3000));
  const startAnew = async (cause: RestartCause) => ({
    frame: { kind: 'RESET', at: at(3000).at, cause } as const,
    ...at(3000),
  });
  const room = () => Object.assign(new Connection(), { roomFor: 1 });
  const screen = floor.follow(0, { findResyncPoint: startAnew, connection: room() });
  const strict = floor.follow(0, { connection: room() });
  await screen.connection.until(has(1));
  await strict.connection.until(has(1));

  floor.log.archive(700, 1400);
  for (const { connection } of [screen, strict]) connection.drain();
  await screen.connection.until((received) => received.at(-1)?.kind === 'RESET');
  await strict.connection.until(() => strict.connection.expired !== null);
  floor.append();
  await screen.connection.until((received) => received.at(-1)?.kind === 'TRANSITION');

  expect(screen.connection.numbers).toEqual([...upTo(500), 3001]);
  expect(strict.connection.numbers).toEqual(upTo(500));
});

test('a subscriber gets a heartbeat at the end of its replay, and later only if it was sent no entry since the last heartbeat round', async () => {
  const floor = createFloor(createLog(2));
  const quiet = floor.follow(0, { heartbeats: true });
  const plain = floor.follow(0);
  await quiet.connection.until(has(3));
  await plain.connection.until(has(2));

  await floor.audience.sendHeartbeats(systemClock);
  await floor.audience.sendHeartbeats(systemClock);
  floor.append();
  await quiet.connection.until((received) => received.at(-1)?.kind === 'TRANSITION');
  await floor.audience.sendHeartbeats(systemClock);

  const kinds = quiet.connection.received.map(({ kind }) => kind);
  expect(kinds.slice(0, 3)).toEqual(['TRANSITION', 'TRANSITION', 'HEARTBEAT']);
  expect(kinds.slice(3)).toEqual(['HEARTBEAT', 'TRANSITION']);
  expect(plain.connection.received).toHaveLength(3);
});

test('a failed read of the log delays a subscriber but does not end its subscription', async () => {
  const floor = createFloor(createLog(2));
  floor.log.failures = 1;
  const { connection } = floor.follow(0);

  await connection.until(has(2));

  expect(connection.numbers).toEqual([1, 2]);
  expect(floor.errors).toHaveLength(1);
});

test('a subscriber that unsubscribes gets no further frame, whether it was starting, live, or had a full connection', async () => {
  const floor = createFloor(createLog(2));
  const [atOnce, full, live] = [floor.follow(0), floor.follow(0), floor.follow(0)];
  atOnce.leave();
  await live.connection.until(has(2));
  full.connection.roomFor = 0;
  full.leave();
  live.leave();

  floor.append(5);
  const witness = floor.follow(0);
  await witness.connection.until(has(7));
  full.connection.drain();
  await turn();

  expect(atOnce.connection.received).toEqual([]);
  expect(full.connection.received).toHaveLength(2);
  expect(live.connection.received).toHaveLength(2);
  expect(floor.audience.countSubscribers(1_000)).toEqual({ live: 1, lagging: 0 });
});

// Invariant 8 of ARCHITECTURE.md
test('under random faults every subscriber gets each entry that passes its filter once, in order and with the right previousCursor', async () => {
  const seed = process.env.SEED ?? String(Math.floor(Math.random() * 2 ** 31));
  const random = createSeededRandom('following', seed);
  const floor = createFloor(createLog(random.integer(0, 1500)));
  const followers: {
    after: number;
    wants: (entry: { sequence: number }) => boolean;
    connection: Connection;
  }[] = [];
  for (let step = 0; step < 250; step += 1) {
    if (random.chance(0.3))
      floor.append(random.chance(0.05) ? random.integer(100, 2500) : random.integer(1, 5));
    // Pushes some entries not at all, some twice, and some out of order.
    if (random.chance(0.3))
      floor.handOver(random.chance(0.05) ? random.integer(100, 300) : random.integer(1, 5), (numbers) =>
        numbers
          .flatMap((number) =>
            Array.from({ length: random.chance(0.2) ? random.integer(0, 2) : 1 }, () => number),
          )
          .toSorted(() => (random.chance(0.1) ? 1 : 0)),
      );
    if (random.chance(0.2)) {
      const after = random.integer(0, floor.log.length);
      const divisor = random.chance(0.5) ? 1 : random.integer(2, 7);
      const wants = ({ sequence }: { sequence: number }) => sequence % divisor === 0;
      followers.push({ after, wants, ...floor.follow(after, { wants, heartbeats: random.chance(0.3) }) });
    }
    const one = followers[random.integer(0, Math.max(0, followers.length - 1))]?.connection;
    if (one && random.chance(0.5)) one.roomFor = random.integer(0, 3);
    else one?.drain(random.chance(0.5) ? random.integer(1, 200) : undefined);
    if (random.chance(0.004)) floor.log.failures = 1;
    if (random.chance(0.05)) await floor.audience.sendHeartbeats(systemClock);
    for (let rest = random.integer(0, 4); rest > 0; rest -= 1) await turn();
  }

  floor.tail.wake();
  for (const { connection } of followers) connection.drain();
  for (const { after, wants, connection } of followers) {
    const wanted = upTo(floor.log.length, after + 1).filter((sequence) => wants({ sequence }));
    await connection.until(() => connection.numbers.length >= wanted.length);

    expect(connection.numbers, `SEED=${seed}`).toEqual(wanted);
    expect(linked(after, connection), `SEED=${seed}`).not.toContain(false);
  }
});
