import { memo } from 'react';
import { texts } from '../language/texts.ts';
import { getLabel, getStatusTone, getStepLabel, PHASE_LABELS, type Tone, wrapText } from '../look/labels.ts';
import style from './journey.module.css';
import {
  COLUMN_WIDTH,
  computeMapHeight,
  computeMapWidth,
  createPathData,
  HEADER_HEIGHT,
  isStraightPath,
  MAIN_LINE_Y,
  toX,
  toY,
} from './journey-paths.ts';
import {
  countMapColumns,
  END_COLUMN,
  MAIN_LINE_STEPS,
  PHASE_COLUMN_SPANS,
  type PlacedStep,
  type StatusPair,
} from './journey-steps.ts';

/** Steps that a session has visited and moves between them, each by its key (see `toPairKey`). */
export interface Trail {
  /** The current step. */
  readonly now: string;
  readonly visited: ReadonlyMap<string, { readonly pair: StatusPair; readonly visits: number }>;
  /** Each move once, in the order of its newest occurrence; `at` numbers the step to which that occurrence led. */
  readonly moves: readonly { readonly from: string; readonly to: string; readonly at: number }[];
  /** Number of steps that the session has taken. */
  readonly steps: number;
}

/** Steps (status pairs) that are highlighted on the map, each by its key (see `toPairKey`). */
export interface StepHighlights {
  readonly trail: Trail;
  /** Steps that usually follow the current step. */
  readonly usual: ReadonlySet<string>;
  /** Steps that the transition rules allow after the current step. */
  readonly possible: ReadonlySet<string>;
}

interface Props {
  readonly steps: ReadonlyMap<string, PlacedStep>;
  readonly marks: StepHighlights;
  readonly name: string;
  /** Id of the element that describes the map as text; used for `aria-describedby`. */
  readonly descriptionId: string;
}

/**
 * Id of the arrowhead. Only paths with corners have an arrowhead, because the direction of a straight path is
 * obvious.
 */
const ARROW_ID = 'journey-arrow';

/**
 * Map of a session's journey as SVG. The steps of a session without problems are on a line from left to
 * right, all other steps are below the line. The path that this session took is drawn between the steps.
 */
export function JourneyMap({ steps, marks, name, descriptionId }: Props) {
  const all = [...steps.values()];
  const slots = countMapColumns(steps);
  const width = computeMapWidth(slots);
  const height = computeMapHeight(Math.max(...all.map(({ row }) => row)));
  const { trail } = marks;
  const now = steps.get(trail.now);

  return (
    <svg
      role="img"
      aria-label={name}
      aria-describedby={descriptionId}
      viewBox={`0 0 ${width} ${height}`}
      className={style.map}
      style={{ minWidth: width }}
    >
      <defs>
        <marker
          id={ARROW_ID}
          viewBox="0 0 7 8"
          refX={14}
          refY={4}
          markerWidth={7}
          markerHeight={8}
          orient="auto"
          markerUnits="userSpaceOnUse"
        >
          <path className={style.arrow} d="M0,0L7,4L0,8Z" />
        </marker>
      </defs>
      {PHASE_COLUMN_SPANS.map(({ status, first, count }) => (
        <Phase
          key={status}
          name={PHASE_LABELS[status]}
          {...{ first, count, height }}
          here={now?.status === status}
        />
      ))}
      {slots > END_COLUMN && (
        <Phase
          name={texts.session.journey.otherOutcomes}
          first={END_COLUMN}
          count={1}
          height={height}
          here={now?.slot === END_COLUMN}
        />
      )}
      <path
        className={style.line}
        d={`M${COLUMN_WIDTH / 2},${MAIN_LINE_Y}H${(MAIN_LINE_STEPS.length - 0.5) * COLUMN_WIDTH}`}
      />
      {now &&
        all
          .filter(({ key, slot }) => marks.usual.has(key) && slot !== END_COLUMN)
          .map((to) => <path key={to.key} className={style.ahead} d={createPathData(now, to)} />)}
      <VisitedPath steps={steps} trail={trail} />
      {all.map((step) => (
        <Node
          key={step.key}
          step={step}
          {...findMark(step.key, marks)}
          visits={trail.visited.get(step.key)?.visits ?? 0}
        />
      ))}
    </svg>
  );
}

function Phase(props: { name: string; first: number; count: number; height: number; here: boolean }) {
  const { name, first, count, height, here } = props;
  return (
    <g className={here ? style.here : style.phase}>
      <rect x={first * COLUMN_WIDTH + 2} y={0} width={count * COLUMN_WIDTH - 4} height={height} rx={8} />
      <text x={first * COLUMN_WIDTH + 9} y={HEADER_HEIGHT - 9}>
        {name}
      </text>
    </g>
  );
}

/**
 * Lines along the path that the session took. A line between two steps is drawn once, even if the session
 * took it several times. The newest line is animated.
 */
function VisitedPath({ steps, trail }: { steps: ReadonlyMap<string, PlacedStep>; trail: Trail }) {
  const paths = new Map<string, { at: number; straight: boolean }>();
  for (const move of trail.moves) {
    const [from, to] = [steps.get(move.from), steps.get(move.to)];
    if (from && to) {
      const d = createPathData(from, to);
      paths.delete(d);
      paths.set(d, { at: move.at, straight: isStraightPath(from, to) });
    }
  }
  const newest = trail.steps - 1;
  return [...paths].map(([d, { at, straight }]) => (
    <path
      key={at === newest ? `newest ${at}` : d}
      className={at === newest ? `${style.taken} ${style.newest}` : style.taken}
      d={d}
      pathLength={1}
      markerEnd={straight ? undefined : `url(#${ARROW_ID})`}
    />
  ));
}

type Mark = 'now' | 'was' | 'usual' | 'possible' | 'other';

function findMark(key: string, { trail, usual, possible }: StepHighlights): { mark: Mark; next: boolean } {
  const next = usual.has(key);
  if (key === trail.now) return { mark: 'now', next };
  if (trail.visited.has(key)) return { mark: 'was', next };
  if (next) return { mark: 'usual', next };
  return { mark: possible.has(key) ? 'possible' : 'other', next };
}

const RADIUS: Record<Mark, number> = { now: 9, was: 6.5, usual: 6.5, possible: 5, other: 5 };
const LINE_HEIGHT_PX = 13.5;
const LABEL_GAP_PX = 11;

interface NodeProps {
  readonly step: PlacedStep;
  readonly mark: Mark;
  readonly next: boolean;
  readonly visits: number;
}

/** Circle and label of a step. Memoized, because most steps stay the same when the session moves. */
const Node = memo(function Node({ step, mark, next, visits }: NodeProps) {
  const [x, y] = [toX(step), toY(step)];
  const tone: Tone = getStatusTone(step);
  const above = step.row === 0;
  const ring = mark === 'now' ? 6 : mark === 'was' && next ? 4 : 0;
  const name = getStepLabel(step.subStatus);
  // Uses a no-break space, so that the number of visits stays on the line of the last word.
  const lines = wrapText(
    visits > 1 ? `${name}\u00a0×${visits}` : name,
    above ? 15 : mark === 'now' ? 11 : 13,
  );
  const top = above
    ? y - 17 - (lines.length - 1) * LINE_HEIGHT_PX
    : y + 4 - ((lines.length - 1) * LINE_HEIGHT_PX) / 2;
  return (
    <g className={`${style.node} ${style[mark]} ${style[tone]}`}>
      <title>{`${getLabel(PHASE_LABELS, step.status)}: ${name}`}</title>
      {mark === 'now' && <circle className={style.pulse} cx={x} cy={y} r={13} />}
      {mark === 'was' && next && <circle className={style.again} cx={x} cy={y} r={10.5} />}
      <circle cx={x} cy={y} r={RADIUS[mark]} />
      <text className={above ? undefined : style.beside} textAnchor={above ? 'middle' : 'start'}>
        {lines.map((line, at) => (
          <tspan key={line} x={above ? x : x + LABEL_GAP_PX + ring} y={top + at * LINE_HEIGHT_PX}>
            {line.split('\u00a0')[0]}
            {line.includes('\u00a0') && <tspan className={style.count}> ×{visits}</tspan>}
          </tspan>
        ))}
      </text>
    </g>
  );
});
