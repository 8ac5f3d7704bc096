/**
 * Statements that are sent often: written once, and prepared once for each connection, where the query builder and the
 * planner would otherwise take more time than the work itself.
 *
 * How rows are read that many ask for. PostgreSQL writes them as JSON under the names that the code has, row by row
 * where they are few, and column by column where they are many: the driver takes two to four times as long for the
 * same values as columns of its own.
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
import { type PgColumn, PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import type { Queryable } from './client.ts';

/** What a select names, and how a value is read that JSON has no type for. */
export interface Fields<Row> {
  /** To stand behind `select`. */
  readonly list: string;
  readonly names: readonly (keyof Row & string)[];
  readonly read: Readonly<Record<string, (text: string) => unknown>>;
}

/** What JSON has no types for: how it is written there, and read back. */
const CONVERSIONS: Record<string, { write(column: string): string; read(text: string): unknown }> = {
  date: { write: (column) => column, read: (text) => new Date(text) },
  // Beyond 2^53 a number would be another.
  bigint: { write: (column) => `${column}::text`, read: (text) => BigInt(text) },
  // Whatever `bytea_output` says.
  custom: { write: (column) => `encode(${column}, 'hex')`, read: (text) => Buffer.from(text, 'hex') },
};

/** All columns of a table that goes by an alias, and what else is to be in the row, as SQL by its name. */
export function fieldsOf<Table extends PgTable, More extends object = object>(
  table: Table,
  alias: string,
  more: { readonly [Name in keyof More & string]: string } = {} as never,
): Fields<InferSelectModel<Table> & More> {
  const columns = Object.entries<PgColumn>(getTableColumns(table));
  const conversions = columns.flatMap(([name, { dataType }]) => {
    const conversion = CONVERSIONS[dataType];
    return conversion ? [[name, conversion] as const] : [];
  });
  const { write, read } = {
    write: Object.fromEntries(conversions.map(([name, conversion]) => [name, conversion.write])),
    read: Object.fromEntries(conversions.map(([name, conversion]) => [name, conversion.read])),
  };
  const selected = [
    ...columns.map(([name, column]) => {
      const text = `${alias}."${column.name}"`;
      return [name, write[name]?.(text) ?? text] as const;
    }),
    ...Object.entries<string>(more),
  ];
  return {
    list: selected.map(([name, text]) => `${text} as "${name}"`).join(', '),
    names: selected.map(([name]) => name) as never,
    read,
  };
}

/** A prepared statement of one column, as the driver reads it. */
export const prepared =
  <Value>(name: string, text: string) =>
  (db: Queryable, ...values: unknown[]): Promise<Value[]> =>
    ask<Value>(db, { name, text, values });

/** A prepared statement for a few rows. `select` is to name the fields, and in the order that is wanted. */
export const preparedRows =
  <Row>(name: string, fields: Fields<Row>, select: string) =>
  async (db: Queryable, ...values: unknown[]): Promise<Row[]> =>
    rowsIn(await ask<Row>(db, { name, text: asRows(select), values }), fields);

/** The same for many rows. */
export function preparedColumns<Row>(name: string, fields: Fields<Row>, select: string) {
  const lists = fields.names.map((field) => `json_agg(r."${field}")`).join(', ');
  const text = `select json_build_array(${lists}) from (${select}) r`;
  return async (db: Queryable, ...values: unknown[]): Promise<Row[]> => {
    const [columns] = await ask<(unknown[] | null)[]>(db, { name, text, values });
    return rowsAcross(columns ?? [], fields);
  };
}

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

/** What `readRows` selects. */
export const listOf = <Row>({ list }: Fields<Row>): SQL => sql.raw(list);

const asRows = (select: string): string => `select row_to_json(r) from (${select}) r`;

async function ask<Value>(
  db: Queryable,
  statement: { name?: string; text: string; values: unknown[] },
): Promise<Value[]> {
  const { rows } = await db.$client.query<[Value]>({ ...statement, rowMode: 'array' });
  return rows.map(([value]) => value);
}

/** Reads, in their place, the values of rows that came as JSON. */
export function rowsIn<Row>(rows: Row[], { read }: Fields<Row>): Row[] {
  const conversions = Object.entries(read);
  for (const row of rows as Record<string, unknown>[])
    for (const [name, convert] of conversions) {
      const value = row[name];
      if (value !== null) row[name] = convert(value as string);
    }
  return rows;
}

function rowsAcross<Row>(columns: readonly (unknown[] | null)[], { names, read }: Fields<Row>): Row[] {
  const converted = columns.map((values, index) => {
    const convert = read[names[index] as string];
    return convert && values
      ? values.map((value) => (value === null ? null : convert(value as string)))
      : values;
  });
  const count = converted[0]?.length ?? 0;
  const rows: Record<string, unknown>[] = [];
  for (let number = 0; number < count; number += 1) {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index += 1)
      row[names[index] as string] = converted[index]?.[number];
    rows.push(row);
  }
  return rows as Row[];
}

const builder = drizzle.mock();
/** Builds statements, and sends none. */
export type Builder = typeof builder;

/** A column of each of a table's names, to stand where their values will. */
export const valuesOf = <Table extends PgTable>(table: Table) =>
  Object.fromEntries(
    Object.keys(getTableColumns(table)).map((name) => [name, sql.placeholder(name)]),
  ) as Record<keyof InferSelectModel<Table>, Placeholder>;

/** A statement as the query builder writes it, with placeholders for the values. Resolves to how many rows it touched. */
export function preparedWrite<Values extends object>(
  name: string,
  build: (builder: Builder) => { toSQL(): Query },
): (db: Queryable, values: Values) => Promise<number> {
  let written: { text: string; encoders: ((values: Values) => unknown)[] } | null = null;
  return async (db, values) => {
    written ??= write<Values>(build);
    const { text, encoders } = written;
    const given = encoders.map((encode) => encode(values));
    const { rowCount } = await db.$client.query({ name, text, values: given });
    return rowCount ?? 0;
  };
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
