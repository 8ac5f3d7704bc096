/**
 * Prepared statements for frequent queries: built once, and prepared once per connection. Otherwise the query
 * builder and the planner would take more time than the query itself.
 *
 * Which form a statement takes:
 * - SQL text with a name (`prepareQuery` and its siblings): statements of every webhook, page and frame, and
 *   statements that the query builder cannot express (CTEs that write, SKIP LOCKED, JSON rows).
 * - Named builder statement (`prepareFromBuilder`): plain inserts and updates that run as often.
 * - Builder statement without a name: rare statements, and those whose conditions vary.
 */
import {
  getTableColumns,
  type InferSelectModel,
  Param,
  Placeholder,
  type Query,
  type SQL,
  sql,
} from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import { invariant } from '../../domain/invariant.ts';
import type { Queryable, Statement } from '../connection/client.ts';
import {
  decodeJsonColumns,
  decodeJsonRows,
  type RowMapper,
  wrapAsJsonColumns,
  wrapAsJsonRows,
} from './row-mapper.ts';

/**
 * SQL for `column = any($n)`. The parameter is wrapped in a subselect to hide the number of values from the
 * planner; otherwise PostgreSQL would plan again on every call (custom plan), which costs more than the
 * query. The generic plan used instead is renewed when the table's statistics change.
 */
export const equalsAny = (column: string, parameter: string, type: string): string =>
  `${column} = any((select ${parameter}::${type}[])::${type}[])`;

const texts = new Map<string, () => string>();

/**
 * Texts of the named statements of all imported modules, by name. A test prepares each of them on a real
 * database.
 */
export const statementTextsByName: ReadonlyMap<string, () => string> = texts;

/**
 * Registers a named statement. Names must be unique: a connection rejects a second text under the same name.
 */
function register(name: string, text: () => string): void {
  invariant(!texts.has(name), `two prepared statements are called "${name}"`);
  texts.set(name, text);
}

/**
 * Creates a prepared statement whose result is not needed. Returns a function from parameter values to the
 * statement to send.
 */
export function prepareCommand(name: string, text: string) {
  register(name, () => text);
  return (...values: unknown[]): Statement => ({ name, text, values });
}

/** Creates a prepared query with one column, whose values the driver decodes. */
export function prepareColumnQuery<Value>(name: string, text: string) {
  register(name, () => text);
  return (db: Queryable, ...values: unknown[]): Promise<Value[]> => ask<Value>(db, { name, text, values });
}

/** Creates a prepared write that returns one column, whose values the driver decodes. */
export function prepareWriteReturningColumn<Value>(name: string, text: string) {
  register(name, () => text);
  return async (db: Queryable, ...values: unknown[]): Promise<Value[]> => {
    const { rows } = await db.$writer.query<[Value]>({ name, text, values, rowMode: 'array' });
    return rows.map(([value]) => value);
  };
}

/**
 * Creates a prepared query for few rows, each returned as JSON. The select list must match `fields` in names
 * and order. `before` is an optional CTE, as `name as (…)`.
 */
export function prepareQuery<Row>(name: string, fields: RowMapper<Row>, select: string, before?: string) {
  const text = after(before, wrapAsJsonRows(select));
  register(name, () => text);
  return async (db: Queryable, ...values: unknown[]): Promise<Row[]> =>
    decodeJsonRows(await ask<Row>(db, { name, text, values }), fields);
}

/**
 * Creates a prepared query for many rows: PostgreSQL returns one JSON array per field, from which the rows
 * are built. The parameters are those of `prepareQuery`.
 */
export function prepareColumnarQuery<Row>(
  name: string,
  fields: RowMapper<Row>,
  select: string,
  before?: string,
) {
  const text = after(before, wrapAsJsonColumns(select, fields));
  register(name, () => text);
  return async (db: Queryable, ...values: unknown[]): Promise<Row[]> => {
    const [columns] = await ask<(unknown[] | null)[]>(db, { name, text, values });
    return decodeJsonColumns(columns ?? [], fields);
  };
}

const after = (before: string | undefined, select: string) => (before ? `with ${before} ${select}` : select);

const dialect = new PgDialect();
/**
 * Maximum number of statements that `queryDynamicRows` prepares. Limited because every connection keeps each
 * prepared statement in memory.
 */
const MAX_PREPARED = 100;
const names = new Map<string, string>();

/**
 * Runs a dynamically built query for few rows, each returned as JSON. The first 100 distinct statement texts
 * are prepared; later texts are planned on every call. `mayPrepare` is false for a query whose best plan depends on its
 * values: of a prepared statement, PostgreSQL may choose a plan for all values (generic plan).
 */
export async function queryDynamicRows<Row>(
  db: Queryable,
  fields: RowMapper<Row>,
  select: SQL,
  { mayPrepare = true } = {},
): Promise<Row[]> {
  const { sql: text, params: values } = dialect.sqlToQuery(select);
  if (mayPrepare && !names.has(text) && names.size < MAX_PREPARED) names.set(text, `rows ${names.size + 1}`);
  const name = mayPrepare ? names.get(text) : undefined;
  return decodeJsonRows(
    await ask<Row>(db, { ...(name ? { name } : {}), text: wrapAsJsonRows(text), values }),
    fields,
  );
}

async function ask<Value>(
  db: Queryable,
  statement: { name?: string; text: string; values: unknown[] },
): Promise<Value[]> {
  const { rows } = await db.$client.query<[Value]>({ ...statement, rowMode: 'array' });
  return rows.map(([value]) => value);
}

const builder = drizzle.mock();
/** Drizzle query builder without a connection: it builds statements but cannot send them. */
type Builder = typeof builder;

/** Returns a Drizzle placeholder for each column of a table, for use as insert values. */
export const createInsertPlaceholders = <Table extends PgTable>(table: Table) =>
  Object.fromEntries(
    Object.keys(getTableColumns(table)).map((name) => [name, sql.placeholder(name)]),
  ) as Record<keyof InferSelectModel<Table>, Placeholder>;

/**
 * Creates a prepared statement from Drizzle's query builder, with placeholders for the values. The statement
 * is built on first use.
 */
export function prepareFromBuilder<Values extends object>(
  name: string,
  build: (builder: Builder) => { toSQL(): Query },
): (values: Values) => Statement {
  let written: { text: string; encoders: ((values: Values) => unknown)[] } | null = null;
  const getWritten = () => {
    written ??= write<Values>(build);
    return written;
  };
  register(name, () => getWritten().text);
  return (values) => {
    const { text, encoders } = getWritten();
    return { name, text, values: encoders.map((encode) => encode(values)) };
  };
}

/** Runs a statement that writes. Resolves to the number of affected rows. */
export async function executeWrite(db: Queryable, toSend: Statement): Promise<number> {
  const { rowCount } = await db.$writer.query(toSend);
  return rowCount ?? 0;
}

function write<Values extends object>(build: (builder: Builder) => { toSQL(): Query }) {
  const { sql: text, params } = build(builder).toSQL();
  const encoders = params.map((param): ((values: Values) => unknown) => {
    const { value, encoder } = param instanceof Param ? param : { value: param, encoder: null };
    if (!(value instanceof Placeholder)) return () => value;
    const name = value.name as keyof Values;
    return (values) => {
      const given = values[name];
      return given === null || encoder === null ? given : encoder.mapToDriverValue(given);
    };
  });
  return { text, encoders };
}
