import { useEffect, useState } from 'react';
import { type Day, formatDateTimeInput, formatLocalTime, getDayBounds } from '../calendar/day.ts';
import { DayPicker } from '../calendar/day-picker.tsx';
import type { GatewayError } from '../gateway/gateway.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import type { Slot } from '../live/day-meetings.ts';
import { Button } from '../look/button.tsx';
import { Field, RadioField } from '../look/fields.tsx';
import { FailureNotice } from '../look/notice.tsx';
import { formatIndianTimeIfDifferent, formatLocalDateTime, isIndianTimeZone } from '../look/time.tsx';
import { VkycMeetingSlots } from '../operations.ts';
import style from './meeting-time.module.css';

const IN_HALF_AN_HOUR = 30 * 60_000;

/** Slots of a day. */
interface DaySlots {
  readonly day: Day;
  /** Null if the deployment has no working hours, so that any time can be booked. */
  readonly slots: readonly Slot[] | null;
  readonly failure: GatewayError | null;
}

/**
 * Hook that loads the slots of a day, and loads them again if `reason` changes. Returns null until the first slots
 * are loaded.
 */
export function useDaySlots(day: Day, reason: unknown): DaySlots | null {
  const { gateway } = useViewerAndGateway();
  const [loaded, setLoaded] = useState<DaySlots | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another reason loads the same slots again
  useEffect(() => {
    let isOver = false;
    const load = async () => {
      const answer = await gateway
        .query(VkycMeetingSlots, getDayBounds(day))
        .catch((failure: GatewayError) => failure);
      if (isOver) return;
      setLoaded((before) =>
        answer instanceof Error
          ? // Without an answer, only earlier slots tell that the deployment has working hours.
            { day, slots: before?.slots ? [] : null, failure: answer }
          : { day, slots: answer.meetingSlots, failure: null },
      );
    };
    void load();
    return () => {
      isOver = true;
    };
  }, [gateway, day, reason]);
  return loaded;
}

interface TimeProps {
  readonly startsAt: string | null;
  readonly onChange: (startsAt: string | null) => void;
}

/** Field for any time, in the time zone of the browser; a hint shows the Indian time. */
export function AnyTimeField({ startsAt, onChange }: TimeProps) {
  const [local, setLocal] = useState(() => formatDateTimeInput(new Date(Date.now() + IN_HALF_AN_HOUR)));
  useEffect(() => {
    const at = new Date(local);
    onChange(Number.isNaN(at.getTime()) ? null : at.toISOString());
  }, [local, onChange]);
  return (
    <Field
      label={isIndianTimeZone ? texts.acting.schedule.timeInIndia : texts.acting.schedule.timeHere}
      name="startsAt"
      inputType="datetime-local"
      autoFocus
      value={local}
      onChange={setLocal}
      hint={
        startsAt && !isIndianTimeZone
          ? texts.acting.schedule.thatIs(formatIndianTimeIfDifferent(startsAt))
          : undefined
      }
    />
  );
}

interface FreeSlotProps extends TimeProps {
  readonly day: Day;
  readonly onDay: (day: Day) => void;
  readonly loaded: DaySlots;
}

/** Choice between the free slots of a day, for a deployment with working hours. */
export function FreeSlotField({ day, onDay, loaded, startsAt, onChange }: FreeSlotProps) {
  const isLoading = loaded.day !== day;
  const free = (loaded.slots ?? []).filter(({ available }) => available);
  const options = Object.fromEntries(free.map((slot) => [slot.startsAt, describeSlot(slot)]));
  return (
    <>
      <DayPicker day={day} onChange={onDay} />
      {loaded.failure && <FailureNotice failure={loaded.failure} />}
      {isLoading && <p role="status">{texts.frame.loading}</p>}
      {!isLoading && free.length === 0 && <p role="status">{texts.calendar.noFreeTimes}</p>}
      {!isLoading && free.length > 0 && (
        <div className={style.slots}>
          <RadioField
            label={texts.calendar.freeTimes}
            options={options}
            value={startsAt !== null && startsAt in options ? startsAt : null}
            onChange={onChange}
          />
        </div>
      )}
      {startsAt && !isIndianTimeZone && <p>{formatIndianTimeIfDifferent(startsAt)}</p>}
    </>
  );
}

/** Describes a slot by its time, and by its number of free places if the viewer may see it. */
const describeSlot = ({ startsAt, free }: Slot): string =>
  free === null
    ? formatLocalTime(startsAt)
    : `${formatLocalTime(startsAt)} · ${texts.calendar.freePlaces(free.toLocaleString(texts.locale))}`;

interface NextFreeSlotsProps {
  readonly slots: readonly Slot[];
  readonly onBook: (startsAt: string) => void;
}

/** Slots that a refused booking offers instead. Each button books its slot. */
export function NextFreeSlots({ slots, onBook }: NextFreeSlotsProps) {
  if (slots.length === 0) return null;
  return (
    <section aria-label={texts.calendar.nextFreeTimes}>
      <h3>{texts.calendar.nextFreeTimes}</h3>
      <ul className={style.next}>
        {slots.map(({ startsAt }) => (
          <li key={startsAt}>
            <Button onPress={() => onBook(startsAt)}>
              {texts.calendar.bookAt(formatLocalDateTime(startsAt))}
            </Button>
            {!isIndianTimeZone && <small> {formatIndianTimeIfDifferent(startsAt)}</small>}
          </li>
        ))}
      </ul>
    </section>
  );
}
