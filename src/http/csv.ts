/** Byte order mark, by which Excel recognizes UTF-8. */
export const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Matches texts that a spreadsheet may run as a formula (CSV injection): those that begin, after white space, with one of
 * its signs or the full-width form of it, and those that begin with a tab or a carriage return.
 */
const FORMULA = /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r]/;
/** Matches texts that need quotes. Semicolons and tabs separate cells for spreadsheets of some locales. */
const QUOTED = /[",;\t\r\n]/;

/**
 * Formats a row of a CSV file (RFC 4180), with the line break at its end. Missing values are empty, and the entries of a
 * list are joined by `; `. A text that a spreadsheet would run as a formula gets an apostrophe in front.
 */
export const formatCsvRow = (values: readonly unknown[]): string => `${values.map(toCell).join(',')}\r\n`;

function toText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.join('; ') : String(value);
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = toText(value);
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  return QUOTED.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
