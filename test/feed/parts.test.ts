/** Unit tests of the feed's frame budgets, fingerprints, cursors and frames. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createCursorCodec,
  createExpiredCursorError,
  FEED_START_POSITION,
  getPositionAfter,
  getSessionStartPosition,
} from '../../src/feed/cursor.ts';
import { getTransitionFingerprint } from '../../src/feed/fingerprint.ts';
import { MAX_FREE_FRAME_COST, ViewerFrameBudgets } from '../../src/feed/frame-budget.ts';
import { FrameJson, PREVIOUS_CURSOR_PLACEHOLDER } from '../../src/feed/frame-json.ts';

const goesOn = () => false;

describe('frame budget', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /**
   * Spends the cost of some frames without waiting. `isMade` of the result becomes true once the budget has admitted
   * the frames.
   */
  function pay(budget: ReturnType<ViewerFrameBudgets['of']>, frames: number, isOver = goesOn) {
    const payment = { isMade: false };
    void budget.spend(frames, isOver).then(() => {
      payment.isMade = true;
    });
    return payment;
  }
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  test.each([
    [60_000, 1_000, 2],
    [60_000, 2_500, 1],
    [60_000, 2_501, 1],
    [60_000, 1, 2_500],
    [1_000, 100, 5],
    [1_000, 150, 3],
    [10, 1_000, 1],
  ])(
    'a frame budget of %i a minute lets frames of cost %i be executed in batches of %i',
    (capacity, cost, frames) => {
      expect(new ViewerFrameBudgets(capacity).of('asha', cost).framesAtOnce).toBe(frames);
    },
  );

  test('a frame budget of 0 cost points a minute means no limit', async () => {
    const budget = new ViewerFrameBudgets(0).of('asha', 1e9);
    await budget.spend(1e9, goesOn);
    expect([budget.framesAtOnce, budget.trySpend()]).toEqual([Number.POSITIVE_INFINITY, true]);
  });

  test('FrameBudget.spend waits until the missing part of the budget has refilled, and calls isOver at most four times', async () => {
    vi.useRealTimers();
    const budget = new ViewerFrameBudgets(60_000).of('asha', 10);
    await budget.spend(6_000, goesOn);
    const since = performance.now();
    let looks = 0;
    await budget.spend(4, () => {
      looks += 1;
      return false;
    });
    expect(performance.now() - since).toBeGreaterThan(30);
    expect(looks).toBeLessThanOrEqual(4);
  });

  test('trySpend admits a live frame that costs more than MAX_FREE_FRAME_COST only if no subscriber waits for the frame budget and its whole cost is available', async () => {
    const budget = new ViewerFrameBudgets(100).of('asha', 50);
    expect([budget.trySpend(), budget.trySpend(), budget.trySpend()]).toEqual([true, true, false]);
    await pass(29_999);
    expect(budget.trySpend()).toBe(false);
    await pass(1);
    expect(budget.trySpend()).toBe(true);
    await pass(60_000);
    const payment = pay(budget, 1);
    expect(budget.trySpend()).toBe(false);
    await pass(0);
    expect([payment.isMade, budget.trySpend(), budget.trySpend()]).toEqual([true, true, false]);
  });

  test('trySpend admits a live frame of at most MAX_FREE_FRAME_COST even if the frame budget is empty', async () => {
    const budgets = new ViewerFrameBudgets(100);
    pay(budgets.of('asha', 50), 2);
    await pass(0);
    expect(budgets.of('asha', MAX_FREE_FRAME_COST).trySpend()).toBe(true);
    expect(budgets.of('asha', MAX_FREE_FRAME_COST + 1).trySpend()).toBe(false);
  });
});

const ENTRY = {
  sessionId: '018f0000-0000-7000-8000-000000000001',
  sequence: 7,
  status: 'VIDEO_CALL',
  subStatus: 'AGENT_ENDED_CALL',
  verdict: 'MOVED',
  source: 'WEBHOOK',
  occurredAt: new Date(5),
  recordedAt: new Date(9),
} as const;
const fingerprintOf = (changes: object = {}) => getTransitionFingerprint({ ...ENTRY, ...changes } as never);

describe('fingerprint', () => {
  test('the fingerprint of a transition has 48 bits, and changes with every field that all readers of the log have, but not with the actor', () => {
    const all = [
      fingerprintOf(),
      ...Object.entries({
        ...{ sessionId: 'another', sequence: 8, status: 'FAILED', subStatus: 'x', verdict: 'LATE' },
        ...{ source: 'POLL', occurredAt: null, recordedAt: new Date(10) },
      }).map(([field, value]) => fingerprintOf({ [field]: value })),
      fingerprintOf({ occurredAt: new Date(6) }),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(fingerprintOf({ actor: 'uma' })).toBe(all[0]);
    expect(Math.max(...all)).toBeLessThan(2 ** 48);
    expect(Math.max(...all)).toBeGreaterThan(2 ** 40);
  });
});

describe('log position and cursor', () => {
  test('getPositionAfter returns a feed position only for an entry that was read from the feed, and computes the result once per entry', () => {
    const entry = { ...ENTRY, position: 12 };
    const place = getPositionAfter(entry as never);
    const fingerprint = fingerprintOf();
    expect(place).toEqual({ sessionId: ENTRY.sessionId, sequence: 7, fingerprint, position: 12 });
    expect(getPositionAfter(entry as never)).toBe(place);
    expect(getPositionAfter({ ...entry, position: null } as never).position).toBeNull();
    expect(getPositionAfter({ ...ENTRY } as never).position).toBeNull();
    expect(getSessionStartPosition('x')).toEqual({ ...FEED_START_POSITION, sessionId: 'x' });
  });

  test('a cursor of another log epoch (number that a restore from a backup raises) has expired; a cursor whose text was altered is invalid', () => {
    const cursorKey = Buffer.alloc(32, 5);
    const cursors = createCursorCodec({ epoch: 1, cursorKey });
    const cursor = cursors.encode(getPositionAfter(ENTRY as never));
    expect(() => createCursorCodec({ epoch: 2, cursorKey }).decode(cursor)).toThrow(
      expect.objectContaining({ kind: 'EXPIRED', expiry: 'LOG_REWOUND' }),
    );
    for (const other of [`${cursor}=`, `${cursor}AAAA`, cursor.slice(4), '', ` ${cursor}`])
      expect(() => cursors.decode(other), other).toThrow(
        expect.objectContaining({ kind: 'INVALID', expiry: null }),
      );
    expect(createExpiredCursorError('ARCHIVED')).toMatchObject({ kind: 'EXPIRED', expiry: 'ARCHIVED' });
  });
});

test('FrameJson.length is the length of the JSON, doubled if the JSON has a placeholder for previousCursor, because the text with the filled-in cursor is kept too', () => {
  expect(new FrameJson('{"a":1}').length).toBe(7);
  const json = JSON.stringify({ a: PREVIOUS_CURSOR_PLACEHOLDER });
  const frame = new FrameJson(json);
  expect(frame.length).toBe(2 * json.length);
  const [one, again] = [frame.after(() => 'c'), frame.after(() => 'c')];
  expect([one, again]).toEqual(['{"a":"c"}', '{"a":"c"}']);
  expect(frame.after(() => null)).toBe('{"a":null}');
});
