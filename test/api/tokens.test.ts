import { exportSPKI, importJWK, UnsecuredJWT } from 'jose';
import { afterEach, expect, test, vi } from 'vitest';
import { MAX_CLOCK_SKEW_SECONDS, TOKEN_CACHE_SECONDS } from '../../src/http/sign-in.ts';
import { arrive, UNAUTHENTICATED, withAuthorization } from '../harness/arrivals.ts';
import { movableClock } from '../harness/clock.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { claimsWith, createKey, secondsFromNow, signWith, startKeyServer } from '../harness/key-server.ts';

const SECRET = 'a secret of the tests that is long enough';
const secret = new TextEncoder().encode(SECRET);
const EXPECTS = { AUTH_ISSUER: 'bank', AUTH_AUDIENCE: 'vkyc' };

const WELCOME = { HTTP: 'ravi', SSE: 'ravi', WebSocket: 'ravi' };

/** Sends the same query on each transport with this Authorization header, or without one; returns all answers. */
const answersTo = async (gateway: Gateway, authorization: string | undefined) =>
  (await arrive(gateway, authorization ? withAuthorization(authorization) : {})).answers;

const bearer = (token: string) => `Bearer ${token}`;
const HS256 = { alg: 'HS256' };

afterEach(() => {
  vi.restoreAllMocks();
});

test('with a shared secret (AUTH_SECRET), valid tokens are accepted and all others refused, on every transport', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET, ...EXPECTS } });
  const withClaims = async (claims: object) => bearer(await signWith(secret, HS256, claimsWith(claims)));
  const [head, , signature] = (await signWith(secret, HS256)).split('.');
  const forged = Buffer.from(JSON.stringify(claimsWith({ roles: ['ADMIN'] }))).toString('base64url');

  const welcome = {
    'with all expected claims': await withClaims({}),
    'for several audiences': await withClaims({ aud: ['other', 'vkyc'] }),
    'just expired, within the clock skew': await withClaims({
      exp: secondsFromNow(10 - MAX_CLOCK_SKEW_SECONDS),
    }),
    'not yet valid, within the clock skew': await withClaims({
      nbf: secondsFromNow(MAX_CLOCK_SKEW_SECONDS - 10),
    }),
  };
  const refused = {
    'no Authorization': undefined,
    'with another scheme': 'Basic cmF2aTpyYXZp',
    'no token': 'Bearer nonsense',
    'expired longer ago than the clock skew allows': await withClaims({
      exp: secondsFromNow(-10 - MAX_CLOCK_SKEW_SECONDS),
    }),
    'not yet valid': await withClaims({ nbf: secondsFromNow(MAX_CLOCK_SKEW_SECONDS + 10) }),
    'without exp': await withClaims({ exp: undefined }),
    'with an exp that is not a number': await withClaims({ exp: 'tomorrow' }),
    'of another issuer': await withClaims({ iss: 'other' }),
    'of no issuer': await withClaims({ iss: undefined }),
    'for another audience': await withClaims({ aud: 'other' }),
    'for no audience': await withClaims({ aud: undefined }),
    'without a sub': await withClaims({ sub: undefined }),
    'with half a surrogate pair in its sub': await withClaims({ sub: 'ravi\ud83d' }),
    'with a null byte in its sub': await withClaims({ sub: 'ravi\0' }),
    'with a sub that is too long': await withClaims({ sub: 'r'.repeat(201) }),
    'with a verification id that has a null byte': await withClaims({ verification_ids: ['loan-1', '\0'] }),
    'with roles that are not a list': await withClaims({ roles: 'ADMIN' }),
    'with verification ids that are not a list': await withClaims({ verification_ids: 'loan-1' }),
    'signed with another secret': bearer(await signWith(new Uint8Array(32).fill(1), HS256)),
    'not signed': bearer(new UnsecuredJWT(claimsWith()).encode()),
    'of a longer hash': bearer(await signWith(new Uint8Array(64).fill(1), { alg: 'HS512' })),
    'signed with the secret, with another hash': bearer(
      await signWith(secret, { alg: 'HS384' }).catch(() => 'short'),
    ),
    'whose claims were changed': bearer(`${head}.${forged}.${signature}`),
    'without its signature': bearer(`${head}.${forged}.`),
  };

  for (const [what, authorization] of Object.entries(welcome))
    expect(await answersTo(gateway, authorization), what).toEqual(WELCOME);
  for (const [what, authorization] of Object.entries(refused))
    expect(await answersTo(gateway, authorization), what).toEqual(UNAUTHENTICATED);
});

test.each([
  [
    'half a surrogate pair in its subject',
    { sub: 'ravi\ud83d' },
    '`sub` must not contain null bytes (U+0000) or half a surrogate pair',
  ],
  ['no subject', { sub: undefined }, '`sub` must be a string of 1 to 200 characters'],
  ['a role that is not in a list', { roles: 'ADMIN' }, '`roles` must be a list of strings'],
  ['null for its roles', { roles: null }, '`roles` must be a list of strings'],
  [
    'roles that are all unknown',
    { roles: ['EMPEROR', 'admin', 'toString'] },
    '`roles` contains none of the roles CUSTOMER, VIEWER, OPERATOR, AGENT, AUDITOR, ADMIN',
  ],
  [
    'a null byte in its subject',
    { sub: 'ravi\0' },
    '`sub` must not contain null bytes (U+0000) or half a surrogate pair',
  ],
  [
    'a null byte in its verification ids',
    { verification_ids: ['\0'] },
    '`verification_ids` must not contain null bytes (U+0000) or half a surrogate pair',
  ],
])(
  'a token with %s is refused with a message that names the claim and what it must be',
  async (_what, claims, rule) => {
    const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET, ...EXPECTS } });
    const authorization = bearer(await signWith(secret, HS256, claimsWith(claims)));

    const { status, errors } = await gateway.graphql('{ viewer { id } }', {}, { authorization });

    expect(status).toBe(401);
    expect(errors?.[0]?.message).toBe(`The token's claim ${rule}: request a new token.`);
  },
);

test('with published keys (JWKS), valid tokens are accepted and all others refused, on every transport', {
  timeout: 60_000,
}, async () => {
  const [rsa, ec, foreign] = [
    await createKey('rsa', 'RS256'),
    await createKey('ec', 'ES256'),
    await createKey('rsa', 'RS256'),
  ];
  const keys = await startKeyServer(rsa, ec);
  const gateway = await bootGateway({ environment: { AUTH_JWKS_URL: keys.url, ...EXPECTS } });
  const publicKey = (await importJWK({ ...rsa.published, ext: true }, 'RS256', {
    extractable: true,
  })) as never;
  const pem = new TextEncoder().encode(await exportSPKI(publicKey));
  const modulus = Buffer.from(rsa.published.n as string, 'base64url');
  const RS256 = { alg: 'RS256', kid: 'rsa' };

  const welcome = {
    'signed with the first published key': bearer(await signWith(rsa.privateKey, RS256)),
    'signed with the second published key': bearer(
      await signWith(ec.privateKey, { alg: 'ES256', kid: 'ec' }),
    ),
  };
  const refused = {
    'signed with the public key as a secret': bearer(await signWith(pem, { alg: 'HS256', kid: 'rsa' })),
    'signed with the bytes of the public key as a secret': bearer(
      await signWith(modulus, { alg: 'HS256', kid: 'rsa' }),
    ),
    'not signed': bearer(new UnsecuredJWT(claimsWith()).encode()),
    'signed with a foreign key under the same kid': bearer(await signWith(foreign.privateKey, RS256)),
    'that brings its own key': bearer(
      await signWith(foreign.privateKey, { ...RS256, jwk: foreign.published }),
    ),
    'without exp': bearer(await signWith(rsa.privateKey, RS256, claimsWith({ exp: undefined }))),
    'of another issuer': bearer(await signWith(rsa.privateKey, RS256, claimsWith({ iss: 'other' }))),
    'for another audience': bearer(await signWith(rsa.privateKey, RS256, claimsWith({ aud: 'other' }))),
  };

  for (const [what, authorization] of Object.entries(welcome))
    expect(await answersTo(gateway, authorization), what).toEqual(WELCOME);
  for (const [what, authorization] of Object.entries(refused))
    expect(await answersTo(gateway, authorization), what).toEqual(UNAUTHENTICATED);
});

test('the result of a signature check is cached for TOKEN_CACHE_SECONDS, and a token is refused once it expires', async () => {
  const clock = movableClock();
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET, ...EXPECTS }, clock });
  const claims = claimsWith({ exp: secondsFromNow(TOKEN_CACHE_SECONDS * 10) });
  const authorization = bearer(await signWith(secret, HS256, claims));
  const checked = vi.spyOn(crypto.subtle, 'verify');
  const realTime = performance.now.bind(performance);

  expect(await answersTo(gateway, authorization)).toEqual(WELCOME);
  checked.mockClear();
  expect(await answersTo(gateway, authorization)).toEqual(WELCOME);
  expect(checked).not.toHaveBeenCalled();
  vi.spyOn(performance, 'now').mockImplementation(() => realTime() + (TOKEN_CACHE_SECONDS + 1) * 1000);
  expect(await answersTo(gateway, authorization)).toEqual(WELCOME);
  expect(checked).toHaveBeenCalled();

  clock.forward((TOKEN_CACHE_SECONDS * 10 + MAX_CLOCK_SKEW_SECONDS + 1) * 1000);
  expect(await answersTo(gateway, authorization)).toEqual(UNAUTHENTICATED);
});

test.each([8_640_000_000_001, 253_402_300_800, 1e300])(
  'a token whose expiry (%d) is beyond the range of Date is accepted, and its socket stays open',
  async (exp) => {
    const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET, ...EXPECTS } });
    const authorization = bearer(await signWith(secret, HS256, claimsWith({ exp })));

    expect(await answersTo(gateway, authorization)).toEqual(WELCOME);
    const { data } = await gateway.graphql('{ viewer { expiresAt } }', {}, { authorization });
    expect(data.viewer.expiresAt).toBe('9999-12-31T00:00:00.000Z');
  },
);

test('a token that is refused for a claim or its algorithm gets a message that names the claim or algorithm', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET, ...EXPECTS } });
  const messageFor = async (token: string) => {
    const { errors } = await gateway.graphql('{ viewer { id } }', {}, { authorization: bearer(token) });
    return errors?.[0]?.message;
  };

  expect(await messageFor(await signWith(secret, HS256, claimsWith({ aud: 'other' })))).toContain(
    'its claim `aud` is wrong',
  );
  expect(await messageFor(await signWith(secret, HS256, claimsWith({ exp: undefined })))).toContain(
    'its claim `exp` is missing',
  );
  expect(await messageFor(await signWith(new Uint8Array(64).fill(1), { alg: 'HS512' }))).toContain(
    'its algorithm must be one of HS256',
  );
});

test('a correctly signed token with a wrong claim is not counted as a failed sign-in', async () => {
  const environment = { AUTH_SECRET: SECRET, ...EXPECTS, RATE_LIMIT_FAILURES_PER_MINUTE: '1' };
  const gateway = await bootGateway({ environment });
  const authorization = bearer(await signWith(secret, HS256, claimsWith({ roles: ['EMPEROR'] })));

  for (let i = 0; i < 3; i++)
    expect((await gateway.graphql('{ viewer { id } }', {}, { authorization })).status).toBe(401);
});

test('a token without roles gets FORBIDDEN on every transport, not UNAUTHENTICATED', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
  const authorization = bearer(await signWith(secret, HS256, claimsWith({ roles: [] })));
  const headers = { authorization };
  const refusalOf = (frames: { next(): Promise<unknown> }) =>
    frames.next().catch((error) => error.extensions.code);

  expect(await gateway.graphql('{ viewer { id } }', {}, headers)).toMatchObject({
    status: 200,
    errors: [{ extensions: { code: 'FORBIDDEN' } }],
  });
  for (const query of ['{ viewer { id } }', 'subscription { feed { __typename } }']) {
    expect(await refusalOf(gateway.subscribe(query, {}, headers))).toBe('FORBIDDEN');
    expect(await refusalOf(gateway.stream(query, {}, headers))).toBe('FORBIDDEN');
  }
});
