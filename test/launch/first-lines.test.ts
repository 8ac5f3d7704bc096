import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { buildGatewayUrls, formatGreeting } from '../../src/greeting.ts';
import { formatLogLine } from '../../src/logging-text.ts';

const RUNNING = { url: 'http://127.0.0.1:4000', sandboxUrl: 'http://127.0.0.1:4010/verification' };

test('the first lines that a start prints show the console, GraphiQL, the sandbox, the data folder and how to stop', () => {
  const config = readConfig({ DATA_DIR: '/var/data' });

  expect(formatGreeting(config, buildGatewayUrls(config, RUNNING))).toBe(`
vkyc-gateway is ready.

  Console   http://127.0.0.1:4000/console
  GraphiQL  http://127.0.0.1:4000/graphiql
  GraphQL   http://127.0.0.1:4000/graphql
  Sandbox   http://127.0.0.1:4010/_sandbox
  Data      /var/data
  Stop      Ctrl-C

`);
});

test('without introspection and with a real provider, the first lines that a start prints show neither GraphiQL nor a password', () => {
  const config = readConfig({
    INTROSPECTION: '0',
    DATABASE_URL: 'postgres://me:hunter2@db/vkyc',
    CASHFREE_BASE_URL: 'https://sandbox.cashfree.com/verification',
    CASHFREE_CLIENT_ID: 'id',
    CASHFREE_CLIENT_SECRET: 'hunter2',
    AUTH_SECRET: 'x'.repeat(32),
    DATA_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
    AUDIT_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
  });

  const said = formatGreeting(config, buildGatewayUrls(config, { ...RUNNING, sandboxUrl: null }));

  expect(said).toContain('Provider  https://sandbox.cashfree.com/verification');
  expect(said).toContain('Data      PostgreSQL of DATABASE_URL');
  expect(said).not.toMatch(/GraphiQL|hunter2/);
});

test('a text log line has its time, its level if above info, its message and its fields', () => {
  const time = new Date(2026, 1, 3, 14, 15, 16).getTime();
  const common = { time, pid: 1, hostname: 'vm' };

  expect(formatLogLine({ ...common, level: 30, msg: 'stopping', signal: 'SIGINT' })).toBe(
    '14:15:16  stopping  signal=SIGINT\n',
  );
  expect(
    formatLogLine({
      ...common,
      level: 40,
      msg: 'database connection lost; the pool will reconnect',
      err: { message: 'wrapped', stack: '    at x', cause: { message: 'gone', code: '57P01' } },
    }),
  ).toBe('14:15:16  warning  database connection lost; the pool will reconnect  (gone, 57P01)\n');
  expect(
    formatLogLine({
      ...common,
      level: 50,
      msg: 'a fault of ours',
      err: { message: 'oh', stack: '    at x' },
    }),
  ).toBe('14:15:16  ERROR  a fault of ours  (oh)\n    at x\n');
});
