import { fileURLToPath } from 'node:url';
import { DCLinter } from 'dclint';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { atTheEnd, PRODUCTION } from '../harness/gateway.ts';
import { interpolated, readComposeFile, requiredIn } from './compose-file.ts';
import { environmentOf, readProjectFile, readStages, type Stage } from './dockerfile.ts';

/** Values for the variables of compose.yaml, as an operator would set them. */
const GIVEN = {
  DATABASE_PASSWORD: 'letters1and2digits',
  POSTGRES_PASSWORD: 'more3letters4and5digits',
  AUTH_SECRET: PRODUCTION.AUTH_SECRET,
  AUTH_ISSUER: 'https://issuer.example.com',
  AUTH_AUDIENCE: 'vkyc-gateway',
  DATA_KEYS: PRODUCTION.DATA_KEYS,
  AUDIT_KEYS: PRODUCTION.AUDIT_KEYS,
  CASHFREE_BASE_URL: 'https://sandbox.cashfree.com/verification',
  CASHFREE_CLIENT_ID: 'client',
  CASHFREE_CLIENT_SECRET: 'cfsk_ma_test_0f8e1b7c2d9a46e3b5c70a18d4f29e63_5b1c8a7d',
};
const OF_POSTGRES = ['POSTGRES_DB', 'POSTGRES_USER', 'POSTGRES_PASSWORD'];

test('the Compose linter finds no error in the compose file', () => {
  const path = fileURLToPath(new URL('../../compose.yaml', import.meta.url));
  const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });

  const [result] = linter.lintFiles([path], false) as [{ messages: { line: number; message: string }[] }];

  expect(result.messages.map(({ line, message }) => `${line}: ${message}`)).toEqual([]);
});

test('the compose file runs three identical gateways with a valid production configuration', async () => {
  const { services } = await readComposeFile();
  const gateways = Object.values(services).filter(({ build }) => build);
  const image = environmentOf((await readStages()).at(-1) as Stage);
  const settings = [...(await readProjectFile('src/environment.ts')).matchAll(/^ {2}([A-Z][A-Z_]+): /gm)];
  const { environment = {} } = gateways[0] ?? {};
  const values = Object.entries(environment).map(([name, value]) => [name, interpolated(`${value}`, GIVEN)]);

  const config = readConfig({ ...image, ...Object.fromEntries(values) });

  expect(gateways).toHaveLength(3);
  for (const gateway of gateways) expect(gateway).toEqual(gateways[0]);
  const known = settings.map(([, name]) => name as string);
  expect(Object.keys({ ...image, ...environment }).filter((name) => !known.includes(name))).toEqual([]);
  expect(config).toMatchObject({
    host: '0.0.0.0',
    natsServers: ['nats://nats:4222'],
    provider: { kind: 'CASHFREE' },
    signIn: { kind: 'SECRET' },
    trustedProxies: 1,
    metricsPort: 9464,
    warnings: [],
    introspection: false,
  });
  expect(config.database).toMatchObject({
    url: expect.stringMatching(/^postgres:\/\/vkyc_gateway:letters1and2digits@postgres:5432\/vkyc$/),
    migrateUrl: expect.stringMatching(
      /^postgres:\/\/vkyc_owner:more3letters4and5digits@postgres:5432\/vkyc$/,
    ),
  });
});

test('the compose file contains no secrets, and requires each secret as an environment variable', async () => {
  const text = await readProjectFile('compose.yaml');
  const { services } = await readComposeFile();
  const given = Object.values(services).flatMap(({ environment = {} }) => Object.entries(environment));

  expect(new Set(requiredIn(text))).toEqual(new Set(Object.keys(GIVEN)));
  for (const [name, value] of given)
    if (/SECRET|PASSWORD|KEYS/.test(name)) expect(value, name).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
  expect(text).not.toMatch(/:\/\/\w+:[^$@/\s]+@/);
  const others = Object.values(services).filter(({ build }) => !build);
  const names = others.flatMap(({ environment = {} }) => Object.keys(environment));
  expect(names).toEqual(OF_POSTGRES);
});

test('every service, config and volume that the compose file references exists, and every service whose health another service waits for has a health check', async () => {
  const { services, configs, volumes } = await readComposeFile();
  const proxy = configs.proxy?.content ?? '';
  const { PORT } = environmentOf((await readStages()).at(-1) as Stage);

  for (const { depends_on = {}, configs: used = [], volumes: mounted = [] } of Object.values(services)) {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      expect(Object.keys(services)).toContain(name);
      // Gateways have no `healthcheck` in the file, but their image has one.
      const checked = services[name]?.healthcheck ?? services[name]?.build;
      if (condition === 'service_healthy') expect(checked, name).toBeTruthy();
    }
    for (const { source } of used) expect(Object.keys(configs)).toContain(source);
    for (const volume of mounted) expect(Object.keys(volumes)).toContain(volume.split(':')[0]);
  }
  const balanced = [...proxy.matchAll(/ server \S+ (\S+):(\d+)/g)].map(([, host, port]) => [host, port]);
  const gateways = Object.entries(services).filter(([, { build }]) => build);
  expect(balanced).toEqual(gateways.map(([name]) => [name, PORT]));
  const published = Object.entries(services).filter(([, { ports }]) => ports);
  expect(published.map(([name]) => name)).toEqual(['proxy']);
  expect(published[0]?.[1].ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:.*:8080$/)]);
  expect(proxy).toContain('bind :8080');
});

test("PostgreSQL accepts the SQL of the compose file that creates the gateways' database role, which is no superuser", async () => {
  const { configs } = await readComposeFile();
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  atTheEnd(() => client.end());

  await client.query('begin');
  await client.query(interpolated(configs.roles?.content ?? '', GIVEN));
  const { rows } = await client.query(
    `select rolcanlogin, rolsuper from pg_roles where rolname = 'vkyc_gateway'`,
  );
  await client.query('rollback');

  expect(rows).toEqual([{ rolcanlogin: true, rolsuper: false }]);
});
