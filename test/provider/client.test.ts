import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ProviderFailure } from '../../src/domain/errors.ts';
import type { ProviderCallBudget, ProviderClient } from '../../src/domain/ports.ts';
import { createCashfreeProvider } from '../../src/provider/cashfree.ts';
import type { AnswerMismatch } from '../../src/provider/refuse-mismatches.ts';
import { type Script, type ScriptedAnswer, startScriptedProvider } from '../harness/provider.ts';

const VERIFICATION = JSON.stringify({
  verification_id: 'v.1',
  user_id: 'asha',
  status: 'RECEIVED',
  sub_status: 'LINK_GENERATED',
});
const GOOD = Array.from({ length: 10 }, () => ({ body: VERIFICATION }));
const request = { verificationId: 'v.1', userId: 'asha' };

/** Creates a provider client whose server gives these answers, one after the other (null: breaks the connection). */
async function clientAgainst(script: Script | (ScriptedAnswer | null)[], options: object = {}) {
  const answers = Array.isArray(script) ? [...script, ...GOOD] : null;
  const provider = await startScriptedProvider(
    answers ? () => answers.shift() as ScriptedAnswer | null : (script as Script),
  );
  const pauses: [number, string][] = [];
  const unmapped: [number, string][] = [];
  const mismatches: AnswerMismatch[] = [];
  const taken: string[] = [];
  const budget: ProviderCallBudget = {
    take: async (purpose) => void taken.push(purpose),
    pause: async (seconds, whom) => void pauses.push([seconds, whom]),
  };
  const cashfree = createCashfreeProvider({
    baseUrl: provider.baseUrl,
    clientId: 'id',
    clientSecret: 'secret',
    webhookSecrets: ['secret'],
    appId: 'app',
    publicKey: null,
    budget,
    stopping: new AbortController().signal,
    onUnmappedError: (status, code) => unmapped.push([status, code]),
    watch: (_endpoint, _purpose, attempt) => attempt(),
    onBreak: () => {},
    onMismatch: (mismatch) => mismatches.push(mismatch),
    ...options,
  });
  return {
    client: cashfree.calls('MUTATION'),
    polling: cashfree.calls('POLL'),
    provider,
    pauses,
    unmapped,
    mismatches,
    taken,
  };
}

const failure = async (work: Promise<unknown>): Promise<ProviderFailure> => {
  const error = await work.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ProviderFailure);
  return error;
};
const error = (status: number, code: string, headers: Record<string, string> = {}): ScriptedAnswer => ({
  status,
  body: JSON.stringify({ type: 'some_error', code, message: 'Asha Rao, 9988776655' }),
  headers,
});

test('a GET to the provider is retried after a broken connection, a 5xx or an answer that is not JSON', async () => {
  for (const bad of [null, error(500, 'api_error'), error(502, 'request_failed'), { body: '{"verif' }]) {
    const { client, provider } = await clientAgainst([bad, bad]);

    expect(await client.findVerification('v.1')).toMatchObject({ rawSubStatus: 'LINK_GENERATED' });
    expect(provider.calls).toHaveLength(3);
  }
});

test('a GET to the provider that keeps failing rejects after three attempts', async () => {
  const { client, provider } = await clientAgainst(() => error(500, 'verification_failed'));

  expect(await failure(client.findVerification('v.1'))).toMatchObject({
    kind: 'UNAVAILABLE',
    details: { providerCode: 'verification_failed' },
  });
  expect(provider.calls).toHaveLength(3);
});

test('a POST to the provider that starts a verification is never retried, whatever its failure', async () => {
  for (const bad of [null, error(500, 'api_error'), error(504, 'gateway_timeout'), { body: 'nonsense' }]) {
    const { client, provider } = await clientAgainst([bad]);

    expect(await failure(client.startVerification(request))).toMatchObject({ kind: 'UNAVAILABLE' });
    expect(provider.calls).toEqual(['POST /vkyc']);
  }
});

test('a request that the provider refuses with 400 is sent once and not retried', async () => {
  const { client, provider } = await clientAgainst([error(400, 'name_value_invalid')]);

  await failure(client.createUser({ userId: 'asha', phone: '1', name: '?', email: null, address: null }));
  expect(provider.calls).toEqual(['POST /user']);
});

test('an answer of the provider that is too slow or larger than 256 kB is rejected', async () => {
  const slow = await clientAgainst(() => ({ body: VERIFICATION, dribble: true }), { timeoutMs: 150 });
  expect(await failure(slow.client.startVerification(request))).toMatchObject({
    kind: 'UNAVAILABLE',
    message: 'The provider did not answer within 0.15 s.',
  });

  const large = await clientAgainst([{ body: `"${'x'.repeat(2 * 1024 * 1024)}"` }]);
  expect(await failure(large.client.startVerification(request))).toMatchObject({
    message: 'The provider sent an answer of more than 256 kB.',
  });
});

test('a 429 of the provider pauses all calls for as long as its headers say, between 1 s and 600 s', async () => {
  const inTenSeconds = new Date(Date.now() + 10_000).toUTCString();
  const forms: [Record<string, string>, number][] = [
    [{ 'retry-after': '7' }, 7],
    [{ 'retry-after': inTenSeconds }, 10],
    [{ 'x-ratelimit-reset': '20' }, 20],
    [{}, 5],
    // Values out of range are clamped to 1 s … 600 s.
    [{ 'retry-after': '0' }, 1],
    [{ 'retry-after': new Date(Date.now() - 60_000).toUTCString() }, 1],
    [{ 'retry-after': '999999999' }, 600],
  ];
  for (const [headers, seconds] of forms) {
    const { client, provider, pauses } = await clientAgainst([
      error(429, 'too_many_requests_per_operation', headers),
    ]);

    const refused = await failure(client.findVerification('v.1'));

    expect(refused.kind).toBe('UNAVAILABLE');
    expect(Math.abs((refused.details.retryAfterSeconds ?? 0) - seconds)).toBeLessThanOrEqual(1);
    expect(pauses.at(-1)).toEqual([refused.details.retryAfterSeconds, 'EVERYONE']);
    expect(provider.calls).toHaveLength(1);
  }
});

test("polls pause when at most 30 % of the provider's rate limit remains, so that mutations can use the rest", async () => {
  const limits = (remaining: number) => ({
    body: VERIFICATION,
    headers: {
      'x-ratelimit-limit': '100',
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-reset': '12',
    },
  });
  for (const [remaining, expected] of [
    [31, []],
    [30, [[12, 'POLLS']]],
    [0, [[12, 'POLLS']]],
  ] as const) {
    const { polling, pauses } = await clientAgainst([limits(remaining)]);
    await polling.findVerification('v.1');
    expect(pauses).toEqual(expected);
  }
});

test('every attempt of a provider call takes a call from the budget for its purpose (mutation or poll)', async () => {
  const { client, polling, taken } = await clientAgainst([error(500, 'api_error')]);

  await client.findVerification('v.1');
  await polling.findVerification('v.1');

  expect(taken).toEqual(['MUTATION', 'MUTATION', 'POLL']);
});

test('after five failures the circuit breaker rejects provider calls without sending them, and closes when the provider recovers', async () => {
  let healthy = false;
  const { client, provider } = await clientAgainst(
    () => (healthy ? { body: VERIFICATION } : error(500, 'api_error')),
    { breakMs: 100 },
  );
  for (let call = 0; call < 5; call += 1) await failure(client.startVerification(request));

  expect(await failure(client.startVerification(request))).toMatchObject({
    kind: 'UNAVAILABLE',
    details: { retryAfterSeconds: 1 },
  });
  expect(provider.calls).toHaveLength(5);

  healthy = true;
  await expect
    .poll(() => client.startVerification(request).catch(() => null), { interval: 10, timeout: 5_000 })
    .toMatchObject({ rawSubStatus: 'LINK_GENERATED' });
});

test('calls that the provider refuses do not open the circuit breaker', async () => {
  const { client, provider } = await clientAgainst(() => error(422, 'insufficient_balance'));

  for (let call = 0; call < 8; call += 1)
    expect(await failure(client.startVerification(request))).toMatchObject({ kind: 'NO_BALANCE' });
  expect(provider.calls).toHaveLength(8);
});

test("each documented error code of the provider becomes a kind of ProviderFailure, which does not contain the provider's text", async () => {
  const documented: [number, string, string][] = [
    [400, 'x-client-id_missing', 'UNAVAILABLE'],
    [400, 'x-client-secret_missing', 'UNAVAILABLE'],
    [400, 'x-client-secret_value_invalid', 'UNAVAILABLE'],
    [400, 'verification_id_missing', 'INVALID'],
    [400, 'verification_id_value_invalid', 'INVALID'],
    [400, 'verification_id_length_exceeded', 'INVALID'],
    [400, 'name_value_invalid', 'INVALID'],
    [400, 'Bad request, please check API documentation', 'INVALID'],
    [400, 'REQUEST_INVALID', 'REFUSED'],
    [400, 'invalid_request', 'REFUSED'],
    [400, 'identifier_type_value_invalid', 'REFUSED'],
    [400, 'identifier_value_value_invalid', 'REFUSED'],
    [401, 'authentication_failed', 'UNAVAILABLE'],
    [403, 'ip_validation_failed', 'UNAVAILABLE'],
    [404, 'referenceId_not_found', 'NOT_FOUND'],
    [404, 'Resource not found', 'NOT_FOUND'],
    [409, 'verification_id_already_exists', 'TAKEN'],
    [409, 'invalid_verification_id', 'TAKEN'],
    [409, 'user_id_already_exists', 'TAKEN'],
    [422, 'insufficient_balance', 'NO_BALANCE'],
    [429, 'too_many_requests_per_operation', 'UNAVAILABLE'],
    [429, 'too_many_requests_per_ip', 'UNAVAILABLE'],
    [500, 'request_failed', 'UNAVAILABLE'],
    [500, 'verification_failed', 'UNAVAILABLE'],
    [500, 'api_error', 'UNAVAILABLE'],
    [502, 'request_failed', 'UNAVAILABLE'],
  ];
  for (const [status, code, kind] of documented) {
    const { client, unmapped } = await clientAgainst([error(status, code)]);
    const said = await failure(client.startVerification(request));
    expect([code, said.kind, said.details.providerCode]).toEqual([code, kind, code]);
    expect(JSON.stringify([said.message, said.details])).not.toMatch(/Asha|99887/);
    expect(unmapped).toEqual([]);
  }
});

test('an undocumented error of the provider is classified by its status and reported as unmapped, and its code is sanitised', async () => {
  for (const [status, code, kind, kept] of [
    [400, 'colour_value_invalid', 'REFUSED', 'colour_value_invalid'],
    [418, 'TEAPOT', 'REFUSED', 'TEAPOT'],
    [403, 'plan_ended', 'UNAVAILABLE', 'plan_ended'],
    [503, 'down', 'UNAVAILABLE', 'down'],
    [404, 'no_such_verification', 'NOT_FOUND', 'no_such_verification'],
    [408, 'too_late', 'UNAVAILABLE', 'too_late'],
    [400, 'constructor', 'REFUSED', 'constructor'],
    [400, 'no such user 9988776655', 'REFUSED', 'no such user …'],
    [400, '<b>asha@example.com</b>', 'REFUSED', 'http_400'],
  ] as const) {
    const { client, unmapped } = await clientAgainst([error(status, code)]);
    expect(await failure(client.startVerification(request))).toMatchObject({
      kind,
      details: { providerCode: kept },
    });
    expect(unmapped).toEqual([[status, kept]]);
  }
});

test('an undocumented error code of the provider that names a field of the input becomes INVALID, and is still reported as unmapped', async () => {
  const { client, unmapped } = await clientAgainst([error(400, 'phone_value_invalid')]);

  expect(await failure(client.startVerification(request))).toMatchObject({
    kind: 'INVALID',
    details: {
      providerCode: 'phone_value_invalid',
      problems: [{ path: ['user', 'phone'], message: 'has a value that the provider does not accept' }],
    },
  });
  expect(unmapped).toEqual([[400, 'phone_value_invalid']]);
});

test('an HTML error page of the provider counts as an outage (UNAVAILABLE); even with status 404 it is not NOT_FOUND', async () => {
  for (const status of [400, 404, 409, 413, 502]) {
    const { client } = await clientAgainst([{ status, body: '<html>Sorry</html>' }]);
    expect(await failure(client.startVerification(request))).toMatchObject({
      kind: 'UNAVAILABLE',
      details: { providerCode: `http_${status}` },
    });
  }
});

test('a GET to the provider that gets a 500 is retried, even if the answer has rate-limit headers', async () => {
  const { client, provider } = await clientAgainst([
    error(500, 'api_error', {
      'x-ratelimit-limit': '100',
      'x-ratelimit-remaining': '90',
      'x-ratelimit-reset': '30',
    }),
  ]);
  await client.findVerification('v.1');
  expect(provider.calls).toHaveLength(2);
});

test('a call that the call budget or the circuit breaker refuses rejects with `sent: false`, because it never reached the provider', async () => {
  const noTurn = new ProviderFailure('UNAVAILABLE', 'used up', { sent: false, retryAfterSeconds: 9 });
  const budget: ProviderCallBudget = {
    take: async () => {
      throw noTurn;
    },
    pause: async () => {},
  };
  const { client, provider } = await clientAgainst([], { budget });
  expect(await failure(client.startVerification(request))).toBe(noTurn);
  expect(provider.calls).toEqual([]);

  const resting = await clientAgainst(() => error(500, 'api_error'));
  for (let call = 0; call < 5; call += 1) await failure(resting.client.startVerification(request));
  expect((await failure(resting.client.startVerification(request))).details.sent).toBe(false);
  expect(resting.taken).toHaveLength(5);
});

test('after the circuit breaker was open, a poll that waits for the call budget does not block a mutation', async () => {
  let healthy = false;
  let letPoll: () => void = () => {};
  const budget: ProviderCallBudget = {
    take: (purpose) =>
      purpose === 'POLL'
        ? new Promise((resolve) => {
            letPoll = resolve;
          })
        : Promise.resolve(),
    pause: async () => {},
  };
  const { client, polling } = await clientAgainst(
    () => (healthy ? { body: VERIFICATION } : error(500, 'api_error')),
    { budget, breakMs: 50 },
  );
  for (let call = 0; call < 5; call += 1) await failure(client.startVerification(request));
  healthy = true;
  await expect
    .poll(() => client.findVerification('v.1').catch(() => null), { interval: 10, timeout: 5_000 })
    .not.toBeNull();

  const poll = polling.findVerification('v.1');
  expect(await client.findVerification('v.1')).toMatchObject({ rawSubStatus: 'LINK_GENERATED' });
  letPoll();
  await poll;
});

test('updateUser sends a PATCH with only the given fields and without the phone', async () => {
  const sent: object[] = [];
  const { client, provider } = await clientAgainst(({ body }) => {
    sent.push(JSON.parse(body));
    return { body: JSON.stringify({ user_id: 'asha', name: 'Asha R', phone: '9988776655' }) };
  });

  const user = await client.updateUser({ userId: 'asha', name: 'Asha R', email: null, address: null });

  expect(provider.calls).toEqual(['PATCH /user']);
  expect(sent).toEqual([{ user_id: 'asha', name: 'Asha R' }]);
  expect(user.name).toBe('Asha R');
});

test('with a public key, calls have a signature header that openssl decrypts with the private key', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = (key: { export(options: object): string | Buffer }, type: string) =>
    String(key.export({ type, format: 'pem' }));
  const seen: string[] = [];
  const { client } = await clientAgainst(
    ({ headers }) => {
      seen.push(headers['x-cf-signature'] as string);
      return { body: VERIFICATION };
    },
    { publicKey: pem(publicKey, 'spki') },
  );

  const before = Math.floor(Date.now() / 1000);
  await client.findVerification('v.1');

  const folder = mkdtempSync(join(tmpdir(), 'vkyc-key-'));
  writeFileSync(join(folder, 'key.pem'), pem(privateKey, 'pkcs8'));
  const opened = execFileSync(
    'openssl',
    [
      'pkeyutl',
      '-decrypt',
      '-inkey',
      join(folder, 'key.pem'),
      '-pkeyopt',
      'rsa_padding_mode:oaep',
      '-pkeyopt',
      'rsa_oaep_md:sha1',
    ],
    { input: Buffer.from(seen[0] as string, 'base64') },
  ).toString();
  rmSync(folder, { recursive: true });
  const [clientId, seconds] = opened.split('.');
  expect(clientId).toBe('id');
  expect(Number(seconds)).toBeGreaterThanOrEqual(before);
  expect(Number(seconds)).toBeLessThanOrEqual(before + 5);
});

test('an answer about another verification or user is rejected as MISMATCH, is not retried and does not open the circuit breaker', async () => {
  const person = (user_id: string) => JSON.stringify({ user_id, phone: '9988776655' });
  const verification = (more: object) => JSON.stringify({ ...JSON.parse(VERIFICATION), ...more });
  const asha = { userId: 'asha', phone: '9988776655', name: null, email: null, address: null };
  const cases: [string, string, (client: ProviderClient) => Promise<unknown>][] = [
    [verification({ verification_id: 'v.2' }), 'verificationId', (client) => client.findVerification('v.1')],
    [verification({ verification_id: 'V.1' }), 'verificationId', (client) => client.findVerification('v.1')],
    [
      verification({ verification_id: 'v.2' }),
      'verificationId',
      (client) => client.startVerification(request),
    ],
    [verification({ user_id: 'bina' }), 'userId', (client) => client.startVerification(request)],
    [person('bina'), 'userId', (client) => client.findUser('asha')],
    [person('Asha'), 'userId', (client) => client.createUser(asha)],
    [person('bina'), 'userId', (client) => client.updateUser(asha)],
  ];
  const { client, provider, mismatches } = await clientAgainst(() => ({ body: answer }));
  let answer = '';
  for (const [body, field, call] of cases) {
    answer = body;
    const refused = await failure(call(client));
    expect(refused).toMatchObject({ kind: 'MISMATCH', field });
    expect(refused.message).not.toMatch(/v\.2|V\.1|bina|Asha/);
  }
  expect(provider.calls).toHaveLength(cases.length);
  expect(mismatches).toHaveLength(cases.length);
  expect(mismatches[0]).toEqual({ call: 'findVerification', field: 'verificationId', verificationId: 'v.1' });

  answer = VERIFICATION;
  expect(await client.findVerification('v.1')).toMatchObject({ verificationId: 'v.1' });
});

test('a reference id in an answer of the provider keeps all its digits, be it a JSON number or a string', async () => {
  for (const [reference, expected] of [
    ['8901234567890123458', '8901234567890123458'],
    ['"8901234567890123458"', '8901234567890123458'],
    ['1358', '1358'],
    ['""', null],
    ['null', null],
  ] as const) {
    const { client } = await clientAgainst([
      {
        body: `{"verification_id":"v.1","user_id":"","reference_id":${reference},"status":"RECEIVED","status_code":"LINK_GENERATED","link_expiry":"2025-08-03"}`,
      },
    ]);
    expect(await client.findVerification('v.1')).toMatchObject({
      referenceId: expected,
      userId: null,
      rawSubStatus: 'LINK_GENERATED',
      linkExpiresAt: new Date('2025-08-03T00:00:00Z'),
    });
  }
});
