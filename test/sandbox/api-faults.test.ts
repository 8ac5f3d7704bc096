import { expect, test } from 'vitest';
import { bootSandbox, type Client } from './harness.ts';

async function bootWithUser(): Promise<Client> {
  const client = await bootSandbox();
  await client.call('POST', '/user', { user_id: 'asha', phone: '9988776655' });
  return client;
}

const start = (client: Client, verification_id: string) =>
  client.call('POST', '/vkyc', { verification_id, user_id: 'asha' });

test.each([
  ['rate-limited', 429, 'too_many_requests_per_operation'],
  ['error-500', 500, 'api_error'],
  ['error-502', 502, 'request_failed'],
  ['error-504-before', 504, 'request_failed'],
])(
  'with the sandbox fault %s, the first start gets %i and has no effect, and the second start succeeds',
  async (fault, status, code) => {
    const client = await bootWithUser();
    const id = `loan-1.with-${fault}`;

    const first = await start(client, id);
    const between = await client.call('GET', `/vkyc?verification_id=${id}`);
    const second = await start(client, id);

    expect(first).toMatchObject({ status, body: { code, message: expect.any(String) } });
    expect([between.status, second.status]).toEqual([404, 200]);
  },
);

test('with the sandbox fault rate-limited, the answer to a start has Retry-After and rate-limit headers', async () => {
  const { headers } = await start(await bootWithUser(), 'loan-1.with-rate-limited');

  const said = ['retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];
  expect(said.map((name) => headers.get(name))).toEqual(['1', '100', '0', '1']);
});

test('with the sandbox fault error-504-after, a start gets 504 but takes effect', async () => {
  const client = await bootWithUser();

  const first = await start(client, 'loan-1.with-error-504-after');
  const second = await start(client, 'loan-1.with-error-504-after');

  expect(first).toMatchObject({ status: 504, body: { type: 'internal_error' } });
  expect(second).toMatchObject({ status: 409, body: { code: 'verification_id_already_exists' } });
});

test('with the sandbox fault malformed-answer, a start gets 200 with truncated JSON and takes effect', async () => {
  const client = await bootWithUser();

  const answer = await start(client, 'loan-1.with-malformed-answer');

  expect(answer.status).toBe(200);
  expect(answer.text).toMatch(/^\{"verification_id":"loan-1/);
  expect(() => JSON.parse(answer.text)).toThrow(SyntaxError);
  expect(await client.look('loan-1.with-malformed-answer')).toMatchObject({ sub_status: 'LINK_GENERATED' });
});

test('with the sandbox fault slow-body, the sandbox sends the headers of an answer immediately and its body byte by byte, and the start takes effect', async () => {
  const client = await bootWithUser();
  const leaving = new AbortController();
  const response = await fetch(`${client.sandbox.baseUrl}/vkyc`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-client-id': 'sandbox', 'x-client-secret': 'sandbox' },
    body: JSON.stringify({ verification_id: 'loan-1.with-slow-body', user_id: 'asha' }),
    signal: leaving.signal,
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();

  const [first, second] = [await reader.read(), await reader.read()];
  leaving.abort();

  expect(response.status).toBe(200);
  expect([first, second].map(({ value }) => value?.length)).toEqual([1, 1]);
  await expect(reader.read()).rejects.toThrow();
  expect(await client.look('loan-1.with-slow-body')).toMatchObject({ sub_status: 'LINK_GENERATED' });
});

test('several sandbox faults in a verification id affect one attempt of a start each, in order', async () => {
  const client = await bootWithUser();
  const id = 'loan-1.with-error-500.with-error-502';

  const statuses = [await start(client, id), await start(client, id), await start(client, id)];

  expect(statuses.map(({ status }) => status)).toEqual([500, 502, 200]);
});

test('a sandbox fault set by PUT /faults can be limited to a call and a count, is merged with others, and can be cleared', async () => {
  const client = await bootWithUser();
  await client.control('PUT', '/faults', { 'error-502': { times: 2, path: 'GET /user' } });
  const { body } = await client.control('PUT', '/faults', { drop: { probability: 0.5 } });
  const look = async () => (await client.call('GET', '/user?user_id=asha')).status;

  const started = await start(client, 'other.path');
  const statuses = [await look(), await look(), await look()];
  await client.control('PUT', '/faults', { 'error-500': {} });
  const before = await look();
  const cleared = await client.control('DELETE', '/faults');

  expect(body).toEqual({
    'error-502': { probability: 1, times: 2, path: 'GET /user' },
    drop: { probability: 0.5 },
  });
  expect(started.status).toBe(200);
  expect(statuses).toEqual([502, 502, 200]);
  expect([before, await look()]).toEqual([500, 200]);
  expect([cleared.body, (await client.control('GET', '/faults')).body]).toEqual([{}, {}]);
});

test('PUT /faults of the sandbox refuses an unknown fault with the list of known faults', async () => {
  const client = await bootSandbox();

  const answer = await client.control('PUT', '/faults', { gremlins: {} });

  expect(answer.status).toBe(400);
  for (const name of ['gremlins', 'drop', 'bad-signature', 'error-504-after', 'slow-body'])
    expect(answer.body.message).toContain(name);
  expect((await client.control('PUT', '/faults', { drop: { probability: 2 } })).status).toBe(400);
});
