import { useEffect, useState } from 'react';
import type { Gateway } from '../gateway/gateway.ts';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { VkycTransitionRules, type VkycTransitionRulesQuery } from '../operations.ts';
import { END_SLOT, findNextSlot, findSlot, type StatusPair, toPairKey } from './journey-steps.ts';

type Rules = VkycTransitionRulesQuery['transitionRules'];

/** Cached by gateway: the rules do not change while it runs. */
const cache = new WeakMap<Gateway, Promise<Rules>>();

function fetchRules(gateway: Gateway): Promise<Rules> {
  const asked = cache.get(gateway);
  if (asked) return asked;
  const answer = gateway.query(VkycTransitionRules, {}).then(({ transitionRules }) => transitionRules);
  cache.set(gateway, answer);
  // A failed query is dropped from the cache, so that the next session page sends it again.
  answer.catch(() => cache.delete(gateway));
  return answer;
}

/** Returns the transition rules of the gateway; null until they are loaded. */
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

/** Lists every step except UNRECOGNIZED, in the order of a session's life: the rules without `from` name each step once. */
export const listSteps = (rules: Rules): readonly StatusPair[] =>
  rules.filter(({ from, to }) => !from && to.subStatus !== 'UNRECOGNIZED').map(({ to }) => to);

/** Steps that can follow the current one. */
export interface NextSteps {
  /** Steps that the rules allow. */
  readonly possible: readonly StatusPair[];
  /** The likely ones among them. The provider may skip steps, so the rules allow nearly every later one. */
  readonly usual: readonly StatusPair[];
}

/** Finds the steps that can follow `now`, and picks those that usually do. */
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
