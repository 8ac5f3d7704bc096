import { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { Transition } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { PHASES, words } from '../look/words.ts';
import type { VkycStatusFragment } from '../operations.ts';
import style from './journey.module.css';
import { widthOf, xOf } from './journey-lines.ts';
import { type Marks, Picture } from './journey-picture.tsx';
import { keyOf, LINE_STEPS, type Pair, placesOf, slotsOf } from './journey-places.ts';
import { type Ahead, aheadOf, stepsIn, useRules } from './journey-rules.ts';

interface Props {
  readonly now: VkycStatusFragment;
  /** Oldest first. */
  readonly log: readonly Transition[];
}

const NOTHING_AHEAD: Ahead = { possible: [], usual: [] };

/** Where the session is, where it has been and where it may go. */
export default function Journey({ now, log }: Props) {
  const rules = useRules();
  const [every, setEvery] = useState(false);
  const path = useMemo(() => pathOf(now, log), [now, log]);
  const ahead = useMemo(() => (rules ? aheadOf(now, rules) : NOTHING_AHEAD), [rules, now]);
  const shown = useMemo(
    () => inOrder([...LINE_STEPS, ...path, ...ahead.usual, ...(every && rules ? stepsIn(rules) : [])], rules),
    [path, ahead, every, rules],
  );
  const marks: Marks = useMemo(
    () => ({
      path: path.map(keyOf),
      usual: new Set(ahead.usual.map(keyOf)),
      possible: new Set(ahead.possible.map(keyOf)),
    }),
    [path, ahead],
  );
  const places = useMemo(() => placesOf(shown), [shown]);
  const box = useRef<HTMLDivElement>(null);
  const told = useId();
  const present = places.get(keyOf(now));
  const part = present ? xOf(present) / widthOf(slotsOf(places)) : 0;

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
        <Picture
          places={places}
          marks={marks}
          name={`Map of the journey, now at: ${words(now.subStatus)}`}
          told={told}
        />
      </div>
      <Told id={told} path={path} ahead={ahead} over={now.terminal} />
    </>
  );
}

/** The steps that the session has been at, up to the present one. News that came too late did not move it. */
function pathOf(now: Pair, log: readonly Transition[]): readonly Pair[] {
  const path: Pair[] = log.filter(({ applied }) => applied).map(({ statusInfo }) => statusInfo);
  const last = path.at(-1);
  return last && keyOf(last) === keyOf(now) ? path : [...path, now];
}

/** The steps in the order of the gateway's table, so that none changes its place for the others. */
function inOrder(pairs: readonly Pair[], rules: ReturnType<typeof useRules>): readonly Pair[] {
  if (!rules) return pairs;
  const order = new Map(stepsIn(rules).map((pair, at) => [keyOf(pair), at]));
  const at = (pair: Pair) => order.get(keyOf(pair)) ?? order.size;
  return [...pairs].sort((one, other) => at(one) - at(other));
}

function Legend({ every, over, since }: { every: boolean; over: boolean; since: number }) {
  return (
    <ul className={style.legend} aria-hidden>
      <li className={style.wasKey}>has been</li>
      <li className={style.nowKey}>{over ? 'ended' : 'is now'}</li>
      {!over && <li className={style.usualKey}>usually next</li>}
      {!over && every && <li className={style.possibleKey}>possible</li>}
      {since > 1 && <li className={style.cutKey}>drawn from entry {since} on</li>}
    </ul>
  );
}

const MORE_THAN_SAID = 'The provider may also report another step.';

/** The picture in words. */
function Told({ id, path, ahead, over }: { id: string; path: readonly Pair[]; ahead: Ahead; over: boolean }) {
  const said = (pairs: readonly Pair[]) => pairs.map(({ subStatus }) => words(subStatus)).join(', ');
  const now = path.at(-1);
  return (
    <ul id={id} className="hidden">
      <li>Has been: {said(path.slice(0, -1)) || 'nowhere before'}.</li>
      {now && (
        <li>
          Is now: {words(now.subStatus)} ({PHASES[now.status] ?? words(now.status)}).
        </li>
      )}
      <li>
        {over
          ? 'It is over and goes nowhere from here.'
          : `May go to: ${said(ahead.usual) || 'not known'}. ${MORE_THAN_SAID}`}
      </li>
    </ul>
  );
}
