/**
 * Passes on the events of a burst one by one without a pause. Between two events it yields to the event loop,
 * so that sockets can be written.
 */
export function eachInTurn<Event>(events: readonly Event[], pass: (event: Event) => void): void {
  const [first, ...rest] = events;
  if (first === undefined) return;
  pass(first);
  setImmediate(eachInTurn, rest, pass);
}
