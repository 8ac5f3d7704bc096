import { memo } from 'react';
import { Link } from 'wouter';
import { texts } from '../language/texts.ts';
import type { CalendarMeeting, DayMeetingsState, Slot } from '../live/day-meetings.ts';
import { getLabel } from '../look/labels.ts';
import panel from '../look/panel.module.css';
import { StatusBadge } from '../look/status.tsx';
import { formatLocalTime } from './day.ts';
import style from './day-meetings-list.module.css';

/** Slot with the meetings that begin in it. Meetings that begin in no slot have a group of their own. */
interface Group {
  readonly startsAt: string;
  readonly slot: Slot | null;
  readonly meetings: readonly CalendarMeeting[];
}

/** Meetings of a day by time, in the slots of the deployment if it has working hours. */
export function DayMeetingsList({ view }: { view: DayMeetingsState }) {
  const { meetings, slots, isComplete } = view;
  return (
    <section aria-label={texts.calendar.meetings}>
      <p className={style.count} role="status">
        {describeCount(view)}
      </p>
      {isComplete && slots?.length === 0 && <p className={style.none}>{texts.calendar.noWorkingHours}</p>}
      <ol className={`${panel.panel} ${style.day}`} hidden={meetings.length === 0 && !slots?.length}>
        {groupBySlot(slots ?? [], meetings).map((group) => (
          <li key={group.startsAt} className={style.group}>
            <SlotHead group={group} hasSlots={slots !== null} />
            <ul>
              {group.meetings.map((meeting) => (
                <Meeting key={meeting.id} meeting={meeting} />
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  );
}

function describeCount({ meetings, total, isComplete }: DayMeetingsState): string {
  const { count, loaded, loadedOfMany, noMeetings } = texts.calendar;
  const shown = formatNumber(meetings.length);
  if (!isComplete) {
    if (meetings.length === 0) return texts.frame.loading;
    return total === null ? loadedOfMany(shown) : loaded(shown, formatNumber(total));
  }
  return meetings.length === 0 ? noMeetings : count(shown, meetings.length === 1);
}

const formatNumber = (count: number): string => count.toLocaleString(texts.locale);

/** Puts each meeting into its slot, and returns all groups by time. Both lists must be sorted by their start. */
function groupBySlot(slots: readonly Slot[], meetings: readonly CalendarMeeting[]): readonly Group[] {
  const groups = new Map<string, { startsAt: string; slot: Slot | null; meetings: CalendarMeeting[] }>();
  for (const slot of slots) groups.set(slot.startsAt, { startsAt: slot.startsAt, slot, meetings: [] });
  let next = 0;
  for (const meeting of meetings) {
    const { startsAt } = meeting;
    while (next < slots.length && (slots[next] as Slot).endsAt <= startsAt) next += 1;
    const slot = slots[next];
    const key = slot && slot.startsAt <= startsAt ? slot.startsAt : startsAt;
    const group = groups.get(key) ?? { startsAt, slot: null, meetings: [] };
    group.meetings.push(meeting);
    groups.set(key, group);
  }
  return [...groups.values()].sort((one, other) => (one.startsAt < other.startsAt ? -1 : 1));
}

function SlotHead({ group: { startsAt, slot }, hasSlots }: { group: Group; hasSlots: boolean }) {
  return (
    <p className={style.head}>
      <b className="number">
        <time dateTime={startsAt}>{formatLocalTime(startsAt)}</time>
        {slot && (
          <>
            –<time dateTime={slot.endsAt}>{formatLocalTime(slot.endsAt)}</time>
          </>
        )}
      </b>
      {slot ? (
        <small className={slot.available ? style.free : undefined}>{describePlaces(slot)}</small>
      ) : (
        hasSlots && <small>{texts.calendar.outsideSlots}</small>
      )}
    </p>
  );
}

/** Describes the places of a slot. Customers see only whether there is one. */
function describePlaces({ booked, capacity, free, available }: Slot): string {
  if (booked === null || capacity === null || free === null)
    return available ? texts.calendar.available : texts.calendar.unavailable;
  const [taken, all] = [formatNumber(booked), formatNumber(capacity)];
  const hasBegun = !available && free > 0;
  return hasBegun
    ? texts.calendar.placesBegun(taken, all)
    : texts.calendar.places(taken, all, formatNumber(free));
}

const Meeting = memo(function Meeting({
  meeting: { startsAt, status, session },
}: {
  meeting: CalendarMeeting;
}) {
  return (
    <li className={`${style.meeting} ${status === 'CANCELLED' ? style.cancelled : ''}`}>
      <time className="number" dateTime={startsAt}>
        {formatLocalTime(startsAt)}
      </time>
      <Link href={`/sessions/${encodeURIComponent(session.id)}`}>{session.verificationId}</Link>
      <span className={style.state}>{getLabel(texts.calendar.statuses, status)}</span>
      <StatusBadge of={session.statusInfo} />
    </li>
  );
});
