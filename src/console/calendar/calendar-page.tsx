import { useSearchParams } from 'wouter';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { useReportFeedState } from '../live/badge.tsx';
import { DayMeetingsStore } from '../live/day-meetings.ts';
import { useStore } from '../live/store.ts';
import { useStartedWhileMounted } from '../live/use-live.ts';
import { Button } from '../look/button.tsx';
import { FailureNotice } from '../look/notice.tsx';
import { useNow } from '../look/time.tsx';
import { useTitle } from '../look/title.ts';
import style from './calendar-page.module.css';
import { formatDay, getDayBounds, getLocalTimeZoneName, parseDay, toLocalDay } from './day.ts';
import { DayMeetingsList } from './day-meetings-list.tsx';
import { DayPicker } from './day-picker.tsx';

/** Page with the meetings of a day, and the places that are free. The address holds the day; without it, today. */
export default function CalendarPage() {
  const { gateway } = useViewerAndGateway();
  const [search, setSearch] = useSearchParams();
  const today = toLocalDay(new Date(useNow()));
  const day = parseDay(search.get('day')) ?? today;
  const live = useStartedWhileMounted(() => new DayMeetingsStore(gateway, getDayBounds(day)), [gateway, day]);
  useTitle(`${texts.calendar.title} · ${formatDay(day)}`);
  return (
    <div className={style.page}>
      <div className={style.head}>
        <h1>{formatDay(day)}</h1>
        <p className={style.zone}>{texts.calendar.timesIn(getLocalTimeZoneName())}</p>
        <DayPicker day={day} onChange={(next) => setSearch({ day: next })} />
        <Button onPress={() => setSearch({})}>{texts.calendar.today}</Button>
      </div>
      <DayOf live={live} />
    </div>
  );
}

function DayOf({ live }: { live: DayMeetingsStore }) {
  const view = useStore(live);
  useReportFeedState(view.state);
  return (
    <>
      {view.failure && <FailureNotice failure={view.failure} />}
      <DayMeetingsList view={view} />
    </>
  );
}
