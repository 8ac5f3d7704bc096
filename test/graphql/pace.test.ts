import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { EventLoopYielder } from '../../src/graphql/pace.ts';

/** Requests pages with these numbers of rows. `released` lists, in order, the pages that may be resolved so far. */
function ask(...pages: number[]) {
  const pace = new EventLoopYielder();
  const released: number[] = [];
  for (const [index, rows] of pages.entries()) {
    const wait = pace.take(rows);
    if (wait) void wait.then(() => released.push(index));
    else released.push(index);
  }
  return { pace, released };
}

describe('EventLoopYielder', () => {
  test.each([
    ['pages that fit into one task', [100, 100], [[0, 1]]],
    ['a page that does not fit into the task', [100, 101], [[0], [1]]],
    ['a page larger than a task', [500, 1], [[0], [1]]],
    ['a page behind a page that waits', [100, 150, 1], [[0], [1, 2]]],
    ['pages of three tasks', [200, 200, 200], [[0], [1], [2]]],
    ['no more rows than a task takes', [200, 100, 100, 1], [[0], [1, 2], [3]]],
    ['empty pages, which count as one row', [0, 0, 199], [[0, 1], [2]]],
    ['an empty page, which fits a full task', [200, 0, 1], [[0, 1], [2]]],
    ['empty pages behind a page that waits', [200, 1, 0, 199, 2], [[0], [1, 2], [3], [4]]],
    ['a large page that waits', [1, 500, 1], [[0], [1], [2]]],
  ])(
    'EventLoopYielder releases pages in event-loop tasks of at most 200 rows each: %s',
    async (_name, pages, tasks) => {
      const { released } = ask(...pages);
      const seen: number[][] = [];
      let before = 0;
      for (let task = 0; task < tasks.length; task += 1) {
        if (task > 0) await turn();
        seen.push(released.slice(before));
        before = released.length;
      }
      expect(seen).toEqual(tasks);
    },
  );

  test('each event-loop task may resolve 200 rows, however many the earlier tasks resolved', async () => {
    const { pace } = ask(200);
    expect(pace.take(1)).toBeInstanceOf(Promise);
    await turn();
    await turn();
    await turn();
    expect(pace.take(200)).toBeUndefined();
    expect(pace.take(1)).toBeInstanceOf(Promise);
  });

  test('the rows of pages that waited count towards the event-loop task that releases these pages', async () => {
    const { pace, released } = ask(200, 150);
    await turn();
    expect(released).toEqual([0, 1]);
    expect(pace.take(50)).toBeUndefined();
    expect(pace.take(1)).toBeInstanceOf(Promise);
  });

  test('EventLoopYielder schedules one event-loop task at a time, and none if no page of rows waits', async () => {
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    try {
      const { pace, released } = ask(100, 100, 150);
      expect(vi.getTimerCount()).toBe(1);
      vi.runOnlyPendingTimers();
      await Promise.resolve();
      expect([released, vi.getTimerCount()]).toEqual([[0, 1, 2], 1]);
      vi.runOnlyPendingTimers();
      expect(vi.getTimerCount()).toBe(0);
      expect(pace.take(200)).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });
});
