import type { Transition } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { CHANGE_LABELS } from '../look/labels.ts';
import { StatusBadge } from '../look/status.tsx';
import { formatDuration, LocalTime } from '../look/time.tsx';
import type { SessionChange, TransitionSource } from '../operations.ts';
import style from './timeline.module.css';

const SOURCES: Record<TransitionSource, string> = {
  WEBHOOK: 'reported by the provider',
  POLL: 'found by checking with the provider',
  MUTATION: 'done here',
  CLOCK: 'recorded here because a time had passed',
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
  const { sequence, statusInfo, applied, source, actor, occurredAt, recordedAt } = entry;
  const laterMs = occurredAt ? Date.parse(recordedAt) - Date.parse(occurredAt) : 0;
  const origin = actor && source === 'MUTATION' ? `done here by ${actor}` : SOURCES[source];
  const hasStatus = applied || !isAboutRecords(entry);
  return (
    <li className={applied ? style.entry : style.late}>
      <div className={style.top}>
        {hasStatus && <StatusBadge of={statusInfo} />}
        {!applied && <span className={style.mark}>{findMark(entry)}</span>}
        <span className={style.number}>{sequence}</span>
      </div>
      <p>{describe(entry)}</p>
      <p className={style.foot}>
        <LocalTime at={occurredAt ?? recordedAt} /> · {origin}
        {laterMs > MIN_SHOWN_DELAY_MS && ` · received ${formatDuration(laterMs)} later`}
      </p>
    </li>
  );
}

/**
 * Changes whose label the timeline shows on an entry that did not change the status. An entry with several of these
 * changes gets the label of the first one in this list.
 */
const MARKED: readonly SessionChange[] = [
  'DISPUTE',
  'CLOSURE',
  'REPLACEMENT',
  'NOTES',
  'ESCALATION',
  'LABELS',
  'MEETINGS',
];
/** Changes of entries that report a record of the gateway. Such an entry only repeats the status of the session. */
const RECORDS: readonly SessionChange[] = ['NOTES', 'ESCALATION', 'LABELS', 'MEETINGS'];

const isAboutRecords = ({ changes }: Transition): boolean =>
  changes.some((change) => RECORDS.includes(change)) &&
  changes.every((change) => RECORDS.includes(change) || change === 'REVIEWS');

function findMark({ changes }: Transition): string {
  const change = MARKED.find((each) => changes.includes(each));
  return change ? CHANGE_LABELS[change] : 'Late update';
}

/** Returns the meaning of an entry; for an entry that was not applied, the reason that the gateway gives. */
function describe(entry: Transition): string {
  if (entry.applied) return entry.statusInfo.explanation;
  return isAboutRecords(entry) ? (entry.reason ?? '') : `The status did not change. ${entry.reason}`;
}
