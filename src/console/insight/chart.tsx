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
import { type ThemeColours, useThemeColours } from './colours.ts';
import style from './insight.module.css';

// Registers only the parts of Chart.js that are used, so that the bundler leaves out the others (tree
// shaking).
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
  /** Text for screen readers. The text says what the chart shows, with all numbers. */
  readonly label: string;
  /** Minimum height of the chart in pixels. The chart grows to fill its card. */
  readonly heightPx: number;
  /**
   * Builds the configuration of Chart.js. Memoize this function, because a new function makes the chart
   * redraw.
   */
  readonly draw: (colours: ThemeColours) => ChartConfig;
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * Chart in the colours of the theme. Show its numbers as text as well, because screen readers cannot read a
 * canvas.
 */
export function Chart({ label, heightPx, draw }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<ChartJs<ChartKind, number[], string | string[]> | null>(null);
  const colours = useThemeColours();
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
    // Updates the chart instead of creating it again, so that an open tooltip stays open.
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

/**
 * Returns the options of a chart's axis in the colours of the theme. `lines` says whether the axis has grid
 * lines.
 */
export const createAxisOptions = ({ 'ink-soft': soft, line }: ThemeColours, lines = true) => ({
  border: { display: false },
  grid: { display: lines, color: line, drawTicks: false },
  ticks: { color: soft, font: FONT, padding: 8 },
});

/** Returns the options that all charts have in common. */
export const createCommonChartOptions = ({ ink, surface, line }: ThemeColours) => ({
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
