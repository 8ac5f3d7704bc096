import { expect, test } from 'vitest';
import { setFaults } from '../harness/faults.ts';
import { eventually } from '../harness/gateway.ts';
import { webhooksTaken } from '../harness/rows.ts';
import { againstScript, logOf, MINUTE, polledGateway, sessionOf, webhookOf } from './polled.ts';

test('the reconciler finds a stored webhook that is still WAITING (session unknown) although its session exists, and applies it', async () => {
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

test('a session that is due for a poll, and whose WAITING webhook is due for a lookup, gets both, and neither stays due', async () => {
  const { gateway, clock } = await polledGateway();
  await gateway.start('twice.1');
  await gateway.start('other.happy-path');
  await webhooksTaken(gateway.database, 'twice.1', 1);
  await gateway.database.query(
    `update webhook_inbox set state = 'WAITING' where verification_id = 'twice.1'`,
  );
  await gateway.database.query(
    `insert into provider_lookup (verification_id, since, due_at) values ('twice.1', now(), now())`,
  );
  await gateway.database.query('update vkyc_session set unsettled = true, next_poll_at = now()');

  clock.forward(15 * MINUTE);

  await eventually(async () => {
    const { rows } = await gateway.database.query(
      `select from vkyc_session where unsettled union all select from webhook_inbox where state = 'WAITING'`,
    );
    return rows.length === 0;
  });
  await eventually(async () => (await gateway.database.query('select from provider_lookup')).rowCount === 0);
});

test('a session that was started at the provider without the gateway is recorded with its webhooks and its user, and startSession refuses its verification id', async () => {
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

test('known personal data of a user is kept if the provider does not return it for a later session', async () => {
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

test("a start that finishes while the reconciler asks the provider about the session's webhook creates the session once (race), and can be repeated", async () => {
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

test('a webhook whose verification id the provider does not know either is parked (dead-lettered) with the reason after an hour of lookups', async () => {
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
      rows[0].reason === 'Neither the gateway nor the provider knows this verification id.'
    );
  });
});

test('a start whose provider response was lost is found at the provider, without a retry by the caller', async () => {
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

  await setFaults(gateway, null);
  clock.forward(MINUTE);
  await eventually(async () => (await sessionOf(gateway, 'lost-answer.1'))?.subStatus === 'LINK_GENERATED');
  expect((await logOf(gateway, 'lost-answer.1'))[0]).toMatch(/LINK_GENERATED/);
});

test('the gateway does not send a start again that never reached the provider; a retry by the caller does', async () => {
  const { gateway, clock } = await polledGateway();
  await setFaults(gateway, { 'error-504-before': { path: 'POST /vkyc' } });
  const start = () =>
    gateway.graphql(
      'mutation { startSession(input: { verificationId: "not-sent.1", user: { phone: "9988776655" } }) { __typename } }',
    );
  expect((await start()).data.startSession.__typename).toBe('ProviderError');
  await setFaults(gateway, null);

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

test('a webhook of an unknown session stays WAITING while the provider answers lookups of its verification or user with errors', async () => {
  for (const failing of ['/vkyc', '/user']) {
    let mended = false;
    const { gateway, clock } = await againstScript(({ path }) => {
      if (path.startsWith(failing) && !mended)
        return { status: 400, body: JSON.stringify({ type: 'invalid_request', code: 'invalid_request' }) };
      if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
      const pair = { status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
      return { body: JSON.stringify({ verification_id: 'unasked.1', user_id: 'asha', ...pair }) };
    });
    /** Waits until a lookup has failed and was postponed to a later time. */
    const triedInVain = () =>
      eventually(async () => {
        const { rows } = await gateway.database.query('select due_at from provider_lookup');
        return rows[0]?.due_at > clock.now();
      });
    await gateway.webhook(webhookOf('unasked.1', 'RECEIVED', 'LINK_GENERATED', 1));
    await triedInVain();

    clock.forward(25 * 60 * MINUTE);
    await triedInVain();
    const { rows } = await gateway.database.query('select state from webhook_inbox');
    expect(rows, failing).toEqual([{ state: 'WAITING' }]);

    mended = true;
    clock.forward(60 * MINUTE);
    await eventually(async () => (await sessionOf(gateway, 'unasked.1'))?.user.userId === 'asha');
    await gateway.stop();
  }
});
