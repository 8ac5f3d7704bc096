import { useEffect, useState } from 'react';
import type { GatewayClient } from '../gateway/gateway.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { VkycTransitionRules, type VkycTransitionRulesQuery } from '../operations.ts';
import { END_COLUMN, getNextStepColumn, getStepColumn, type StatusPair, toPairKey } from './journey-steps.ts';

type Rules = VkycTransitionRulesQuery['transitionRules'];

/**
 * Cache of the transition rules by gateway client. Caching is safe, because the rules do not change while the
 * gateway runs.
 */
const cache = new WeakMap<GatewayClient, Promise<Rules>>();

function fetchRules(gateway: GatewayClient): Promise<Rules> {
  const asked = cache.get(gateway);
  if (asked) return asked;
  const answer = gateway.query(VkycTransitionRules, {}).then(({ transitionRules }) => transitionRules);
  cache.set(gateway, answer);
  // Removes a failed query from the cache, so that the next session page repeats it.
  answer.catch(() => cache.delete(gateway));
  return answer;
}

/** Hook that returns the gateway's transition rules; null until they are loaded. */
export function useTransitionRules(): Rules | null {
  const { gateway } = useViewerAndGateway();
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

/**
 * Returns every step except UNRECOGNIZED, in the order in which a session passes them. The rules without
 * `from` (starts of a session) contain each step once.
 */
export const listKnownSteps = (rules: Rules): readonly StatusPair[] =>
  rules.filter(({ from, to }) => !from && to.subStatus !== 'UNRECOGNIZED').map(({ to }) => to);

/** Steps that can follow the current step of a session. */
export interface NextSteps {
  /** Steps that the transition rules allow after the current step. */
  readonly possible: readonly StatusPair[];
  /**
   * Likely ones among the possible steps. The difference matters because the provider may skip steps, so that
   * nearly every later step is possible.
   */
  readonly usual: readonly StatusPair[];
}

/** Returns the steps that the rules allow after `now`, and those among them that usually come next. */
export function findNextSteps(now: StatusPair, rules: Rules): NextSteps {
  const moves = rules.filter(
    ({ from, to }) =>
      from &&
      toPairKey(from) === toPairKey(now) &&
      toPairKey(to) !== toPairKey(now) &&
      to.subStatus !== 'UNRECOGNIZED',
  );
  const next = getNextStepColumn(now);
  const callSlots = listSlots(moves, 'VIDEO_CALL');
  const reviewed = Math.min(...listSlots(moves, 'AGENT_REVIEWED'), END_COLUMN);
  const isUsual = ({ to, action }: Rules[number]): boolean =>
    action === 'RECORD_AGENT_REVIEW' ||
    action === 'RECORD_AUDITOR_REVIEW' ||
    (getStepColumn(to) === next && next !== END_COLUMN) ||
    (to.status === 'EXPIRED' && next < reviewed) ||
    (to.status === 'FAILED' && callSlots.includes(next));
  return { possible: moves.map(({ to }) => to), usual: moves.filter(isUsual).map(({ to }) => to) };
}

const listSlots = (moves: Rules, phase: StatusPair['status']): readonly number[] =>
  moves.filter(({ to }) => to.status === phase).map(({ to }) => getStepColumn(to));
