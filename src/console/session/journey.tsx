import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { texts } from '../language/texts.ts';
import type { Transition } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { getLabel, getStepLabel, PHASE_LABELS } from '../look/labels.ts';
import type { VkycStatusFragment } from '../operations.ts';
import style from './journey.module.css';
import { JourneyMap, type StepHighlights, type Trail } from './journey-map.tsx';
import { computeMapWidth, toX } from './journey-paths.ts';
import { findNextSteps, listKnownSteps, type NextSteps, useTransitionRules } from './journey-rules.ts';
import {
  countMapColumns,
  layOutSteps,
  MAIN_LINE_STEPS,
  type StatusPair,
  toPairKey,
} from './journey-steps.ts';

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
export default function JourneySection({ now, log }: Props) {
  const rules = useTransitionRules();
  const [showAll, setShowAll] = useState(false);
  const trail = useMemo(() => followTrail(now, log), [now, log]);
  const ahead = useMemo(() => (rules ? findNextSteps(now, rules) : NOTHING_AHEAD), [rules, now]);
  const order = useMemo(() => (rules ? orderSteps(rules) : null), [rules]);
  const shown = useMemo(
    () =>
      sortSteps(
        [
          ...MAIN_LINE_STEPS,
          ...[...trail.visited.values()].map(({ pair }) => pair),
          ...ahead.usual,
          ...(showAll && rules ? listKnownSteps(rules) : []),
        ],
        order,
      ),
    [trail, ahead, showAll, rules, order],
  );
  const marks: StepHighlights = useMemo(
    () => ({
      trail,
      usual: new Set(ahead.usual.map(toPairKey)),
      possible: new Set(ahead.possible.map(toPairKey)),
    }),
    [trail, ahead],
  );
  const keys = shown.map(toPairKey).join(' ');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same steps have the same places, so that they are not rendered again
  const placed = useMemo(() => layOutSteps(shown), [keys]);
  const box = useRef<HTMLDivElement>(null);
  const descriptionId = useId();
  const currentStep = placed.get(toPairKey(now));
  const currentShare = currentStep ? toX(currentStep) / computeMapWidth(countMapColumns(placed)) : 0;

  // Scrolls the current step to the middle if the map is wider than its box.
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    current.scrollTo({ left: currentShare * current.scrollWidth - current.clientWidth / 2 });
  }, [currentShare]);

  return (
    <>
      <header className={style.head}>
        <h2>{texts.session.journey.title}</h2>
        <Legend showAll={showAll} over={now.terminal} since={log[0]?.sequence ?? 1} />
        <Button look="quiet" isDisabled={!rules} onPress={() => setShowAll(!showAll)}>
          {showAll ? texts.session.journey.showFewer : texts.session.journey.showAll}
        </Button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by keyboard */}
      <div ref={box} className={style.box} tabIndex={0}>
        <JourneyMap
          steps={placed}
          marks={marks}
          name={texts.session.journey.map(getStepLabel(now.subStatus))}
          descriptionId={descriptionId}
        />
      </div>
      <JourneyText id={descriptionId} now={now} trail={trail} ahead={ahead} />
    </>
  );
}

/**
 * Returns which steps the session has visited and how it moved between them, up to the current step. Transitions that
 * did not change the status (late or disputed updates) are left out. Steps and moves occur once, however long the log.
 */
function followTrail(now: StatusPair, log: readonly Transition[]): Trail {
  const visited = new Map<string, { pair: StatusPair; visits: number }>();
  const moves = new Map<string, Map<string, Trail['moves'][number]>>();
  let [last, steps] = ['', 0];
  const visit = (pair: StatusPair) => {
    const key = toPairKey(pair);
    if (last !== '' && last !== key) {
      const targets = moves.get(last) ?? new Map();
      moves.set(last, targets.set(key, { from: last, to: key, at: steps }));
    }
    const known = visited.get(key);
    if (known) known.visits += 1;
    else visited.set(key, { pair, visits: 1 });
    last = key;
    steps += 1;
  };
  for (const { applied, statusInfo } of log) if (applied) visit(statusInfo);
  if (last !== toPairKey(now)) visit(now);
  const newestLast = [...moves.values()]
    .flatMap((targets) => [...targets.values()])
    .sort((one, other) => one.at - other.at);
  return { now: last, visited, moves: newestLast, steps };
}

/** Returns the place of each step in the gateway's transition rules, by its key. */
const orderSteps = (rules: Parameters<typeof listKnownSteps>[0]): ReadonlyMap<string, number> =>
  new Map(listKnownSteps(rules).map((pair, at) => [toPairKey(pair), at]));

/**
 * Sorts steps in the order of the gateway's transition rules, so that a step keeps its row on the map when
 * other steps are added.
 */
function sortSteps(
  pairs: readonly StatusPair[],
  order: ReadonlyMap<string, number> | null,
): readonly StatusPair[] {
  if (!order) return pairs;
  const at = (pair: StatusPair) => order.get(toPairKey(pair)) ?? order.size;
  return [...pairs].sort((one, other) => at(one) - at(other));
}

function Legend({ showAll, over, since }: { showAll: boolean; over: boolean; since: number }) {
  return (
    <ul className={style.legend} aria-hidden>
      <li className={style.wasKey}>{texts.session.journey.visited}</li>
      <li className={style.nowKey}>{over ? texts.session.journey.ended : texts.session.journey.current}</li>
      {!over && <li className={style.usualKey}>{texts.session.journey.usual}</li>}
      {!over && showAll && <li className={style.possibleKey}>{texts.session.journey.possible}</li>}
      {since > 1 && <li className={style.cutKey}>{texts.session.journey.shownFrom(since)}</li>}
    </ul>
  );
}

interface TextProps {
  readonly id: string;
  readonly now: VkycStatusFragment;
  readonly trail: Trail;
  readonly ahead: NextSteps;
}

/** Content of the map as text, for screen readers. */
function JourneyText({ id, now, trail, ahead }: TextProps) {
  const current = toPairKey(now);
  const visited = [...trail.visited].flatMap(([key, { pair, visits }]) => {
    // The current step is named by itself; here it counts only if the session was at it before.
    const times = key === current ? visits - 1 : visits;
    const step = getStepLabel(pair.subStatus);
    if (times === 0) return [];
    return [times > 1 ? texts.session.journey.times(step, times) : step];
  });
  const usual = ahead.usual.map(({ subStatus }) => getStepLabel(subStatus)).join(', ');
  return (
    <ul id={id} className="hidden">
      <li>{texts.session.journey.visitedSteps(visited.join(', '))}</li>
      <li>
        {texts.session.journey.currentStep(getStepLabel(now.subStatus), getLabel(PHASE_LABELS, now.status))}
      </li>
      <li>{now.terminal ? texts.session.journey.isOver : texts.session.journey.usualSteps(usual)}</li>
    </ul>
  );
}
