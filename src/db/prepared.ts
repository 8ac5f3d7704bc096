/**
 * Statements that are sent often: written once, and prepared once for each connection, where the query builder and the
 * planner would otherwise take more time than the work itself.
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
import type { Queryable } from './client.ts';
import { asColumns, asRows, type Fields, rowsAcross, rowsIn } from './fields.ts';

/** A statement as it is sent; under its name a connection prepares it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/**
 * That a column is among a parameter's values. Seeing how many they are, the planner would take each call's plan to be worth
 * planning it again, which takes longer than the reading; so it does not see. The plan is renewed with the table's
 * statistics.
 */
export const amongKeys = (column: string, parameter: string, type: string): string =>
  `${column} = any((select ${parameter}::${type}[])::${type}[])`;

/** A statement whose answer nobody needs. */
export const statement =
  (name: string, text: string) =>
  (...values: unknown[]): Statement => ({ name, text, values });

/** A prepared statement of one column, as the driver reads it. */
export const prepared =
  <Value>(name: string, text: string) =>
  (db: Queryable, ...values: unknown[]): Promise<Value[]> =>
    ask<Value>(db, { name, text, values });

/** The same for a statement that writes. */
export const preparedWrite =
  <Value>(name: string, text: string) =>
  async (db: Queryable, ...values: unknown[]): Promise<Value[]> => {
    const { rows } = await db.$writer.query<[Value]>({ name, text, values, rowMode: 'array' });
    return rows.map(([value]) => value);
  };

/**
 * A prepared statement for a few rows. `select` is to name the fields, and in the order that is wanted; `before` may change
 * what it selects from, as `name as (…)`.
 */
export function preparedRows<Row>(name: string, fields: Fields<Row>, select: string, before?: string) {
  const text = after(before, asRows(select));
  return async (db: Queryable, ...values: unknown[]): Promise<Row[]> =>
    rowsIn(await ask<Row>(db, { name, text, values }), fields);
}

/** The same for many rows. */
export function preparedColumns<Row>(name: string, fields: Fields<Row>, select: string, before?: string) {
  const text = after(before, asColumns(select, fields));
  return async (db: Queryable, ...values: unknown[]): Promise<Row[]> => {
    const [columns] = await ask<(unknown[] | null)[]>(db, { name, text, values });
    return rowsAcross(columns ?? [], fields);
  };
}

const after = (before: string | undefined, select: string) => (before ? `with ${before} ${select}` : select);

const dialect = new PgDialect();
/** Each is kept by every connection of the pool. */
const MOST_KINDS = 100;
const names = new Map<string, string>();

/** A few rows by a statement that is put together for the question: those kinds of it that come first are prepared. */
export async function readRows<Row>(db: Queryable, fields: Fields<Row>, select: SQL): Promise<Row[]> {
  const { sql: text, params: values } = dialect.sqlToQuery(select);
  if (!names.has(text) && names.size < MOST_KINDS) names.set(text, `rows ${names.size + 1}`);
  const name = names.get(text);
  return rowsIn(await ask<Row>(db, { ...(name ? { name } : {}), text: asRows(text), values }), fields);
}

async function ask<Value>(
  db: Queryable,
  statement: { name?: string; text: string; values: unknown[] },
): Promise<Value[]> {
  const { rows } = await db.$client.query<[Value]>({ ...statement, rowMode: 'array' });
  return rows.map(([value]) => value);
}

const builder = drizzle.mock();
/** Builds statements, and sends none. */
type Builder = typeof builder;

/** A column of each of a table's names, to stand where their values will. */
export const valuesOf = <Table extends PgTable>(table: Table) =>
  Object.fromEntries(
    Object.keys(getTableColumns(table)).map((name) => [name, sql.placeholder(name)]),
  ) as Record<keyof InferSelectModel<Table>, Placeholder>;

/** A statement as the query builder writes it, with placeholders for the values. */
export function builtStatement<Values extends object>(
  name: string,
  build: (builder: Builder) => { toSQL(): Query },
): (values: Values) => Statement {
  let written: { text: string; encoders: ((values: Values) => unknown)[] } | null = null;
  return (values) => {
    written ??= write<Values>(build);
    const { text, encoders } = written;
    return { name, text, values: encoders.map((encode) => encode(values)) };
  };
}

/** Sends a statement that writes, and resolves to how many rows it touched. */
export async function run(db: Queryable, toSend: Statement): Promise<number> {
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
