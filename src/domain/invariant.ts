/**
 * Asserts a condition that must be true unless the gateway itself has a bug.
 *
 * @throws Error with the text `found`, which says what was found instead. Clients get only a general internal
 * error
 */
export function invariant(condition: unknown, found: string): asserts condition {
  if (!condition) throw new Error(`invariant violated: ${found}`);
}
