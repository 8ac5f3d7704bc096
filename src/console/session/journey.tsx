import { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { Transition } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { humanize, PHASE_LABELS } from '../look/labels.ts';
import type { VkycStatusFragment } from '../operations.ts';
import style from './journey.module.css';
import { JourneyMap, type Marks } from './journey-map.tsx';
import { computeWidth, toX } from './journey-paths.ts';
import { findNextSteps, listSteps, type NextSteps, useRules } from './journey-rules.ts';
import { countSlots, LINE_STEPS, layOutSteps, type StatusPair, toPairKey } from './journey-steps.ts';

interface Props {
  readonly now: VkycStatusFragment;
  /** Transitions of the session, oldest first. */
  readonly log: readonly Transition[];
}

const NOTHING_AHEAD: NextSteps = { possible: [], usual: [] };

/**
 * Map of a session's steps (visited, current and next), with a legend, and with a text version for screen
 * readers.
 */
export default function Journey({ now, log }: Props) {
  const rules = useRules();
  const [showAll, setShowAll] = useState(false);
  const path = useMemo(() => listVisited(now, log), [now, log]);
  const ahead = useMemo(() => (rules ? findNextSteps(now, rules) : NOTHING_AHEAD), [rules, now]);
  const shown = useMemo(
    () =>
      sortSteps(
        [...LINE_STEPS, ...path, ...ahead.usual, ...(showAll && rules ? listSteps(rules) : [])],
        rules,
      ),
    [path, ahead, showAll, rules],
  );
  const marks: Marks = useMemo(
    () => ({
      path: path.map(toPairKey),
      usual: new Set(ahead.usual.map(toPairKey)),
      possible: new Set(ahead.possible.map(toPairKey)),
    }),
    [path, ahead],
  );
  const placed = useMemo(() => layOutSteps(shown), [shown]);
  const box = useRef<HTMLDivElement>(null);
  const descriptionId = useId();
  const currentStep = placed.get(toPairKey(now));
  const currentShare = currentStep ? toX(currentStep) / computeWidth(countSlots(placed)) : 0;

  // Scrolls the current step to the middle if the map is wider than its box.
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    current.scrollTo({ left: currentShare * current.scrollWidth - current.clientWidth / 2 });
  }, [currentShare]);

  return (
    <>
      <header className={style.head}>
        <h2>Journey</h2>
        <Legend showAll={showAll} over={now.terminal} since={log[0]?.sequence ?? 1} />
        <Button look="quiet" isDisabled={!rules} onPress={() => setShowAll(!showAll)}>
          {showAll ? 'Show fewer steps' : 'Show every step'}
        </Button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by keyboard */}
      <div ref={box} className={style.box} tabIndex={0}>
        <JourneyMap
          steps={placed}
          marks={marks}
          name={`Map of the journey, current step: ${humanize(now.subStatus)}`}
          descriptionId={descriptionId}
        />
      </div>
      <JourneyText id={descriptionId} path={path} ahead={ahead} over={now.terminal} />
    </>
  );
}

/**
 * Returns the steps that the session has visited, up to the current step. Transitions that did not change the
 * status (late or disputed updates) are left out.
 */
function listVisited(now: StatusPair, log: readonly Transition[]): readonly StatusPair[] {
  const path: StatusPair[] = log.filter(({ applied }) => applied).map(({ statusInfo }) => statusInfo);
  const last = path.at(-1);
  return last && toPairKey(last) === toPairKey(now) ? path : [...path, now];
}

/**
 * Sorts steps in the order of the gateway's transition rules, so that a step keeps its row on the map when
 * other steps are added.
 */
function sortSteps(pairs: readonly StatusPair[], rules: ReturnType<typeof useRules>): readonly StatusPair[] {
  if (!rules) return pairs;
  const order = new Map(listSteps(rules).map((pair, at) => [toPairKey(pair), at]));
  const at = (pair: StatusPair) => order.get(toPairKey(pair)) ?? order.size;
  return [...pairs].sort((one, other) => at(one) - at(other));
}

function Legend({ showAll, over, since }: { showAll: boolean; over: boolean; since: number }) {
  return (
    <ul className={style.legend} aria-hidden>
      <li className={style.wasKey}>visited</li>
      <li className={style.nowKey}>{over ? 'ended' : 'current'}</li>
      {!over && <li className={style.usualKey}>usually next</li>}
      {!over && showAll && <li className={style.possibleKey}>possible</li>}
      {since > 1 && <li className={style.cutKey}>shown from entry {since}</li>}
    </ul>
  );
}

const OTHER_STEPS_NOTE = 'The provider may also report another step.';

/** Content of the map as text, for screen readers. */
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
  const names = (pairs: readonly StatusPair[]) =>
    pairs.map(({ subStatus }) => humanize(subStatus)).join(', ');
  const now = path.at(-1);
  return (
    <ul id={id} className="hidden">
      <li>Visited: {names(path.slice(0, -1)) || 'no earlier step'}.</li>
      {now && (
        <li>
          Current step: {humanize(now.subStatus)} ({PHASE_LABELS[now.status] ?? humanize(now.status)}).
        </li>
      )}
      <li>
        {over
          ? 'The session has ended.'
          : `Usually next: ${names(ahead.usual) || 'unknown'}. ${OTHER_STEPS_NOTE}`}
      </li>
    </ul>
  );
}
