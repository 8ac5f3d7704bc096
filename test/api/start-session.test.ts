import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { type Script, startScriptedProvider } from '../harness/provider.ts';

const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) {
    __typename
    ... on StartSessionSuccess { replayed session {
      id verificationId referenceId status subStatus link linkExpiresAt user { userId phone name } transitions(first: 10) { nodes { sequence subStatus source } }
    } }
    ... on MutationError { code message retryable }
    ... on InvalidInputError { problems { path message } }
    ... on ProviderError { providerCode retryAfterSeconds }
  }
}`;

const start = async (gateway: Gateway, input: object) =>
  (await gateway.graphql(START, { input })).data.startSession;
const asha = { phone: '9988776655', name: 'Asha Rao' };
const fixture = (name: string) => readFile(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');

const against = async (script: Script) => {
  const provider = await startScriptedProvider(script);
  const gateway = await bootGateway({
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'secret',
    },
  });
  return { provider, gateway };
};

const known = (userId: string) => ({
  body: JSON.stringify({ user_id: userId, user_reference_id: 1358, phone: '9988776655' }),
});
const problem = (status: number, code: string, message = 'no') => ({
  status,
  body: JSON.stringify({ type: 't', code, message }),
});

test('the same call answers with the same session, however often it is made', async () => {
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

test('identical calls at once start one session, and only one of them says that it did', async () => {
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

test('the same verification id with another input is a conflict, and changes nothing', async () => {
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

test("somebody else's verification id is refused, also at the second try", async () => {
  const gateway = await bootGateway();
  await gateway.callProvider('POST', '/user', { user_id: 'asha', phone: '9988776655' });
  await gateway.callProvider('POST', '/vkyc', { verification_id: 'theirs.1', user_id: 'asha' });

  for (const _try of [1, 2]) {
    const result = await start(gateway, { verificationId: 'theirs.1', user: { ...asha, userId: 'asha' } });
    expect(result).toMatchObject({ __typename: 'ConflictError', code: 'VERIFICATION_ID_TAKEN' });
  }
});

test('a known user with another phone is refused; with the phone corrected the same id goes through', async () => {
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

test('while the provider is down the caller is told to repeat, and repeating starts one session', async () => {
  let up = false;
  const created: string[] = [];
  const answer = await fixture('initiate-answer.json');
  const { gateway, provider } = await against(({ method, path, body }) => {
    if (!up) return null;
    if (path.startsWith('/user')) return known(JSON.parse(body).user_id);
    if (method === 'GET') return problem(404, 'referenceId_not_found');
    created.push(body);
    return { body: answer.replace('vkyc_verification_id', 'down.1') };
  });
  const input = { verificationId: 'down.1', user: asha };

  const refused = await start(gateway, input);
  up = true;
  const started = await start(gateway, input);

  expect(refused).toMatchObject({
    __typename: 'ProviderError',
    code: 'PROVIDER_UNAVAILABLE',
    retryable: true,
  });
  expect(started).toMatchObject({ __typename: 'StartSessionSuccess', replayed: false });
  expect(created).toHaveLength(1);
  expect(provider.calls).toContain('POST /vkyc');
});

test('a request that took effect without an answer is found again and not sent twice', async () => {
  let effect: { verification_id: string; user_id: string } | null = null;
  let answers = false;
  const { gateway, provider } = await against(({ method, path, body }) => {
    if (path.startsWith('/user')) return known(JSON.parse(body).user_id);
    if (method === 'POST') {
      effect = JSON.parse(body);
      return problem(504, 'http_504');
    }
    if (!answers || !effect) return null;
    return {
      body: JSON.stringify({
        ...effect,
        reference_id: '8901234567890123458',
        status: 'RECEIVED',
        sub_status: 'LINK_GENERATED',
      }),
    };
  });
  const input = { verificationId: 'lost.1', user: asha };

  expect(await start(gateway, input)).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  answers = true;
  const found = await start(gateway, input);

  expect(found).toMatchObject({
    replayed: false,
    session: { referenceId: '8901234567890123458', subStatus: 'LINK_GENERATED' },
  });
  expect(provider.calls.filter((call) => call === 'POST /vkyc')).toHaveLength(1);
});

test('too little balance gives a rejected session, whether it comes as an error or as an answer', async () => {
  const { gateway } = await against(({ path, body }) => {
    if (path.startsWith('/user')) return known(JSON.parse(body).user_id);
    const { verification_id, user_id } = JSON.parse(body);
    if (verification_id === 'balance.error') return problem(422, 'insufficient_balance');
    return {
      body: JSON.stringify({
        verification_id,
        user_id,
        status: 'REJECTED',
        sub_status: 'INSUFFICIENT_BALANCE',
      }),
    };
  });

  for (const verificationId of ['balance.error', 'balance.answer']) {
    expect(await start(gateway, { verificationId, user: asha })).toMatchObject({
      session: { status: 'REJECTED', subStatus: 'INSUFFICIENT_BALANCE', link: null },
    });
  }
});

test("what the provider does not accept is told field by field, and a corrected input may take the refused one's place", async () => {
  const { gateway } = await against(({ path, body }) => {
    const sent = JSON.parse(body);
    if (path.startsWith('/user')) return known(sent.user_id);
    if (sent.user_template)
      return problem(400, 'Bad request, please check API documentation', 'template name should be valid');
    return {
      body: JSON.stringify({
        verification_id: sent.verification_id,
        user_id: sent.user_id,
        status: 'RECEIVED',
        sub_status: 'LINK_GENERATED',
      }),
    };
  });

  const refused = await start(gateway, {
    verificationId: 'template.1',
    user: asha,
    userTemplate: 'nonsense',
  });
  const corrected = await start(gateway, { verificationId: 'template.1', user: asha });

  expect(refused).toMatchObject({
    code: 'INVALID_INPUT',
    retryable: false,
    problems: [
      { path: ['userTemplate'], message: expect.stringContaining('templates that the provider knows') },
    ],
  });
  expect(corrected).toMatchObject({ __typename: 'StartSessionSuccess', replayed: false });
});

test("the provider's documented answers go through: a link, or a state past it where Aadhaar details were sent", async () => {
  const plain = await fixture('initiate-answer.json');
  const aadhaar = await fixture('initiate-answer-with-aadhaar.json');
  const sent: Record<string, any>[] = [];
  const { gateway } = await against(({ path, body }) => {
    if (path.startsWith('/user')) return known('vkyc_user_id1');
    sent.push(JSON.parse(body));
    const { verification_id, aadhaar_details } = JSON.parse(body);
    return { body: (aadhaar_details ? aadhaar : plain).replace('vkyc_verification_id', verification_id) };
  });

  const withLink = await start(gateway, {
    verificationId: 'documented.1',
    user: { ...asha, userId: 'vkyc_user_id1' },
    notificationTypes: ['SMS', 'WHATSAPP'],
  });
  const pastIt = await start(gateway, {
    verificationId: 'documented.2',
    user: { ...asha, userId: 'vkyc_user_id1' },
    aadhaarDetails: {
      name: 'Asha Rao',
      dob: '02-02-1995',
      gender: 'F',
      careOf: 'Gopal',
      photoLink: 'https://example.com/photo',
      lastVerifiedAt: '2025-05-07T20:34:05+05:30',
      address: {
        country: 'India',
        dist: 'Bengaluru',
        house: '12',
        pincode: '560001',
        state: 'Karnataka',
        street: 'MG Road',
      },
    },
  });

  expect(withLink.session).toMatchObject({
    referenceId: '1358',
    subStatus: 'LINK_GENERATED',
    link: 'https://forms.cashfree.com/verification/s7ml5i0',
    linkExpiresAt: '2024-02-02T00:00:00.000Z',
  });
  expect(sent[0]).toMatchObject({ notification_types: ['sms', 'whatsapp'] });
  expect(pastIt.session).toMatchObject({
    status: 'PRE_VIDEO_CALL',
    subStatus: 'AADHAAR_VERIFICATION_SUCCESS',
  });
  expect(sent[1]?.aadhaar_details).toMatchObject({
    last_verified_at: '2025-05-07T15:04:05.000Z',
    split_address: { pincode: 560001 },
  });
});

test("the provider's documented status answer goes through, its meeting too, and its recording does not mislead", async () => {
  const status = await fixture('status-answer.json');
  const { gateway } = await against(({ method, path }) => {
    if (path.startsWith('/user')) return known('vkyc_user_id1');
    return method === 'POST' ? problem(504, 'http_504') : { body: status };
  });

  const { session } = await start(gateway, {
    verificationId: 'vkyc_verification_id',
    user: { ...asha, userId: 'vkyc_user_id1' },
  });

  expect(session).toMatchObject({
    referenceId: '1358',
    status: 'RECEIVED',
    subStatus: 'LINK_GENERATED',
    linkExpiresAt: '2025-08-03T00:00:00.000Z',
  });
  const { data } = await gateway.graphql('{ sessions(first: 1) { nodes { meeting { startsAt source } } } }');
  expect(data.sessions.nodes[0].meeting).toEqual({ startsAt: '2025-07-09T14:50:00.000Z', source: 'POLL' });
});

test('a known user whose phone is not given stays as they are: an id alone changes nobody', async () => {
  const gateway = await bootGateway();
  await start(gateway, { verificationId: 'unchanged.1', user: { ...asha, userId: 'asha' } });

  await start(gateway, { verificationId: 'unchanged.2', user: { userId: 'asha', email: 'x@example.com' } });

  const { data } = await gateway.graphql(
    '{ sessionByVerificationId(verificationId: "unchanged.2") { user { phone name email } } }',
  );
  expect(data.sessionByVerificationId.user).toEqual({ phone: '9988776655', name: 'Asha Rao', email: null });
});

test('what is given of a known user is brought up to date, here and at the provider; the rest stays', async () => {
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

test('an input is told everything that is wrong with it at once, and where', async () => {
  const gateway = await bootGateway();

  const result = await start(gateway, {
    verificationId: 'has a space',
    user: { phone: '+91 99887', email: 'nobody' },
    securityQuestions: [{ order: 2, question: 'Pet?', answer: 'Cat' }],
  });

  expect(result).toMatchObject({ __typename: 'InvalidInputError', code: 'INVALID_INPUT', retryable: false });
  expect(result.problems).toEqual([
    { path: ['verificationId'], message: 'must be 1 to 50 of the characters A-Z a-z 0-9 . _ -' },
    { path: ['user', 'phone'], message: 'must be 10 digits, without country code' },
    { path: ['user', 'email'], message: 'must be an email address' },
    { path: ['securityQuestions'], message: 'must be in order: 1, 2, 3 …' },
  ]);
});

test('personal data is stored encrypted and never logged', async () => {
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

test('a start that found no free call was not sent: a corrected input may still take its place', async () => {
  let afterUser = async () => {};
  const { gateway, provider } = await against(({ path, body }) => {
    const sent = JSON.parse(body);
    if (path.startsWith('/user')) return { ...known(sent.user_id), before: () => afterUser() };
    if (sent.user_template) return problem(400, 'Bad request, please check API documentation');
    return { body: JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }) };
  });
  const pause = (until: string) =>
    gateway.database.query(`update provider_budget set calls_paused_until = ${until}`);
  const wrong = { verificationId: 'unsent.1', user: asha, userTemplate: 'nonsense' };

  afterUser = async () => void (await pause("now() + interval '1 minute'"));
  const unsent = await start(gateway, wrong);
  afterUser = async () => {};
  await pause('null');
  const refused = await start(gateway, wrong);
  const corrected = await start(gateway, { verificationId: 'unsent.1', user: asha });

  expect(unsent).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
  expect(refused).toMatchObject({ code: 'INVALID_INPUT' });
  expect(corrected).toMatchObject({ __typename: 'StartSessionSuccess', replayed: false });
  expect(provider.calls.filter((call) => call === 'GET /vkyc')).toEqual([]);
});

test('each documented error of the provider is one error code, and an undocumented one is counted', async () => {
  const expected: Record<string, [number, string][]> = {
    INVALID_INPUT: [
      [400, 'verification_id_missing'],
      [400, 'verification_id_value_invalid'],
      [400, 'verification_id_length_exceeded'],
      [400, 'name_value_invalid'],
      [400, 'Bad request, please check API documentation'],
    ],
    PROVIDER_REFUSED: [
      [400, 'REQUEST_INVALID'],
      [400, 'invalid_request'],
      [400, 'identifier_type_value_invalid'],
      [400, 'identifier_value_value_invalid'],
      [404, 'referenceId_not_found'],
      [404, 'Resource not found'],
      [400, 'never_heard_of'],
    ],
    PROVIDER_UNAVAILABLE: [
      [400, 'x-client-id_missing'],
      [400, 'x-client-secret_missing'],
      [400, 'x-client-secret_value_invalid'],
      [401, 'authentication_failed'],
      [403, 'ip_validation_failed'],
      [500, 'request_failed'],
      [500, 'verification_failed'],
      [500, 'api_error'],
      [502, 'request_failed'],
    ],
    VERIFICATION_ID_TAKEN: [
      [409, 'verification_id_already_exists'],
      [409, 'invalid_verification_id'],
    ],
  };
  for (const [code, errors] of Object.entries(expected)) {
    // A gateway for each, or failures in a row would have it give the provider a rest.
    const { gateway } = await against(({ method, path, body }) => {
      if (path.startsWith('/user')) return known(JSON.parse(body).user_id);
      if (method === 'GET') return problem(404, 'Resource not found');
      const [status, said] = errors[Number(JSON.parse(body).verification_id.split('.')[1])] as [
        number,
        string,
      ];
      return problem(status, said, 'Asha Rao, 9988776655');
    });
    for (const [index, [, said]] of errors.entries()) {
      const result = await start(gateway, { verificationId: `error.${index}`, user: asha });
      expect([said, result.code]).toEqual([said, code]);
      expect(JSON.stringify(result)).not.toMatch(/99887/);
    }
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(
      metrics.includes('vkyc_provider_unmapped_errors_total{status="400",code="never_heard_of"} 1'),
    ).toBe(code === 'PROVIDER_REFUSED');
  }
});
