import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Select } from '../look/fields.tsx';
import { FailureNotice } from '../look/notice.tsx';
import { formatNumber } from '../look/numbers.ts';
import panel from '../look/panel.module.css';
import { formatLocalDateTime, TimeZoneNote } from '../look/time.tsx';
import { useTitle } from '../look/title.ts';
import { computeTotals, formatPercent, formatSeconds } from './figures.ts';
import { FunnelCard } from './funnel-card.tsx';
import style from './insight.module.css';
import { NotApprovedCard } from './not-approved-card.tsx';
import { StartsOverTimeCard } from './over-time-card.tsx';
import { PhaseTimesCard } from './times-card.tsx';
import { type Stats, useStats } from './use-stats.ts';
import { STATS_PERIODS, type StatsPeriodName, useStatsPeriod } from './windows.ts';

const LABELS = Object.fromEntries(
  Object.entries(STATS_PERIODS).map(([name, { label }]) => [name, label]),
) as Record<StatsPeriodName, string>;

/** Page with the statistics of a period: where sessions are lost, and how long the phases take. */
export default function InsightPage() {
  const [window, setWindow] = useStatsPeriod();
  useTitle(texts.insight.title);
  const { read, failure, loading, refresh } = useStats(window);
  return (
    <div className={style.page}>
      <header className={style.head}>
        <h1>{texts.insight.title}</h1>
        <Select label={texts.insight.period} options={LABELS} value={window} onChange={setWindow} />
        {read && (
          <p className={style.asOf}>
            {texts.insight.asOf(formatLocalDateTime(new Date(read.at).toISOString()))} · <TimeZoneNote />
          </p>
        )}
        <Button isDisabled={loading} onPress={() => void refresh()}>
          {texts.insight.refresh}
        </Button>
      </header>
      {failure && <FailureNotice failure={failure} />}
      {read ? <Figures stats={read.stats} /> : !failure && <p role="status">{texts.frame.loading}</p>}
    </div>
  );
}

function Figures({ stats }: { stats: Stats }) {
  const { started, approved, ended, secondsToDecision } = computeTotals(stats);
  return (
    <>
      <dl className={style.tiles}>
        <Tile
          name={texts.insight.started}
          figure={formatNumber(started)}
          about={texts.insight.stillOpen(formatNumber(started - ended))}
        />
        <Tile
          name={texts.insight.approved}
          figure={formatNumber(approved)}
          about={
            started === 0
              ? texts.insight.noneStartedYet
              : texts.insight.shareOfStarted(formatPercent(approved, started))
          }
        />
        <Tile
          name={texts.insight.approvalRate}
          figure={formatPercent(approved, ended)}
          about={ended === 0 ? texts.insight.noneEnded : texts.insight.ofEnded(formatNumber(ended))}
        />
        <Tile
          name={texts.insight.timeToDecision}
          figure={formatSeconds(secondsToDecision)}
          about={secondsToDecision === null ? texts.insight.noneDecided : texts.insight.median}
        />
      </dl>
      <div className={style.cards}>
        <FunnelCard stats={stats} />
        <NotApprovedCard stats={stats} />
        <StartsOverTimeCard stats={stats} />
        <PhaseTimesCard stats={stats} />
      </div>
    </>
  );
}

function Tile({ name, figure, about }: { name: string; figure: string; about: string }) {
  return (
    <div className={`${panel.panel} ${style.tile}`}>
      <dt>{name}</dt>
      <dd>
        <b>{figure}</b>
        <small>{about}</small>
      </dd>
    </div>
  );
}
