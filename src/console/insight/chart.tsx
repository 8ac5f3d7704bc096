import {
  BarController,
  BarElement,
  CategoryScale,
  type ChartConfiguration,
  Chart as ChartJs,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from 'chart.js';
import { useEffect, useMemo, useRef } from 'react';
import { type Colours, useColours } from './colours.ts';
import style from './insight.module.css';

// Only what is buildChart here: the rest of the library stays out of the bundle.
ChartJs.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);

type ChartKind = 'bar' | 'line';
export type ChartConfig = ChartConfiguration<ChartKind, number[], string | string[]>;

interface Props {
  /** What is buildChart, and what it comes to. */
  readonly label: string;
  /** At least: it fills the card that it is in. */
  readonly heightPx: number;
  /** Has to keep its identity as long as it draws the same. */
  readonly draw: (colours: Colours) => ChartConfig;
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** A chart in the colours of the theme. Its numbers have to be somewhere in text as well. */
export function Chart({ label, heightPx, draw }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<ChartJs<ChartKind, number[], string | string[]> | null>(null);
  const colours = useColours();
  const drawing = useMemo(() => draw(colours), [draw, colours]);

  useEffect(
    () => () => {
      chart.current?.destroy();
      chart.current = null;
    },
    [],
  );
  useEffect(() => {
    const { current } = canvas;
    if (!current) return;
    if (!chart.current) {
      chart.current = new ChartJs(current, drawing);
      return;
    }
    // The same chart with other numbers: a tooltip that is open stays open.
    chart.current.data = drawing.data;
    chart.current.options = drawing.options ?? {};
    chart.current.update();
  }, [drawing]);

  return (
    <div className={style.chart} style={{ flexBasis: heightPx }}>
      <canvas ref={canvas} role="img" aria-label={label} />
    </div>
  );
}

const FONT = { family: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif', size: 12 };

/** An axisOptions whose labels and lines are of the theme. */
export const axisOptions = ({ 'ink-soft': soft, line }: Colours, lines = true) => ({
  border: { display: false },
  grid: { display: lines, color: line, drawTicks: false },
  ticks: { color: soft, font: FONT, padding: 8 },
});

/** What all charts have in commonOptions. */
export const commonOptions = ({ ink, surface, line }: Colours) => ({
  responsive: true,
  maintainAspectRatio: false,
  animation: calm.matches ? (false as const) : { duration: 350 },
  plugins: {
    tooltip: {
      backgroundColor: surface,
      titleColor: ink,
      bodyColor: ink,
      borderColor: line,
      borderWidth: 1,
      padding: 10,
      boxPadding: 5,
      titleFont: { ...FONT, weight: 'bold' as const },
      bodyFont: FONT,
    },
  },
});
