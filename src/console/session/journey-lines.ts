import type { Place } from './journey-places.ts';

/** The measures of the picture, in its own units, which are pixels where there is room. */
export const SLOT = 112;
export const HEAD = 30;
export const LINE_Y = 100;
const FIRST_ROW = 64;
const ROW = 54;
const BELOW = 30;
/** Between the line and what is beside it there is a lane for those who skip steps, and one for those who go back. */
const LANE = { on: 20, back: 32 };
/** Left of each column there is a way down, and one back up: nothing that is written is crossed. */
const DOWN = -20;
const UP = -13;
const BEND = 8;

type Point = readonly [x: number, y: number];

export const xOf = ({ slot }: Pick<Place, 'slot'>): number => slot * SLOT + SLOT / 2;
export const yOf = ({ row }: Pick<Place, 'row'>): number =>
  row === 0 ? LINE_Y : LINE_Y + FIRST_ROW + (row - 1) * ROW;
/** How high a picture with so many rows beside the line is. */
export const heightOf = (rows: number): number => yOf({ row: rows }) + BELOW;

/** Whether the way is plain to see: from one step of the line to the next, or between neighbours. */
export const isStraight = (from: Place, to: Place): boolean => between(from, to).length === 0;

/** The way from one place to another, for the `d` of a path. */
export function wayBetween(from: Place, to: Place): string {
  const [a, b]: [Point, Point] = [
    [xOf(from), yOf(from)],
    [xOf(to), yOf(to)],
  ];
  return bent([a, ...between(from, to), b]);
}

function between(from: Place, to: Place): readonly Point[] {
  const [ax, ay, bx, by] = [xOf(from), yOf(from), xOf(to), yOf(to)];
  const down = bx + DOWN;
  if (from.slot === to.slot) {
    const neighbours = Math.abs(from.row - to.row) === 1;
    const side = to.row > from.row ? DOWN : UP;
    if (neighbours && to.row < from.row) return [];
    return [
      [ax + side, ay + (from.row === 0 ? LANE.on : 0)],
      [ax + side, by + (to.row === 0 ? LANE.on : 0)],
    ].flatMap(([x, y], at) => {
      const corner: Point = [x as number, y as number];
      if (at === 0 && from.row === 0) return [[ax, ay + LANE.on] as Point, corner];
      return at === 1 && to.row === 0 ? [corner, [bx, by + LANE.on] as Point] : [corner];
    });
  }
  const nextOnLine = to.slot === from.slot + 1 && from.row === 0;
  if (nextOnLine && to.row === 0) return [];
  if (nextOnLine)
    return [
      [down, ay],
      [down, by],
    ];
  const lane = LINE_Y + (to.slot > from.slot ? LANE.on : LANE.back);
  const leaving: readonly Point[] =
    from.row === 0
      ? [[ax, lane]]
      : [
          [ax + UP, ay],
          [ax + UP, lane],
        ];
  const arriving: readonly Point[] =
    to.row === 0
      ? [[bx, lane]]
      : [
          [down, lane],
          [down, by],
        ];
  return [...leaving, ...arriving];
}

/** A line through these points whose corners are rounded as far as there is room. */
function bent(points: readonly Point[]): string {
  const [first, ...rest] = points as readonly [Point, ...Point[]];
  let path = `M${first}`;
  rest.forEach((corner, at) => {
    const next = rest[at + 1];
    if (!next) {
      path += `L${corner}`;
      return;
    }
    const before = points[at] as Point;
    path += `L${towards(corner, before)}Q${corner} ${towards(corner, next)}`;
  });
  return path;
}

function towards([x, y]: Point, [otherX, otherY]: Point): Point {
  const length = Math.hypot(otherX - x, otherY - y) || 1;
  const part = Math.min(BEND, length / 2) / length;
  return [x + (otherX - x) * part, y + (otherY - y) * part];
}
