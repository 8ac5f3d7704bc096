import { beforeAll, expect, test } from 'vitest';
import { bootSandbox, type Client, SetClock } from './harness.ts';

let client: Client;
beforeAll(async () => {
  client = await bootSandbox();
});

const ADDRESS = { country: 'India', dist: 'D', house: '7', pincode: 560001, state: 'S', street: 'MG Road' };
const AADHAAR = {
  name: 'Asha Rao',
  dob: '02-02-1995',
  gender: 'F',
  care_of: 'Ravi Rao',
  photo_link: 'https://example.com/asha.jpg',
  last_verified_at: '2026-03-01 15:04:05',
};

test('the sandbox creates a user, finds it by user_id or user_reference_id and updates it, but refuses another phone number', async () => {
  const asha = { user_id: 'asha', phone: '9988776655', name: 'Asha Rao', email: 'asha@example.com' };
  const created = await client.call('POST', '/user', asha);
  const { user_reference_id } = created.body;

  const changed = await client.call('PATCH', '/user', {
    user_reference_id: String(user_reference_id),
    address: '7, MG Road',
    phone: '9988776655',
  });
  const refused = await client.call('PATCH', '/user', { user_id: 'asha', phone: '9000000000' });

  expect(created).toMatchObject({ status: 200, body: { ...asha, user_reference_id: expect.any(Number) } });
  expect(changed).toMatchObject({ status: 200, body: { ...asha, address: '7, MG Road' } });
  expect(refused).toMatchObject({ status: 400, body: { code: 'phone_value_invalid' } });
  for (const query of ['user_id=asha', `user_reference_id=${user_reference_id}`])
    expect((await client.call('GET', `/user?${query}`)).body).toEqual(changed.body);
});

test('a start at the sandbox accepts the user by id, by reference number or by that number as text, and the answer repeats the details of the start', async () => {
  const user = (await client.call('POST', '/user', { phone: '9988776655' })).body;
  const question = { order: 1, question: 'Which city?', answer: 'Pune' };

  const byId = await client.call('POST', '/vkyc', { verification_id: 'by.id', user_id: user.user_id });
  const byNumber = await client.call('POST', '/vkyc', {
    verification_id: 'by.number',
    user_reference_id: user.user_reference_id,
    aadhaar_details: { ...AADHAAR, address_details: ADDRESS },
  });
  const byText = await client.call('POST', '/vkyc', {
    verification_id: 'by.text',
    user_reference_id: String(user.user_reference_id),
    notification_types: ['SMS', 'whatsapp'],
    user_template: 'vkyc_user_okyc_template_v1',
    agent_template: 'vkyc_agent_template_v1',
    security_questions: question,
  });

  expect(byId.body).toEqual({
    verification_id: 'by.id',
    reference_id: expect.any(Number),
    user_reference_id: user.user_reference_id,
    user_id: user.user_id,
    status: 'RECEIVED',
    sub_status: 'LINK_GENERATED',
    vkyc_link: expect.stringMatching(/^https:\/\/forms-test\.cashfree\.com\/verification\/[a-z0-9]{12}$/),
    link_expiry: '2026-04-01T00:00:00.000Z',
  });
  expect(byNumber.body).toMatchObject({
    sub_status: 'AADHAAR_VERIFICATION_SUCCESS',
    aadhaar_details: { ...AADHAAR, address_details: ADDRESS },
  });
  expect(byText.body).toMatchObject({ user_id: user.user_id, security_questions: [question] });
});

test('a verification of the sandbox can be read by its verification id or its reference id, and has a recording, a meeting and remarks once they exist', async () => {
  const { reference_id } = await client.start('asked.happy-path');
  const before = await client.look('asked.happy-path');
  await client.advance('asked.happy-path', 13);
  const after = await client.call('GET', `/vkyc?reference_id=${reference_id}`);

  expect(before).toMatchObject({ recording_link: null, meeting_schedule: null, auditor_remarks: null });
  expect(after.body).toMatchObject({
    verification_id: 'asked.happy-path',
    sub_status: 'AUDITOR_APPROVED',
    recording_link: expect.stringContaining('X-Amz-Expires=3600'),
    meeting_schedule: '2026-03-02T12:00:10.250Z',
    agent_remarks: expect.any(String),
    auditor_remarks: expect.any(String),
  });
});

test("an answer of the sandbox has the agent's remarks from the end of the call on, before any review", async () => {
  await client.start('remarked.awaits-review');
  await client.advance('remarked.awaits-review', 10);
  const before = await client.look('remarked.awaits-review');
  await client.advance('remarked.awaits-review', 1);

  expect(before).toMatchObject({ sub_status: 'USER_ACCEPTED_MEETING', agent_remarks: null });
  expect(await client.look('remarked.awaits-review')).toMatchObject({
    sub_status: 'AGENT_ENDED_CALL',
    agent_remarks: "The sandbox's agent says: AGENT_ENDED_CALL.",
    auditor_remarks: null,
  });
});

test('POST /oauth/token of the sandbox issues an SDK token that expires after 15 minutes', async () => {
  const { status, body } = await client.call('POST', '/oauth/token', {
    app_id: 'app',
    product: 'VKYC',
    metadata: { vkyc_request_id: 249749 },
    authenticated_user: { identifier_type: 'mobile', identifier_value: 9909490494 },
  });

  expect([status, body]).toEqual([
    200,
    { access_token: expect.any(String), expiry: '2026-03-02T12:15:00.250Z' },
  ]);
});

test('the sandbox accepts the optional headers that some accounts and SDKs send', async () => {
  const headers = {
    'x-api-version': '2023-12-18',
    'x-cf-signature': 'bm90IGNoZWNrZWQ=',
    'x-sdk-platform': 'nodejssdk-4.0.1',
    'x-client-secret': 'sandbox-next',
  };

  expect(await client.call('POST', '/user', { phone: '9988776655' }, headers)).toMatchObject({ status: 200 });
});

test.each([
  ['POST /user', {}, {}, 400, 'phone_missing', 'phone is missing in the request.'],
  ['POST /user', { phone: '+919988776655' }, {}, 400, 'phone_value_invalid', 'phone must have 10 digits.'],
  ['POST /user', { phone: '9988776655', user_id: 'a b' }, {}, 400, 'user_id_value_invalid', null],
  ['POST /user', { phone: '9988776655', user_id: 'known' }, {}, 409, 'user_id_already_exists', null],
  ['GET /user', undefined, {}, 400, 'invalid_request', 'Provide user_id or user_reference_id'],
  ['GET /user?user_id=nobody', undefined, {}, 404, 'Resource not found', 'No data found'],
  ['PATCH /user', { name: 'Asha' }, {}, 400, 'invalid_request', null],
  [
    'POST /vkyc',
    { user_id: 'known' },
    {},
    400,
    'verification_id_missing',
    'verification_id is missing in the request.',
  ],
  [
    'POST /vkyc',
    { verification_id: 'a b', user_id: 'known' },
    {},
    400,
    'verification_id_value_invalid',
    'verification_id can include only alphanum, dot, hyphen and underscores.',
  ],
  [
    'POST /vkyc',
    { verification_id: 'a'.repeat(51), user_id: 'known' },
    {},
    400,
    'verification_id_length_exceeded',
    'verification_id can include a maximum of 50 characters.',
  ],
  [
    'POST /vkyc',
    { verification_id: 'taken', user_id: 'known' },
    {},
    409,
    'verification_id_already_exists',
    'verification id already exists',
  ],
  [
    'POST /vkyc',
    { verification_id: 'new', user_id: 'nobody' },
    {},
    404,
    'Resource not found',
    'No data found',
  ],
  [
    'POST /vkyc',
    { verification_id: 'new', user_id: 'known', user_template: 'vkyc_agent_template' },
    {},
    400,
    'Bad request, please check API documentation',
    'template name should be valid',
  ],
  [
    'POST /vkyc',
    { verification_id: 'new', user_id: 'known', agent_template: 'toString' },
    {},
    400,
    'Bad request, please check API documentation',
    'template name should be valid',
  ],
  [
    'POST /vkyc',
    { verification_id: 'new', user_id: 'known', aadhaar_details: AADHAAR },
    {},
    400,
    'aadhaar_details.split_address_missing',
    null,
  ],
  ['GET /vkyc', undefined, {}, 400, 'invalid_request', 'Provide verificationID or referenceID'],
  ['GET /vkyc?verification_id=none', undefined, {}, 404, 'referenceId_not_found', 'No data found'],
  ['GET /vkyc?reference_id=1.5', undefined, {}, 404, 'referenceId_not_found', 'No data found'],
  ['POST /oauth/token', { app_id: 'app', product: 'KYC' }, {}, 400, 'product_value_invalid', null],
  ['GET /users', undefined, {}, 404, 'Resource not found', null],
  [
    'GET /vkyc',
    undefined,
    { 'x-client-id': '' },
    400,
    'x-client-id_missing',
    'x-client-id is missing in the request.',
  ],
  [
    'GET /vkyc',
    undefined,
    { 'x-client-secret': '' },
    400,
    'x-client-secret_missing',
    'x-client-secret is missing in the request.',
  ],
  [
    'GET /vkyc',
    undefined,
    { 'x-client-secret': 'wrong' },
    401,
    'authentication_failed',
    'Invalid clientId and clientSecret combination',
  ],
] as const)(
  'the sandbox answers %s with body %j and headers %j with %i %s, as the provider does',
  async (call, body, headers, status, code, message) => {
    await client.call('POST', '/user', { phone: '9988776655', user_id: 'known' });
    await client.call('POST', '/vkyc', { verification_id: 'taken', user_id: 'known' });
    const [method, path] = call.split(' ') as [string, string];

    const answer = await client.call(method, path, body, headers);

    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({
      type: expect.stringMatching(/^(validation|authentication|not_found)_error$/),
      code,
      message: message ?? expect.any(String),
    });
  },
);

test('a sandbox operation above its calls per minute gets 429 with Retry-After; other operations are not affected', async () => {
  const clock = new SetClock();
  const limited = await bootSandbox({ callsPerMinute: 2, clock });
  const call = () => limited.call('POST', '/user', { phone: '9988776655' });

  const [first, second, third] = [await call(), await call(), await call()];
  const other = await limited.call('GET', '/vkyc?verification_id=none');
  clock.forward(60);
  const later = await call();

  const left = ({ headers }: typeof first) => [
    headers.get('x-ratelimit-limit'),
    headers.get('x-ratelimit-remaining'),
    headers.get('x-ratelimit-reset'),
  ];
  expect([first, second, later].map((answer) => [answer.status, ...left(answer)])).toEqual([
    [200, '2', '1', '60'],
    [200, '2', '0', '60'],
    [200, '2', '1', '60'],
  ]);
  expect([third.status, third.headers.get('retry-after'), ...left(third)]).toEqual([
    429,
    '60',
    '2',
    '0',
    '60',
  ]);
  expect(third.body).toMatchObject({ type: 'rate_limit_error', code: 'too_many_requests_per_operation' });
  expect([other.status, ...left(other)]).toEqual([404, '2', '1', '60']);
  expect(left(await client.call('GET', '/vkyc'))).toEqual([null, null, null]);
});
