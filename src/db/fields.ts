/**
 * How rows are read that many ask for: PostgreSQL writes them as JSON under the names that the code has, row by row where
 * they are few, and column by column where they are many. The driver takes two to four times as long for the same values
 * as columns of its own. What is written together goes as JSON as well, as many rows as there are.
 */
import { getTableColumns, getTableName, type InferSelectModel, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';

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

/** How much of rows is read: all, or only what is brief and most lists show. */
export type Extent = 'ALL' | 'BRIEF';

/**
 * All columns of a table that goes by an alias, or those that are named, and what else is to be in the row, as SQL by its
 * name.
 */
export function fieldsOf<Table extends PgTable, More extends object = object>(
  table: Table,
  alias: string,
  more: { readonly [Name in keyof More & string]: string } = {} as never,
  only?: readonly (keyof InferSelectModel<Table> & string)[],
): Fields<InferSelectModel<Table> & More> {
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

/** The same for a statement that is put together. */
export const listOf = <Row>({ list }: Fields<Row>): SQL => sql.raw(list);

/** Rows of a select, as JSON each. */
export const asRows = (select: string): string => `select row_to_json(r) from (${select}) r`;

/** All rows of a select, as one JSON list for each field. */
export const asColumns = <Row>(select: string, { names }: Fields<Row>): string => {
  const lists = names.map((name) => `json_agg(r."${name}")`).join(', ');
  return `select json_build_array(${lists}) from (${select}) r`;
};

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

/** The rows of such lists; null stands for an empty one. */
export function rowsAcross<Row>(columns: readonly (unknown[] | null)[], { names, read }: Fields<Row>): Row[] {
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

/** How rows of a table are written of which a statement has several. */
export interface Records<Row> {
  /** As in `insert into`. */
  readonly columns: readonly string[];
  /** The rows in a parameter, such as `$1`, as a table. */
  of(parameter: string): string;
  /** The parameter's value. */
  write(rows: Iterable<Row>): string;
}

/** Of all columns but those that PostgreSQL fills in. */
export function recordsOf<Table extends PgTable, Filled extends string = never>(
  table: Table,
  filled: readonly (Filled & keyof InferSelectModel<Table>)[] = [],
): Records<Omit<InferSelectModel<Table>, Filled>> {
  const columns = Object.entries<PgColumn>(getTableColumns(table)).filter(
    ([name]) => !filled.includes(name as never),
  );
  return {
    columns: columns.map(([, { name }]) => `"${name}"`),
    of: (parameter) => `json_populate_recordset(null::"${getTableName(table)}", ${parameter}::json)`,
    write: (rows) => {
      const records = Array.from(rows as Iterable<Record<string, unknown>>, (row) => {
        const record: Record<string, unknown> = {};
        // What is left out is null.
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
  // PostgreSQL refuses half a character, for which the driver would send a replacement.
  return typeof value === 'string' ? value.toWellFormed() : value;
}
