/**
 * Edits rows of tables as an attacker with the rights of their owner could, without constraints, and reverts the edits.
 */
import type { Gateway } from './gateway.ts';

export interface Tampering {
  /** Applies statements, runs `look`, and restores the tables. */
  within<Result>(statements: readonly string[], look: () => Promise<Result>): Promise<Result>;
}

/** Drops the constraints that would reject an edit, and keeps copies of the tables to restore them. */
export async function tamperingWith(
  { database }: Pick<Gateway, 'database'>,
  tables: readonly string[],
): Promise<Tampering> {
  const { rows } = await database.query<{ table: string; name: string }>(
    `select conrelid::regclass::text as table, conname as name from pg_constraint
     where connamespace = 'public'::regnamespace and contype in ('c', 'f')`,
  );
  for (const { table, name } of rows) await database.query(`alter table ${table} drop constraint ${name}`);
  for (const table of tables) await database.query(`create table kept_${table} as select * from ${table}`);
  return {
    async within(statements, look) {
      for (const statement of statements) await database.query(statement);
      try {
        return await look();
      } finally {
        for (const table of tables)
          await database.query(`delete from ${table}; insert into ${table} select * from kept_${table}`);
      }
    },
  };
}
