import type { ThemeColours } from './colours.ts';
import style from './insight.module.css';

interface Props {
  readonly series: readonly { readonly label: string; readonly colour: keyof ThemeColours }[];
}

/**
 * Legend of a chart. The legend is HTML instead of a part of the canvas, so that it follows the theme and the
 * font size.
 */
export function Legend({ series }: Props) {
  return (
    <ul className={style.legend}>
      {series.map(({ label, colour }) => (
        <li key={label}>
          <span aria-hidden style={{ background: `var(--${colour})` }} />
          {label}
        </li>
      ))}
    </ul>
  );
}
