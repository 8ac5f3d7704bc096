/** Checks the stack traces of internal errors in the log. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { ROOT, runNpm } from '../harness/checkout.ts';
import { eventually, freshDatabase } from '../harness/gateway.ts';

test('the stack trace of an internal error shows lines of the TypeScript source', async () => {
  const DATABASE_URL = await freshDatabase();
  const start = runNpm(['start'], { cwd: ROOT, env: { DATABASE_URL, LOG_FORMAT: 'json' } });
  const ready = (await start.until('"the gateway is ready"')).match(/"graphql":"([^"]+)"/);
  const database = new pg.Client({ connectionString: DATABASE_URL });
  await database.connect();
  await database.query('drop table review cascade');

  const query =
    'mutation { startSession(input: { verificationId: "a.1", user: { phone: "9988776655" } }) { ... on StartSessionSuccess { session { reviews { id } } } } }';
  const headers = { 'content-type': 'application/json' };
  await fetch(ready?.[1] as string, { method: 'POST', headers, body: JSON.stringify({ query }) });

  const fault = await eventually(async () => start.said().match(/.*"level":50.*/)?.[0]);
  expect(fault).toMatch(/src\/db\/statements\/prepared\.ts:\d+:\d+[\s\S]*src\/graphql\/loaders\.ts:\d+:\d+/);
  await database.end();
});
