import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { failTransitions } from '../harness/failing-transitions.ts';
import { atTheEnd, bootGateway, eventually, freshDatabase, type Gateway } from '../harness/gateway.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { isClean, TRANSPORTS } from '../harness/transports.ts';

const MEETING = `mutation ($input: ScheduleMeetingInput!) {
  scheduleMeeting(input: $input) { __typename ... on MutationError { code } }
}`;
const meetingFor = (sessionId: string) => ({
  input: {
    sessionId,
    startsAt: new Date(Date.now() + 3_600_000).toISOString(),
    idempotencyKey: randomUUID(),
  },
});

const newsOf = (verification_id: string, second: number) => ({
  event_type: 'VKYC_STATUS',
  event_time: new Date(Date.parse('2026-03-02T12:00:00Z') + second * 1000).toISOString(),
  data: {
    verification_id,
    status: 'PRE_VIDEO_CALL',
    sub_status: second % 2 === 0 ? 'USER_QUEUED' : 'NO_AGENT_FOUND',
  },
});

for (const [transport, send] of Object.entries(TRANSPORTS))
  test(`${transport}: queries and mutations fail with SERVICE_UNAVAILABLE while the database is unreachable`, async () => {
    const wire = await startTcpProxy(await freshDatabase());
    const gateway = await bootGateway({ database: wire.url });
    const { id } = await gateway.start('unavailable.1');

    wire.cut();
    const read = { query: 'query ($id: ID!) { session(id: $id) { version } }', variables: { id } };
    const write = { query: MEETING, variables: meetingFor(id) };

    for (const request of [read, write]) {
      const { errors, text } = await send(gateway, request);
      expect(errors).toMatchObject([
        { extensions: { code: 'SERVICE_UNAVAILABLE', errorId: expect.any(String) } },
      ]);
      expect(isClean(text)).toBe(true);
    }
    wire.mend();
    await eventually(async () => (await send(gateway, write)).data?.scheduleMeeting);
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    const metrics = text
      .split('\n')
      .filter((line) => /_errors_total|_count/.test(line))
      .join('\n');
    expect(metrics).toMatch(/^vkyc_graphql_errors_total\{code="SERVICE_UNAVAILABLE"\} [1-9]/m);
    expect(metrics).toMatch(/outcome="SERVICE_UNAVAILABLE"/);
    expect(metrics).not.toContain('INTERNAL_SERVER_ERROR');
  });

test('on a read-only database, queries are answered, mutations fail with SERVICE_UNAVAILABLE, webhooks get 503, and /readyz reports the database as read-only', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('read-only.1');
  const becomes = (readOnly: 'on' | 'off') => setReadOnly(gateway, readOnly);

  await becomes('on');

  const refused = await eventually(async () => {
    const { errors } = await gateway.graphql(MEETING, meetingFor(id));
    return errors;
  });
  expect(refused).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
  expect(await gateway.webhook(newsOf('read-only.1', 1))).toBe(503);
  const { data, errors } = await gateway.graphql('query ($id: ID!) { session(id: $id) { version } }', { id });
  expect([data, errors]).toEqual([{ session: { version: 1 } }, undefined]);
  const readiness = async () => (await fetch(`${gateway.url}/readyz`)).json();
  await eventually(async () => JSON.stringify(await readiness()).includes('read-only'));
  // Waits until the gateway is ready again, because setReadOnly has terminated its LISTEN connection, too.
  await eventually(async () => ((await readiness()) as { status: string }).status === 'ready');
  expect(await readiness()).toMatchObject({
    impaired: { database: 'accepts no writes: it is read-only or a standby' },
  });
  expect(await (await fetch(`${gateway.url}/metrics`)).text()).toMatch(/^vkyc_database_takes_writes 0$/m);

  await becomes('off');
  await eventually(async () => (await gateway.webhook(newsOf('read-only.1', 1))) === 200);
  await eventually(async () => JSON.stringify(await readiness()).startsWith('{"status":"ready","notes"'));
});

/**
 * Makes new connections to the database read-only (or writable again), and terminates the existing
 * connections, which keep the old setting.
 */
async function setReadOnly({ database }: Gateway, value: 'on' | 'off'): Promise<void> {
  const client = await database.connect();
  await client.query('set default_transaction_read_only = off');
  await client.query(
    `do $$ begin execute format('alter database %I set default_transaction_read_only = ${value}', current_database()); end $$`,
  );
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  client.release(true);
}

/**
 * Sends a webhook while the row of its session is locked, so that the webhook is queued. The returned
 * function releases the lock.
 */
async function queueWebhook(gateway: Gateway, verificationId: string): Promise<() => Promise<void>> {
  const holder = new pg.Client({ connectionString: gateway.databaseUrl });
  await holder.connect();
  atTheEnd(() => holder.end().catch(() => {}));
  await holder.query('begin');
  await holder.query('select from vkyc_session where verification_id = $1 for update', [verificationId]);
  expect(await gateway.webhook(newsOf(verificationId, 1))).toBe(200);
  return () => holder.end();
}

const inboxOf = async ({ database }: Gateway) =>
  (
    await database.query(
      'select state, attempts, reason from webhook_inbox where body_hash = (select body_hash from webhook_inbox order by id desc limit 1)',
    )
  ).rows[0];

test('a webhook whose processing fails by a fault of the database (full disk, deadlock, …) is retried without limit, never parked (dead-lettered)', async () => {
  const gateway = await bootGateway();
  await gateway.start('kept.1');
  await eventually(async () => (await inboxOf(gateway))?.state === 'DONE');
  const failWith = await failTransitions(gateway.database);
  const letGo = await queueWebhook(gateway, 'kept.1');
  const failures = () => gateway.logs.filter((line) => line.includes('could not process a webhook'));

  await failWith('53100');
  await letGo();
  // SQLSTATEs for: full disk, out of memory, read-only transaction, crash of a backend, deadlock, missing
  // privilege, missing table.
  for (const code of ['53100', '53200', '25006', '57P02', '40P01', '42501', '42P01']) {
    await failWith(code);
    const before = failures().length;
    await eventually(async () =>
      failures()
        .slice(before)
        .some((line) => line.includes(code)),
    );
    expect(await inboxOf(gateway)).toEqual({ state: 'PENDING', attempts: 0, reason: null });
  }

  await failWith(null);
  await eventually(async () => (await inboxOf(gateway)).state === 'DONE');
}, 40_000);

test('a webhook that causes a data error at every attempt is parked (dead-lettered) with a reason after five attempts', async () => {
  const gateway = await bootGateway();
  await gateway.start('parked.1');
  await eventually(async () => (await inboxOf(gateway))?.state === 'DONE');
  const failWith = await failTransitions(gateway.database);
  const letGo = await queueWebhook(gateway, 'parked.1');

  await failWith('22000');
  await letGo();

  await eventually(async () => (await inboxOf(gateway)).state === 'PARKED');
  expect(await inboxOf(gateway)).toEqual({
    state: 'PARKED',
    attempts: 5,
    reason: 'Processing failed 5 times.',
  });
});
