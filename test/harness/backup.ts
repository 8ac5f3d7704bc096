/** Backup of a gateway's database that can be restored while the gateway runs, as an operator does. */
import type pg from 'pg';

/**
 * Copies every row of the gateway's tables to another schema. Returns a function that restores all rows in
 * one transaction.
 */
export async function takeBackup(database: pg.Pool): Promise<() => Promise<void>> {
  const { rows } = await database.query<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  );
  const tables = rows.map(({ name }) => name);
  await database.query(
    [
      'create schema backup',
      ...tables.map((name) => `create table backup.${name} as table public.${name}`),
    ].join(';'),
  );
  return async () => {
    await database.query(
      [
        'begin',
        // Disables foreign keys, so that rows can be restored in any order.
        `set local session_replication_role = 'replica'`,
        `truncate ${tables.join(', ')}`,
        ...tables.map((name) => `insert into public.${name} select * from backup.${name}`),
        'commit',
      ].join(';'),
    );
  };
}
