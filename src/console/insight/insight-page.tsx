import { Button } from '../look/button.tsx';
import { Select } from '../look/fields.tsx';
import { Notice } from '../look/notice.tsx';
import panel from '../look/panel.module.css';
import { formatMoment } from '../look/time.tsx';
import { useTitle } from '../look/title.ts';
import { computeTotals, formatNumber, formatSeconds, formatShare } from './figures.ts';
import { FunnelCard } from './funnel-card.tsx';
import style from './insight.module.css';
import { NotApprovedCard } from './not-approved-card.tsx';
import { OverTimeCard } from './over-time-card.tsx';
import { TimesCard } from './times-card.tsx';
import { type Stats, useStats } from './use-stats.ts';
import { useWindow, WINDOWS, type WindowName } from './windows.ts';

const LABELS = Object.fromEntries(
  Object.entries(WINDOWS).map(([name, { label }]) => [name, label]),
) as Record<WindowName, string>;

/** Page with the statistics of a period: where sessions are lost, and how long the phases take. */
export default function InsightPage() {
  const [window, setWindow] = useWindow();
  useTitle('Insight');
  const { read, failure, loading, refresh } = useStats(window);
  return (
    <div className={style.page}>
      <header className={style.head}>
        <h1>Insight</h1>
        <Select label="Period" options={LABELS} value={window} onChange={setWindow} />
        {read && (
          <p className={style.asOf}>
            As of {formatMoment(new Date(read.at).toISOString())}; updates every 30 s
          </p>
        )}
        <Button isDisabled={loading} onPress={() => void refresh()}>
          Refresh
        </Button>
      </header>
      {failure && <Notice tone="bad">{failure.message}</Notice>}
      {read ? <Figures stats={read.stats} /> : !failure && <p role="status">Loading…</p>}
    </div>
  );
}

function Figures({ stats }: { stats: Stats }) {
  const { started, approved, ended, secondsToDecision } = computeTotals(stats);
  return (
    <>
      <dl className={style.tiles}>
        <Tile
          name="Started"
          figure={formatNumber(started)}
          about={`${formatNumber(started - ended)} still open`}
        />
        <Tile
          name="Approved"
          figure={formatNumber(approved)}
          about={started === 0 ? 'none started' : `${formatShare(approved, started)} of those started`}
        />
        <Tile
          name="Approval rate"
          figure={formatShare(approved, ended)}
          about={ended === 0 ? 'none ended yet' : `of ${formatNumber(ended)} ended`}
        />
        <Tile
          name="Time to decision"
          figure={formatSeconds(secondsToDecision)}
          about={secondsToDecision === null ? 'none decided yet' : 'median, from start to auditor review'}
        />
      </dl>
      <div className={style.cards}>
        <FunnelCard stats={stats} />
        <NotApprovedCard stats={stats} />
        <OverTimeCard stats={stats} />
        <TimesCard stats={stats} />
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
