import { setTimeout as pause } from 'node:timers/promises';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import pg from 'pg';

/**
 * Key of the advisory lock under which replicas take turns at migrating. The number is arbitrary, but must be
 * the same in every replica.
 */
const MIGRATION_LOCK = 8_529_001;
const LOCK_POLL_INTERVAL_MS = 50;

/**
 * Lock timeout of DDL statements. While a DDL statement waits for a table lock, all later queries on that
 * table queue behind it, so it gives up soon and is retried.
 */
const LOCK_TIMEOUT = '1s';
const RETRY_MS = 1_000;
const MIGRATION_TIMEOUT_MS = 600_000;
/** SQLSTATEs after which the migration is retried: lock_not_available and deadlock_detected. */
const IN_THE_WAY = ['55P03', '40P01'];

/**
 * First line of a migration whose statements run one by one outside a transaction, such as CREATE INDEX
 * CONCURRENTLY. If a statement fails, all are run again, so each must be idempotent.
 */
const BY_ITSELF = '-- Each statement by itself';
/** Statements that run without a lock timeout, because they block no other queries while they wait. */
const WAITS_BESIDE_OTHERS = /\bINDEX CONCURRENTLY\b/;

/**
 * Runs the missing migrations of a folder, and then `finish`, while earlier releases keep using the database
 * (rolling deploy). Replicas that start together take turns (advisory lock). If a table is locked, the
 * migration is retried after a pause, so that other queries never wait behind it for long. After ten minutes,
 * rejects with the database's error.
 */
export async function runMigrations(
  client: pg.Client,
  folder: string,
  finish: () => Promise<void> = async () => {},
): Promise<void> {
  const deadline = performance.now() + MIGRATION_TIMEOUT_MS;
  for (;;) {
    await takeTurn(client);
    try {
      await runMissing(client, folder);
      return await finish();
    } catch (error) {
      const inTheWay = error instanceof pg.DatabaseError && IN_THE_WAY.includes(error.code ?? '');
      if (!inTheWay || performance.now() > deadline) throw error;
    } finally {
      // An error is ignored: if the connection was lost, the server has already released the lock.
      await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => {});
    }
    // Pause without the advisory lock. An earlier release waits for that lock in a blocking statement, and
    // CREATE INDEX CONCURRENTLY waits for that statement's transaction: a deadlock, which ends if the other
    // replica gets the lock.
    await pause(RETRY_MS);
  }
}

/**
 * Waits for the advisory lock by polling. A statement that blocks would hold a snapshot, and CREATE INDEX
 * CONCURRENTLY in the replica that holds the lock waits for all snapshots: a deadlock.
 */
async function takeTurn(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
      MIGRATION_LOCK,
    ]);
    if (rows[0]?.taken) return;
    await pause(LOCK_POLL_INTERVAL_MS);
  }
}

async function runMissing(client: pg.Client, folder: string): Promise<void> {
  await client.query('create schema if not exists drizzle');
  await client.query(
    'create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)',
  );
  const { rows } = await client.query('select max(created_at) as newest from drizzle.__drizzle_migrations');
  const newest = Number(rows[0].newest ?? 0);
  for (const migration of readMigrationFiles({ migrationsFolder: folder })) {
    if (migration.folderMillis <= newest) continue;
    const whole = !migration.sql[0]?.startsWith(BY_ITSELF);
    if (whole) await client.query('begin');
    try {
      for (const statement of migration.sql) await run(client, statement);
      await client.query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)', [
        migration.hash,
        migration.folderMillis,
      ]);
      if (whole) await client.query('commit');
    } catch (error) {
      if (whole) await client.query('rollback');
      throw error;
    }
  }
}

async function run(client: pg.Client, statement: string): Promise<void> {
  const timeout = WAITS_BESIDE_OTHERS.test(statement) ? '0' : LOCK_TIMEOUT;
  await client.query(`set lock_timeout = '${timeout}'`);
  await client.query(statement);
}
