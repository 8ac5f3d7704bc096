/**
 * Passes on the events of a burst as fast as possible: it yields to the event loop between two events, but
 * does not wait.
 */
export function eachInTurn<Event>(events: readonly Event[], pass: (event: Event) => void): void {
  const [first, ...rest] = events;
  if (first === undefined) return;
  pass(first);
  setImmediate(eachInTurn, rest, pass);
}
