/** Draws a line chart with logarithmic axes as SVG. */

export interface Series {
  /** Label of the line; null if the label of another line stands for this line too. */
  readonly title: string | null;
  /** Index of the line's colour in `COLORS`. */
  readonly color: number;
  readonly dashed: boolean;
  readonly points: readonly Point[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Drawing {
  readonly title: string;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 70, right: 200, top: 40, bottom: 40 };
/** Colours that colour-blind readers can tell apart, on white and on black. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const GREY = '#888';

export function drawLines({ title, series }: Drawing): string {
  const points = series.flatMap((each) => each.points);
  const x = axis(
    points.map((point) => point.x),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = axis(
    points.map((point) => point.y),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const grid = [
    ...x.powers.map((value) => {
      const at = x.place(value);
      return `${line(at, MARGIN.top, at, HEIGHT - MARGIN.bottom)}${text(at, HEIGHT - 16, value.toLocaleString('en'), 'middle')}`;
    }),
    ...y.powers.map((value) => {
      const at = y.place(value);
      return `${line(MARGIN.left, at, WIDTH - MARGIN.right, at)}${text(MARGIN.left - 8, at + 4, value.toLocaleString('en'), 'end')}`;
    }),
  ];
  const lines = series.map(({ points: each, color, dashed }) => {
    const path = each.map((point) => `${round(x.place(point.x))},${round(y.place(point.y))}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${COLORS[color]}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`;
  });
  const names = series.flatMap(({ title: name, color }, index) =>
    name ? [text(WIDTH - MARGIN.right + 12, MARGIN.top + 16 + index * 12, name, 'start', COLORS[color])] : [],
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${title}</title>
${[text(MARGIN.left, 22, title, 'start'), ...grid, ...lines, ...names].join('\n')}
</svg>
`;
}

/** Returns a logarithmic axis, from the power of ten below all values to the power of ten above all values. */
function axis(values: readonly number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    place: (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    powers: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

const round = (value: number): string => value.toFixed(1);

const line = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${GREY}" stroke-opacity="0.4"/>`;

const text = (x: number, y: number, content: string, anchor: string, fill = GREY): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${fill}">${content}</text>`;
