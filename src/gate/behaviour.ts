/** What the SDL does not say: which states there are, what they mean, and which moves between them there are. */
import { TRANSITION_RULES } from '../domain/session.ts';
import { STATUS_CATALOG } from '../domain/status.ts';

/** The tables of a release, as `schema/released-behaviour.json` keeps them: a line of text for each coordinate. */
export interface Behaviour {
  /** By `STATUS/SUB_STATUS`: what `statusCatalog` tells of it. */
  readonly states: Readonly<Record<string, string>>;
  /** By `FROM -> TO`, where `(none)` starts a session: what may cause it. */
  readonly moves: Readonly<Record<string, string>>;
}

/** A difference between two releases' tables, by its coordinate. */
export interface BehaviourChange {
  readonly coordinate: string;
  readonly message: string;
}

const nameOf = (pair: { status: string; subStatus: string } | null): string =>
  pair ? `${pair.status}/${pair.subStatus}` : '(none)';

/** The present tables. */
export const presentBehaviour = (): Behaviour => ({
  states: Object.fromEntries(
    STATUS_CATALOG.map((info) => [
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

/** What differs. The moves from and to a state that is new or gone go without saying. */
export function behaviourChanges(released: Behaviour, present: Behaviour): BehaviourChange[] {
  const states = changesOf('State', released.states, present.states);
  const comeOrGone = states.map(({ coordinate }) => coordinate).filter((name) => !isInBoth(name));
  const moves = changesOf('Move', released.moves, present.moves).filter(
    ({ coordinate }) => !coordinate.split(' -> ').some((end) => comeOrGone.includes(end)),
  );
  return [...states, ...moves];

  function isInBoth(name: string): boolean {
    return Object.hasOwn(released.states, name) && Object.hasOwn(present.states, name);
  }
}

function changesOf(
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): BehaviourChange[] {
  const coordinates = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...coordinates].flatMap((coordinate) => {
    const [was, is] = [before[coordinate], after[coordinate]];
    if (was === is) return [];
    if (was === undefined) return [{ coordinate, message: `${what} is new: ${is}` }];
    if (is === undefined) return [{ coordinate, message: `${what} is gone; it was: ${was}` }];
    return [{ coordinate, message: `${what} changed from "${was}" to "${is}"` }];
  });
}
