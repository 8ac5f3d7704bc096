/**
 * Tests that the gateway asks the provider again for what its database has lost, as after a failover or
 * restore.
 */
import { expect, test } from 'vitest';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import { planPollsAfterDataLoss } from '../../src/services/polling/relearn.ts';
import { setFaults } from '../harness/faults.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { forgetStart } from '../harness/loss.ts';
import { logOf, polledGateway, sessionOf } from './polled.ts';

const POLLS_PER_MINUTE = 60;

/**
 * Plans polls and lookups (planPollsAfterDataLoss) as the gateway does after its database has lost data. Uses a
 * connection of its own.
 */
async function plan({ databaseUrl }: Gateway, now: Date) {
  const { db, close } = createDatabasePools(databaseUrl, 1, () => {});
  try {
    return await planPollsAfterDataLoss(db, now, POLLS_PER_MINUTE);
  } finally {
    await close();
  }
}

const pollTimes = async ({ database }: Gateway) => {
  const { rows } = await database.query('select verification_id as id, next_poll_at as at from vkyc_session');
  return Object.fromEntries(rows.map(({ id, at }) => [id, at]));
};
const lookups = async ({ database }: Gateway) =>
  (await database.query('select verification_id as id, due_at as at from provider_lookup order by due_at'))
    .rows;

test('after the database has lost data, every session that has not ended is polled within the call budget, most recently changed first', async () => {
  const gateway = await bootGateway();
  for (const id of ['older.1', 'newest.1', 'ended.1', 'unpolled.1']) await gateway.start(id);
  await gateway.database.query(`update vkyc_session set
    updated_at = now() - case verification_id when 'newest.1' then interval '1 min' when 'older.1' then interval '2 min' else interval '3 min' end,
    next_poll_at = case verification_id when 'unpolled.1' then null when 'ended.1' then null else now() + interval '1 day' end,
    status = case verification_id when 'ended.1' then 'AUDITOR_REVIEWED' else status end,
    sub_status = case verification_id when 'ended.1' then 'AUDITOR_APPROVED' else sub_status end`);
  const now = new Date();
  const after = (ms: number) => new Date(now.getTime() + ms);

  expect(await plan(gateway, now)).toEqual({ sessions: 3, starts: 0 });

  const planned = { 'newest.1': now, 'older.1': after(1_000), 'unpolled.1': after(2_000), 'ended.1': null };
  expect(await pollTimes(gateway)).toEqual(planned);
  expect(await plan(gateway, after(500))).toEqual({ sessions: 3, starts: 0 });
  expect(await pollTimes(gateway)).toEqual(planned);
});

test('after a loss of data, the gateway looks up unfinished starts at the provider, even those that the database does not show as sent, but no finished start', async () => {
  const gateway = await bootGateway();
  await gateway.start('finished.1');
  await setFaults(gateway, { 'error-504-before': { path: 'POST /user' } });
  for (const id of ['first.1', 'second.1'])
    await gateway.graphql(
      'mutation ($id: String!) { startSession(input: { verificationId: $id, user: { phone: "9988776655" } }) { __typename } }',
      { id },
    );
  await gateway.database.query(
    `update start_intent set created_at = now() - interval '2 days' where verification_id = 'first.1'`,
  );
  expect(await lookups(gateway)).toEqual([]);
  const now = new Date();

  expect(await plan(gateway, now)).toEqual({ sessions: 1, starts: 2 });

  expect(await lookups(gateway)).toEqual([
    { id: 'second.1', at: now },
    { id: 'first.1', at: new Date(now.getTime() + 1_000) },
  ]);
  const { rows } = await gateway.database.query(
    'select verification_id as id, sends from start_intent order by id',
  );
  expect(rows).toEqual([
    { id: 'finished.1', sends: 1 },
    { id: 'first.1', sends: 1 },
    { id: 'second.1', sends: 1 },
  ]);
});

test('a poll is made even if the restored database shows its queue job as locked by a worker', async () => {
  const { gateway, clock } = await polledGateway({ SANDBOX_WEBHOOKS: 'documented' });
  await gateway.start('held.happy-path');
  await gateway.advance('held.happy-path', 2);
  await eventually(async () => (await logOf(gateway, 'held.happy-path')).length === 2);
  await gateway.database.query(
    `select graphile_worker.add_job('reconcile', '{"verificationId": "held.happy-path"}', job_key := 'reconcile:held.happy-path')`,
  );
  await gateway.database.query(
    `update graphile_worker._private_jobs set locked_at = now(), locked_by = 'worker' where key = 'reconcile:held.happy-path'`,
  );

  await plan(gateway, clock.now());

  await eventually(async () => (await logOf(gateway, 'held.happy-path')).length === 3);
});

test('transitions and a session that the database has lost are recorded again, without a request by a client', async () => {
  const { gateway, clock } = await polledGateway({ SANDBOX_WEBHOOKS: 'documented' });
  await gateway.start('session.happy-path');
  await gateway.start('start.1');
  await gateway.advance('session.happy-path', 2);
  await eventually(async () => (await logOf(gateway, 'session.happy-path')).length === 2);
  await forgetStart(gateway, 'start.1', 'INTENT_STAYS');

  await plan(gateway, clock.now());

  await eventually(async () => (await logOf(gateway, 'session.happy-path')).length === 3);
  await eventually(() => sessionOf(gateway, 'start.1'));
});
