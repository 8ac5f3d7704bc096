import type { Transition } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { StatusBadge } from '../look/status.tsx';
import { formatDuration, LocalTime } from '../look/time.tsx';
import type { TransitionSource } from '../operations.ts';
import style from './timeline.module.css';

const SOURCES: Record<TransitionSource, string> = {
  WEBHOOK: 'told by the provider',
  POLL: 'found by asking the provider',
  MUTATION: 'done here',
};
/** The gateway heard of it this much later than it happened: worth saying. */
const MIN_SHOWN_DELAY_MS = 60_000;

interface Props {
  /** Oldest first. */
  readonly log: readonly Transition[];
  readonly hasOlder: boolean;
  readonly onOlder: () => void;
}

/** Everything that happened, newest first, each entry buildChart as it arrives. */
export function Timeline({ log, hasOlder, onOlder }: Props) {
  return (
    <>
      <ol className={style.line} reversed>
        {log.toReversed().map((entry) => (
          <Entry key={entry.sequence} entry={entry} />
        ))}
      </ol>
      {hasOlder && <Button onPress={onOlder}>Show what came before</Button>}
    </>
  );
}

function Entry({ entry }: { entry: Transition }) {
  const { sequence, statusInfo, applied, reason, source, actor, occurredAt, recordedAt } = entry;
  const laterMs = occurredAt ? Date.parse(recordedAt) - Date.parse(occurredAt) : 0;
  const said = actor && source === 'MUTATION' ? `done here by ${actor}` : SOURCES[source];
  return (
    <li className={applied ? style.entry : style.late}>
      <div className={style.top}>
        <StatusBadge of={statusInfo} />
        {!applied && <span className={style.mark}>{isDispute(reason) ? 'Dispute' : 'Late news'}</span>}
        <span className={style.number}>{sequence}</span>
      </div>
      <p>{applied ? statusInfo.explanation : `Did not move the session. ${reason}`}</p>
      <p className={style.foot}>
        <LocalTime at={occurredAt ?? recordedAt} /> · {said}
        {laterMs > MIN_SHOWN_DELAY_MS && ` · heard of ${formatDuration(laterMs)} later`}
      </p>
    </li>
  );
}

const isDispute = (reason: string | null): boolean => reason?.includes('contradicts') ?? false;
