import { Button } from '../look/button.tsx';
import { Select } from '../look/fields.tsx';
import { Notice } from '../look/notice.tsx';
import panel from '../look/panel.module.css';
import { moment } from '../look/time.tsx';
import { number, seconds, share, totalsOf } from './figures.ts';
import { FunnelCard } from './funnel-card.tsx';
import style from './insight.module.css';
import { OverTimeCard } from './over-time-card.tsx';
import { TimesCard } from './times-card.tsx';
import { type Stats, useStats } from './use-stats.ts';
import { WhereCard } from './where-card.tsx';
import { useWindow, WINDOWS, type WindowName } from './windows.ts';

const SAID = Object.fromEntries(Object.entries(WINDOWS).map(([name, { said }]) => [name, said])) as Record<
  WindowName,
  string
>;

/** Where sessions are lost, and how long everything takes. */
export default function InsightPage() {
  const [window, setWindow] = useWindow();
  const { read, failure, reading, refresh } = useStats(window);
  return (
    <div className={style.page}>
      <header className={style.head}>
        <h1>Insight</h1>
        <Select label="Sessions of" options={SAID} value={window} onChange={setWindow} />
        {read && (
          <p className={style.asOf}>As of {moment(new Date(read.at).toISOString())}; read anew every 30 s</p>
        )}
        <Button isDisabled={reading} onPress={() => void refresh()}>
          Read anew
        </Button>
      </header>
      {failure && <Notice tone="bad">{failure.message}</Notice>}
      {read ? <Figures stats={read.stats} /> : !failure && <p role="status">Reading …</p>}
    </div>
  );
}

function Figures({ stats }: { stats: Stats }) {
  const { started, approved, ended, secondsToDecision } = totalsOf(stats);
  return (
    <>
      <dl className={style.tiles}>
        <Tile name="Started" figure={number(started)} about={`${number(started - ended)} of them are open`} />
        <Tile
          name="Approved"
          figure={number(approved)}
          about={started === 0 ? 'none was started' : `${share(approved, started)} of those started`}
        />
        <Tile
          name="Approval rate"
          figure={share(approved, ended)}
          about={ended === 0 ? 'none has ended yet' : `of ${number(ended)} that have ended`}
        />
        <Tile
          name="Time to the decision"
          figure={seconds(secondsToDecision)}
          about={
            secondsToDecision === null ? 'none was decided yet' : 'median, from the start to the auditor'
          }
        />
      </dl>
      <div className={style.cards}>
        <FunnelCard stats={stats} />
        <WhereCard stats={stats} />
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
