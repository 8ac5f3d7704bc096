/** Forged and misused tokens: every transport refuses them, and no answer or log line repeats the token. */
import { createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { MAX_CLOCK_SKEW_SECONDS } from '../../src/http/sign-in.ts';
import {
  type Arrival,
  arrive,
  FORBIDDEN,
  UNAUTHENTICATED,
  type Way,
  withAuthorization,
} from '../harness/arrivals.ts';
import { bootGateway } from '../harness/gateway.ts';
import { claimsWith, createKey, secondsFromNow, signWith, startKeyServer } from '../harness/key-server.ts';
import { tallyOf } from './tally.ts';

const AUTH_SECRET = 'a secret of the tests that is long enough';
const secret = new TextEncoder().encode(AUTH_SECRET);
const EXPECTS = { AUTH_ISSUER: 'bank', AUTH_AUDIENCE: 'vkyc' };
const HS256 = { alg: 'HS256' };
const RS256 = { alg: 'RS256', kid: 'rsa' };

const [rsa, ec, attackers] = [
  await createKey('rsa', 'RS256'),
  await createKey('ec', 'ES256'),
  await createKey('rsa', 'RS256'),
];
const keys = await startKeyServer(rsa, ec);
const attackersKeys = await startKeyServer(attackers);
const bySecret = await bootGateway({ environment: { AUTH_SECRET, ...EXPECTS } });
const byKeys = await bootGateway({ environment: { AUTH_JWKS_URL: keys.url, ...EXPECTS } });

const part = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const unsigned = (header: object, claims: object | string = claimsWith()) =>
  `${part(header)}.${part(claims)}.`;
/** Signs a token without a JWT library, since libraries refuse the keys and algorithms of these attacks. */
function hmac(key: string | Buffer, header: object = HS256, hash = 'sha256'): string {
  const signed = `${part(header)}.${part(claimsWith())}`;
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
}

const published: KeyObject = createPublicKey({ key: rsa.published as never, format: 'jwk' });
const pem = String(published.export({ type: 'spki', format: 'pem' }));
const good = await signWith(secret, HS256);
const goodByKey = await signWith(rsa.privateKey, RS256);
const [head, body, signature] = good.split('.') as [string, string, string];
const [headByKey, , signatureByKey] = goodByKey.split('.') as [string, string, string];
const asAdmin = part(claimsWith({ roles: ['ADMIN'] }));
const withClaims = (claims: object) => signWith(secret, HS256, claimsWith(claims));
const withHeader = (header: object) =>
  signWith(attackers.privateKey, { ...RS256, kid: 'attacker', ...header });

/** Forged tokens for a gateway with a shared secret. */
const FORGED_SECRETS: Record<string, string> = {
  'another secret': await signWith(new Uint8Array(32).fill(1), HS256),
  'an empty secret': hmac(''),
  'the secret without its last character': hmac(AUTH_SECRET.slice(0, -1)),
  'another secret with a longer hash': await signWith(new Uint8Array(64).fill(1), { alg: 'HS512' }),
  'the secret, with a longer hash': hmac(AUTH_SECRET, { alg: 'HS512' }, 'sha512'),
  'the secret used with RS256': hmac(AUTH_SECRET, { alg: 'RS256' }),
  'a payload that was altered': `${head}.${asAdmin}.${signature}`,
  'a header that was altered': `${part({ alg: 'HS256', typ: 'JWT' })}.${body}.${signature}`,
  'a signature that was stripped': `${head}.${body}.`,
  'a signature that was cut off with its dot': `${head}.${body}`,
  'a signature that was cut short': `${head}.${body}.${signature.slice(0, 4)}`,
  'an algorithm of none': unsigned({ alg: 'none' }),
  'an algorithm of NONE': unsigned({ alg: 'NONE' }),
  'an algorithm of nOnE': unsigned({ alg: 'nOnE' }),
  'an empty algorithm': unsigned({ alg: '' }),
  'no algorithm': unsigned({ typ: 'JWT' }),
  'several algorithms': unsigned({ alg: ['none', 'HS256'] }),
  'an algorithm of none with a valid signature': `${part({ alg: 'none' })}.${body}.${signature}`,
  'a kid that is the path of an empty file': hmac('', { ...HS256, kid: '../../../../dev/null' }),
  'a kid that is SQL': hmac('attacker', { ...HS256, kid: "x' union select 'attacker" }),
  'a kid that is a shell command': hmac('attacker', { ...HS256, kid: '| echo attacker' }),
  'a kid of __proto__': hmac('', { ...HS256, kid: '__proto__' }),
  'a secret in its own header (jwk)': hmac('attacker', {
    ...HS256,
    jwk: { kty: 'oct', k: part('attacker') },
  }),
  "the URL of the attacker's secret (jku)": hmac('attacker', { ...HS256, jku: attackersKeys.url }),
  'an unknown critical header (crit)': hmac(AUTH_SECRET, { ...HS256, crit: ['x'], x: 1 }),
  'a payload of null': unsigned(HS256, 'null'),
  'an encrypted token': `${part({ alg: 'dir', enc: 'A256GCM' })}..${part('x')}.${part('x')}.${part('x')}`,
  'two tokens, joined by a dot': `${good}.${good}`,
  'only dots': '..',
};

/** Forged tokens for a gateway with published keys. */
const FORGED_KEYS: Record<string, string> = {
  'the published key as a secret: PEM': hmac(pem, { ...HS256, kid: 'rsa' }),
  'the published key as a secret: PEM without its last line end': hmac(pem.trim(), { ...HS256, kid: 'rsa' }),
  'the published key as a secret: PKCS 1': hmac(String(published.export({ type: 'pkcs1', format: 'pem' })), {
    ...HS256,
    kid: 'rsa',
  }),
  'the published key as a secret: DER': hmac(published.export({ type: 'spki', format: 'der' }), {
    ...HS256,
    kid: 'rsa',
  }),
  'the published key as a secret: as it was published': hmac(JSON.stringify(rsa.published), {
    ...HS256,
    kid: 'rsa',
  }),
  'the published key as a secret: its modulus': hmac(Buffer.from(rsa.published.n as string, 'base64url'), {
    ...HS256,
    kid: 'rsa',
  }),
  'the published key as a secret, without a kid': hmac(pem),
  'a key of the attacker with the kid of a published key': await signWith(attackers.privateKey, RS256),
  'jku with the kid of a published key': await withHeader({ kid: 'rsa', jku: attackersKeys.url }),
  'jwk with the kid of a published key': await withHeader({ kid: 'rsa', jwk: attackers.published }),
  'a payload that was altered': `${headByKey}.${asAdmin}.${signatureByKey}`,
  'a signature that was stripped': `${headByKey}.${asAdmin}.`,
  'a signature of zeros': `${part({ alg: 'ES256', kid: 'ec' })}.${asAdmin}.${Buffer.alloc(64).toString('base64url')}`,
  'a signature of another algorithm': `${part({ alg: 'PS256', kid: 'rsa' })}.${body}.${signatureByKey}`,
  'an algorithm that does not fit the key': `${part({ alg: 'RS256', kid: 'ec' })}.${body}.${signatureByKey}`,
  'an algorithm of none': unsigned({ alg: 'none', kid: 'rsa' }),
  'a kid that is not a string': unsigned({ alg: 'RS256', kid: { rsa: true } }),
};

/**
 * Forged tokens that name a key which the gateway does not know, and which might be new: the gateway answers 503 until
 * it has fetched the published keys again, then 401.
 */
const FORGED_UNKNOWN_KEYS: Record<string, string> = {
  'a key of the attacker without a kid': await signWith(attackers.privateKey, { alg: 'RS256' }),
  "jku: the URL of the attacker's keys": await withHeader({ jku: attackersKeys.url }),
  "jku: the URL of the attacker's keys after that of the published keys": await withHeader({
    jku: `${keys.url}@${new URL(attackersKeys.url).host}`,
  }),
  "x5u: the URL of the attacker's certificate": await withHeader({ x5u: attackersKeys.url }),
  "x5c: the attacker's certificate": await withHeader({ x5c: [part('certificate')] }),
  "jwk: the attacker's key": await withHeader({ jwk: attackers.published }),
  'a kid that is a path': await withHeader({ kid: '../keys' }),
};
const UNKNOWN_KEY = {
  HTTP: expect.stringMatching(/^(401|503) /),
  SSE: expect.stringMatching(/^(401|503) /),
  WebSocket: expect.stringMatching(/^(4403|1013)$/),
};

/** Claims that are refused although the signature is valid. */
const REFUSED_CLAIMS: Record<string, object> = {
  'expired longer ago than the clock skew allows': { exp: secondsFromNow(-10 - MAX_CLOCK_SKEW_SECONDS) },
  'with exp 0': { exp: 0 },
  'without exp': { exp: undefined },
  'with an exp that is a string': { exp: String(secondsFromNow(3600)) },
  'not yet valid': { nbf: secondsFromNow(10 + MAX_CLOCK_SKEW_SECONDS) },
  'with an nbf that is a string': { nbf: 'now' },
  'of another issuer': { iss: 'other' },
  'of an issuer whose name begins like ours': { iss: 'bank.example.com' },
  'of several issuers': { iss: ['bank', 'other'] },
  'of no issuer': { iss: undefined },
  'for another audience': { aud: 'other' },
  'for other audiences': { aud: ['other', 'vkyc2'] },
  'for no audience': { aud: undefined },
  'without a sub': { sub: undefined },
  'with an empty sub': { sub: '' },
  'with a sub that is a number': { sub: 7 },
  'with a sub that is an object': { sub: { id: 'ravi' } },
  'with a sub that is too long': { sub: 'x'.repeat(201) },
  'with roles that are a string': { roles: 'ADMIN' },
  'with roles that are an object': { roles: { 0: 'ADMIN', length: 1 } },
  'with roles in a list in a list': { roles: [['ADMIN']] },
  'with roles that are null': { roles: null },
  'with a role that is null': { roles: ['ADMIN', null] },
  'with roles that are true': { roles: true },
  'with an unknown role': { roles: ['SUPERUSER'] },
  'with a role in lower case': { roles: ['admin'] },
  'with a role with a space': { roles: ['ADMIN '] },
  'with several roles in one string': { roles: ['ADMIN,AGENT'] },
  'with __proto__ and the like as roles': { roles: ['__proto__', 'constructor', 'toString'] },
  'with verification ids that are a string': { verification_ids: 'loan-1' },
  'with verification ids that are numbers': { verification_ids: [1] },
};

/** Claims of a valid token that has no role, so that every operation is forbidden. */
const POWERLESS_CLAIMS: Record<string, object> = {
  'with no roles': { roles: [] },
  'without roles': { roles: undefined },
};

const inParams = (params: unknown): Way => ({ params });
const bearer = `Bearer ${good}`;
const forgedBearer = `Bearer ${FORGED_SECRETS['another secret']}`;

const twice = (...authorization: string[]): Way => ({
  headers: { authorization },
  params: { authorization },
});

/**
 * Requests without a token, or with a valid token in a wrong place or form. Over a WebSocket, the payload of
 * `connection_init` has the closest equivalent.
 */
const MISPLACED: Record<string, Way> = {
  'no token': {},
  'no scheme': withAuthorization(good),
  'another scheme': withAuthorization(`Token ${good}`),
  'a password': withAuthorization(`Basic ${btoa(`ravi:${good}`)}`),
  'a scheme that begins with Bearer': withAuthorization(`BearerToken ${good}`),
  'no space after the scheme': withAuthorization(`Bearer${good}`),
  'quotes around the token': withAuthorization(`Bearer "${good}"`),
  'another value after the token': withAuthorization(`Bearer ${good} ${good}`),
  'a list of tokens': withAuthorization(`Bearer ${good}, Bearer ${good}`),
  'a name before the token': withAuthorization(`Bearer token=${good}`),
  'in the query string': { search: `?access_token=${good}` },
  'in the query string as authorization': { search: `?authorization=Bearer%20${good}` },
  'in a cookie': { headers: { cookie: `authorization=Bearer ${good}; token=${good}` } },
  'in Proxy-Authorization': { headers: { 'proxy-authorization': bearer } },
  'in a header of another name': { headers: { 'x-authorization': bearer } },
  'a forged token before the valid one': twice(forgedBearer, bearer),
  'a forged token after the valid one': twice(bearer, forgedBearer),
  'the valid token twice': twice(bearer, bearer),
  'a Basic header after the token': twice(bearer, 'Basic cmF2aTpyYXZp'),
};

/**
 * WebSocket sign-ins whose `connection_init` lacks the token, or has the token in a wrong form. A token in the header of
 * the upgrade alone is accepted, because routers send it there; a page of a browser cannot set that header.
 */
const MISSHAPED: Record<string, Way> = {
  'the token in a header of the upgrade, and a forged one in params': {
    headers: { authorization: bearer },
    params: { authorization: forgedBearer },
  },
  'no params': inParams(undefined),
  null: inParams(null),
  'null for the token': inParams({ authorization: null }),
  'true for the token': inParams({ authorization: true }),
  'a number for the token': inParams({ authorization: 7 }),
  'a list with the token': inParams({ authorization: [bearer] }),
  'a list in a list with the token': inParams({ authorization: [[bearer]] }),
  'an object with the token': inParams({ authorization: { token: bearer } }),
  'an object that cannot be converted to a string': inParams({
    authorization: { toString: 'x', valueOf: 'x' },
  }),
  'an object `headers` with the token': inParams({ headers: { authorization: bearer } }),
  'the token under other names': inParams({ token: good, authToken: good, access_token: good }),
};

/** Payloads that are not an object, which makes `connection_init` an invalid message (close code 4400). */
const NO_MESSAGE: Record<string, Way> = {
  'a text': inParams(bearer),
  'a list': inParams([bearer]),
  'a number': inParams(7),
};

const tally = tallyOf('tokens');
let expected = 0;

/**
 * Defines a test for each of these ways to sign in: the attacker must get the given answers, and an honest caller is
 * still served.
 */
function refused(
  what: string,
  gateway: typeof bySecret,
  honest: string,
  ways: Record<string, Way>,
  answers: Partial<Arrival['answers']>,
): void {
  const transports = Object.keys(answers) as (keyof Arrival['answers'])[];
  expected += Object.keys(ways).length * transports.length;
  test.each(Object.entries(ways))(`the gateway refuses access (${what}): %s`, async (name, way) => {
    const [arrival, other] = await Promise.all([
      arrive(gateway, way),
      arrive(gateway, withAuthorization(`Bearer ${honest}`)),
    ]);

    for (const transport of transports)
      tally.note(`${transport}: ${what}: ${name}`, arrival.answers[transport] === 'ravi');
    expect(arrival.answers).toMatchObject(answers);
    expect(other.answers).toEqual({ HTTP: 'ravi', SSE: 'ravi', WebSocket: 'ravi' });
    const told = arrival.said + gateway.logs.join('');
    for (const text of JSON.stringify(way).match(/eyJ[\w-]{10,}|[\w-]{43,}/g) ?? [])
      expect(told, 'no answer or log line contains the token').not.toContain(text);
  });
}

const eachToken = (tokens: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(tokens).map(([name, token]) => [name, withAuthorization(`Bearer ${token}`)]),
  );
async function eachSigned(claims: Record<string, object>) {
  const tokens = Object.entries(claims).map(async ([name, each]) => [name, await withClaims(each)]);
  return eachToken(Object.fromEntries(await Promise.all(tokens)));
}

refused('forged token', bySecret, good, eachToken(FORGED_SECRETS), UNAUTHENTICATED);
refused('forged token, published keys', byKeys, goodByKey, eachToken(FORGED_KEYS), UNAUTHENTICATED);
refused('forged token of an unknown key', byKeys, goodByKey, eachToken(FORGED_UNKNOWN_KEYS), UNKNOWN_KEY);
refused('signed token with wrong claims', bySecret, good, await eachSigned(REFUSED_CLAIMS), UNAUTHENTICATED);
refused('token without roles', bySecret, good, await eachSigned(POWERLESS_CLAIMS), FORBIDDEN);
refused('token in a wrong place or form', bySecret, good, MISPLACED, UNAUTHENTICATED);
refused('connection_init without the token', bySecret, good, MISSHAPED, {
  WebSocket: UNAUTHENTICATED.WebSocket,
});
refused('invalid connection_init', bySecret, good, NO_MESSAGE, { WebSocket: '4400' });

test('a token that is only in the header of the upgrade signs a WebSocket in', async () => {
  const arrival = await arrive(bySecret, { headers: { authorization: bearer }, params: {} });

  expect(arrival.answers.WebSocket).toBe('ravi');
});

test('the gateway fetched no keys from a URL in the header of a forged token (jku, x5u)', () => {
  expect(attackersKeys.fetches).toBe(0);
  expect(keys.fetches).toBe(1);
});

tally.close(expected);
