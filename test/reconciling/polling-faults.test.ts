import pg from 'pg';
import { expect, test } from 'vitest';
import { movableClock } from '../harness/clock.ts';
import { failTransitions } from '../harness/failing-transitions.ts';
import { setFaults } from '../harness/faults.ts';
import { atTheEnd, bootGateway, eventually, freshDatabase } from '../harness/gateway.ts';
import { startScriptedProvider } from '../harness/provider.ts';
import { webhooksTaken } from '../harness/rows.ts';
import { againstScript, looked, MINUTE, polledGateway, sessionOf } from './polled.ts';

test('a due poll is made even if its queue job is locked by a dead replica, lost, or out of attempts', async () => {
  for (const harm of [
    `update graphile_worker._private_jobs set locked_at = now() - interval '6 minutes', locked_by = 'a dead one'`,
    'delete from graphile_worker._private_jobs',
    'update graphile_worker._private_jobs set attempts = max_attempts',
  ]) {
    const url = await freshDatabase();
    const clock = movableClock();
    const before = await bootGateway({ database: url, clock });
    await before.start('held.happy-path');
    await before.advance('held.happy-path', 1);
    // Waits until the webhooks are applied. The next gateway would otherwise apply one at its start, and need
    // no poll.
    await webhooksTaken(before.database, 'held.happy-path', 2);
    await before.stop();
    const admin = new pg.Pool({ connectionString: url });
    atTheEnd(() => admin.end());
    await admin.query(
      `select graphile_worker.add_job('reconcile', '{"verificationId": "held.happy-path"}', job_key := 'reconcile:held.happy-path')`,
    );
    await admin.query(harm);
    const provider = await startScriptedProvider(() => ({
      body: JSON.stringify({
        verification_id: 'held.happy-path',
        status: 'PRE_VIDEO_CALL',
        sub_status: 'USER_QUEUED',
      }),
    }));
    clock.forward(15 * MINUTE);

    const environment = {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'secret',
    };
    const after = await bootGateway({ database: url, clock, polling: true, environment });
    await eventually(async () => (await sessionOf(after, 'held.happy-path')).subStatus === 'USER_QUEUED');
    await after.stop();
  }
});

test('polls that are interrupted because the database terminates all connections are repeated and recorded', async () => {
  let cut = async () => {};
  let cuts = 0;
  const { gateway, clock } = await againstScript(({ method, path, body }) => {
    const id = method === 'POST' ? null : new URLSearchParams(path.split('?')[1]).get('verification_id');
    const sent = id ? { verification_id: id } : JSON.parse(body);
    const [status, sub_status] = id ? ['PRE_VIDEO_CALL', 'USER_QUEUED'] : ['RECEIVED', 'LINK_GENERATED'];
    return { body: JSON.stringify({ ...sent, status, sub_status }), ...(id ? { before: () => cut() } : {}) };
  });
  for (const id of ['cut.1', 'cut.2', 'cut.3', 'cut.4']) await gateway.start(id);
  cut = async () => {
    if (cuts >= 4) return;
    cuts += 1;
    await gateway.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'vkyc-gateway'`,
    );
  };

  clock.forward(15 * MINUTE);

  // An interrupted poll is repeated in the next round of due polls, long before its queue job counts as
  // abandoned.
  for (const id of ['cut.1', 'cut.2', 'cut.3', 'cut.4'])
    await eventually(
      async () => (await sessionOf(gateway, id).catch(() => null))?.subStatus === 'USER_QUEUED',
    );
  expect(cuts).toBe(4);
}, 40_000);

test('a poll whose result cannot be stored (full disk) is retried in every round of due polls until the result is recorded', async () => {
  const { gateway, clock } = await polledGateway();
  await setFaults(gateway, { drop: {} });
  await gateway.start('full.happy-path');
  await gateway.advance('full.happy-path', 1);
  const failWith = await failTransitions(gateway.database);
  await failWith('53100');

  clock.forward(15 * MINUTE);

  // Expects five retries soon. With the backoff of the job queue they would take e + e² + … + e⁵ seconds.
  await eventually(
    async () => gateway.logs.filter((line) => line.includes('could not reconcile')).length >= 5,
  );
  await failWith(null);
  await eventually(
    async () => (await sessionOf(gateway, 'full.happy-path')).subStatus === 'AADHAAR_VERIFICATION_SUCCESS',
  );
});

test('a replica does not make a poll whose queue job another replica has locked', async () => {
  const { gateway, clock } = await polledGateway();
  await setFaults(gateway, { drop: {} });
  await gateway.start('once.1');
  await gateway.database.query(
    `select graphile_worker.add_job('reconcile', '{"verificationId": "once.1"}', job_key := 'reconcile:once.1')`,
  );
  await gateway.database.query(
    `update graphile_worker._private_jobs set locked_at = now(), locked_by = 'another' where key = 'reconcile:once.1'`,
  );
  const { rows: before } = await gateway.database.query('select provider_heard_at as at from vkyc_session');

  clock.forward(15 * MINUTE);
  await looked(gateway);

  const { rows: after } = await gateway.database.query('select provider_heard_at as at from vkyc_session');
  expect(after).toEqual(before);
});

test('while the provider answers 429, the pauses between polls of a session grow; polling continues when the provider recovers', async () => {
  const { gateway, clock } = await polledGateway();
  await setFaults(gateway, { drop: {}, 'rate-limited': { path: 'GET /vkyc' } });
  await gateway.start('away.happy-path');
  await gateway.advance('away.happy-path', 1);
  const pause = async () => {
    const { rows } = await gateway.database.query('select next_poll_at as at from vkyc_session');
    return rows[0].at.getTime() - clock.now().getTime();
  };

  clock.forward(15 * MINUTE);
  await eventually(async () => (await pause()) > 3 * MINUTE);
  clock.forward(60 * MINUTE);
  await eventually(async () => (await pause()) > 15 * MINUTE);

  await setFaults(gateway, null);
  clock.forward(60 * MINUTE);
  await eventually(
    async () => (await sessionOf(gateway, 'away.happy-path')).subStatus === 'AADHAAR_VERIFICATION_SUCCESS',
  );
});

test('if all polls of a session fail, the gateway stops polling the session once its link has expired', async () => {
  const { gateway, clock } = await polledGateway();
  await setFaults(gateway, { drop: {}, 'malformed-answer': { path: 'GET /vkyc' } });
  await gateway.start('given-up.1');

  clock.forward(32 * 24 * 60 * MINUTE);
  await eventually(async () => {
    const { rows } = await gateway.database.query('select next_poll_at from vkyc_session');
    return rows[0].next_poll_at === null;
  });
});
