import { beforeEach, expect, test } from 'vitest';
import { createDatabasePools, type DatabasePools } from '../../src/db/connection/client.ts';
import { acquireProviderCallOrGetWaitMs, pauseProviderCalls } from '../../src/db/polling/call-budget.ts';
import type { ProviderCallPurpose } from '../../src/domain/ports.ts';
import { createCallBudget, splitCallBudget } from '../../src/services/polling/call-budget.ts';
import { bootGateway, freshDatabase } from '../harness/gateway.ts';

const LIMITS = { total: 100, polls: 70 };

/** Connections of two replicas to one database, which holds the call budget. */
let replicas: DatabasePools[];

beforeEach(async () => {
  const url = await freshDatabase();
  replicas = [createDatabasePools(url, 4, () => {}), createDatabasePools(url, 4, () => {})];
  return async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
  };
});

const spend = (purpose: ProviderCallPurpose, index = 0) =>
  acquireProviderCallOrGetWaitMs((replicas[index % 2] as DatabasePools).db, purpose, LIMITS);
/** Makes all recorded calls older by this many milliseconds. */
const pass = (ms: number) =>
  replicas[0]?.pool.query(`update provider_call set at = at - $1 * interval '1 millisecond'`, [ms]);

test('concurrent provider calls of two replicas never exceed the budget of 100 calls a minute', async () => {
  const waits = await Promise.all(Array.from({ length: 300 }, (_, index) => spend('MUTATION', index)));

  expect(waits.filter((wait) => wait === 0)).toHaveLength(100);
  const refused = waits.filter((wait) => wait > 0);
  expect(Math.min(...refused)).toBeGreaterThan(50_000);
  expect(Math.max(...refused)).toBeLessThanOrEqual(60_000);
});

test('polls are spaced evenly and leave 30 % of the provider call budget to mutations', async () => {
  let polls = 0;
  for (let step = 0; step < 480; step += 1) {
    if ((await spend('POLL', step)) === 0) polls += 1;
    await pass(250);
  }
  // In two minutes there is room for 140 polls. The test makes fewer, because it tries only every 250 ms.
  expect(polls).toBeGreaterThanOrEqual(115);
  expect(polls).toBeLessThanOrEqual(141);
  const mutations = await Promise.all(Array.from({ length: 60 }, (_, index) => spend('MUTATION', index)));
  expect(mutations.filter((wait) => wait === 0).length).toBeGreaterThanOrEqual(30);
});

// Invariant 15 of ARCHITECTURE.md
test('no sliding window of 60 s contains more provider calls than the budget', async () => {
  // Times directly after and before the database answered: a busy machine makes them differ.
  const made: { after: number; before: number }[] = [];
  let ahead = 0;
  for (let step = 0; step < 600; step += 1) {
    const purpose = step % 3 === 0 ? 'POLL' : 'MUTATION';
    const after = performance.now() + ahead;
    if ((await spend(purpose, step)) === 0) made.push({ after, before: performance.now() + ahead });
    ahead += 300;
    await pass(300);
  }
  for (const [index, first] of made.entries()) {
    const within = made.slice(index).filter((call) => call.before < first.after + 60_000);
    expect(within.length).toBeLessThanOrEqual(100);
  }
  expect(made.length).toBeGreaterThan(250);
});

test('polls at their full rate leave room in the call budget for 30 simultaneous mutations', async () => {
  for (let step = 0; step < 70; step += 1) {
    await spend('POLL', step);
    await pass(860);
  }

  const waits = await Promise.all(Array.from({ length: 30 }, (_, index) => spend('MUTATION', index)));
  expect(waits).toEqual(Array(30).fill(0));
});

test('a pause that the provider requests (429) holds for all replicas, for polls or all calls, and is never shortened', async () => {
  const [one] = replicas as [DatabasePools];
  await pauseProviderCalls(one.db, 20, 'POLLS');
  await pauseProviderCalls(one.db, 5, 'POLLS');
  expect(await spend('POLL', 1)).toBeGreaterThan(19_000);
  expect(await spend('MUTATION', 1)).toBe(0);

  await pauseProviderCalls(one.db, 7, 'EVERYONE');
  const wait = await spend('MUTATION', 1);
  expect(wait).toBeGreaterThan(6_000);
  expect(wait).toBeLessThanOrEqual(7_000);
});

test('a mutation that would wait 20 s for the call budget is refused with the time to retry; a poll waits 20 s, but not 40 s', async () => {
  const [one] = replicas as [DatabasePools];
  const stopping = new AbortController();
  const budget = createCallBudget(one.db, LIMITS, stopping.signal);
  await pauseProviderCalls(one.db, 20, 'EVERYONE');

  await expect(budget.take('MUTATION')).rejects.toMatchObject({
    kind: 'UNAVAILABLE',
    details: { retryAfterSeconds: 20, sent: false },
  });
  await pauseProviderCalls(one.db, 40, 'EVERYONE');
  await expect(budget.take('POLL')).rejects.toMatchObject({ details: { sent: false } });
  await one.pool.query(
    `update provider_budget set calls_paused_until = null, polls_paused_until = now() + interval '20 seconds'`,
  );
  const poll = budget.take('POLL');
  stopping.abort();
  await expect(poll).rejects.toMatchObject({ name: 'AbortError' });
});

test('splitCallBudget gives polls and mutations a part even of a small call budget', () => {
  expect(splitCallBudget(100)).toEqual({ total: 100, polls: 70 });
  expect(splitCallBudget(5)).toEqual({ total: 5, polls: 3 });
  expect(splitCallBudget(2)).toEqual({ total: 2, polls: 1 });
});

test('after the call budget has refused a mutation, polls take no calls until the mutation can be retried', async () => {
  const [one] = replicas as [DatabasePools];
  const few = splitCallBudget(5);
  const budget = createCallBudget(one.db, few, new AbortController().signal);
  for (let call = 0; call < few.total; call += 1)
    await acquireProviderCallOrGetWaitMs(one.db, 'MUTATION', few);
  await expect(budget.take('MUTATION')).rejects.toMatchObject({ details: { sent: false } });

  await pass(60_001);

  expect(await acquireProviderCallOrGetWaitMs(one.db, 'POLL', few)).toBeGreaterThan(60_000);
  for (let call = 0; call < few.total; call += 1)
    expect(await acquireProviderCallOrGetWaitMs(one.db, 'MUTATION', few)).toBe(0);
});

test('if the call budget (provider calls a minute) is used up, startSession returns a retryable error with the time to retry', async () => {
  const gateway = await bootGateway({ environment: { PROVIDER_CALLS_PER_MINUTE: '5' } });
  await gateway.start('first.1');
  await gateway.start('second.1');

  const { data } = await gateway.graphql(
    `mutation { startSession(input: { verificationId: "third.1", user: { phone: "9988776655" } }) {
      __typename ... on ProviderError { code retryable retryAfterSeconds } } }`,
  );

  expect(data.startSession).toMatchObject({
    __typename: 'ProviderError',
    code: 'PROVIDER_UNAVAILABLE',
    retryable: true,
  });
  expect(data.startSession.retryAfterSeconds).toBeGreaterThan(50);
});
