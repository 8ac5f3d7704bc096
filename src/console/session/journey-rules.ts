import { useEffect, useState } from 'react';
import type { Gateway } from '../gateway/gateway.ts';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { VkycTransitionRules, type VkycTransitionRulesQuery } from '../operations.ts';
import { END_SLOT, findNextSlot, findSlot, type StatusPair, toPairKey } from './journey-places.ts';

type Rules = VkycTransitionRulesQuery['transitionRules'];

/** The rules are a gateway's own, and do not change while it runs. */
const known = new WeakMap<Gateway, Promise<Rules>>();

function fetchRules(gateway: Gateway): Promise<Rules> {
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
    fetchRules(gateway).then(
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
export const listSteps = (rules: Rules): readonly StatusPair[] =>
  rules.filter(({ from, to }) => !from && to.subStatus !== 'UNRECOGNIZED').map(({ to }) => to);

/** Where a session may go from here. */
export interface NextSteps {
  /** What the rules allow. */
  readonly possible: readonly StatusPair[];
  /** What of it usually comes next: a provider may leave steps out, so that the rules allow nearly everything. */
  readonly usual: readonly StatusPair[];
}

export function findNextSteps(now: StatusPair, rules: Rules): NextSteps {
  const moves = rules.filter(
    ({ from, to }) =>
      from &&
      toPairKey(from) === toPairKey(now) &&
      toPairKey(to) !== toPairKey(now) &&
      to.subStatus !== 'UNRECOGNIZED',
  );
  const next = findNextSlot(now);
  const callSlots = listSlots(moves, 'VIDEO_CALL');
  const reviewed = Math.min(...listSlots(moves, 'AGENT_REVIEWED'), END_SLOT);
  const isUsual = ({ to, action }: Rules[number]): boolean =>
    action === 'RECORD_AGENT_REVIEW' ||
    action === 'RECORD_AUDITOR_REVIEW' ||
    (findSlot(to) === next && next !== END_SLOT) ||
    (to.status === 'EXPIRED' && next < reviewed) ||
    (to.status === 'FAILED' && callSlots.includes(next));
  return { possible: moves.map(({ to }) => to), usual: moves.filter(isUsual).map(({ to }) => to) };
}

const listSlots = (moves: Rules, phase: StatusPair['status']): readonly number[] =>
  moves.filter(({ to }) => to.status === phase).map(({ to }) => findSlot(to));
