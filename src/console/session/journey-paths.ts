import type { PlacedStep } from './journey-steps.ts';

/** Sizes of the map in SVG units. A unit is a pixel, unless the map is stretched to fill a wider box. */
export const COLUMN_WIDTH = 112;
export const HEADER_HEIGHT = 30;
export const MAIN_LINE_Y = 100;
const FIRST_ROW_OFFSET = 64;
const ROW_HEIGHT = 54;
const BOTTOM_MARGIN = 30;
/**
 * Distances, below the line of steps, of the two horizontal lanes on which paths run, so that paths do not
 * cross labels. One lane is for paths that skip steps, the other for paths that go back.
 */
const LANE_OFFSET = { skip: 20, back: 32 };
/**
 * X position of a step below the line within its column. The step is at the left, so that its label fits to
 * the right of it.
 */
const SIDE_STEP_X = 22;
/**
 * X positions of the two vertical lanes to the left of a step below the line, relative to the step. One lane
 * leads down to the step, the other back up.
 */
const DOWN_OFFSET = -15;
const UP_OFFSET = -9;
const CORNER_RADIUS = 8;

type Point = readonly [x: number, y: number];

export const toX = ({ slot, row }: PlacedStep): number =>
  slot * COLUMN_WIDTH + (row === 0 ? COLUMN_WIDTH / 2 : SIDE_STEP_X);
export const toY = ({ row }: Pick<PlacedStep, 'row'>): number =>
  row === 0 ? MAIN_LINE_Y : MAIN_LINE_Y + FIRST_ROW_OFFSET + (row - 1) * ROW_HEIGHT;
export const computeMapWidth = (slots: number): number => slots * COLUMN_WIDTH;
/** Returns the height of a map that has this many rows of steps below the line. */
export const computeMapHeight = (rows: number): number => toY({ row: rows }) + BOTTOM_MARGIN;

/** Whether the path between two steps is a straight line. */
export const isStraightPath = (from: PlacedStep, to: PlacedStep): boolean =>
  findCorners(from, to).length === 0;

/** Returns the path from one step to another, as the `d` attribute of an SVG path. */
export function createPathData(from: PlacedStep, to: PlacedStep): string {
  const [a, b]: [Point, Point] = [
    [toX(from), toY(from)],
    [toX(to), toY(to)],
  ];
  return roundCorners([a, ...findCorners(from, to), b]);
}

/** Returns the corners of the path between two steps. */
function findCorners(from: PlacedStep, to: PlacedStep): readonly Point[] {
  if (from.slot === to.slot) return findCornersInColumn(from, to);
  const [ax, ay, bx, by] = [toX(from), toY(from), toX(to), toY(to)];
  const isNext = to.slot === from.slot + 1 && from.row === 0;
  if (isNext && to.row === 0) return [];
  const lane = isNext ? ay : MAIN_LINE_Y + (to.slot > from.slot ? LANE_OFFSET.skip : LANE_OFFSET.back);
  const leaving: readonly Point[] =
    from.row > 0
      ? [
          [ax + UP_OFFSET, ay],
          [ax + UP_OFFSET, lane],
        ]
      : isNext
        ? []
        : [[ax, lane]];
  const arriving: readonly Point[] =
    to.row > 0
      ? [
          [bx + DOWN_OFFSET, lane],
          [bx + DOWN_OFFSET, by],
        ]
      : [[bx, lane]];
  return [...leaving, ...arriving];
}

function findCornersInColumn(from: PlacedStep, to: PlacedStep): readonly Point[] {
  const [ax, ay, bx, by] = [toX(from), toY(from), toX(to), toY(to)];
  if (from.row === 0) {
    const lane = MAIN_LINE_Y + LANE_OFFSET.skip;
    return [
      [ax, lane],
      [bx + DOWN_OFFSET, lane],
      [bx + DOWN_OFFSET, by],
    ];
  }
  // From the first row, the path goes straight up to the line, and then left to the step on the line.
  if (to.row === 0 && from.row === 1) return [[ax, MAIN_LINE_Y]];
  if (to.row === from.row - 1) return [];
  const side = ax + (to.row > from.row ? DOWN_OFFSET : UP_OFFSET);
  return [
    [side, ay],
    [side, by],
  ];
}

/**
 * Connects points by lines, and rounds the corners. Next to a short line, the radius of the corner is
 * smaller.
 */
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
  const part = Math.min(CORNER_RADIUS, length / 2) / length;
  return [x + (otherX - x) * part, y + (otherY - y) * part];
}
