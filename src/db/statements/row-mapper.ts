/**
 * Lets PostgreSQL encode the rows of frequent reads as JSON, with the code's field names: one JSON value per
 * row for few rows, one array per column for many. node-postgres takes two to four times as long to decode
 * the same values from native columns. Batched writes pass all rows of a table as one JSON parameter.
 */
import { getTableColumns, getTableName, type InferSelectModel, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';

/** Fields that a query selects, with decoders for the values that JSON has no type for. */
export interface RowMapper<Row> {
  /** SQL select list of the fields. */
  readonly list: string;
  readonly names: readonly (keyof Row & string)[];
  readonly read: Readonly<Record<string, (text: string) => unknown>>;
}

/**
 * Conversions of column types that JSON lacks: `write` is the SQL that encodes a column, `read` decodes its
 * text.
 */
const CONVERSIONS: Record<string, { write(column: string): string; read(text: string): unknown }> = {
  date: { write: (column) => column, read: (text) => new Date(text) },
  // A JSON number would lose precision beyond 2^53.
  bigint: { write: (column) => `${column}::text`, read: (text) => BigInt(text) },
  // Unlike a cast to text, `encode` does not depend on the setting `bytea_output`.
  custom: { write: (column) => `encode(${column}, 'hex')`, read: (text) => Buffer.from(text, 'hex') },
};

/** Columns that a query reads: ALL, or (SUMMARY) only the few that lists show. */
export type ColumnDetailLevel = 'ALL' | 'SUMMARY';

/**
 * Creates the `RowMapper` of a table under an alias, for all columns or those in `only`. `more` adds fields:
 * SQL expressions by field name.
 */
export function createRowMapper<Table extends PgTable, More extends object = object>(
  table: Table,
  alias: string,
  more: { readonly [Name in keyof More & string]: string } = {} as never,
  only?: readonly (keyof InferSelectModel<Table> & string)[],
): RowMapper<InferSelectModel<Table> & More> {
  const columns = Object.entries<PgColumn>(getTableColumns(table)).filter(
    ([name]) => !only || only.includes(name as never),
  );
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

/** Returns the select list of the fields as Drizzle SQL, for dynamically built statements. */
export const getSelectListSql = <Row>({ list }: RowMapper<Row>): SQL => sql.raw(list);

/** Wraps a select statement in another one that returns each row as JSON. */
export const wrapAsJsonRows = (select: string): string => `select row_to_json(r) from (${select}) r`;

/** Wraps a select statement in another one that returns all rows at once, as one JSON array per field. */
export const wrapAsJsonColumns = <Row>(select: string, { names }: RowMapper<Row>): string => {
  const lists = names.map((name) => `json_agg(r."${name}")`).join(', ');
  return `select json_build_array(${lists}) from (${select}) r`;
};

/** Decodes rows that PostgreSQL returned as JSON: converts values in place, such as texts to dates. */
export function decodeJsonRows<Row>(rows: Row[], { read }: RowMapper<Row>): Row[] {
  const conversions = Object.entries(read);
  for (const row of rows as Record<string, unknown>[])
    for (const [name, convert] of conversions) {
      const value = row[name];
      if (value !== null) row[name] = convert(value as string);
    }
  return rows;
}

/**
 * Builds rows from one array per field, the form in which `wrapAsJsonColumns` returns them. A null array
 * means that there are no rows.
 */
export function decodeJsonColumns<Row>(
  columns: readonly (unknown[] | null)[],
  { names, read }: RowMapper<Row>,
): Row[] {
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

/**
 * SQL and encoder that pass several rows of a table as one JSON parameter, so that one statement inserts or
 * updates all of them.
 */
export interface JsonRecordset<Row> {
  /** Quoted column names, for use in `insert into`. */
  readonly columns: readonly string[];
  /** SQL that expands the parameter, such as `$1`, into rows. */
  fromParameter(parameter: string): string;
  /** Encodes rows as the value of the JSON parameter. */
  serialize(rows: Iterable<Row>): string;
}

/**
 * Creates the `JsonRecordset` of a table, for all columns except those in `filled`, whose values PostgreSQL
 * generates.
 */
export function createJsonRecordset<Table extends PgTable, Filled extends string = never>(
  table: Table,
  filled: readonly (Filled & keyof InferSelectModel<Table>)[] = [],
): JsonRecordset<Omit<InferSelectModel<Table>, Filled>> {
  const columns = Object.entries<PgColumn>(getTableColumns(table)).filter(
    ([name]) => !filled.includes(name as never),
  );
  return {
    columns: columns.map(([, { name }]) => `"${name}"`),
    fromParameter: (parameter) =>
      `json_populate_recordset(null::"${getTableName(table)}", ${parameter}::json)`,
    serialize: (rows) => {
      const records = Array.from(rows as Iterable<Record<string, unknown>>, (row) => {
        const record: Record<string, unknown> = {};
        // Null values are left out, because `json_populate_recordset` sets missing keys to null.
        for (const [name, column] of columns) {
          const value = row[name];
          if (value !== null && value !== undefined) record[column.name] = written(value);
        }
        return record;
      });
      return JSON.stringify(records);
    },
  };
}

function written(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  // PostgreSQL rejects lone surrogates (invalid UTF-16) in JSON. `toWellFormed` replaces them by U+FFFD, as
  // the driver does for plain parameters.
  return typeof value === 'string' ? value.toWellFormed() : value;
}
