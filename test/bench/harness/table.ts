import type { Spread } from './statistics.ts';

/** Column of numbers; its header has two lines. */
export interface Column {
  readonly head: readonly [string, string];
  readonly digits: number;
}

export interface Row {
  readonly title: string;
  readonly cells: readonly string[];
}

/** Formats a table as text for a monospaced font. */
export function tableOf(columns: readonly Column[], rows: readonly Row[]): string {
  const lines: Row[] = [
    ...([0, 1] as const).map((line) => ({ title: '', cells: columns.map(({ head }) => head[line]) })),
    ...rows,
  ];
  const widthOf = (cells: readonly (string | undefined)[]) =>
    Math.max(...cells.map((cell) => cell?.length ?? 0)) + 2;
  const first = widthOf(lines.map(({ title }) => title));
  const widths = columns.map((_, index) => widthOf(lines.map(({ cells }) => cells[index])));
  return lines
    .map(
      ({ title, cells }) =>
        `${title.padEnd(first)}${cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('')}`,
    )
    .join('\n');
}

export const show = ({ median, deviation }: Spread, digits: number): string =>
  Number.isNaN(median) ? '-' : `${median.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
