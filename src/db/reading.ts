/**
 * How rows are read that many ask for. PostgreSQL puts each together as one JSON object under the names that the code
 * has: parsing that takes a third of the time that the driver takes for as many columns. Statements are prepared, once
 * for each connection.
 */
import { getTableColumns, type InferSelectModel, type SQL, sql } from 'drizzle-orm';
import { type PgColumn, PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import type { Queryable } from './client.ts';

/** A row as JSON: the text that selects it, and what is left to be done once it is parsed. */
export interface JsonRow<Row> {
  readonly select: string;
  /** Makes a row of what was parsed, in its place. */
  revive(parsed: Row): Row;
}

/** What JSON has no types for: how it is written there, and read back. */
const REVIVED: Record<string, { write(column: string): string; read(text: string): unknown }> = {
  date: { write: (column) => column, read: (text) => new Date(text) },
  // Whatever `bytea_output` says.
  custom: { write: (column) => `encode(${column}, 'hex')`, read: (text) => Buffer.from(text, 'hex') },
};

/** All columns of a table that goes by an alias, and what else is to be in the row, as SQL by its name. */
export function jsonRow<Table extends PgTable, More extends object = object>(
  table: Table,
  alias: string,
  more: Record<Exclude<keyof More, keyof InferSelectModel<Table>> & string, string> = {} as never,
): JsonRow<InferSelectModel<Table> & More> {
  const columns = Object.entries(getTableColumns(table) as Record<string, PgColumn>);
  const written = columns.map(([name, column]) => {
    const text = `${alias}."${column.name}"`;
    return `'${name}', ${REVIVED[column.dataType]?.write(text) ?? text}`;
  });
  const others = Object.entries<string>(more).map(([name, text]) => `'${name}', ${text}`);
  const revived = columns.flatMap(([name, { dataType }]) => {
    const read = REVIVED[dataType]?.read;
    return read ? [{ name, read }] : [];
  });
  return {
    select: `json_build_object(${[...written, ...others].join(', ')})`,
    revive(parsed) {
      const row = parsed as Record<string, unknown>;
      for (const { name, read } of revived) {
        const value = row[name];
        if (value !== null) row[name] = read(value as string);
      }
      return parsed;
    },
  };
}

/** A statement of one JSON column. Sent under its name it is parsed and planned once a connection. */
export const prepared =
  <Parsed>(name: string, text: string) =>
  async (db: Queryable, values: readonly unknown[]): Promise<Parsed[]> => {
    const { rows } = await db.$client.query<[Parsed]>({ name, text, values: [...values], rowMode: 'array' });
    return rows.map(([parsed]) => parsed);
  };

/** A prepared statement that selects such rows. */
export function preparedRows<Row>(name: string, { revive }: JsonRow<Row>, text: string) {
  const read = prepared<Row>(name, text);
  return async (db: Queryable, ...values: unknown[]): Promise<Row[]> => (await read(db, values)).map(revive);
}

/** The same where each row of the answer holds a list of them; null stands for an empty one. */
export function preparedLists<Row>(name: string, { revive }: JsonRow<Row>, text: string) {
  const read = prepared<Row[] | null>(name, text);
  return async (db: Queryable, ...values: unknown[]): Promise<Row[][]> =>
    (await read(db, values)).map((rows) => rows?.map(revive) ?? []);
}

const dialect = new PgDialect();
/** Each is kept by every connection of the pool. */
const MOST_KINDS = 100;
const names = new Map<string, string>();

/** The rows of a statement that is put together for the question; those kinds of it that came first are prepared. */
export async function readRows<Row>(
  db: Queryable,
  { select, revive }: JsonRow<Row>,
  from: SQL,
): Promise<Row[]> {
  const { sql: text, params } = dialect.sqlToQuery(sql`select ${sql.raw(select)} ${from}`);
  if (!names.has(text) && names.size < MOST_KINDS) names.set(text, `rows ${names.size + 1}`);
  const name = names.get(text);
  const { rows } = await db.$client.query<[Row]>({
    ...(name === undefined ? {} : { name }),
    text,
    values: params,
    rowMode: 'array',
  });
  return rows.map(([parsed]) => revive(parsed));
}
