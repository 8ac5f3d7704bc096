import { createServer } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import {
  classifyDatabaseFault,
  type DatabaseFault,
  isPermanentError,
} from '../../src/db/connection/connection-errors.ts';
import { MissingDataKeyError } from '../../src/encryption/sealing.ts';
import { atTheEnd, freshDatabase } from '../harness/gateway.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

/** Returns the reason with which a promise rejects. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('The promise resolved, but should have rejected');
    },
    (error: unknown) => error,
  );

/** Opens a connection pool like the gateway's. `fail` runs a statement that must fail, and returns its error. */
function connectionTo(url: string, poolSize = 1) {
  const { db, pool, close } = createDatabasePools(url, poolSize, () => {});
  atTheEnd(close);
  return { db, pool, fail: (text: string) => rejection(pool.query(text)) };
}

/** Returns an address at which nothing listens. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

/**
 * Real causes of database errors, by title. `fault` is the class that classifyDatabaseFault must return for the
 * error.
 */
const FAULTS: Record<string, { fault: DatabaseFault; cause(url: string): Promise<unknown> }> = {
  'a port at which nothing listens': {
    fault: 'AWAY',
    cause: async () => connectionTo(await deadAddress()).fail('select 1'),
  },
  'a Unix socket that does not exist': {
    fault: 'AWAY',
    cause: () => connectionTo('postgres://postgres@%2Ftmp%2Fno-such-folder/postgres').fail('select 1'),
  },
  'an unknown host name': {
    fault: 'AWAY',
    cause: () => connectionTo('postgres://postgres@nobody.invalid/postgres').fail('select 1'),
  },
  'a connection that is cut while a query runs': {
    fault: 'AWAY',
    async cause(url) {
      const wire = await startTcpProxy(url);
      const asked = connectionTo(wire.url).fail('select pg_sleep(20)');
      while (wire.accepted === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      wire.cut();
      return asked;
    },
  },
  'a connection that an administrator ends': {
    fault: 'AWAY',
    cause: (url) => connectionTo(url).fail('select pg_terminate_backend(pg_backend_pid())'),
  },
  'a write in a read-only transaction': {
    fault: 'READ_ONLY',
    cause: (url) => rejection(connectionTo(url).db.transaction(insertCall, 'begin read only')),
  },
  'a role that does not exist': {
    fault: 'REFUSED',
    cause: (url) => connectionTo(url.replace('postgres@', 'stranger@')).fail('select 1'),
  },
  'a database that does not exist': {
    fault: 'REFUSED',
    cause: (url) => connectionTo(url.replace(/\/[^/]+$/, '/no_such_database')).fail('select 1'),
  },
  'a statement that exceeds statement_timeout': {
    fault: 'BUSY',
    cause: (url) => connectionTo(url).fail(`set statement_timeout = 1; select pg_sleep(1)`),
  },
  'a wait for a row lock that exceeds lock_timeout': {
    fault: 'BUSY',
    async cause(url) {
      const { pool } = connectionTo(url, 4);
      const holder = await pool.connect();
      await holder.query('begin; select from provider_budget for update');
      const late = await rejection(
        pool.query(`set lock_timeout = 1; select from provider_budget for update`),
      );
      holder.release(true);
      return late;
    },
  },
  'a full disk that the server reports': {
    fault: 'FULL',
    cause: (url) => connectionTo(url).fail(raising('53100')),
  },
  'a server that reports that it has no connection left': {
    fault: 'OVERLOADED',
    cause: (url) => connectionTo(url).fail(raising('53300')),
  },
};

const raising = (code: string) => `do $$ begin raise 'no more' using errcode = '${code}'; end $$`;

const insertCall = (tx: { $client: pg.PoolClient }) =>
  tx.$client.query(`insert into provider_call (at, purpose) values (now(), 'POLL')`);

for (const [what, { fault, cause }] of Object.entries(FAULTS))
  test(`the error of ${what} is classified as ${fault}, and not as caused by the values of the statement`, async () => {
    const error = await cause(await freshDatabase());

    expect(classifyDatabaseFault(error)).toBe(fault);
    expect(isPermanentError(error)).toBe(false);
    expect(classifyDatabaseFault(new Error('wrapped', { cause: error }))).toBe(fault);
  });

test("isCausedByValues returns true for an error caused by a statement's values, and false if a table, column, permission or encryption key is missing", async () => {
  const { fail } = connectionTo(await freshDatabase());

  for (const text of [
    `select 'a'::int`,
    `insert into vkyc_user (id) values (null)`,
    `insert into log_identity select * from log_identity`,
    raising('54000'),
  ]) {
    const error = await fail(text);
    expect([classifyDatabaseFault(error), isPermanentError(error)], text).toEqual([null, true]);
  }
  for (const text of [
    'select * from no_such_table',
    'select no_such_column from vkyc_user',
    raising('42501'),
  ]) {
    const error = await fail(text);
    expect([classifyDatabaseFault(error), isPermanentError(error)], text).toEqual([null, false]);
  }
  expect(isPermanentError(new TypeError('undefined is not a function'))).toBe(true);
  expect(isPermanentError(new MissingDataKeyError('k1'))).toBe(false);
});

test('a transaction rejects with the error of its first failed statement, not with a later one', async () => {
  const { db } = connectionTo(await freshDatabase());
  const failing = { name: 'failing', text: raising('53100'), values: [] };

  const pipelined = await rejection(
    db.transaction(async (tx) => {
      tx.start(failing);
      await tx.$client.query('select 1');
    }),
  );
  const unawaited = await rejection(db.transaction(async (tx) => tx.start(failing)));

  expect([classifyDatabaseFault(pipelined), classifyDatabaseFault(unawaited)]).toEqual(['FULL', 'FULL']);
});
