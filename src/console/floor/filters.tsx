import { Link } from 'wouter';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { getLabel, PHASE_LABELS, STEP_LABELS, VIDEO_CALL_PARTS, type VideoCallPart } from '../look/labels.ts';
import style from './filters.module.css';
import { ASSIGNEE_FILTER_LABELS, FILTER_MARK_LABELS, type FilterName, useFloorUrl } from './query.ts';

const LABELS: Readonly<Record<FilterName, (value: string) => string>> = {
  phase: (value) => getLabel(PHASE_LABELS, value),
  step: (value) => getLabel(STEP_LABELS, value),
  call: (value) => VIDEO_CALL_PARTS[value as VideoCallPart].label,
  waiting: (value) => getLabel(texts.labels.waitingOn, value),
  is: (value) => getLabel(FILTER_MARK_LABELS, value),
  assigned: (value) => getLabel(ASSIGNEE_FILTER_LABELS, value),
};
const NAMES = Object.keys(LABELS) as FilterName[];

/** Active filters of the session list, each as a button that removes the filter. */
export function ActiveFilters() {
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
