import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type FrameBudget, MAX_FREE_FRAME_COST, ViewerFrameBudgets } from '../../src/feed/frame-budget.ts';
import { createFloor, createLog, upTo } from './followers.ts';

/** Frame budget (query cost per minute) of the tests: it refills by one unit of cost each millisecond. */
const COST_PER_MINUTE = 60_000;
const HEAVY = 1_000;
const goesOn = () => false;

function movableTime() {
  const realTime = performance.now.bind(performance);
  let ahead = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => realTime() + ahead);
  return {
    forward(ms: number) {
      ahead += ms;
    },
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('frame budget', () => {
  test('spending from a used-up frame budget (frame cost per minute of a viewer) waits until the budget has refilled', async () => {
    const budget = new ViewerFrameBudgets(COST_PER_MINUTE).of('asha', HEAVY);
    await budget.spend(COST_PER_MINUTE / HEAVY, goesOn);
    const since = performance.now();

    await budget.spend(1, goesOn);

    expect(performance.now() - since).toBeGreaterThan(HEAVY * 0.8);
  });

  test('a frame budget is shared by all subscriptions of a viewer, and by no other viewer', async () => {
    movableTime();
    const budgets = new ViewerFrameBudgets(COST_PER_MINUTE);
    await budgets.of('asha', HEAVY).spend(COST_PER_MINUTE / HEAVY, goesOn);

    expect(budgets.of('asha', HEAVY).trySpend()).toBe(false);
    expect(budgets.of('ravi', HEAVY).trySpend()).toBe(true);
  });

  test('a frame budget refills to no more than the cost that is allowed for one minute', async () => {
    const time = movableTime();
    const budget = new ViewerFrameBudgets(COST_PER_MINUTE).of('asha', HEAVY);
    await budget.spend(COST_PER_MINUTE / HEAVY, goesOn);
    time.forward(10 * 60_000);

    await budget.spend(COST_PER_MINUTE / HEAVY, goesOn);
    expect(budget.trySpend()).toBe(false);
  });

  test('subscribers that wait for a frame budget are served in order, and a subscriber that has left is charged nothing', async () => {
    const time = movableTime();
    const budget = new ViewerFrameBudgets(COST_PER_MINUTE).of('asha', HEAVY);
    await budget.spend(COST_PER_MINUTE / HEAVY, goesOn);
    const order: string[] = [];
    const large = budget.spend(5, goesOn).then(() => order.push('large'));
    const gone = budget.spend(50, () => true).then(() => order.push('gone'));
    const small = budget.spend(1, goesOn).then(() => order.push('small'));
    time.forward(6_500);

    await Promise.all([large, gone, small]);

    expect(order).toEqual(['large', 'gone', 'small']);
    expect(budget.trySpend(), 'the subscriber that left was not charged').toBe(false);
  });

  test('a live frame is charged to the frame budget only if its cost is above LIGHT_FRAME_COST', async () => {
    const budgets = new ViewerFrameBudgets(COST_PER_MINUTE);
    await budgets.of('asha', HEAVY).spend(COST_PER_MINUTE / HEAVY, goesOn);

    expect(budgets.of('asha', MAX_FREE_FRAME_COST).trySpend()).toBe(true);
    expect(budgets.of('asha', MAX_FREE_FRAME_COST * 10).trySpend()).toBe(false);
  });

  test('a frame that costs more than the frame budget of a whole minute is admitted instead of waiting forever', async () => {
    const budget = new ViewerFrameBudgets(10).of('asha', HEAVY);

    await budget.spend(1, goesOn);

    expect(budget.framesAtOnce).toBe(1);
  });
});

/**
 * Creates a frame budget for tests: each subscriber that waits for the budget goes on when the test calls `allowNext`.
 */
function manualBudget(framesAtOnce: number) {
  interface Waiting {
    readonly frames: number;
    readonly allow: () => void;
  }
  const waiting: Waiting[] = [];
  const live = { isAllowed: true };
  return {
    framesAtOnce,
    waiting,
    live,
    spend: (frames: number) => new Promise<void>((allow) => waiting.push({ frames, allow })),
    trySpend: () => live.isAllowed,
    async allowNext() {
      while (waiting.length === 0) await turn();
      const { frames, allow } = waiting.shift() as Waiting;
      allow();
      return frames;
    },
  } satisfies FrameBudget & Record<string, unknown>;
}

describe('subscriber with a frame budget', () => {
  test('a subscriber replays no more frames in one batch than its frame budget allows, and misses no frame while it waits', async () => {
    const floor = createFloor(createLog(25));
    const budget = manualBudget(10);
    const { connection } = floor.follow(0, { budget });

    for (const [paid, sent] of [
      [10, 10],
      [10, 20],
      [5, 25],
    ] as const) {
      expect(await budget.allowNext()).toBe(paid);
      await connection.until((received) => received.length >= sent);
      expect(connection.numbers).toEqual(upTo(sent));
    }
    floor.append(3);
    await connection.until((received) => received.length >= 28);
    expect(connection.numbers).toEqual(upTo(28));
    expect(budget.waiting).toEqual([]);
  });

  test('a subscriber whose frame budget was used up by live frames waits, and then catches up without a gap', async () => {
    const floor = createFloor();
    const budget = manualBudget(10);
    const { connection } = floor.follow(0, { budget });
    const other = floor.follow(0);
    await floor.areLive(2);

    budget.live.isAllowed = false;
    floor.append(2);
    await other.connection.until((received) => received.length >= 2);
    expect(connection.numbers).toEqual([]);
    await budget.allowNext();
    await connection.until((received) => received.length >= 2);
    budget.live.isAllowed = true;
    await floor.areLive(2);
    floor.append();
    await connection.until((received) => received.length >= 3);

    expect(connection.numbers).toEqual(upTo(3));
    expect(other.connection.numbers).toEqual(upTo(3));
  });

  test('for a subscriber that ended while it waited for its frame budget, no frame is executed or sent', async () => {
    const floor = createFloor(createLog(5));
    const budget = manualBudget(10);
    const { connection, leave } = floor.follow(0, { budget });
    while (budget.waiting.length === 0) await turn();

    leave();
    await budget.allowNext();
    await turn();

    expect(connection.received).toEqual([]);
    expect(floor.selection.executed).toEqual([]);
  });
});
