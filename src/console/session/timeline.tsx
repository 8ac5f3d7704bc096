import type { Transition } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { StatusBadge } from '../look/status.tsx';
import { formatDuration, LocalTime } from '../look/time.tsx';
import type { TransitionSource } from '../operations.ts';
import style from './timeline.module.css';

const SOURCES: Record<TransitionSource, string> = {
  WEBHOOK: 'reported by the provider',
  POLL: 'found by checking with the provider',
  MUTATION: 'done here',
  CLOCK: 'a time passed',
};
/** Minimum delay between an event and its receipt by the gateway. The timeline shows only longer delays. */
const MIN_SHOWN_DELAY_MS = 60_000;

interface Props {
  /** Transitions of the session, oldest first. */
  readonly log: readonly Transition[];
  readonly hasOlder: boolean;
  readonly onOlder: () => void;
}

/** List of the session's transitions, newest first. */
export function Timeline({ log, hasOlder, onOlder }: Props) {
  return (
    <>
      <ol className={style.line} reversed>
        {log.toReversed().map((entry) => (
          <Entry key={entry.sequence} entry={entry} />
        ))}
      </ol>
      {hasOlder && <Button onPress={onOlder}>Show earlier entries</Button>}
    </>
  );
}

function Entry({ entry }: { entry: Transition }) {
  const { sequence, statusInfo, applied, reason, source, actor, occurredAt, recordedAt } = entry;
  const laterMs = occurredAt ? Date.parse(recordedAt) - Date.parse(occurredAt) : 0;
  const origin = actor && source === 'MUTATION' ? `done here by ${actor}` : SOURCES[source];
  return (
    <li className={applied ? style.entry : style.late}>
      <div className={style.top}>
        <StatusBadge of={statusInfo} />
        {!applied && <span className={style.mark}>{isDispute(reason) ? 'Dispute' : 'Late update'}</span>}
        <span className={style.number}>{sequence}</span>
      </div>
      <p>{applied ? statusInfo.explanation : `The status did not change. ${reason}`}</p>
      <p className={style.foot}>
        <LocalTime at={occurredAt ?? recordedAt} /> · {origin}
        {laterMs > MIN_SHOWN_DELAY_MS && ` · received ${formatDuration(laterMs)} later`}
      </p>
    </li>
  );
}

/**
 * Whether a transition made the session disputed. The only sign of a dispute is the text of the gateway's
 * reason.
 */
const isDispute = (reason: string | null): boolean => reason?.includes('contradicts') ?? false;
