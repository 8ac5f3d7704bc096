import { Link } from 'wouter';
import { Button } from '../look/button.tsx';
import { PARTIES, PHASES, words } from '../look/words.ts';
import type { Party, Status } from '../operations.ts';
import style from './filters.module.css';
import { useFloorAddress } from './query.ts';

const SAID = {
  phase: (value: string) => PHASES[value as Status] ?? value,
  step: words,
  waiting: (value: string) => `Waiting on ${(PARTIES[value as Party] ?? value).toLowerCase()}`,
} as const;
const NAMES = Object.keys(SAID) as (keyof typeof SAID)[];

/** What the list is filtered by, each to be taken away. */
export function Filters() {
  const { search, toggle } = useFloorAddress();
  const filters = NAMES.flatMap((name) => search.getAll(name).map((value) => ({ name, value })));
  if (filters.length === 0) return null;
  return (
    <ul aria-label="Filters" className={style.filters}>
      {filters.map(({ name, value }) => (
        <li key={name + value}>
          <Button aria-label={`No longer filter by ${SAID[name](value)}`} onPress={() => toggle(name, value)}>
            {SAID[name](value)} <span aria-hidden>✕</span>
          </Button>
        </li>
      ))}
      <li>
        <Link href="/?order=newest">Show everything</Link>
      </li>
    </ul>
  );
}
