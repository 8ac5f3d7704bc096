import type pg from 'pg';

/**
 * Installs a trigger that makes inserts of transitions fail. The returned function sets the SQLSTATE of the
 * failure; null: no insert fails.
 */
export async function failTransitions(
  database: pg.Pool,
): Promise<(sqlState: string | null) => Promise<unknown>> {
  await database.query(`
    create table fault (code text);
    create function fail() returns trigger language plpgsql as $$
    declare found text := (select code from fault);
    begin
      if found is not null then raise 'failed' using errcode = found; end if;
      return new;
    end $$;
    create trigger fail before insert on status_transition for each row execute function fail()`);
  return (code) => database.query('with gone as (delete from fault) insert into fault values ($1)', [code]);
}
