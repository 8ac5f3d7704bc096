import pg from 'pg';
import { expect, test } from 'vitest';
import { movableClock } from '../harness/clock.ts';
import { atTheEnd, bootGateway, eventually, freshDatabase, type Gateway } from '../harness/gateway.ts';
import { type Script, startScriptedProvider } from '../harness/provider.ts';

const MINUTE = 60_000;
const LOG = `query ($id: String!) {
  sessionByVerificationId(verificationId: $id) {
    id status subStatus user { userId phone name }
    transitions(first: 50) { nodes { sequence subStatus source applied } }
  }
}`;

const sessionOf = async (gateway: Gateway, id: string) =>
  (await gateway.graphql(LOG, { id })).data.sessionByVerificationId;
const logOf = async (gateway: Gateway, id: string): Promise<string[]> =>
  (await sessionOf(gateway, id)).transitions.nodes.map((each: any) => `${each.source} ${each.subStatus}`);

const setFaults = (gateway: Gateway, faults: object) =>
  fetch(new URL('/_sandbox/faults', gateway.sandboxUrl), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(faults),
  });

/** Waits until what was due has been looked at, by having something looked for and given up. */
async function looked(gateway: Gateway): Promise<void> {
  const { rows } = await gateway.database.query(
    `insert into provider_lookup values ('looked.' || random(), now() - interval '3 days', now() - interval '3 days') returning verification_id`,
  );
  await eventually(async () => {
    const { rowCount } = await gateway.database.query(
      'select from provider_lookup where verification_id = $1',
      [rows[0].verification_id],
    );
    return rowCount === 0;
  });
}

async function polledGateway(environment: Record<string, string> = {}) {
  const clock = movableClock();
  const gateway = await bootGateway({ environment, clock, polling: true });
  return { gateway, clock };
}

/** A gateway whose provider says what the test's script says. */
async function againstScript(script: Script, environment: Record<string, string> = {}) {
  const provider = await startScriptedProvider(script);
  const access = {
    CASHFREE_BASE_URL: provider.baseUrl,
    CASHFREE_CLIENT_ID: 'id',
    CASHFREE_CLIENT_SECRET: 'sandbox',
  };
  return { provider, ...(await polledGateway({ ...access, ...environment })) };
}

const webhookOf = (
  verification_id: string,
  status: string,
  sub_status: string,
  second: number,
  user_id = 'asha',
) => ({
  event_type: 'LABEL',
  event_time: `2025-05-22T03:51:${String(second).padStart(2, '0')}Z`,
  data: { verification_id, user_id, status, sub_status },
});

test('a state that no webhook reports is found by asking, once', async () => {
  const { gateway, clock } = await polledGateway({ SANDBOX_WEBHOOKS: 'documented' });
  await gateway.start('silent.happy-path');
  await gateway.advance('silent.happy-path', 2);
  await eventually(async () => (await logOf(gateway, 'silent.happy-path')).length === 2);

  clock.forward(15 * MINUTE);
  await eventually(async () => (await logOf(gateway, 'silent.happy-path')).length === 3);
  clock.forward(15 * MINUTE);
  await gateway.advance('silent.happy-path', 1);
  clock.forward(15 * MINUTE);
  await eventually(async () => (await logOf(gateway, 'silent.happy-path')).length === 4);

  expect(await logOf(gateway, 'silent.happy-path')).toEqual([
    expect.stringContaining('LINK_GENERATED'),
    'WEBHOOK AADHAAR_VERIFICATION_SUCCESS',
    'POLL USER_IP_VERIFICATION_SUCCESSFUL',
    'POLL USER_LOCATION_VERIFICATION_SUCCESS',
  ]);
});

test('nothing is asked before it is due, nor once a session has ended', async () => {
  const asked: string[] = [];
  let present = ['RECEIVED', 'LINK_GENERATED'];
  const { gateway, clock } = await againstScript(({ method, path, body }) => {
    if (method === 'GET' && path.includes('due.1')) asked.push(path);
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'due.1', user_id: 'asha' };
    return { body: JSON.stringify({ ...sent, status: present[0], sub_status: present[1] }) };
  });
  await gateway.start('due.1');
  await looked(gateway);
  expect(asked).toHaveLength(0);

  present = ['AUDITOR_REVIEWED', 'AUDITOR_APPROVED'];
  clock.forward(15 * MINUTE);
  await eventually(async () => (await sessionOf(gateway, 'due.1')).subStatus === 'AUDITOR_APPROVED');
  clock.forward(24 * 60 * MINUTE);
  await looked(gateway);
  expect(asked).toHaveLength(1);
});

test('where two webhooks of one second leave the order in doubt, the provider is asked at once', async () => {
  const { gateway, provider } = await againstScript(({ method, body }) => {
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'tie.1', user_id: 'asha' };
    const [status, sub_status] =
      method === 'POST' ? ['RECEIVED', 'LINK_GENERATED'] : ['PRE_VIDEO_CALL', 'USER_QUEUED'];
    return { body: JSON.stringify({ ...sent, status, sub_status }) };
  });
  await gateway.start('tie.1', { user: { userId: 'asha', phone: '9988776655' } });

  await gateway.webhook(webhookOf('tie.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 10));
  await gateway.webhook(webhookOf('tie.1', 'PRE_VIDEO_CALL', 'USER_DEVICE_CHECK_SUCCESS', 10));
  await eventually(async () => (await logOf(gateway, 'tie.1')).length === 4);

  expect((await logOf(gateway, 'tie.1')).slice(1)).toEqual([
    'WEBHOOK USER_QUEUED',
    'WEBHOOK USER_DEVICE_CHECK_SUCCESS',
    'POLL USER_QUEUED',
  ]);
  const { rows } = await gateway.database.query('select unsettled from vkyc_session');
  expect(rows).toEqual([{ unsettled: false }]);
  expect(provider.calls.filter((call) => call === 'GET /vkyc').length).toBeLessThanOrEqual(2);
});

test('doubt makes a poll due at once: a tie of seconds, or a webhook from before what a poll had found', async () => {
  const gateway = await bootGateway();
  const due = async (id: string) => {
    const { rows } = await gateway.database.query(
      'select unsettled, next_poll_at <= provider_heard_at as at_once from vkyc_session where verification_id = $1',
      [id],
    );
    return rows[0];
  };
  const send = async (id: string, subStatus: string, second: number, userId: string) => {
    const { rowCount: before } = await gateway.database.query('select from provider_sighting');
    await gateway.webhook({
      ...webhookOf(id, 'PRE_VIDEO_CALL', subStatus, 0, userId),
      event_time: new Date(Date.now() + second * 1000).toISOString(),
    });
    await eventually(
      async () => (await gateway.database.query('select from provider_sighting')).rowCount !== before,
    );
  };
  for (const id of ['tie.2', 'older.2']) {
    const { id: sessionId } = await gateway.start(id);
    expect(sessionId).toBeDefined();
    // The webhook of the start's own answer comes from the sandbox, and gives it its time.
    await eventually(async () => {
      const { rows } = await gateway.database.query(
        'select provider_found_at from vkyc_session where verification_id = $1',
        [id],
      );
      return rows[0].provider_found_at === null;
    });
  }

  const at = 60;
  await send('tie.2', 'USER_QUEUED', at, 'u');
  expect(await due('tie.2')).toEqual({ unsettled: false, at_once: false });
  const { rows } = await gateway.database.query(
    `select provider_event_time as time from vkyc_session where verification_id = 'tie.2'`,
  );
  await gateway.webhook({
    ...webhookOf('tie.2', 'PRE_VIDEO_CALL', 'NO_AGENT_FOUND', 0),
    event_time: rows[0].time.toISOString(),
  });
  await eventually(async () => (await due('tie.2')).unsettled);
  expect(await due('tie.2')).toEqual({ unsettled: true, at_once: true });

  await gateway.database.query(
    `update vkyc_session set provider_found_at = now() + interval '1 hour' where verification_id = 'older.2'`,
  );
  await send('older.2', 'USER_QUEUED', at, 'u');
  expect(await due('older.2')).toEqual({ unsettled: true, at_once: true });
});

test('a webhook that was left waiting while its session began is found and recorded', async () => {
  const { gateway, clock } = await polledGateway();
  await gateway.start('waiting.1');
  await eventually(async () => {
    const { rows } = await gateway.database.query('select state from webhook_inbox');
    return rows[0]?.state === 'DONE';
  });
  await gateway.database.query(`update webhook_inbox set state = 'WAITING'`);

  clock.forward(15 * MINUTE);

  await eventually(async () => {
    const { rows } = await gateway.database.query('select state from webhook_inbox');
    return rows[0].state === 'DONE';
  });
});

test('a webhook that may be older than what a poll found has the provider asked, so that it stands corrected', async () => {
  const { gateway, clock } = await polledGateway({ SANDBOX_WEBHOOKS: 'documented' });
  await gateway.start('older.happy-path');
  await setFaults(gateway, { drop: {} });
  await gateway.advance('older.happy-path', 6);
  clock.forward(15 * MINUTE);
  await eventually(async () => (await sessionOf(gateway, 'older.happy-path')).subStatus === 'NO_AGENT_FOUND');

  const { user } = await sessionOf(gateway, 'older.happy-path');
  await gateway.webhook({
    ...webhookOf('older.happy-path', 'PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_SUCCESS', 0, user.userId),
    event_time: new Date(Date.now() + 2_000).toISOString(),
  });

  await eventually(async () => {
    const log = await logOf(gateway, 'older.happy-path');
    return log.length >= 4 && log.at(-1) === 'POLL NO_AGENT_FOUND';
  });
});

test('a session that was started elsewhere is taken over, with all that its webhooks said, and its id is taken', async () => {
  const { gateway } = await polledGateway();
  await gateway.callProvider('POST', '/user', { user_id: 'theirs', phone: '9000000000', name: 'Ravi' });
  await gateway.callProvider('POST', '/vkyc', { verification_id: 'elsewhere.happy-path', user_id: 'theirs' });
  await gateway.advance('elsewhere.happy-path', 3);

  const taken = await eventually(async () => {
    const session = await sessionOf(gateway, 'elsewhere.happy-path');
    return session?.transitions.nodes.length >= 4 && session;
  });

  expect(taken.user).toEqual({ userId: 'theirs', phone: '9000000000', name: 'Ravi' });
  await eventually(
    async () =>
      (await sessionOf(gateway, 'elsewhere.happy-path')).subStatus === 'USER_LOCATION_VERIFICATION_SUCCESS',
  );
  const { data } = await gateway.graphql(
    'mutation { startSession(input: { verificationId: "elsewhere.happy-path", user: { phone: "9988776655" } }) { ... on MutationError { code } } }',
  );
  expect(data.startSession.code).toBe('VERIFICATION_ID_TAKEN');
});

test('what is known of a person is not lost where the provider does not say it again', async () => {
  const { gateway } = await againstScript(({ method, path, body }) => {
    if (method === 'GET' && path.startsWith('/user'))
      return { status: 404, body: JSON.stringify({ type: 'not_found_error', code: 'Resource not found' }) };
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'second.1', user_id: 'asha' };
    if (path.startsWith('/user')) return { body: JSON.stringify(sent) };
    return { body: JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }) };
  });
  await gateway.start('first.1', { user: { userId: 'asha', phone: '9988776655', name: 'Asha Rao' } });

  await gateway.webhook(webhookOf('second.1', 'RECEIVED', 'LINK_GENERATED', 1));
  const taken = await eventually(() => sessionOf(gateway, 'second.1'));

  expect(taken.user).toEqual({ userId: 'asha', phone: '9988776655', name: 'Asha Rao' });
});

test('a start that overtakes the look for its webhook is the one that counts, and can be repeated', async () => {
  let held: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    held = resolve;
  });
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { gateway } = await againstScript(({ method, path, body }) => {
    if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
    const said = {
      verification_id: 'race.1',
      user_id: 'asha',
      status: 'RECEIVED',
      sub_status: 'LINK_GENERATED',
    };
    if (method === 'POST') return { body: JSON.stringify({ ...said, ...JSON.parse(body) }) };
    held();
    return { body: JSON.stringify(said), before: () => released };
  });
  await gateway.webhook(webhookOf('race.1', 'RECEIVED', 'LINK_GENERATED', 1));
  await asked;

  const input = { user: { userId: 'asha', phone: '9988776655' }, userTemplate: 'vkyc_user_template_v1' };
  const { id } = await gateway.start('race.1', input);
  release();

  await eventually(async () => (await gateway.database.query('select from provider_lookup')).rowCount === 0);
  expect((await gateway.start('race.1', input)).id).toBe(id);
  const { rows } = await gateway.database.query('select user_template from vkyc_session');
  expect(rows).toEqual([{ user_template: 'vkyc_user_template_v1' }]);
});

test('a webhook of an id that the provider does not know is parked after an hour of asking, with the reason', async () => {
  const { gateway, clock } = await polledGateway();

  expect(await gateway.webhook(webhookOf('nobody.knows', 'RECEIVED', 'LINK_GENERATED', 1))).toBe(200);
  await eventually(async () => {
    const { rows } = await gateway.database.query('select due_at > since as again from provider_lookup');
    return rows[0]?.again;
  });
  expect((await gateway.database.query('select state from webhook_inbox')).rows).toEqual([
    { state: 'WAITING' },
  ]);

  clock.forward(61 * MINUTE);
  await eventually(async () => {
    const { rows } = await gateway.database.query('select state, reason from webhook_inbox');
    return (
      rows[0]?.state === 'PARKED' &&
      rows[0].reason === 'Neither this gateway nor the provider knows this verification id.'
    );
  });
});

test('a start whose answer never came is found at the provider without anybody asking again', async () => {
  const { gateway, clock } = await polledGateway();
  await setFaults(gateway, {
    drop: {},
    'error-504-after': { times: 1, path: 'POST /vkyc' },
    'error-500': { path: 'GET /vkyc' },
  });

  const { data } = await gateway.graphql(
    'mutation { startSession(input: { verificationId: "lost-answer.1", user: { phone: "9988776655" } }) { __typename } }',
  );
  expect(data.startSession.__typename).toBe('ProviderError');
  expect(await sessionOf(gateway, 'lost-answer.1')).toBeNull();

  await fetch(new URL('/_sandbox/faults', gateway.sandboxUrl), { method: 'DELETE' });
  clock.forward(MINUTE);
  await eventually(async () => (await sessionOf(gateway, 'lost-answer.1'))?.subStatus === 'LINK_GENERATED');
  expect((await logOf(gateway, 'lost-answer.1'))[0]).toMatch(/LINK_GENERATED/);
});

test('a start that never arrived is not sent by anybody but its caller', async () => {
  const { gateway, clock } = await polledGateway();
  await setFaults(gateway, { 'error-504-before': { path: 'POST /vkyc' } });
  const start = () =>
    gateway.graphql(
      'mutation { startSession(input: { verificationId: "not-sent.1", user: { phone: "9988776655" } }) { __typename } }',
    );
  expect((await start()).data.startSession.__typename).toBe('ProviderError');
  await fetch(new URL('/_sandbox/faults', gateway.sandboxUrl), { method: 'DELETE' });

  clock.forward(MINUTE);
  await eventually(async () => {
    const { rows } = await gateway.database.query(
      `select due_at > since + interval '1 minute' as again from provider_lookup`,
    );
    return rows[0]?.again;
  });
  expect(await sessionOf(gateway, 'not-sent.1')).toBeNull();

  expect((await start()).data.startSession.__typename).toBe('StartSessionSuccess');
});

test('a poll that a dead replica holds, or whose job is lost or worn out, is done all the same', async () => {
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

test('a database that cuts all connections under the polls ends no polling', async () => {
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

  for (const id of ['cut.1', 'cut.2', 'cut.3', 'cut.4']) {
    // Whatever was in hand when a connection was cut is due again, at the latest when its job counts as abandoned.
    await eventually(async () => {
      await gateway.database.query(
        `update graphile_worker._private_jobs set locked_at = now() - interval '6 minutes' where locked_at < now() - interval '1 second'`,
      );
      return (await sessionOf(gateway, id))?.subStatus === 'USER_QUEUED';
    });
  }
  expect(cuts).toBe(4);
}, 40_000);

test('a poll that one replica is doing is not done by another', async () => {
  const { gateway, clock } = await polledGateway();
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

test('while the provider is away polls wait, ever longer, and go on when it is back', async () => {
  const { gateway, clock } = await polledGateway();
  await gateway.start('away.happy-path');
  await setFaults(gateway, { drop: {}, 'rate-limited': { path: 'GET /vkyc' } });
  await gateway.advance('away.happy-path', 1);
  const pause = async () => {
    const { rows } = await gateway.database.query('select next_poll_at as at from vkyc_session');
    return rows[0].at.getTime() - clock.now().getTime();
  };

  clock.forward(15 * MINUTE);
  await eventually(async () => (await pause()) > 3 * MINUTE);
  clock.forward(60 * MINUTE);
  await eventually(async () => (await pause()) > 15 * MINUTE);

  await fetch(new URL('/_sandbox/faults', gateway.sandboxUrl), { method: 'DELETE' });
  clock.forward(60 * MINUTE);
  await eventually(
    async () => (await sessionOf(gateway, 'away.happy-path')).subStatus === 'AADHAAR_VERIFICATION_SUCCESS',
  );
});

test('what the provider cannot be asked about is given up with its link', async () => {
  const { gateway, clock } = await polledGateway();
  await gateway.start('given-up.1');
  await setFaults(gateway, { drop: {}, 'malformed-answer': { path: 'GET /vkyc' } });

  clock.forward(32 * 24 * 60 * MINUTE);
  await eventually(async () => {
    const { rows } = await gateway.database.query('select next_poll_at from vkyc_session');
    return rows[0].next_poll_at === null;
  });
});
