/**
 * Tests of a log that is rewound (loses its newest entries in a failover or restore) and then gives the lost numbers to
 * new entries.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/domain/ports.ts';
import type { RestartCause } from '../../src/feed/subscription.ts';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { at, Connection, createFloor, createLog, createSelection, upTo } from './followers.ts';

type Floor = ReturnType<typeof createFloor>;
const has = (count: number) => (received: unknown[]) => received.length >= count;

/** Returns a function that resyncs a subscriber with a reset to the end of the log, as the feed does. */
const resetTo = (floor: Floor) => async (cause: RestartCause) => {
  const end = at(floor.log.length, floor.log.lifeAt(floor.log.length));
  return { frame: { kind: 'RESET', at: end.at, cause } as const, ...end };
};

describe('log tail and subscribers', () => {
  test("a live subscriber of a rewound log is reset to the log's new end and gets every new entry, even if its number was seen before", async () => {
    const floor = createFloor(createLog(84));
    const { connection } = floor.follow(84, { findResyncPoint: resetTo(floor) });
    await floor.areLive(1);

    floor.log.rewind(57);
    floor.append(1);
    await connection.until(has(1));
    floor.append(41);
    await connection.until((received) => received.at(-1)?.number === 99);

    const [reset, ...entries] = connection.received;
    expect(reset).toMatchObject({ kind: 'RESET', cause: 'LOG_REWOUND', cursor: 'after 58' });
    expect(connection.numbers).toEqual(upTo(99, 59));
    expect(entries.every(({ life }) => life === 1)).toBe(true);
    expect(floor.rewinds).toEqual(['LOG_REWOUND']);
  });

  test('a live subscriber is reset even if the rewound log has become longer than before the loss when the gateway reads it', async () => {
    const floor = createFloor(createLog(10));
    const { connection } = floor.follow(10, { findResyncPoint: resetTo(floor) });
    await floor.areLive(1);

    floor.log.rewind(8);
    floor.log.append(20);
    floor.tail.wake();
    await connection.until(has(1));

    expect(connection.received[0]).toMatchObject({ kind: 'RESET', cause: 'LOG_REWOUND' });
  });

  test('a pushed entry with the number of a known entry shows that the log was rewound, and live subscribers are reset immediately', async () => {
    const floor = createFloor(createLog(10));
    const { connection } = floor.follow(10, { findResyncPoint: resetTo(floor) });
    await floor.areLive(1);

    floor.log.rewind(8);
    floor.handOver(1);
    await connection.until(has(1));

    expect(connection.received[0]).toMatchObject({ kind: 'RESET', cause: 'LOG_REWOUND' });
  });

  test('after a possible failover, a pushed entry with the next number is not sent before the log was checked for lost entries', async () => {
    const floor = createFloor(createLog(10));
    const { connection } = floor.follow(10, { findResyncPoint: resetTo(floor) });
    await floor.areLive(1);

    floor.log.rewind(5);
    floor.log.append(5);
    floor.tail.markDoubtful();
    floor.handOver(1);
    await connection.until(has(1));
    await floor.tail.readEnd();

    expect(connection.received).toMatchObject([{ kind: 'RESET', cause: 'LOG_REWOUND', cursor: 'after 11' }]);
    expect(floor.tail.head).toBe(11);
  });

  test('a subscription that cannot be resynced ends with CURSOR_EXPIRED after the log was rewound (lost its newest entries)', async () => {
    const floor = createFloor(createLog(10));
    const { connection } = floor.follow(10);
    await floor.areLive(1);

    floor.log.rewind(8);
    floor.append();
    await connection.until(() => connection.expired !== null);

    expect(connection.expired).toMatchObject({ kind: 'EXPIRED', expiry: 'LOG_REWOUND' });
    expect(connection.received).toEqual([]);
  });

  test('after the log was rewound, a subscriber that was shown no lost entry continues without a gap, a reset or a repeat', async () => {
    const floor = createFloor(createLog(1000));
    const connection = Object.assign(new Connection(), { roomFor: 3 });
    floor.follow(100, { connection, findResyncPoint: resetTo(floor) });
    const live = floor.follow(1000, { findResyncPoint: resetTo(floor) });
    await connection.until(has(3));
    await floor.areLive(1);

    floor.log.rewind(900);
    floor.append(10);
    await live.connection.until(has(1));
    connection.drain();
    await connection.until((received) => received.at(-1)?.number === 910);

    expect(connection.numbers).toEqual(upTo(910, 101));
    expect(connection.received.filter(({ kind }) => kind === 'RESET')).toEqual([]);
  });

  test('a subscriber that was shown a lost entry and then lags (its connection is full) is reset when its connection drains', async () => {
    const floor = createFloor(createLog(10));
    const slow = floor.follow(10, { findResyncPoint: resetTo(floor) });
    const lively = floor.follow(10, { findResyncPoint: resetTo(floor) });
    await floor.areLive(2);
    slow.connection.roomFor = 1;
    floor.append(3);
    await lively.connection.until(has(3));

    floor.log.rewind(10);
    floor.append(1);
    await lively.connection.until((received) => received.some(({ kind }) => kind === 'RESET'));
    slow.connection.drain();
    await slow.connection.until((received) => received.some(({ kind }) => kind === 'RESET'));

    expect(slow.connection.received.slice(0, 2)).toMatchObject([
      { kind: 'TRANSITION', number: 11, life: 0 },
      { kind: 'RESET', cause: 'LOG_REWOUND' },
    ]);
  });

  test('the cursor of a lost log entry has expired even if the number of the entry was assigned again', async () => {
    const floor = createFloor(createLog(10));
    await floor.tail.warmUp();
    floor.log.rewind(8);
    floor.append(5);
    await floor.tail.readEnd();

    const lost = floor.follow(at(10));
    const kept = floor.follow(at(8));
    const known = floor.follow(at(10, 1));
    await lost.connection.until(() => lost.connection.expired !== null);
    await kept.connection.until(has(5));
    await known.connection.until(has(3));

    expect(lost.connection.received).toEqual([]);
    expect(kept.connection.numbers).toEqual(upTo(13, 9));
    expect(known.connection.numbers).toEqual(upTo(13, 11));
  });

  test('a subscriber that has already read new entries of the rewound log is not reset when other subscribers are', async () => {
    const floor = createFloor(createLog(10));
    const old = floor.follow(10, { findResyncPoint: resetTo(floor) });
    await floor.areLive(1);

    floor.log.rewind(5);
    floor.log.append(10);
    const ahead = floor.follow(at(12, 1), { findResyncPoint: resetTo(floor) });
    await ahead.connection.until(has(3));
    floor.append(1);
    await ahead.connection.until(has(4));
    await old.connection.until((received) => received.at(-1)?.number === 16);

    expect(ahead.connection.numbers).toEqual(upTo(16, 13));
  });

  test('the cached frame of a lost log entry is not sent for the new entry with the same number', async () => {
    const floor = createFloor(createLog(3), createSelection({ immutable: true }));
    const before = floor.follow(0);
    await before.connection.until(has(3));

    floor.log.rewind(1);
    floor.append(2);
    const after = floor.follow(0);
    await after.connection.until(has(3));

    expect(after.connection.received.map(({ life }) => life)).toEqual([0, 1, 1]);
  });

  // Invariant 10 of ARCHITECTURE.md
  test('a heartbeat is not sent before a log entry whose frame is still being executed', async () => {
    const selection = createSelection();
    const floor = createFloor(createLog(1), selection);
    const { connection } = floor.follow(1, { heartbeats: true });
    await connection.until(has(1));
    await floor.areLive(1);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { execute } = selection;
    selection.execute = async (frames, viewer) => {
      if (frames[0]?.kind === 'TRANSITION') await held;
      return execute(frames, viewer);
    };

    floor.append();
    await floor.tail.readEnd();
    const beats = Promise.all([
      floor.audience.sendHeartbeats(systemClock),
      floor.audience.sendHeartbeats(systemClock),
    ]);
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(connection.received).toHaveLength(1);
    release();
    await beats;

    expect(connection.received[1]).toMatchObject({ kind: 'TRANSITION', number: 2 });
  });

  // Invariant 9 of ARCHITECTURE.md
  test('under random losses of the newest log entries, each subscriber was reset or was shown only entries that the log still has', async () => {
    const seed = process.env.SEED ?? String(Math.floor(Math.random() * 2 ** 31));
    const random = createSeededRandom('rewinding', seed);
    const floor = createFloor(createLog(random.integer(0, 300)));
    const followers: { from: number; connection: Connection }[] = [];
    for (let step = 0; step < 300; step += 1) {
      if (random.chance(0.3)) floor.append(random.integer(1, 5));
      if (random.chance(0.3)) floor.handOver(random.integer(1, 5));
      if (random.chance(0.03)) {
        floor.log.rewind(Math.max(0, floor.log.length - random.integer(0, 40)));
        // After a failover another server answers. The gateway notices this by a new connection or by an
        // entry with a known number.
        floor.tail.markDoubtful();
        if (random.chance(0.5)) floor.log.append(random.integer(0, 60));
      }
      if (random.chance(0.2)) {
        const from = random.integer(0, floor.log.length);
        followers.push({
          from,
          ...floor.follow(at(from, floor.log.lifeAt(from)), {
            heartbeats: random.chance(0.3),
            ...(random.chance(0.7) ? { findResyncPoint: resetTo(floor) } : {}),
          }),
        });
      }
      const one = followers[random.integer(0, Math.max(0, followers.length - 1))]?.connection;
      if (one && random.chance(0.5)) one.roomFor = random.integer(0, 3);
      else one?.drain(random.chance(0.5) ? random.integer(1, 200) : undefined);
      if (random.chance(0.1)) floor.tail.wake();
      if (random.chance(0.01)) floor.log.failures = 1;
      if (random.chance(0.05)) await floor.audience.sendHeartbeats(systemClock);
      for (let rest = random.integer(0, 4); rest > 0; rest -= 1) await turn();
    }
    for (const { connection } of followers) connection.drain();
    await floor.tail.readEnd();
    // Appends a last entry, which each subscriber whose cursor has not expired must receive (or be reset to).
    floor.append();
    const end = floor.log.length;
    await Promise.all(
      followers.map(({ connection }) =>
        connection.until((received) => {
          const newest = received.findLast(({ kind }) => kind !== 'HEARTBEAT');
          const isOfThisLife = newest?.kind === 'RESET' || newest?.life === floor.log.lifeAt(end);
          return connection.expired !== null || (newest?.cursor === `after ${end}` && isOfThisLife);
        }),
      ),
    );

    for (const { from, connection } of followers) {
      const lastReset = connection.received.findLastIndex(({ kind }) => kind === 'RESET');
      const since = connection.received.slice(lastReset + 1).filter(({ kind }) => kind === 'TRANSITION');
      if (connection.expired) continue;
      const start =
        lastReset < 0 ? from : Number(connection.received[lastReset]?.cursor.slice('after '.length));
      expect(
        since.map(({ number, life }) => ({ number, life })),
        `SEED=${seed}`,
      ).toEqual(upTo(end, start + 1).map((number) => ({ number, life: floor.log.lifeAt(number) })));
    }
    expect(floor.errors.filter((error) => !String(error).includes('database is unreachable'))).toEqual([]);
  });
});
