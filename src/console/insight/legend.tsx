import type { Colours } from './colours.ts';
import style from './insight.module.css';

interface Props {
  readonly series: readonly { readonly said: string; readonly colour: keyof Colours }[];
}

/** Which colour is what. */
export function Legend({ series }: Props) {
  return (
    <ul className={style.legend}>
      {series.map(({ said, colour }) => (
        <li key={said}>
          <span aria-hidden style={{ background: `var(--${colour})` }} />
          {said}
        </li>
      ))}
    </ul>
  );
}
