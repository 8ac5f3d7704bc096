/** Behaviour that the SDL does not express: the statuses, their meanings, and the allowed transitions. */
import { TRANSITION_RULES } from '../domain/session.ts';
import { ALL_PAIRS } from '../domain/status.ts';

/**
 * Behaviour of a release, as stored in `schema/released-behaviour.json`: a line of text for each status pair
 * and each transition.
 */
export interface BehaviourSnapshot {
  /** Text of each status pair in the query `statusCatalog`, by `STATUS/SUB_STATUS`. */
  readonly states: Readonly<Record<string, string>>;
  /** Sources and action of each transition, by `FROM -> TO`. FROM is `(none)` at the start of a session. */
  readonly moves: Readonly<Record<string, string>>;
}

/**
 * Difference between the behaviour of two releases. `coordinate` is the status pair or the transition that
 * differs; `message` says how.
 */
export interface BehaviourChange {
  readonly coordinate: string;
  readonly message: string;
}

const nameOf = (pair: { status: string; subStatus: string } | null): string =>
  pair ? `${pair.status}/${pair.subStatus}` : '(none)';

/** Returns the status pairs and allowed transitions of the current code, to compare with those of the last release. */
export const getCurrentBehaviour = (): BehaviourSnapshot => ({
  states: Object.fromEntries(
    ALL_PAIRS.map((info) => [
      nameOf(info),
      `${info.explanation} ${info.recommendedAction} Waits on ${info.waitingOn}${info.terminal ? ', terminal' : ''}.`,
    ]),
  ),
  moves: Object.fromEntries(
    TRANSITION_RULES.map(({ from, to, sources, action }) => [
      `${nameOf(from)} -> ${nameOf(to)}`,
      [...sources, ...(action ? [action] : [])].join(', '),
    ]),
  ),
});

/**
 * Returns how the present behaviour differs from the released one. Transitions from or to a new or removed
 * status pair are left out, because the pair itself is already listed.
 */
export function findBehaviourChanges(
  released: BehaviourSnapshot,
  present: BehaviourSnapshot,
): BehaviourChange[] {
  const states = compareEntries('State', released.states, present.states);
  const comeOrGone = states.map(({ coordinate }) => coordinate).filter((name) => !isInBoth(name));
  const moves = compareEntries('Move', released.moves, present.moves).filter(
    ({ coordinate }) => !coordinate.split(' -> ').some((end) => comeOrGone.includes(end)),
  );
  return [...states, ...moves];

  function isInBoth(name: string): boolean {
    return Object.hasOwn(released.states, name) && Object.hasOwn(present.states, name);
  }
}

function compareEntries(
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): BehaviourChange[] {
  const coordinates = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...coordinates].flatMap((coordinate) => {
    const [was, is] = [before[coordinate], after[coordinate]];
    if (was === is) return [];
    if (was === undefined) return [{ coordinate, message: `${what} was added: ${is}` }];
    if (is === undefined) return [{ coordinate, message: `${what} was removed; it was: ${was}` }];
    return [{ coordinate, message: `${what} changed from "${was}" to "${is}"` }];
  });
}
