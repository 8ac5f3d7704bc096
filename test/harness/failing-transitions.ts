import type pg from 'pg';

/** Makes every insert of a transition fail with an SQLSTATE, as the server would report it; null: none fails. */
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
