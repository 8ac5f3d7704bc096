import { expect, test } from 'vitest';
import { stillClock } from '../harness/clock.ts';
import { bootGateway } from '../harness/gateway.ts';
import { against, asha, fixture, known, problem, start } from './starting.ts';

test('startSession gets a retryable error while the provider is down, and the retry starts one session', async () => {
  let up = false;
  const created: string[] = [];
  const answer = await fixture('initiate-answer.json');
  const { gateway, provider } = await against(({ method, path, body }) => {
    if (!up) return null;
    if (path.startsWith('/user')) return known(JSON.parse(body).user_id);
    if (method === 'GET') return problem(404, 'referenceId_not_found');
    created.push(body);
    const { user_id } = JSON.parse(body);
    return {
      body: answer.replace('vkyc_verification_id', 'down.1').replace('vkyc_user_id1', user_id),
    };
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

test('if the provider’s response to a start was lost, the retry finds the verification and starts no second one', async () => {
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

test('insufficient balance gives a REJECTED session, whether the provider reports an error or a status', async () => {
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

test('startSession reports input that the provider rejects by field, and corrected input may use the same verification id', async () => {
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
      { path: ['userTemplate'], message: expect.stringContaining('template that exists at the provider') },
    ],
  });
  expect(corrected).toMatchObject({ __typename: 'StartSessionSuccess', replayed: false });
});

test('startSession reports a template that the provider does not know under its input field, and says what is expected', async () => {
  const gateway = await bootGateway();
  const refusalOf = (templates: object) =>
    start(gateway, { verificationId: 'template.2', user: asha, ...templates });
  const user =
    'must be the name of a user template that exists at the provider; this gateway knows vkyc_user_template_v1, vkyc_user_call_only_template';
  const agent =
    'must be the name of an agent template that exists at the provider; this gateway knows vkyc_agent_template_v1';

  expect(await refusalOf({ userTemplate: 'nonsense' })).toMatchObject({
    code: 'INVALID_INPUT',
    message: `The provider did not accept the input: userTemplate ${user}.`,
    problems: [{ path: ['userTemplate'], message: user }],
  });
  expect(await refusalOf({ agentTemplate: 'nonsense' })).toMatchObject({
    code: 'INVALID_INPUT',
    message: `The provider did not accept the input: agentTemplate ${agent}.`,
    problems: [{ path: ['agentTemplate'], message: agent }],
  });
  // The provider's error does not say which template is unknown, but the catalogue has only one of the two.
  const wrongAgent = await refusalOf({ userTemplate: 'vkyc_user_template_v1', agentTemplate: 'nonsense' });
  expect(wrongAgent.problems).toEqual([{ path: ['agentTemplate'], message: agent }]);
  const wrongUser = await refusalOf({ userTemplate: 'nonsense', agentTemplate: 'vkyc_agent_template_v1' });
  expect(wrongUser.problems).toEqual([{ path: ['userTemplate'], message: user }]);
  const both = await refusalOf({ userTemplate: 'nonsense', agentTemplate: 'nonsense' });
  expect(both.problems).toEqual([
    {
      path: ['userTemplate'],
      message: `${user}; the provider does not say whether this or agentTemplate is wrong`,
    },
    {
      path: ['agentTemplate'],
      message: `${agent}; the provider does not say whether this or userTemplate is wrong`,
    },
  ]);
  expect(await refusalOf({ agentTemplate: 'vkyc_agent_template_v1' })).toMatchObject({
    __typename: 'StartSessionSuccess',
  });
});

test("if the provider refuses a template of the gateway's catalogue, the problem says that an operator has to correct USER_TEMPLATES", async () => {
  const { gateway } = await against(({ path, body }) =>
    path.startsWith('/user')
      ? known(JSON.parse(body).user_id)
      : problem(400, 'Bad request, please check API documentation'),
  );

  const { problems } = await start(gateway, {
    verificationId: 'template.4',
    user: asha,
    userTemplate: 'vkyc_user_call_only_template',
  });

  expect(problems).toEqual([
    {
      path: ['userTemplate'],
      message:
        'must be the name of a user template that exists at the provider, but the provider does not know this one: an operator has to correct USER_TEMPLATES',
    },
  ]);
});

test('the provider’s error about templates is reported without a field if the start names no template', async () => {
  const { gateway } = await against(({ path, body }) =>
    path.startsWith('/user')
      ? known(JSON.parse(body).user_id)
      : problem(400, 'Bad request, please check API documentation'),
  );

  expect(await start(gateway, { verificationId: 'template.3', user: asha })).toMatchObject({
    code: 'INVALID_INPUT',
    message:
      'The provider did not accept the input: it has an invalid part, but the provider does not say which.',
    problems: [{ path: [] }],
  });
});

test("the provider's documented responses to a start are accepted, with and without Aadhaar details", async () => {
  const plain = await fixture('initiate-answer.json');
  const aadhaar = await fixture('initiate-answer-with-aadhaar.json');
  const sent: Record<string, any>[] = [];
  const { gateway } = await against(
    ({ path, body }) => {
      if (path.startsWith('/user')) return known('vkyc_user_id1');
      sent.push(JSON.parse(body));
      const { verification_id, aadhaar_details } = JSON.parse(body);
      return { body: (aadhaar_details ? aadhaar : plain).replace('vkyc_verification_id', verification_id) };
    },
    { clock: stillClock(new Date('2025-05-08T12:00:00+05:30')) },
  );

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

test("after a start that timed out, the provider's documented GET /vkyc response gives a LINK_GENERATED session", async () => {
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

test('a start that the call budget refuses is not sent, so corrected input may use the same verification id', async () => {
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

test('startSession maps each documented error of the provider to one error code, and a metric counts undocumented errors', async () => {
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
    // A new gateway for each code, because repeated failures would open the circuit breaker.
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
