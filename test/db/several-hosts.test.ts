import pg from 'pg';
import { expect, test } from 'vitest';
import { bootGateway, eventually, freshDatabase, untilReady } from '../harness/gateway.ts';
import { startOwnPostgres } from '../harness/own-postgres.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';

const MEETING = `mutation ($input: ScheduleMeetingInput!) {
  scheduleMeeting(input: $input) { __typename ... on MutationError { code } }
}`;

/** Returns one URL with the hosts of several proxies, in order. */
function urlOf(...wires: TcpProxy[]): string {
  const [first] = wires;
  const hosts = wires.map(({ url }) => new URL(url).host).join(',');
  return (first?.url ?? '').replace(/@[^/]+/, `@${hosts}`);
}

test('with target_session_attrs=read-write, pools, LISTEN and migrations skip a dead and a read-only host of the database URL', async () => {
  const database = await freshDatabase();
  const standby = await startOwnPostgres();
  const admin = new pg.Client({ connectionString: standby.url });
  await admin.connect();
  await admin.query('alter system set default_transaction_read_only = on');
  await admin.query('select pg_reload_conf()');
  await eventually(
    async () =>
      (await admin.query('show default_transaction_read_only')).rows[0].default_transaction_read_only ===
      'on',
  );
  await admin.end();
  const [dead, readOnly, good] = [
    await startTcpProxy(database),
    await startTcpProxy(standby.url),
    await startTcpProxy(database),
  ];
  dead.cut();
  const name = new URL(database).pathname.slice(1);
  // Both servers need a database of this name, because the URL names one database for all hosts.
  const maker = new pg.Client({
    connectionString: standby.url,
    options: '-c default_transaction_read_only=off',
  });
  await maker.connect();
  await maker.query(`create database ${name}`);
  await maker.end();

  const gateway = await bootGateway({
    database: `${urlOf(dead, readOnly, good)}?target_session_attrs=read-write`,
  });
  await untilReady(gateway);
  await gateway.start('hosts.1');

  expect(readOnly.accepted).toBeGreaterThan(0);
  await eventually(async () => readOnly.open === 0);
  expect(dead.open).toBe(0);
  expect(good.open).toBeGreaterThan(2);
}, 40_000);

test('after a failover to the second host of the database URL, the gateway writes to that host and becomes ready again', async () => {
  const database = await freshDatabase();
  const [first, second] = [await startTcpProxy(database), await startTcpProxy(database)];
  second.refuse();
  const gateway = await bootGateway({
    database: `${urlOf(first, second)}?target_session_attrs=read-write&connect_timeout=2`,
  });
  await untilReady(gateway);
  const { id } = await gateway.start('failover.1');

  second.mend();
  first.cut();

  const input = {
    sessionId: id,
    startsAt: new Date(Date.now() + 3_600_000).toISOString(),
    idempotencyKey: 'one',
  };
  const booked = await eventually(
    async () => (await gateway.graphql(MEETING, { input })).data?.scheduleMeeting,
  );
  expect(booked).toEqual({ __typename: 'ScheduleMeetingSuccess' });
  await untilReady(gateway);
  expect(second.open).toBeGreaterThan(1);
  expect(first.open).toBe(0);
});
