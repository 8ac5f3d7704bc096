import { type ReactNode, useId, useState } from 'react';
import { texts } from '../language/texts.ts';
import panel from '../look/panel.module.css';
import style from './insight.module.css';

interface Props {
  readonly title: string;
  /** Text below the title: how to read the figures, or what they show. */
  readonly about: ReactNode;
  /** Message that is shown instead of the figures if there are none; null if there are figures. */
  readonly empty: string | null;
  readonly chart: ReactNode;
  /** Table with the numbers of the chart. */
  readonly table: ReactNode;
}

const VIEWS = ['chart', 'table'] as const;

/** Card that shows figures as a chart, or as a table if the user presses a button. */
export function ChartOrTableCard({ title, about, empty, chart, table }: Props) {
  const [view, setView] = useState<(typeof VIEWS)[number]>('chart');
  const heading = useId();
  return (
    <section aria-labelledby={heading} className={`${panel.panel} ${style.card}`}>
      <header>
        <div>
          <h2 id={heading}>{title}</h2>
          <p>{about}</p>
        </div>
        {!empty && (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields, and these are buttons
          <div role="group" aria-label={texts.insight.showAs(title)} className={style.views}>
            {VIEWS.map((each) => (
              <button key={each} type="button" aria-pressed={each === view} onClick={() => setView(each)}>
                {texts.insight[each]}
              </button>
            ))}
          </div>
        )}
      </header>
      {empty ? <p className={style.empty}>{empty}</p> : view === 'chart' ? chart : table}
    </section>
  );
}

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly { key: string; cells: readonly [name: ReactNode, ...numbers: ReactNode[]] }[];
}

/** Table of numbers. The first cell of each row is the heading of the row. */
export function NumberTable({ caption, columns, rows }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by keyboard
    <div className={style.numbers} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells: [name, ...numbers] }) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              {numbers.map((cell, at) => (
                <td key={columns[at + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
