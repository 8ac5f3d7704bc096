import { texts } from '../language/texts.ts';
import type { OpenSessionCounts } from '../live/floor.ts';
import { getStepLabel, PARTY_LABELS, PHASE_LABELS, VIDEO_CALL_PARTS } from '../look/labels.ts';
import { formatNumber } from '../look/numbers.ts';
import { formatDuration, useNow } from '../look/time.tsx';
import type { Party, Status, SubStatus } from '../operations.ts';
import style from './phase-strip.module.css';
import { FILTER_MARK_LABELS, type FilterMark, keepUsableByViewer, useFloorUrl } from './query.ts';

/**
 * Whether the strip shows a phase always, or only while the phase has open sessions. Ended sessions are not
 * counted.
 */
const SHOWN = {
  RECEIVED: 'ALWAYS',
  PRE_VIDEO_CALL: 'ALWAYS',
  VIDEO_CALL: 'ALWAYS',
  AGENT_REVIEWED: 'ALWAYS',
  AUDITOR_REVIEWED: 'IF_ANY',
  REJECTED: 'IF_ANY',
  FAILED: 'IF_ANY',
  EXPIRED: 'IF_ANY',
  UNRECOGNIZED: 'IF_ANY',
} as const satisfies Record<Status, 'ALWAYS' | 'IF_ANY'>;
const PHASES_IN_ORDER = Object.keys(SHOWN) as Status[];
const WAITING_PARTIES = Object.keys({
  CUSTOMER: true,
  AGENT: true,
  AUDITOR: true,
  MERCHANT: true,
  PROVIDER: true,
} satisfies Record<Exclude<Party, 'NOBODY'>, true>) as Exclude<Party, 'NOBODY'>[];
const MAX_STEPS_SHOWN = 3;

/** Sessions that the strip counts together. Pressing the tile filters the list by them. */
interface Tile {
  readonly filter: 'phase' | 'call';
  readonly value: string;
  readonly label: string;
  readonly steps: readonly StepCount[];
}

/**
 * Strip with the counts of open sessions by phase, by sub-status and by the party that has to act next, and
 * with the longest wait of each. Calls that are over are counted apart from those that go on. Pressing a count
 * filters the session list by it.
 */
export function OpenSessionsStrip({ counts }: { counts: OpenSessionCounts | null }) {
  return (
    <section aria-label={texts.floor.openSessions} className={style.strip}>
      <ul className={style.phases}>
        {listTiles(counts).map((tile) => (
          <Phase key={tile.value} tile={tile} known={counts !== null} />
        ))}
      </ul>
      <div className={style.rows}>
        <ul className={style.parties} aria-label={texts.floor.waitingOn}>
          {WAITING_PARTIES.map((party) => (
            <PartyCount key={party} party={party} counts={counts} />
          ))}
        </ul>
        <Marks />
      </div>
    </section>
  );
}

type StepCount = OpenSessionCounts['byStatus'][number];

const countSteps = (counts: OpenSessionCounts | null, status: Status): StepCount[] =>
  (counts?.byStatus ?? [])
    .filter((each) => each.status === status)
    .sort((one, other) => other.count - one.count);

const isOver = ({ subStatus }: StepCount): boolean =>
  (VIDEO_CALL_PARTS.over.steps as readonly SubStatus[]).includes(subStatus);

function listTiles(counts: OpenSessionCounts | null): readonly Tile[] {
  return PHASES_IN_ORDER.flatMap((status): Tile[] => {
    const steps = countSteps(counts, status);
    if (SHOWN[status] === 'IF_ANY' && steps.length === 0) return [];
    if (status !== 'VIDEO_CALL')
      return [{ filter: 'phase', value: status, label: PHASE_LABELS[status], steps }];
    return [
      {
        filter: 'call',
        value: 'going',
        label: VIDEO_CALL_PARTS.going.label,
        steps: steps.filter((each) => !isOver(each)),
      },
      { filter: 'call', value: 'over', label: VIDEO_CALL_PARTS.over.label, steps: steps.filter(isOver) },
    ];
  });
}

function Phase({ tile: { filter, value, label, steps }, known }: { tile: Tile; known: boolean }) {
  const { search, toggle } = useFloorUrl();
  const total = steps.reduce((sum, { count }) => sum + count, 0);
  const oldest = steps.map(({ oldestSince }) => oldestSince).sort()[0];
  return (
    <li className={style.phase}>
      <button type="button" aria-pressed={search.has(filter, value)} onClick={() => toggle(filter, value)}>
        <span className={style.name}>{label}</span>
        <span className={style.count}>{known ? formatNumber(total) : '–'}</span>
        <Oldest since={oldest} />
      </button>
      <ul>
        {steps.slice(0, MAX_STEPS_SHOWN).map(({ subStatus, count }) => (
          <li key={subStatus}>
            <button
              type="button"
              aria-pressed={search.has('step', subStatus)}
              onClick={() => toggle('step', subStatus)}
            >
              <span>{getStepLabel(subStatus)}</span>
              <b>{formatNumber(count)}</b>
            </button>
          </li>
        ))}
      </ul>
    </li>
  );
}

function PartyCount({ party, counts }: { party: Party; counts: OpenSessionCounts | null }) {
  const { search, toggle } = useFloorUrl();
  const found = counts?.byWaitingOn.find(({ waitingOn }) => waitingOn === party);
  return (
    <li>
      <button
        type="button"
        aria-pressed={search.has('waiting', party)}
        onClick={() => toggle('waiting', party)}
      >
        <span>{PARTY_LABELS[party]}</span>
        <b>{counts ? formatNumber(found?.count ?? 0) : '–'}</b>
        <Oldest since={found?.oldestSince} />
      </button>
    </li>
  );
}

/** Buttons that filter the session list by marks, of ended sessions as well. */
function Marks() {
  const { query, isStaff, toggle } = useFloorUrl();
  return (
    <ul className={style.parties} aria-label={texts.floor.onlyThose}>
      {keepUsableByViewer(Object.keys(FILTER_MARK_LABELS) as FilterMark[], isStaff).map((mark) => (
        <li key={mark}>
          <button
            type="button"
            aria-pressed={query.chosen.is.includes(mark)}
            onClick={() => toggle('is', mark)}
          >
            {FILTER_MARK_LABELS[mark]}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Oldest({ since }: { since: string | undefined }) {
  const now = useNow();
  return (
    <small>
      {since ? texts.floor.longestWait(formatDuration(now - Date.parse(since))) : texts.floor.none}
    </small>
  );
}
