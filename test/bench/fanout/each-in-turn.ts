/** Hands over a burst as fast as it is accepted. Yields to the event loop between events, but does not pause. */
export function eachInTurn<Event>(events: readonly Event[], pass: (event: Event) => void): void {
  const [first, ...rest] = events;
  if (first === undefined) return;
  pass(first);
  setImmediate(eachInTurn, rest, pass);
}
