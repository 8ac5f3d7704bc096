import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { asha, start } from './starting.ts';

test('repeated identical startSession calls return the same session', async () => {
  const gateway = await bootGateway();
  const input = { verificationId: 'retry.1', user: asha };

  const first = await start(gateway, input);
  const again = await Promise.all(Array.from({ length: 10 }, () => start(gateway, input)));

  expect(first).toMatchObject({
    __typename: 'StartSessionSuccess',
    replayed: false,
    session: { subStatus: 'LINK_GENERATED' },
  });
  expect(again.every((each) => each.replayed && each.session.id === first.session.id)).toBe(true);
  expect(first.session.transitions.nodes).toEqual([
    { sequence: 1, subStatus: 'LINK_GENERATED', source: expect.stringMatching(/MUTATION|WEBHOOK/) },
  ]);
});

// Invariant 6 of ARCHITECTURE.md
test('concurrent identical startSession calls start one session, and all results but one are marked as replayed', async () => {
  const database = await bootGateway();
  const other = await bootGateway({
    database: database.databaseUrl,
    environment: {
      CASHFREE_BASE_URL: database.sandboxUrl,
      CASHFREE_CLIENT_ID: 'sandbox',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    },
  });
  const input = { verificationId: 'parallel.1', user: asha };

  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => start(index % 2 ? database : other, input)),
  );

  expect(new Set(results.map((each) => each.session?.id)).size).toBe(1);
  expect(results.filter((each) => each.replayed === false)).toHaveLength(1);
});

test('startSession with a used verification id and another input gets IDEMPOTENCY_CONFLICT', async () => {
  const gateway = await bootGateway();
  await start(gateway, { verificationId: 'conflict.1', user: asha });

  const result = await start(gateway, {
    verificationId: 'conflict.1',
    user: { ...asha, name: 'Somebody Else' },
  });

  expect(result).toMatchObject({
    __typename: 'ConflictError',
    code: 'IDEMPOTENCY_CONFLICT',
    retryable: false,
  });
});

test('startSession refuses a verification id that another system started at the provider, also on a retry', async () => {
  const gateway = await bootGateway();
  await gateway.callProvider('POST', '/user', { user_id: 'asha', phone: '9988776655' });
  await gateway.callProvider('POST', '/vkyc', { verification_id: 'theirs.1', user_id: 'asha' });

  for (const _try of [1, 2]) {
    const result = await start(gateway, { verificationId: 'theirs.1', user: { ...asha, userId: 'asha' } });
    expect(result).toMatchObject({ __typename: 'ConflictError', code: 'VERIFICATION_ID_TAKEN' });
  }
});

test('startSession refuses a known user with another phone number; a retry with the right number succeeds', async () => {
  const gateway = await bootGateway();
  await start(gateway, { verificationId: 'phone.1', user: { ...asha, userId: 'asha' } });

  const refused = await start(gateway, {
    verificationId: 'phone.2',
    user: { userId: 'asha', phone: '9000000000' },
  });
  const corrected = await start(gateway, {
    verificationId: 'phone.2',
    user: { userId: 'asha', phone: '9988776655' },
  });

  expect(refused).toMatchObject({ code: 'INVALID_INPUT', problems: [{ path: ['user', 'phone'] }] });
  expect(corrected).toMatchObject({
    __typename: 'StartSessionSuccess',
    session: { user: { userId: 'asha' } },
  });
});

test('startSession without a phone number does not update the known user', async () => {
  const gateway = await bootGateway();
  await start(gateway, { verificationId: 'unchanged.1', user: { ...asha, userId: 'asha' } });

  await start(gateway, { verificationId: 'unchanged.2', user: { userId: 'asha', email: 'x@example.com' } });

  const { data } = await gateway.graphql(
    '{ sessionByVerificationId(verificationId: "unchanged.2") { user { phone name email } } }',
  );
  expect(data.sessionByVerificationId.user).toEqual({ phone: '9988776655', name: 'Asha Rao', email: null });
});

test('startSession with the phone number of a known user updates the given fields in gateway and provider, and keeps the others', async () => {
  const gateway = await bootGateway();
  await start(gateway, {
    verificationId: 'details.1',
    user: { ...asha, userId: 'asha', address: '1 MG Road' },
  });

  await start(gateway, {
    verificationId: 'details.2',
    user: { userId: 'asha', phone: '9988776655', name: 'Asha R. Rao', email: 'asha@example.com' },
  });

  const { data } = await gateway.graphql(
    '{ sessionByVerificationId(verificationId: "details.1") { user { phone name email } } }',
  );
  expect(data.sessionByVerificationId.user).toEqual({
    phone: '9988776655',
    name: 'Asha R. Rao',
    email: 'asha@example.com',
  });
  expect(await gateway.callProvider('GET', '/user?user_id=asha')).toMatchObject({
    phone: '9988776655',
    name: 'Asha R. Rao',
    email: 'asha@example.com',
    address: '1 MG Road',
  });
});

test('startSession reports all problems of its input in one response, each with its path', async () => {
  const gateway = await bootGateway();

  const result = await start(gateway, {
    verificationId: 'has a space',
    user: { phone: '+91 99887', email: 'nobody' },
    securityQuestions: [{ order: 2, question: 'Pet?', answer: 'Cat' }],
  });

  expect(result).toMatchObject({ __typename: 'InvalidInputError', code: 'INVALID_INPUT', retryable: false });
  expect(result.problems).toEqual([
    { path: ['verificationId'], message: 'must be 1 to 50 characters of A-Z a-z 0-9 . _ -' },
    { path: ['user', 'phone'], message: 'must be 10 digits, without country code' },
    { path: ['user', 'email'], message: 'must be an email address' },
    {
      path: ['securityQuestions', '0', 'order'],
      message: 'must be 1: number the questions 1, 2, 3 … in their order',
    },
  ]);
});

// Invariant 13 of ARCHITECTURE.md
test('the personal data of a start is stored encrypted and never logged', async () => {
  const gateway = await bootGateway();
  const input = {
    verificationId: 'private.happy-path',
    user: {
      phone: '9911223344',
      name: 'Zebulon Quixote',
      email: 'zeb@example.com',
      address: '7 Marked Lane',
    },
    securityQuestions: [{ order: 1, question: 'Favourite word?', answer: 'xylophone' }],
  };
  const { session } = await start(gateway, input);
  await gateway.advance('private.happy-path', 3);
  expect(session.user).toMatchObject({ phone: '9911223344', name: 'Zebulon Quixote' });

  const tables = await gateway.database.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public'`,
  );
  const stored = [];
  for (const { name } of tables.rows)
    stored.push(JSON.stringify((await gateway.database.query(`select t::text from ${name} t`)).rows));
  const everything = [...stored, ...gateway.logs].join('\n').toLowerCase();

  for (const marked of [
    '9911223344',
    'zebulon',
    'zeb@example.com',
    'marked lane',
    'xylophone',
    session.link,
  ]) {
    expect(everything).not.toContain(marked.toLowerCase());
    expect(everything).not.toContain(Buffer.from(marked).toString('hex'));
  }
});
