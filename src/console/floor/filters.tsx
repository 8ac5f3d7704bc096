import { Link } from 'wouter';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { CALLS, type CallPart, findLabel, PHASE_LABELS, STEP_LABELS } from '../look/labels.ts';
import style from './filters.module.css';
import { ASSIGNED_LABELS, type FilterName, LIST_MARKS, useFloorUrl } from './query.ts';

const LABELS: Readonly<Record<FilterName, (value: string) => string>> = {
  phase: (value) => findLabel(PHASE_LABELS, value),
  step: (value) => findLabel(STEP_LABELS, value),
  call: (value) => CALLS[value as CallPart].label,
  waiting: (value) => findLabel(texts.labels.waitingOn, value),
  is: (value) => findLabel(LIST_MARKS, value),
  assigned: (value) => findLabel(ASSIGNED_LABELS, value),
};
const NAMES = Object.keys(LABELS) as FilterName[];

/** Active filters of the session list, each as a button that removes the filter. */
export function Filters() {
  const { query, toggle } = useFloorUrl();
  const filters = NAMES.flatMap((name) => query.chosen[name].map((value) => ({ name, value })));
  if (Object.keys(query.filter).length === 0) return null;
  return (
    <ul aria-label={texts.floor.filters} className={style.filters}>
      {filters.map(({ name, value }) => (
        <li key={name + value}>
          <Button
            aria-label={texts.floor.removeFilter(LABELS[name](value))}
            onPress={() => toggle(name, value)}
          >
            {LABELS[name](value)} <span aria-hidden>✕</span>
          </Button>
        </li>
      ))}
      <li>
        <Link href="/?order=newest">{texts.floor.clearFilters}</Link>
      </li>
    </ul>
  );
}
