/** Hands over a burst as fast as it is taken: other work of the process may come between two events, time does not. */
export function eachInTurn<Event>(events: readonly Event[], pass: (event: Event) => void): void {
  const [first, ...rest] = events;
  if (first === undefined) return;
  pass(first);
  setImmediate(eachInTurn, rest, pass);
}
