import { useEffect, useState } from 'react';
import type { Gateway } from '../gateway/gateway.ts';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { VkycTransitionRules, type VkycTransitionRulesQuery } from '../operations.ts';
import { ENDS, keyOf, nextSlotOf, type Pair, slotOf } from './journey-places.ts';

type Rules = VkycTransitionRulesQuery['transitionRules'];

/** The rules are a gateway's own, and do not change while it runs. */
const known = new WeakMap<Gateway, Promise<Rules>>();

function rulesOf(gateway: Gateway): Promise<Rules> {
  const asked = known.get(gateway);
  if (asked) return asked;
  const answer = gateway.query(VkycTransitionRules, {}).then(({ transitionRules }) => transitionRules);
  known.set(gateway, answer);
  // Whoever looks at the next session asks again.
  answer.catch(() => known.delete(gateway));
  return answer;
}

/** The gateway's rules; null as long as they are not known. */
export function useRules(): Rules | null {
  const { gateway } = useSignedIn();
  const [rules, setRules] = useState<Rules | null>(null);
  useEffect(() => {
    let shown = true;
    rulesOf(gateway).then(
      (read) => shown && setRules(read),
      () => {},
    );
    return () => {
      shown = false;
    };
  }, [gateway]);
  return rules;
}

/** Every step that has a name, in the order of a session's life. */
export const stepsIn = (rules: Rules): readonly Pair[] =>
  rules.filter(({ from, to }) => !from && to.subStatus !== 'UNRECOGNIZED').map(({ to }) => to);

/** Where a session may go from here. */
export interface Ahead {
  /** What the rules allow. */
  readonly possible: readonly Pair[];
  /** What of it usually comes next: a provider may leave steps out, so that the rules allow nearly everything. */
  readonly usual: readonly Pair[];
}

export function aheadOf(now: Pair, rules: Rules): Ahead {
  const moves = rules.filter(
    ({ from, to }) =>
      from && keyOf(from) === keyOf(now) && keyOf(to) !== keyOf(now) && to.subStatus !== 'UNRECOGNIZED',
  );
  const next = nextSlotOf(now);
  const callSlots = columnsOf(moves, 'VIDEO_CALL');
  const reviewed = Math.min(...columnsOf(moves, 'AGENT_REVIEWED'), ENDS);
  const isUsual = ({ to, action }: Rules[number]): boolean =>
    action === 'RECORD_AGENT_REVIEW' ||
    action === 'RECORD_AUDITOR_REVIEW' ||
    (slotOf(to) === next && next !== ENDS) ||
    (to.status === 'EXPIRED' && next < reviewed) ||
    (to.status === 'FAILED' && callSlots.includes(next));
  return { possible: moves.map(({ to }) => to), usual: moves.filter(isUsual).map(({ to }) => to) };
}

const columnsOf = (moves: Rules, phase: Pair['status']): readonly number[] =>
  moves.filter(({ to }) => to.status === phase).map(({ to }) => slotOf(to));
