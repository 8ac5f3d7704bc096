import { setTimeout as pause } from 'node:timers/promises';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import pg from 'pg';

/** Any number will do, as long as every replica takes the same. */
const MIGRATION_LOCK = 8_529_001;
const LOOK_FOR_THE_LOCK_MS = 50;

/** Who waits for a table lets nobody past: so it is for moments only, and tried again when the table may be free. */
const LOCK_TIMEOUT = '1s';
const RETRY_MS = 1_000;
const GIVE_UP_MS = 600_000;
/** Somebody was in the way: lock_not_available, deadlock_detected. */
const IN_THE_WAY = ['55P03', '40P01'];

/** How a migration begins whose statements are no transaction together; each of them has to bear being run again. */
const BY_ITSELF = '-- Each statement by itself';
/** Such a statement holds nobody up while it waits for those who do. */
const WAITS_BESIDE_OTHERS = /\bINDEX CONCURRENTLY\b/;

/**
 * Runs what a database has not had of the migrations in a folder, beside releases that go on using it, and then `finish`.
 * Replicas that start together take turns. Whatever holds a table keeps a migration waiting, and not the migration
 * everybody else: it is tried again for ten minutes, and then rejects with the database's error.
 */
export async function runMigrations(
  client: pg.Client,
  folder: string,
  finish: () => Promise<void> = async () => {},
): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    await takeTurn(client);
    try {
      await runMissing(client, folder);
      return await finish();
    } catch (error) {
      const inTheWay = error instanceof pg.DatabaseError && IN_THE_WAY.includes(error.code ?? '');
      if (!inTheWay || performance.now() > deadline) throw error;
    } finally {
      // A connection that is lost has given it back already.
      await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => {});
    }
    // Meanwhile another has its turn: a release that waits for it by a statement is in the way of CONCURRENTLY.
    await pause(RETRY_MS);
  }
}

/** Looks again and again: a statement that waits would be in the way of CONCURRENTLY. */
async function takeTurn(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
      MIGRATION_LOCK,
    ]);
    if (rows[0]?.taken) return;
    await pause(LOOK_FOR_THE_LOCK_MS);
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
