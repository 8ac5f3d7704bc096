/** Session figures that take long to count are stored in the database, for every process and after a restart. */
import { sql } from 'drizzle-orm';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createDatabasePools, type DatabasePools } from '../../src/db/connection/client.ts';
import { isQueryCanceled, type StatsDatabase } from '../../src/db/connection/statistics.ts';
import { findFreshFigures, storeFigures } from '../../src/db/sessions/session-figures.ts';
import {
  computeMedianPhaseStays,
  countOutcomesByInterval,
  countSessionsByReachedPhase,
  countSessionsByState,
  type StatsFilter,
} from '../../src/db/sessions/session-stats.ts';
import type { Clock } from '../../src/domain/ports.ts';
import {
  FiguresPendingError,
  type FiguresRequest,
  SessionFiguresService,
} from '../../src/services/sessions/session-figures.ts';
import {
  storedIntervalsSchema,
  storedPhaseStaysSchema,
  storedPhasesReachedSchema,
  storedStateCountsSchema,
} from '../../src/services/sessions/stored-shapes.ts';
import { stillClock } from '../harness/clock.ts';
import { atTheEnd, bootGateway, eventually, freshDatabase } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { countStatements } from '../harness/statements.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How long an answer waits for a count in this test; 1.5 s in production. */
const LIVE_TIMEOUT_MS = 300;
const SLOW = sql`select pg_sleep(0.4)`;
const FOREVER = sql`select pg_sleep(60)`;

const WHOLE = { from: null, to: null, openOnly: false, verificationIds: null };

/** One process of the gateway, as far as statistics go. */
interface Process {
  readonly connection: DatabasePools;
  /** Number of counts that this process has finished. */
  readonly counted: () => number;
  /** Asks for figures whose count is slow; the value is the name of this process and the number of its count. */
  ask(window?: Partial<StatsFilter>, options?: Partial<FiguresRequest<string>>): Promise<Answer>;
  close(): Promise<void>;
}
interface Answer {
  readonly figures: string;
  readonly asOf: Date;
}

function startProcess(name: string, url: string, clock: Clock): Process {
  const connection = createDatabasePools(url, 4, () => {});
  const { db, statistics } = connection;
  const log = pino({ level: 'silent' });
  const figures = new SessionFiguresService({ db, statistics, clock, log, liveTimeoutMs: LIVE_TIMEOUT_MS });
  let finished = 0;
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= connection.close();
    return closing;
  };
  atTheEnd(close);
  return {
    connection,
    counted: () => finished,
    close,
    ask: (window = {}, options = {}) =>
      figures.read({
        name: 'slow',
        shape: z.string(),
        window: { ...WHOLE, ...window },
        now: clock.now(),
        signal: null,
        count: () => async (tx) => {
          await tx.execute(SLOW);
          finished += 1;
          return `${name} ${finished}`;
        },
        ...options,
      }),
  };
}

/** Starts processes on one new database, with one clock that stands still at a half hour. */
async function startProcesses<Name extends string>(...names: Name[]) {
  const url = await freshDatabase();
  const clock = stillClock(new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS + HOUR_MS / 2));
  const started = names.map((name) => [name, startProcess(name, url, clock)] as const);
  const processes = Object.fromEntries(started) as Record<Name, Process>;
  const [[, first]] = started as [readonly [Name, Process]];
  return { ...processes, url, clock, database: first.connection.pools.reads };
}

describe('stored session figures', () => {
  test('stored session figures are returned to another process without counting again, also after a restart', async () => {
    const { first, second, url, clock } = await startProcesses('first', 'second');
    const counted = await first.ask();
    clock.forward(10_000);
    const since = performance.now();

    const again = await first.ask();
    const elsewhere = await second.ask();
    await first.close();
    const restarted = startProcess('restarted', url, clock);
    const afterRestart = await restarted.ask();

    expect(counted.figures).toBe('first 1');
    expect([again, elsewhere, afterRestart]).toEqual([counted, counted, counted]);
    expect(counted.asOf).toEqual(new Date(clock.now().getTime() - 10_000));
    expect([second.counted(), restarted.counted()]).toEqual([0, 0]);
    expect(performance.now() - since).toBeLessThan(1_000);
  });

  test('session figures are counted once if two processes are asked for the same figures at the same time', async () => {
    const { first, second } = await startProcesses('first', 'second');

    const [one, two, three] = await Promise.all([first.ask(), second.ask(), second.ask()]);

    expect(first.counted() + second.counted()).toBe(1);
    expect([two, three]).toEqual([one, one]);
  });

  test('stored session figures older than 30 s, or than ten times the duration of the count, are returned while a new count runs', async () => {
    const { first, second, clock, database } = await startProcesses('first', 'second');
    const counted = await first.ask();

    const begun = countStatements('begin read only');

    clock.forward(29_999);
    expect([await second.ask(), await second.ask()]).toEqual([counted, counted]);
    await database.query('update session_figures set took_ms = 60000');
    clock.forward(9 * MINUTE_MS);
    expect([await second.ask(), await second.ask()]).toEqual([counted, counted]);
    expect(begun()).toBe(0);
    clock.forward(MINUTE_MS);
    expect([await second.ask(), await second.ask()]).toEqual([counted, counted]);

    const later = await eventually(async () => {
      const answer = await first.ask();
      return answer.figures !== counted.figures && answer;
    });
    expect(later.asOf).toEqual(clock.now());
    expect(first.counted() + second.counted()).toBe(2);
  });

  test('if stored session figures are older than a tenth of their time window, or than 72 h, the caller waits for a new count', async () => {
    const { first, clock } = await startProcesses('first');
    const begun = clock.now().getTime();
    const askTwo = async () => {
      const from = new Date(clock.now().getTime() - 30 * HOUR_MS);
      const answers = await Promise.all([first.ask(), first.ask({ from })]);
      return answers.map(({ asOf }) => (asOf.getTime() - begun) / HOUR_MS);
    };
    /**
     * Waits for the counts that earlier calls have started in the background: they run one after another, so that the
     * count of other figures ends last. Their rows in the database would not say it: a row is there before its count
     * has ended, and until then calls share the count and start no other (race).
     */
    const untilCounted = () => first.ask({}, { name: `others at ${clock.now().getTime()}` });

    expect(await askTwo()).toEqual([0, 0]);
    clock.forward(2 * HOUR_MS);
    expect(await askTwo()).toEqual([0, 0]);
    await untilCounted();
    clock.forward(4 * HOUR_MS);
    expect(await askTwo()).toEqual([2, 6]);
    await untilCounted();
    clock.forward(73 * HOUR_MS);
    expect(await askTwo()).toEqual([79, 79]);
  });

  test('stored session figures are also returned for a window that moved with the clock since they were counted (such as the last 30 days), but for no other window', async () => {
    const { first, second, clock } = await startProcesses('first', 'second');
    const ago = (days: number) => new Date(clock.now().getTime() - days * DAY_MS);
    const counted = await first.ask({ from: ago(30) });

    clock.forward(5 * HOUR_MS);
    expect(await second.ask({ from: ago(30) })).toEqual(counted);
    expect(await second.ask({ from: ago(30), to: clock.now() })).toEqual(counted);

    for (const other of [
      { from: ago(31) },
      { from: ago(29) },
      { from: null },
      { from: ago(30), openOnly: true },
      { from: ago(30), to: ago(1) },
    ])
      expect((await second.ask(other, { count: () => async () => 'other' })).figures).toBe('other');
  });

  test('stored session figures that do not match the schema, or have another version, are ignored and counted again', async () => {
    const { first, second, database, clock } = await startProcesses('first', 'second');
    await first.ask();
    clock.forward(1_000);

    await database.query(`update session_figures set figures = '{"made by": "a later release"}'`);
    expect(await second.ask()).toEqual({ figures: 'second 1', asOf: clock.now() });
    await database.query(`update session_figures set series = replace(series, '[1,', '[0,')`);
    expect(await first.ask()).toEqual({ figures: 'first 2', asOf: clock.now() });

    const { rows } = await database.query(`select series, figures from session_figures order by series`);
    expect(rows).toEqual([
      { series: expect.stringMatching(/^\[0,/), figures: 'second 1' },
      { series: expect.stringMatching(/^\[1,/), figures: 'first 2' },
    ]);
  });

  test('session figures are stored if the count takes more than half of the time that an answer waits for a count', async () => {
    const { first, second, database } = await startProcesses('first', 'second');
    const count = () => async (tx: StatsDatabase) => {
      await tx.execute(sql`select pg_sleep(0.2)`);
      return 'counted while the caller waited';
    };

    const counted = await first.ask({}, { count });
    await eventually(async () => (await database.query('select from session_figures')).rowCount === 1);

    expect(await second.ask()).toEqual(counted);
    expect(second.counted()).toBe(0);
  });

  test('stored session figures are deleted once the count has become fast, and from then on counted for each answer', async () => {
    const { first, database, clock } = await startProcesses('first');
    await first.ask();
    const count = () => async () => 'counted at once';

    clock.forward(MINUTE_MS);
    await first.ask({}, { count });

    await eventually(async () => (await database.query('select from session_figures')).rowCount === 0);
    clock.forward(1);
    await eventually(async () => (await first.ask({}, { count })).asOf.getTime() === clock.now().getTime());
  });

  test('session figures that the database refuses to store are still returned to the waiting callers', async () => {
    const { first, database } = await startProcesses('first');
    await database.query(`alter table session_figures add constraint refused check (took_ms < 0)`);

    expect((await first.ask()).figures).toBe('first 1');
    expect((await database.query('select from session_figures')).rowCount).toBe(0);
  });

  test('if a request ends before its count does, the next request gets the figures of that count', async () => {
    const { first } = await startProcesses('first');

    await expect(first.ask({}, { signal: AbortSignal.timeout(500) })).rejects.toThrow();

    expect((await first.ask()).figures).toBe('first 1');
    expect(first.counted()).toBe(1);
  });

  test('session figures of a customer are never stored: a count for a customer that takes too long is cancelled', async () => {
    const { first, database } = await startProcesses('first');

    const error = await first
      .ask(
        { verificationIds: ['loan.1'] },
        { count: () => async (tx: StatsDatabase) => String(await tx.execute(FOREVER)) },
      )
      .catch((thrown: unknown) => thrown);

    expect(isQueryCanceled(error)).toBe(true);
    expect(error).not.toBeInstanceOf(FiguresPendingError);
    expect((await database.query('select from session_figures')).rowCount).toBe(0);
  });

  test('only the 200 newest session figures are kept, and figures that are too old are deleted', async () => {
    const { first, database, clock } = await startProcesses('first');
    const { db } = first.connection;
    const question = (number: number) => ({
      ...{ series: `series ${number}`, from: new Date(0), stepMs: HOUR_MS, maxAgeMs: DAY_MS },
    });
    const store = (number: number) =>
      storeFigures(db, question(number), { figures: number, asOf: clock.now(), tookMs: 1 }, DAY_MS);
    const stored = async () =>
      (await database.query('select figures from session_figures order by as_of')).rows.map(
        ({ figures }) => figures,
      );

    for (let number = 1; number <= 205; number += 1) {
      clock.forward(1);
      await store(number);
    }
    expect(await stored()).toEqual(Array.from({ length: 200 }, (_, index) => index + 6));
    expect(await findFreshFigures(db, question(6), clock.now())).toMatchObject({ figures: 6 });

    clock.forward(DAY_MS);
    await store(206);
    expect(await stored()).toEqual([205, 206]);
  });

  test('a new count of a time window that moves with the clock replaces the stored session figures', async () => {
    const { first, database, clock } = await startProcesses('first');
    const ask = () => first.ask({ from: new Date(clock.now().getTime() - 30 * DAY_MS) });
    await ask();

    clock.forward(3 * HOUR_MS);
    expect((await ask()).figures).toBe('first 1');

    await eventually(async () => {
      const { rows } = await database.query('select figures from session_figures');
      return rows.length === 1 && rows[0].figures === 'first 2';
    });
  });
});

test('each kind of stored session figures is read from the database exactly as it was counted', async () => {
  const gateway = await bootGateway();
  for (const id of ['stored.1', 'stored.2']) await gateway.start(id);
  await gateway.advance('stored.1', 4);
  await webhooksSettled(gateway.database);
  const { db, statistics, close } = createDatabasePools(gateway.databaseUrl, 4, () => {});
  atTheEnd(close);
  const clock = stillClock();
  const log = pino({ level: 'silent' });
  const figures = new SessionFiguresService({ db, statistics, clock, log, liveTimeoutMs: LIVE_TIMEOUT_MS });
  const edges = [new Date(clock.now().getTime() - HOUR_MS), clock.now()] as const;
  const [from, to] = edges;
  const KINDS = [
    ['states', storedStateCountsSchema, countSessionsByState],
    ['reached', storedPhasesReachedSchema, countSessionsByReachedPhase],
    ['stays', storedPhaseStaysSchema, computeMedianPhaseStays],
    [
      'intervals 1',
      storedIntervalsSchema,
      async (tx: StatsDatabase, window: StatsFilter) =>
        (await countOutcomesByInterval(tx, window, edges)).map((outcomes) => ({ from, to, ...outcomes })),
    ],
  ] as const;
  const read = (isSlow: boolean) =>
    Promise.all(
      KINDS.map(([name, shape, count]) =>
        figures.read<unknown[]>({
          ...{ name, shape: shape as z.ZodType<unknown[]>, window: WHOLE, now: clock.now(), signal: null },
          count: (window) => async (tx) => {
            if (!isSlow) throw new Error('counted again, although the figures are stored');
            await tx.execute(SLOW);
            return count(tx, window);
          },
        }),
      ),
    );

  const counted = await read(true);
  const stored = await read(false);

  expect(counted.map((each) => each.figures.length > 0)).toEqual([true, true, true, true]);
  expect(stored).toEqual(counted);
  const rows = await gateway.database.query(`select figures from session_figures`);
  expect(JSON.stringify(rows.rows)).not.toContain('stored.');
});

test('a restarted gateway answers sessionStats from stored figures with their asOf, and reads no session', async () => {
  const { first, url, clock } = await startProcesses('first');
  const state = { status: 'VIDEO_CALL', subStatus: 'USER_QUEUED', waitingOn: 'AGENT' } as const;
  const figures = [{ ...state, count: 365_000, oldestSince: new Date(clock.now().getTime() - HOUR_MS) }];
  const from = new Date(clock.now().getTime() - 365 * DAY_MS);
  const statistics = new SessionFiguresService({
    ...{ db: first.connection.db, statistics: first.connection.statistics, clock },
    ...{ log: pino({ level: 'silent' }), liveTimeoutMs: LIVE_TIMEOUT_MS },
  });
  await statistics.read({
    ...{
      name: 'states',
      shape: storedStateCountsSchema,
      window: { ...WHOLE, from },
      now: clock.now(),
      signal: null,
    },
    count: () => async (tx) => {
      await tx.execute(SLOW);
      return figures;
    },
  });

  const gateway = await bootGateway({ database: url, clock });
  const counts = countStatements('group by "vkyc_session"."status"');
  const { data } = await gateway.graphql(
    'query ($from: DateTime) { sessionStats(from: $from) { total asOf byWaitingOn { waitingOn count oldestSince } } }',
    { from },
  );

  expect(data?.sessionStats).toEqual({
    total: 365_000,
    asOf: clock.now().toISOString(),
    byWaitingOn: [{ waitingOn: 'AGENT', count: 365_000, oldestSince: figures[0]?.oldestSince.toISOString() }],
  });
  expect(counts()).toBe(0);
});
