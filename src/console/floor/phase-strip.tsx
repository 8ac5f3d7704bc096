import type { Counts } from '../live/floor.ts';
import { duration, useNow } from '../look/time.tsx';
import { PARTIES, PHASES, words } from '../look/words.ts';
import type { Party, Status } from '../operations.ts';
import style from './phase-strip.module.css';
import { useFloorAddress } from './query.ts';

/** Sessions that are over are on no floor: these are where open ones can be. */
const OPEN_PHASES = ['RECEIVED', 'PRE_VIDEO_CALL', 'VIDEO_CALL', 'AGENT_REVIEWED', 'UNRECOGNIZED'] as const;
const WAITED_ON = [
  'CUSTOMER',
  'AGENT',
  'AUDITOR',
  'MERCHANT',
  'PROVIDER',
] as const satisfies readonly Party[];
const STEPS_SHOWN = 3;

/** Open sessions by phase and by who is waited on, each with how long the oldest has been there. A press filters. */
export function PhaseStrip({ counts }: { counts: Counts | null }) {
  const phases = OPEN_PHASES.map((status) => ({ status, steps: stepsOf(counts, status) })).filter(
    ({ status, steps }) => status !== 'UNRECOGNIZED' || steps.length > 0,
  );
  return (
    <section aria-label="Open sessions" className={style.strip}>
      <ul className={style.phases}>
        {phases.map(({ status, steps }) => (
          <Phase key={status} status={status} steps={steps} known={counts !== null} />
        ))}
      </ul>
      <ul className={style.parties} aria-label="Waiting on">
        {WAITED_ON.map((party) => (
          <PartyCount key={party} party={party} counts={counts} />
        ))}
      </ul>
    </section>
  );
}

type StepCount = Counts['byStatus'][number];

const stepsOf = (counts: Counts | null, status: Status): StepCount[] =>
  (counts?.byStatus ?? [])
    .filter((each) => each.status === status)
    .sort((one, other) => other.count - one.count);

function Phase({ status, steps, known }: { status: Status; steps: readonly StepCount[]; known: boolean }) {
  const { search, toggle } = useFloorAddress();
  const total = steps.reduce((sum, { count }) => sum + count, 0);
  const oldest = steps.map(({ oldestSince }) => oldestSince).sort()[0];
  return (
    <li className={style.phase}>
      <button
        type="button"
        aria-pressed={search.has('phase', status)}
        onClick={() => toggle('phase', status)}
      >
        <span className={style.name}>{PHASES[status]}</span>
        <span className={style.count}>{known ? total.toLocaleString('en-IN') : '–'}</span>
        <Oldest since={oldest} />
      </button>
      <ul>
        {steps.slice(0, STEPS_SHOWN).map(({ subStatus, count }) => (
          <li key={subStatus}>
            <button
              type="button"
              aria-pressed={search.has('step', subStatus)}
              onClick={() => toggle('step', subStatus)}
            >
              <span>{words(subStatus)}</span>
              <b>{count.toLocaleString('en-IN')}</b>
            </button>
          </li>
        ))}
      </ul>
    </li>
  );
}

function PartyCount({ party, counts }: { party: Party; counts: Counts | null }) {
  const { search, toggle } = useFloorAddress();
  const found = counts?.byWaitingOn.find(({ waitingOn }) => waitingOn === party);
  return (
    <li>
      <button
        type="button"
        aria-pressed={search.has('waiting', party)}
        onClick={() => toggle('waiting', party)}
      >
        <span>{PARTIES[party]}</span>
        <b>{counts ? (found?.count ?? 0).toLocaleString('en-IN') : '–'}</b>
        <Oldest since={found?.oldestSince} />
      </button>
    </li>
  );
}

function Oldest({ since }: { since: string | undefined }) {
  const now = useNow();
  return <small>{since ? `longest ${duration(now - Date.parse(since))}` : 'nobody waits'}</small>;
}
