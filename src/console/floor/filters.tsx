import { Link } from 'wouter';
import { Button } from '../look/button.tsx';
import { humanize, PARTY_LABELS, PHASE_LABELS } from '../look/labels.ts';
import type { Party, Status } from '../operations.ts';
import style from './filters.module.css';
import { useFloorUrl } from './query.ts';

const LABELS = {
  phase: (value: string) => PHASE_LABELS[value as Status] ?? value,
  step: humanize,
  waiting: (value: string) => `Waiting on ${(PARTY_LABELS[value as Party] ?? value).toLowerCase()}`,
} as const;
const NAMES = Object.keys(LABELS) as (keyof typeof LABELS)[];

/** Active filters of the session list, each as a button that removes the filter. */
export function Filters() {
  const { search, toggle } = useFloorUrl();
  const filters = NAMES.flatMap((name) => search.getAll(name).map((value) => ({ name, value })));
  if (filters.length === 0) return null;
  return (
    <ul aria-label="Filters" className={style.filters}>
      {filters.map(({ name, value }) => (
        <li key={name + value}>
          <Button aria-label={`Remove filter: ${LABELS[name](value)}`} onPress={() => toggle(name, value)}>
            {LABELS[name](value)} <span aria-hidden>✕</span>
          </Button>
        </li>
      ))}
      <li>
        <Link href="/?order=newest">Clear filters</Link>
      </li>
    </ul>
  );
}
