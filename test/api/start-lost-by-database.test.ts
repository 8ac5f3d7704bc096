/** Starts that succeeded, but that a restore or the promotion of a lagging standby removed from the database. */
import { expect, test } from 'vitest';
import { bootGateway, DATA_KEYS, eventually, type Gateway } from '../harness/gateway.ts';
import { forgetStart } from '../harness/loss.ts';
import { webhooksTaken } from '../harness/rows.ts';
import { asha, start } from './starting.ts';

const PARTNER = { sub: 'partner', roles: ['OPERATOR'] };

const startAs = async (gateway: Gateway, input: object, claims: typeof PARTNER) => {
  const authorization = `Bearer ${await gateway.token(claims)}`;
  const { data } = await gateway.graphql(
    `mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename
      ... on StartSessionSuccess { replayed session { id user { userId } } }
      ... on ConflictError { code currentSession { verificationId } } } }`,
    { input },
    { authorization },
  );
  return data.startSession;
};
const verificationsOf = async (gateway: Gateway, id: string) =>
  (await gateway.callProvider('GET', `/vkyc?verification_id=${id}`)).user_id;

test('after the database lost a start, an identical retry by the same caller finds the verification at the provider, and records the session', async () => {
  const gateway = await bootGateway();
  const input = { verificationId: 'lost.happy-path', user: asha, userTemplate: 'vkyc_user_template_v1' };
  const before = await start(gateway, input);
  await forgetStart(gateway, 'lost.happy-path');

  const after = await start(gateway, input);

  expect(after).toMatchObject({
    __typename: 'StartSessionSuccess',
    session: {
      referenceId: before.session.referenceId,
      link: before.session.link,
      user: { ...asha, userId: before.session.user.userId },
    },
  });
  expect(await verificationsOf(gateway, 'lost.happy-path')).toBe(after.session.user.userId);
  expect(await start(gateway, input)).toMatchObject({ replayed: true, session: { id: after.session.id } });
  await gateway.advance('lost.happy-path');
  await webhooksTaken(gateway.database, 'lost.happy-path', 1);
});

test("after the database lost a start, another caller cannot use its verification id, and the first caller's retry still succeeds", async () => {
  const gateway = await bootGateway();
  const input = { verificationId: 'lost.1', user: asha };
  await startAs(gateway, input, PARTNER);
  await forgetStart(gateway, 'lost.1');

  const other = await startAs(gateway, input, { ...PARTNER, sub: 'another' });
  const own = await startAs(gateway, input, PARTNER);

  expect(other).toMatchObject({ code: 'VERIFICATION_ID_TAKEN', currentSession: null });
  expect(own).toMatchObject({ __typename: 'StartSessionSuccess' });
  expect(await startAs(gateway, input, { ...PARTNER, sub: 'another' })).toMatchObject({
    code: 'VERIFICATION_ID_TAKEN',
  });
});

test('after the database lost a start, a retry with another input is a conflict, and an identical retry still succeeds', async () => {
  const gateway = await bootGateway();
  const input = { verificationId: 'lost.1', user: asha };
  const before = await start(gateway, input);
  await forgetStart(gateway, 'lost.1');

  for (const other of [{ user: { ...asha, phone: '9000000000' } }, { userTemplate: 'vkyc_user_template_v1' }])
    expect(await start(gateway, { ...input, ...other })).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  const own = await start(gateway, input);

  expect(own.session).toMatchObject({ referenceId: before.session.referenceId, user: asha });
});

test('after the database lost a start with a userId that the caller chose, a retry gets VERIFICATION_ID_TAKEN: another system may have started the verification', async () => {
  const gateway = await bootGateway();
  const input = { verificationId: 'lost.1', user: { ...asha, userId: 'asha' } };
  await start(gateway, input);
  await forgetStart(gateway, 'lost.1');

  expect(await start(gateway, input)).toMatchObject({ code: 'VERIFICATION_ID_TAKEN' });
  expect(await start(gateway, input)).toMatchObject({ code: 'VERIFICATION_ID_TAKEN' });
});

test('after the database lost a start, a retry returns the session that a webhook has restored, with the whole input of the start', async () => {
  const gateway = await bootGateway({ polling: true });
  const input = { verificationId: 'lost.happy-path', user: asha, userTemplate: 'vkyc_user_template_v1' };
  const { user } = (await startAs(gateway, input, PARTNER)).session;
  await webhooksTaken(gateway.database, 'lost.happy-path', 1);
  await forgetStart(gateway, 'lost.happy-path');
  await gateway.advance('lost.happy-path', 2);
  await eventually(async () => (await gateway.database.query('select from vkyc_session')).rowCount === 1);

  const changed = await startAs(gateway, { ...input, user: { ...asha, name: 'Asha' } }, PARTNER);
  const other = await startAs(gateway, input, { ...PARTNER, sub: 'another' });
  const own = await startAs(gateway, input, PARTNER);

  expect(changed).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  expect(other).toMatchObject({
    code: 'VERIFICATION_ID_TAKEN',
    currentSession: { verificationId: 'lost.happy-path' },
  });
  expect(own).toMatchObject({ replayed: true, session: { user } });
  const { rows } = await gateway.database.query('select user_template from vkyc_session');
  expect(rows).toEqual([{ user_template: 'vkyc_user_template_v1' }]);
});

test('after the database lost a start and DATA_KEYS was rotated, a retry finds the verification and its user at the provider', async () => {
  const before = await bootGateway();
  const input = { verificationId: 'lost.1', user: asha };
  const { session } = await start(before, input);
  await forgetStart(before, 'lost.1');
  const rotated = await bootGateway({
    database: before.databaseUrl,
    environment: {
      DATA_KEYS: `new:${Buffer.alloc(32, 9).toString('base64')},${DATA_KEYS}`,
      CASHFREE_BASE_URL: before.sandboxUrl,
      CASHFREE_CLIENT_ID: 'sandbox',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    },
  });

  const found = await start(rotated, input);

  expect(found.session).toMatchObject({
    referenceId: session.referenceId,
    user: { ...asha, userId: session.user.userId },
  });
});

test('after the database lost a start, a retry finds the verification even if the restored start_intent row says that no call was sent', async () => {
  const gateway = await bootGateway();
  const input = { verificationId: 'lost.1', user: asha };
  const { session } = await start(gateway, input);
  await forgetStart(gateway, 'lost.1', 'INTENT_STAYS');

  expect((await start(gateway, input)).session).toMatchObject({ referenceId: session.referenceId });
});
