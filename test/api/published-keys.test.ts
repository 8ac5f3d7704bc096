/** Sign-in with published keys (JWKS): key rotation, a failing key server, and the kinds of keys that are accepted. */
import { afterEach, expect, test, vi } from 'vitest';
import {
  KEY_FETCH_COOLDOWN_SECONDS,
  KEY_FETCH_RETRY_SECONDS,
  KEY_SET_CACHE_SECONDS,
  MAX_KEY_SET_BYTES,
  MAX_STALE_KEYS_SECONDS,
} from '../../src/http/key-set.ts';
import { TOKEN_CACHE_SECONDS } from '../../src/http/sign-in.ts';
import { arrive, withAuthorization } from '../harness/arrivals.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import {
  claimsWith,
  createKey,
  type Key,
  secondsFromNow,
  signWith,
  startKeyServer,
} from '../harness/key-server.ts';

const EXPECTS = { AUTH_ISSUER: 'bank', AUTH_AUDIENCE: 'vkyc' };
const WELCOME = { HTTP: 'ravi', SSE: 'ravi', WebSocket: 'ravi' };
const UNAVAILABLE = { HTTP: '503 SERVICE_UNAVAILABLE', SSE: '503 SERVICE_UNAVAILABLE', WebSocket: '1013' };

const answersTo = async (gateway: Gateway, authorization: string) =>
  (await arrive(gateway, withAuthorization(authorization))).answers;
const bearer = (token: string) => `Bearer ${token}`;

/** Counter that makes each token unique, so that no signature check is answered from the cache. */
let signed = 0;
const nextId = () => String(signed++);
const tokenOf = async ({ kid, privateKey }: Key, alg = 'ES256') =>
  bearer(
    await signWith(privateKey, { alg, kid }, claimsWith({ jti: nextId(), exp: secondsFromNow(7 * 86_400) })),
  );
const tokenWithoutKid = async ({ privateKey }: Key, alg = 'ES256') =>
  bearer(await signWith(privateKey, { alg }, claimsWith({ jti: nextId() })));
const withoutKid = (key: Key): Key => {
  const { kid: _kid, ...published } = key.published;
  return { ...key, published };
};

/** Mocks `performance.now`, by which caches and cooldowns expire; `forward` moves it on by some seconds. */
function movableTime() {
  const realTime = performance.now.bind(performance);
  let ahead = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => realTime() + ahead);
  return {
    forward(seconds: number) {
      ahead += seconds * 1000;
    },
  };
}

async function bootWith(...published: Key[]) {
  const keys = await startKeyServer(...published);
  const gateway = await bootGateway({
    environment: { AUTH_JWKS_URL: keys.url, ...EXPECTS, RATE_LIMIT_FAILURES_PER_MINUTE: '3' },
  });
  return { keys, gateway };
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('a token whose key was published after the last fetch of the keys gets 503 with Retry-After until the next fetch, and is no failed sign-in', async () => {
  const time = movableTime();
  const [before, after] = [await createKey('before'), await createKey('after')];
  const { keys, gateway } = await bootWith(before);
  expect(await answersTo(gateway, await tokenOf(before))).toEqual(WELCOME);
  keys.publish(before, after);

  for (let i = 0; i < 20; i++) expect(await answersTo(gateway, await tokenOf(after))).toEqual(UNAVAILABLE);
  const refused = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: await tokenOf(after) },
    body: '{"query": "{ viewer { id } }"}',
  });
  const retryAfter = Number(refused.headers.get('retry-after'));
  expect(refused.status).toBe(503);
  expect(retryAfter).toBeGreaterThan(0);
  expect(retryAfter).toBeLessThanOrEqual(KEY_FETCH_COOLDOWN_SECONDS);
  expect(keys.fetches, 'requests with unknown key ids share one fetch').toBe(1);

  time.forward(retryAfter);
  expect(await answersTo(gateway, await tokenOf(after))).toEqual(WELCOME);
  expect(await answersTo(gateway, await tokenOf(before))).toEqual(WELCOME);
  expect(keys.fetches).toBe(2);
});

test('a token whose key id is still unknown after the keys were fetched is refused with 401', async () => {
  const time = movableTime();
  const [known, stranger] = [await createKey('known'), await createKey('stranger')];
  const { keys, gateway } = await bootWith(known);
  await answersTo(gateway, await tokenOf(known));
  time.forward(KEY_FETCH_COOLDOWN_SECONDS);

  const { status } = await gateway.graphql(
    '{ viewer { id } }',
    {},
    { authorization: await tokenOf(stranger) },
  );

  expect(status).toBe(401);
  expect(keys.fetches).toBe(2);
});

test('a token signed with a withdrawn key is refused once the gateway has fetched the published keys again', async () => {
  const time = movableTime();
  const [before, after] = [await createKey('before'), await createKey('after')];
  const { keys, gateway } = await bootWith(before, after);
  const old = await tokenOf(before);
  expect(await answersTo(gateway, old)).toEqual(WELCOME);
  keys.publish(after);

  time.forward(KEY_SET_CACHE_SECONDS - 1);
  expect(await answersTo(gateway, old), 'cached keys are still fresh').toEqual(WELCOME);
  time.forward(TOKEN_CACHE_SECONDS + 1);
  expect(await answersTo(gateway, old)).not.toEqual(WELCOME);
  expect(await answersTo(gateway, await tokenOf(after))).toEqual(WELCOME);
});

const ONE_KEY_TOO_LARGE = [`{"keys": [{"kty": "RSA", "n": "${'A'.repeat(MAX_KEY_SET_BYTES)}"}]}`];
test.each<[string, Iterable<string>]>([
  ['no keys', ['{"keys": []}']],
  ['no JSON', ['<html>']],
  ['null', ['null']],
  ['an incomplete key', ['{"keys": [{"kty": "RSA"}]}']],
  ['a symmetric key', ['{"keys": [{"kty": "oct", "k": "AAAA", "kid": "key"}]}']],
  ['a set that is too large', ONE_KEY_TOO_LARGE],
])('a response of the key server with %s does not replace keys that worked', async (_what, body) => {
  const time = movableTime();
  const key = await createKey('key');
  const { keys, gateway } = await bootWith(key);
  expect(await answersTo(gateway, await tokenOf(key))).toEqual(WELCOME);
  keys.send(body);

  time.forward(KEY_SET_CACHE_SECONDS);
  expect(await answersTo(gateway, await tokenOf(key))).toEqual(WELCOME);
  expect(keys.fetches).toBe(2);
  expect(gateway.logs.join('')).toContain('could not fetch usable keys from AUTH_JWKS_URL; retrying');
  expect(gateway.logs.join('')).not.toContain(keys.url);
  time.forward(MAX_STALE_KEYS_SECONDS);
  await answersTo(gateway, await tokenOf(key));
  expect(await answersTo(gateway, await tokenOf(key)), 'cached keys are too old').toEqual(UNAVAILABLE);

  keys.send(null);
  time.forward(KEY_FETCH_RETRY_SECONDS);
  await answersTo(gateway, await tokenOf(key));
  expect(await answersTo(gateway, await tokenOf(key))).toEqual(WELCOME);
});

test('an endless response of the key server is read only up to a limit', async () => {
  const key = await createKey('key');
  const { keys, gateway } = await bootWith(key);
  keys.send(
    (function* () {
      yield '{"keys": [';
      for (;;) yield ' '.repeat(64 * 1024);
    })(),
  );

  expect(await answersTo(gateway, await tokenOf(key))).toEqual(UNAVAILABLE);
  expect(keys.sentBytes).toBeLessThan(16 * 1024 * 1024);
});

test('tokens get 503 until the published keys can be fetched, and are accepted as soon as the key server recovers', async () => {
  const time = movableTime();
  const key = await createKey('key');
  const { keys, gateway } = await bootWith(key);
  keys.fail(500);

  for (let i = 0; i < 5; i++) expect(await answersTo(gateway, await tokenOf(key))).toEqual(UNAVAILABLE);
  expect(keys.fetches).toBeLessThanOrEqual(2);
  keys.fail(null);
  time.forward(KEY_FETCH_RETRY_SECONDS);
  expect(await answersTo(gateway, await tokenOf(key))).toEqual(WELCOME);
});

test.each([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
])('a token signed with the algorithm %s is accepted', async (alg) => {
  const key = await createKey('key', alg);
  const { gateway } = await bootWith(key);

  expect(await answersTo(gateway, await tokenOf(key, alg))).toEqual(WELCOME);
});

test('a key published for EdDSA also accepts tokens with the algorithm name Ed25519', async () => {
  const key = await createKey('key', 'EdDSA');
  const { gateway } = await bootWith(key);

  expect(await answersTo(gateway, await tokenOf(key, 'Ed25519'))).toEqual(WELCOME);
});

test('a token without a key id is checked against every published key that suits its algorithm', async () => {
  const time = movableTime();
  const [first, second, third] = await Promise.all(['1', '2', '3'].map((kid) => createKey(kid)));
  if (!first || !second || !third) throw new Error('Expected three keys');
  const { keys, gateway } = await bootWith(withoutKid(first), second);

  expect(await answersTo(gateway, await tokenWithoutKid(first))).toEqual(WELCOME);
  expect(await answersTo(gateway, await tokenWithoutKid(second))).toEqual(WELCOME);
  keys.publish(second, third);
  expect(await answersTo(gateway, await tokenWithoutKid(third)), 'during the cooldown').toEqual(UNAVAILABLE);
  time.forward(KEY_FETCH_COOLDOWN_SECONDS);
  expect(await answersTo(gateway, await tokenWithoutKid(third))).toEqual(WELCOME);
  const { status } = await gateway.graphql(
    '{ viewer { id } }',
    {},
    { authorization: `${(await tokenOf(second)).slice(0, -8)}AAAAAAAA` },
  );
  expect(status, 'a known key id with another signature').toBe(401);
});
