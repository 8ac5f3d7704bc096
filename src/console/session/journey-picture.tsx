import { findTone, humanize, PHASE_LABELS, type Tone, wrapText } from '../look/labels.ts';
import style from './journey.module.css';
import {
  computeHeight,
  computeWidth,
  drawPath,
  HEAD,
  isDirect,
  LINE_Y,
  SLOT,
  toX,
  toY,
} from './journey-lines.ts';
import { countSlots, END_SLOT, LINE_STEPS, PHASE_SPANS, type PlacedStep } from './journey-places.ts';

/** What is to be said of the places, by their keys. */
export interface Marks {
  /** Where the session has been, in order; the last is where it is. */
  readonly path: readonly string[];
  readonly usual: ReadonlySet<string>;
  readonly possible: ReadonlySet<string>;
}

interface Props {
  readonly places: ReadonlyMap<string, PlacedStep>;
  readonly marks: Marks;
  readonly name: string;
  /** The id of what says the same in words. */
  readonly told: string;
}

/** Where a way turns, its end says which way it goes. */
const ARROW = 'journey-arrow';

/** The map: the line from left to right, what goes wrong below it, and on it the way that was taken. */
export function JourneyMap({ places, marks, name, told }: Props) {
  const all = [...places.values()];
  const slots = countSlots(places);
  const width = computeWidth(slots);
  const height = computeHeight(Math.max(...all.map(({ row }) => row)));
  const nowKey = marks.path.at(-1) ?? '';
  const now = places.get(nowKey);
  const visits = new Map<string, number>();
  for (const key of marks.path) visits.set(key, (visits.get(key) ?? 0) + 1);

  return (
    <svg
      role="img"
      aria-label={name}
      aria-describedby={told}
      viewBox={`0 0 ${width} ${height}`}
      className={style.map}
      style={{ minWidth: width }}
    >
      <defs>
        <marker
          id={ARROW}
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
      {PHASE_SPANS.map(({ status, first, count }) => (
        <Phase
          key={status}
          name={PHASE_LABELS[status]}
          {...{ first, count, height }}
          here={now?.status === status}
        />
      ))}
      {slots > END_SLOT && (
        <Phase name="Elsewhere" first={END_SLOT} count={1} height={height} here={now?.slot === END_SLOT} />
      )}
      <path className={style.line} d={`M${SLOT / 2},${LINE_Y}H${(LINE_STEPS.length - 0.5) * SLOT}`} />
      {now &&
        all
          .filter(({ key, slot }) => marks.usual.has(key) && slot !== END_SLOT)
          .map((to) => <path key={to.key} className={style.ahead} d={drawPath(now, to)} />)}
      <VisitedPath places={places} path={marks.path} />
      {all.map((place) => (
        <Node
          key={place.key}
          place={place}
          {...findMark(place.key, marks)}
          visits={visits.get(place.key) ?? 0}
        />
      ))}
    </svg>
  );
}

function Phase(props: { name: string; first: number; count: number; height: number; here: boolean }) {
  const { name, first, count, height, here } = props;
  return (
    <g className={here ? style.here : style.phase}>
      <rect x={first * SLOT + 2} y={0} width={count * SLOT - 4} height={height} rx={8} />
      <text x={first * SLOT + 9} y={HEAD - 9}>
        {name}
      </text>
    </g>
  );
}

/** The way that was taken: each stretch once, the newest drawing itself. */
function VisitedPath({ places, path }: { places: ReadonlyMap<string, PlacedStep>; path: readonly string[] }) {
  const ways = new Map<string, { at: number; straight: boolean }>();
  path.forEach((key, at) => {
    const [from, to] = [places.get(path[at - 1] ?? ''), places.get(key)];
    if (from && to && from !== to) {
      const way = drawPath(from, to);
      ways.delete(way);
      ways.set(way, { at, straight: isDirect(from, to) });
    }
  });
  const newest = path.length - 1;
  return [...ways].map(([way, { at, straight }]) => (
    <path
      key={at === newest ? `newest ${at}` : way}
      className={at === newest ? `${style.taken} ${style.newest}` : style.taken}
      d={way}
      pathLength={1}
      markerEnd={straight ? undefined : `url(#${ARROW})`}
    />
  ));
}

type Mark = 'now' | 'was' | 'usual' | 'possible' | 'other';

function findMark(key: string, { path, usual, possible }: Marks): { mark: Mark; next: boolean } {
  const next = usual.has(key);
  if (key === path.at(-1)) return { mark: 'now', next };
  if (path.includes(key)) return { mark: 'was', next };
  if (next) return { mark: 'usual', next };
  return { mark: possible.has(key) ? 'possible' : 'other', next };
}

const RADIUS: Record<Mark, number> = { now: 9, was: 6.5, usual: 6.5, possible: 5, other: 5 };
const LINE_PX = 13.5;
const LABEL_PX = 11;

function Node({
  place,
  mark,
  next,
  visits,
}: {
  place: PlacedStep;
  mark: Mark;
  next: boolean;
  visits: number;
}) {
  const [x, y] = [toX(place), toY(place)];
  const tone: Tone = findTone(place);
  const above = place.row === 0;
  const ring = mark === 'now' ? 6 : mark === 'was' && next ? 4 : 0;
  const name = humanize(place.subStatus);
  // A count stays with the word before it.
  const lines = wrapText(
    visits > 1 ? `${name}\u00a0×${visits}` : name,
    above ? 15 : mark === 'now' ? 11 : 13,
  );
  const top = above ? y - 17 - (lines.length - 1) * LINE_PX : y + 4 - ((lines.length - 1) * LINE_PX) / 2;
  return (
    <g className={`${style.node} ${style[mark]} ${style[tone]}`}>
      <title>{`${PHASE_LABELS[place.status] ?? humanize(place.status)}: ${name}`}</title>
      {mark === 'now' && <circle className={style.pulse} cx={x} cy={y} r={13} />}
      {mark === 'was' && next && <circle className={style.again} cx={x} cy={y} r={10.5} />}
      <circle cx={x} cy={y} r={RADIUS[mark]} />
      <text className={above ? undefined : style.beside} textAnchor={above ? 'middle' : 'start'}>
        {lines.map((line, at) => (
          <tspan key={line} x={above ? x : x + LABEL_PX + ring} y={top + at * LINE_PX}>
            {line.split('\u00a0')[0]}
            {line.includes('\u00a0') && <tspan className={style.count}> ×{visits}</tspan>}
          </tspan>
        ))}
      </text>
    </g>
  );
}
