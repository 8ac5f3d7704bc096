import type { PlacedStep } from './journey-places.ts';

/** The measures of the picture, in its own units, which are pixels where there is room. */
export const SLOT = 112;
export const HEAD = 30;
export const LINE_Y = 100;
const FIRST_ROW = 64;
const ROW = 54;
const BELOW = 30;
/** Between the line and what is beside it there is a lane for those who skip steps, and one for those who go back. */
const LANE_OFFSET = { on: 20, back: 32 };
/** What is beside the line stands at the left of its column, so that its name stays within it. */
const SIDE_STEP_X = 22;
/** Left of it there is a way down, and one back up: nothing that is written is crossed. */
const DOWN = -15;
const UP = -9;
const BEND = 8;

type Point = readonly [x: number, y: number];

export const toX = ({ slot, row }: PlacedStep): number => slot * SLOT + (row === 0 ? SLOT / 2 : SIDE_STEP_X);
export const toY = ({ row }: Pick<PlacedStep, 'row'>): number =>
  row === 0 ? LINE_Y : LINE_Y + FIRST_ROW + (row - 1) * ROW;
/** How wide a picture of so many columns is. */
export const computeWidth = (slots: number): number => slots * SLOT;
/** How high a picture with so many rows beside the line is. */
export const computeHeight = (rows: number): number => toY({ row: rows }) + BELOW;

/** Whether the way is plain to see: from one step of the line to the next, or between neighbours. */
export const isDirect = (from: PlacedStep, to: PlacedStep): boolean => between(from, to).length === 0;

/** The way from one place to another, for the `d` of a path. */
export function drawPath(from: PlacedStep, to: PlacedStep): string {
  const [a, b]: [Point, Point] = [
    [toX(from), toY(from)],
    [toX(to), toY(to)],
  ];
  return roundCorners([a, ...between(from, to), b]);
}

/** The corners on the way. */
function between(from: PlacedStep, to: PlacedStep): readonly Point[] {
  if (from.slot === to.slot) return withinColumn(from, to);
  const [ax, ay, bx, by] = [toX(from), toY(from), toX(to), toY(to)];
  const isNext = to.slot === from.slot + 1 && from.row === 0;
  if (isNext && to.row === 0) return [];
  const lane = isNext ? ay : LINE_Y + (to.slot > from.slot ? LANE_OFFSET.on : LANE_OFFSET.back);
  const leaving: readonly Point[] =
    from.row > 0
      ? [
          [ax + UP, ay],
          [ax + UP, lane],
        ]
      : isNext
        ? []
        : [[ax, lane]];
  const arriving: readonly Point[] =
    to.row > 0
      ? [
          [bx + DOWN, lane],
          [bx + DOWN, by],
        ]
      : [[bx, lane]];
  return [...leaving, ...arriving];
}

function withinColumn(from: PlacedStep, to: PlacedStep): readonly Point[] {
  const [ax, ay, bx, by] = [toX(from), toY(from), toX(to), toY(to)];
  if (from.row === 0) {
    const lane = LINE_Y + LANE_OFFSET.on;
    return [
      [ax, lane],
      [bx + DOWN, lane],
      [bx + DOWN, by],
    ];
  }
  // Back into the line, as a siding goes.
  if (to.row === 0 && from.row === 1) return [[ax, LINE_Y]];
  if (to.row === from.row - 1) return [];
  const side = ax + (to.row > from.row ? DOWN : UP);
  return [
    [side, ay],
    [side, by],
  ];
}

/** A line through these points whose corners are rounded as far as there is room. */
function roundCorners(points: readonly Point[]): string {
  const [first, ...rest] = points as readonly [Point, ...Point[]];
  let path = `M${first}`;
  rest.forEach((corner, at) => {
    const next = rest[at + 1];
    if (!next) {
      path += `L${corner}`;
      return;
    }
    const before = points[at] as Point;
    path += `L${moveTowards(corner, before)}Q${corner} ${moveTowards(corner, next)}`;
  });
  return path;
}

function moveTowards([x, y]: Point, [otherX, otherY]: Point): Point {
  const length = Math.hypot(otherX - x, otherY - y) || 1;
  const part = Math.min(BEND, length / 2) / length;
  return [x + (otherX - x) * part, y + (otherY - y) * part];
}
