import { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { Transition } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { humanize, PHASE_LABELS } from '../look/labels.ts';
import type { VkycStatusFragment } from '../operations.ts';
import style from './journey.module.css';
import { computeWidth, toX } from './journey-lines.ts';
import { JourneyMap, type Marks } from './journey-picture.tsx';
import { countSlots, LINE_STEPS, layOutSteps, type StatusPair, toPairKey } from './journey-places.ts';
import { findNextSteps, listSteps, type NextSteps, useRules } from './journey-rules.ts';

interface Props {
  readonly now: VkycStatusFragment;
  /** Oldest first. */
  readonly log: readonly Transition[];
}

const NOTHING_AHEAD: NextSteps = { possible: [], usual: [] };

/** Where the session is, where it has been and where it may go. */
export default function Journey({ now, log }: Props) {
  const rules = useRules();
  const [every, setEvery] = useState(false);
  const path = useMemo(() => listVisited(now, log), [now, log]);
  const ahead = useMemo(() => (rules ? findNextSteps(now, rules) : NOTHING_AHEAD), [rules, now]);
  const shown = useMemo(
    () =>
      sortSteps([...LINE_STEPS, ...path, ...ahead.usual, ...(every && rules ? listSteps(rules) : [])], rules),
    [path, ahead, every, rules],
  );
  const marks: Marks = useMemo(
    () => ({
      path: path.map(toPairKey),
      usual: new Set(ahead.usual.map(toPairKey)),
      possible: new Set(ahead.possible.map(toPairKey)),
    }),
    [path, ahead],
  );
  const places = useMemo(() => layOutSteps(shown), [shown]);
  const box = useRef<HTMLDivElement>(null);
  const told = useId();
  const present = places.get(toPairKey(now));
  const part = present ? toX(present) / computeWidth(countSlots(places)) : 0;

  // Where the picture is wider than its box, the present is what is looked for.
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    current.scrollTo({ left: part * current.scrollWidth - current.clientWidth / 2 });
  }, [part]);

  return (
    <>
      <header className={style.head}>
        <h2>Journey</h2>
        <Legend every={every} over={now.terminal} since={log[0]?.sequence ?? 1} />
        <Button look="quiet" isDisabled={!rules} onPress={() => setEvery(!every)}>
          {every ? 'Show fewer steps' : 'Show every step'}
        </Button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard */}
      <div ref={box} className={style.box} tabIndex={0}>
        <JourneyMap
          places={places}
          marks={marks}
          name={`Map of the journey, now at: ${humanize(now.subStatus)}`}
          told={told}
        />
      </div>
      <JourneyText id={told} path={path} ahead={ahead} over={now.terminal} />
    </>
  );
}

/** The steps that the session has been at, up to the present one. News that came too late did not move it. */
function listVisited(now: StatusPair, log: readonly Transition[]): readonly StatusPair[] {
  const path: StatusPair[] = log.filter(({ applied }) => applied).map(({ statusInfo }) => statusInfo);
  const last = path.at(-1);
  return last && toPairKey(last) === toPairKey(now) ? path : [...path, now];
}

/** The steps in the order of the gateway's table, so that none changes its place for the others. */
function sortSteps(pairs: readonly StatusPair[], rules: ReturnType<typeof useRules>): readonly StatusPair[] {
  if (!rules) return pairs;
  const order = new Map(listSteps(rules).map((pair, at) => [toPairKey(pair), at]));
  const at = (pair: StatusPair) => order.get(toPairKey(pair)) ?? order.size;
  return [...pairs].sort((one, other) => at(one) - at(other));
}

function Legend({ every, over, since }: { every: boolean; over: boolean; since: number }) {
  return (
    <ul className={style.legend} aria-hidden>
      <li className={style.wasKey}>has been</li>
      <li className={style.nowKey}>{over ? 'ended' : 'is now'}</li>
      {!over && <li className={style.usualKey}>usually next</li>}
      {!over && every && <li className={style.possibleKey}>possible</li>}
      {since > 1 && <li className={style.cutKey}>buildChart from entry {since} on</li>}
    </ul>
  );
}

const OTHER_STEPS_NOTE = 'The provider may also report another step.';

/** The picture in words. */
function JourneyText({
  id,
  path,
  ahead,
  over,
}: {
  id: string;
  path: readonly StatusPair[];
  ahead: NextSteps;
  over: boolean;
}) {
  const said = (pairs: readonly StatusPair[]) => pairs.map(({ subStatus }) => humanize(subStatus)).join(', ');
  const now = path.at(-1);
  return (
    <ul id={id} className="hidden">
      <li>Has been: {said(path.slice(0, -1)) || 'nowhere before'}.</li>
      {now && (
        <li>
          Is now: {humanize(now.subStatus)} ({PHASE_LABELS[now.status] ?? humanize(now.status)}).
        </li>
      )}
      <li>
        {over
          ? 'It is over and goes nowhere from here.'
          : `May go to: ${said(ahead.usual) || 'not known'}. ${OTHER_STEPS_NOTE}`}
      </li>
    </ul>
  );
}
