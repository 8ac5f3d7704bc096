/**
 * Checks a condition that the code around it guarantees.
 *
 * @throws Error that says what was found instead; it is a fault of the gateway and never reaches clients
 */
export function invariant(condition: unknown, found: string): asserts condition {
  if (!condition) throw new Error(`invariant violated: ${found}`);
}
