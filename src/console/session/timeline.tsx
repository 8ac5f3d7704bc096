import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useLayoutEffect, useRef, useState } from 'react';
import { TranslatedGatewayText } from '../language/gateway-text.tsx';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import type { Transition } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { getLabel, NON_STATUS_CHANGE_LABELS } from '../look/labels.ts';
import { StatusBadge } from '../look/status.tsx';
import { formatDuration, LocalTime } from '../look/time.tsx';
import { UserText } from '../look/user-text.tsx';
import type { SessionChange } from '../operations.ts';
import style from './timeline.module.css';

/** Minimum delay between an event and its receipt by the gateway. The timeline shows only longer delays. */
const MIN_SHOWN_DELAY_MS = 60_000;

interface Props {
  /** Transitions of the session, oldest first. */
  readonly log: readonly Transition[];
  readonly hasOlder: boolean;
  readonly onOlder: () => void;
}

const ENTRY_PX = 78;
/** Entries above and below the window that are in the DOM. A log that is not longer is in the DOM as a whole. */
const OVERSCAN_ENTRIES = 40;

/**
 * List of the session's transitions, newest first. The list is virtualized, because a log may have thousands of
 * entries: only those near the window are in the DOM. They are in the normal flow between two paddings, so that the
 * browser keeps the place of a reader when an entry is added above (scroll anchoring).
 */
export function Timeline({ log, hasOlder, onOlder }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  const newest = log.length - 1;
  const virtual = useWindowVirtualizer({
    count: log.length,
    estimateSize: () => ENTRY_PX,
    getItemKey: (index) => log[newest - index]?.sequence ?? index,
    overscan: OVERSCAN_ENTRIES,
    scrollMargin: top,
  });
  // Measured after every render, because content above the list may have changed its height.
  useLayoutEffect(() => {
    if (list.current) setTop(list.current.getBoundingClientRect().top + scrollY);
  });
  const shown = virtual.getVirtualItems();
  const [first, last] = [shown[0], shown.at(-1)];
  const paddingTop = first ? first.start - top : 0;
  const paddingBottom = last ? virtual.getTotalSize() - (last.end - top) : 0;
  return (
    <>
      <ol ref={list} className={style.line} style={{ paddingTop, paddingBottom }}>
        {shown.map(({ index, key }) => {
          const entry = log[newest - index];
          if (!entry) return null;
          return (
            <li
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              aria-setsize={log.length}
              aria-posinset={index + 1}
              className={`${entry.applied ? style.entry : style.late} ${index === 0 ? style.newest : ''}`}
            >
              <Entry entry={entry} />
            </li>
          );
        })}
      </ol>
      {hasOlder && <Button onPress={onOlder}>{texts.session.showEarlier}</Button>}
    </>
  );
}

/** Content of an entry. Memoized, because each new entry renders the list again. */
const Entry = memo(function Entry({ entry }: { entry: Transition }) {
  const { sequence, statusInfo, applied, source, actor, occurredAt, recordedAt } = entry;
  const laterMs = occurredAt ? Date.parse(recordedAt) - Date.parse(occurredAt) : 0;
  const hasStatus = applied || !isAboutRecords(entry);
  return (
    <>
      <div className={style.top}>
        {hasStatus && <StatusBadge of={statusInfo} />}
        {!applied && <span className={style.mark}>{findMark(entry)}</span>}
        <span className={style.number}>{sequence}</span>
      </div>
      <p>
        <Meaning of={entry} />
      </p>
      <p className={style.foot}>
        <LocalTime at={occurredAt ?? recordedAt} /> ·{' '}
        {actor && source === 'MUTATION' ? (
          <TextWithElements parts={texts.session.doneHereBy(<UserText>{actor}</UserText>)} />
        ) : (
          getLabel(texts.session.sources, source)
        )}
        {laterMs > MIN_SHOWN_DELAY_MS && ` · ${texts.session.receivedLater(formatDuration(laterMs))}`}
      </p>
    </>
  );
});

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
  'NOTIFICATIONS',
  'MEETINGS',
  'ASSIGNMENT',
];
/** Changes of entries that report a record of the gateway. Such an entry only repeats the status of the session. */
const RECORDS: readonly SessionChange[] = [
  'NOTES',
  'ESCALATION',
  'LABELS',
  'NOTIFICATIONS',
  'MEETINGS',
  'ASSIGNMENT',
];

const isAboutRecords = ({ changes }: Transition): boolean =>
  changes.some((change) => RECORDS.includes(change)) &&
  changes.every((change) => RECORDS.includes(change) || change === 'REVIEWS');

function findMark({ changes }: Transition): string {
  const change = MARKED.find((each) => changes.includes(each));
  return change ? getLabel(NON_STATUS_CHANGE_LABELS, change) : texts.session.lateUpdate;
}

/** Meaning of an entry; for an entry that was not applied, the reason that the gateway gives. */
function Meaning({ of: entry }: { of: Transition }) {
  if (entry.applied) return <TranslatedGatewayText>{entry.statusInfo.explanation}</TranslatedGatewayText>;
  return (
    <>
      {!isAboutRecords(entry) && `${texts.session.statusStayed} `}
      <TranslatedGatewayText>{entry.reason ?? ''}</TranslatedGatewayText>
    </>
  );
}
