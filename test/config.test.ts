import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const KEYS = `k1:${Buffer.alloc(32).toString('base64')}`;
const PROVIDER = {
  CASHFREE_BASE_URL: 'https://sandbox.cashfree.com/verification',
  CASHFREE_CLIENT_ID: 'id',
  CASHFREE_CLIENT_SECRET: 'new-secret, old-secret',
};
const SIGN_IN = { AUTH_SECRET: 'x'.repeat(32) };

const complaints = (environment: Record<string, string>): string[] => {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    return (error as ConfigError).complaints.map((complaint) => complaint.split(':')[0] as string);
  }
};

test('an empty environment is development: sandbox, embedded database, loopback', () => {
  expect(readConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    database: { kind: 'EMBEDDED' },
    provider: { kind: 'SANDBOX', port: 4010, webhooks: 'every-status' },
    signIn: { kind: 'DEVELOPMENT' },
  });
});

test('without a way to sign in nothing but development starts', () => {
  expect(complaints({ HOST: '0.0.0.0' })).toEqual(['AUTH_SECRET or AUTH_JWKS_URL']);
  expect(complaints({ ...PROVIDER, DATA_KEYS: KEYS, AUDIT_KEYS: KEYS })).toEqual([
    'AUTH_SECRET or AUTH_JWKS_URL',
  ]);
  expect(complaints({ NODE_ENV: 'production' })).toContain('AUTH_SECRET or AUTH_JWKS_URL');
  expect(complaints({ HOST: '0.0.0.0', ...SIGN_IN })).toEqual([]);
});

test('production runs the sandbox and the embedded database only when told to', () => {
  const production = { NODE_ENV: 'production', DATA_KEYS: KEYS, AUDIT_KEYS: KEYS, ...SIGN_IN };

  expect(complaints(production)).toEqual([
    'CASHFREE_CLIENT_ID, CASHFREE_CLIENT_SECRET',
    'DATABASE_URL',
    'NODE_ENV',
  ]);
  expect(complaints({ ...production, SANDBOX: '1', EMBEDDED_POSTGRES: '1' })).toEqual([]);
  expect(complaints({ ...production, ...PROVIDER, DATABASE_URL: 'postgres://db/vkyc' })).toEqual([]);
});

test('MIGRATE_DATABASE_URL and LISTEN_DATABASE_URL default to DATABASE_URL, and are refused without it', () => {
  const [url, listenUrl] = ['postgres://pooler:6432/vkyc', 'postgres://db/vkyc'];

  expect(readConfig({ DATABASE_URL: url }).database).toMatchObject({ url, migrateUrl: url, listenUrl: url });
  expect(readConfig({ DATABASE_URL: url, LISTEN_DATABASE_URL: listenUrl }).database).toMatchObject({
    url,
    migrateUrl: url,
    listenUrl,
  });
  expect(complaints({ LISTEN_DATABASE_URL: listenUrl })).toEqual(['DATABASE_URL']);
  expect(complaints({ MIGRATE_DATABASE_URL: listenUrl })).toEqual(['DATABASE_URL']);
});

test('several secrets: the first signs calls, all verify webhooks', () => {
  const config = readConfig({ ...PROVIDER, ...SIGN_IN, DATA_KEYS: KEYS, AUDIT_KEYS: KEYS });
  expect(config.provider).toMatchObject({ kind: 'CASHFREE', secrets: ['new-secret', 'old-secret'] });
});

test('everything wrong is said at once, with what to do', () => {
  expect(() =>
    readConfig({ PORT: 'http', LOG_LEVEL: 'loud', AUTH_SECRET: 'short', DATA_KEYS: 'k1:abc' }),
  ).toThrow(ConfigError);
  expect(
    complaints({ PORT: 'http', LOG_LEVEL: 'loud', AUTH_SECRET: 'short', DATA_KEYS: 'k1:abc' }).toSorted(),
  ).toEqual(['AUTH_SECRET', 'DATA_KEYS', 'LOG_LEVEL', 'PORT']);
});

test('traces are exported where there is a collector, unless told otherwise', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318';

  expect(readConfig({}).tracing).toBe(false);
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT }).tracing).toBe(true);
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' }).tracing).toBe(false);
  expect(complaints({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toEqual(['OTEL_EXPORTER_OTLP_ENDPOINT']);
});

test('proxies are trusted by their number or their addresses, and never all of them', () => {
  expect(readConfig({}).trustedProxies).toBe(0);
  expect(readConfig({ TRUST_PROXY: '2' }).trustedProxies).toBe(2);
  expect(readConfig({ TRUST_PROXY: '10.0.0.0/8, ::1' }).trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  for (const TRUST_PROXY of ['true', '*', '-1', '99', '10.0.0.0/33', 'proxy.example.com'])
    expect(complaints({ TRUST_PROXY }), TRUST_PROXY).toEqual(['TRUST_PROXY']);
});

test('servers of NATS are named by their URLs, of which a complaint repeats nothing', () => {
  const NATS_URL = 'nats://one:4222, tls://user:pass@two.example.com';
  expect(readConfig({}).natsServers).toBeNull();
  expect(readConfig({ NATS_URL }).natsServers).toEqual(NATS_URL.split(', '));
  for (const wrong of ['one:4222', 'http://user:pass@one', 'nats://', 'nats://one, two'])
    expect(complaints({ NATS_URL: wrong }), wrong).toEqual(['NATS_URL']);
  expect(() => readConfig({ NATS_URL: 'http://user:pass@one' })).toThrow(/NATS_URL: (?!.*pass@one)/);
});

test('a complaint shows the value that was found, unless the setting may hold a secret', () => {
  const complaint = (environment: Record<string, string>): string => {
    try {
      readConfig(environment);
      return '';
    } catch (error) {
      return (error as ConfigError).complaints.join('\n');
    }
  };

  expect(complaint({ PORT: 'abc' })).toBe('PORT: expected a port, from 0 to 65535 (found "abc")');
  expect(complaint({ SANDBOX_PORT: '70000' })).toContain('(found "70000")');
  expect(complaint({ SHUTDOWN_SECONDS: 'soon' })).toBe('SHUTDOWN_SECONDS: expected a number (found "soon")');
  expect(complaint({ LOG_LEVEL: 'loud' })).toContain('(found "loud")');
  for (const [name, value] of Object.entries({
    AUTH_SECRET: 'hunter2',
    DATA_KEYS: 'hunter2',
    NATS_URL: 'http://me:hunter2@one',
    CASHFREE_BASE_URL: 'hunter2',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'hunter2',
  }))
    expect(complaint({ [name]: value }), name).not.toContain('hunter2');
});

test('one port for the gateway and its sandbox is refused', () => {
  expect(complaints({ PORT: '4010' })).toEqual(['PORT, SANDBOX_PORT']);
  expect(complaints({ PORT: '0', SANDBOX_PORT: '0' })).toEqual([]);
});

test('logs are text at a terminal and JSON elsewhere, unless LOG_FORMAT says otherwise', () => {
  expect(readConfig({}).logFormat).toBe('json');
  expect(readConfig({}, { terminal: true }).logFormat).toBe('text');
  expect(readConfig({ LOG_FORMAT: 'json' }, { terminal: true }).logFormat).toBe('json');
  expect(readConfig({ LOG_FORMAT: 'text' }).logFormat).toBe('text');
});
