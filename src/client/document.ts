import type { Payload } from './frames.ts';

/**
 * Returns the variable definitions, such as `($after: String)`, of a subscription document; undefined if the
 * operation is not a subscription.
 */
export function findSubscriptionVariableDefinitions({ query, operationName }: Payload): string | undefined {
  // Unclosed strings match up to the end of the document. Otherwise the regular expression would search for
  // the missing quote again from every opening quote (quadratic time, ReDoS).
  let heads = query.replace(/"""[\s\S]*?(?:"""|$)|"(?:\\[\s\S]|[^"\\])*(?:"|\\?$)|#.*/g, '');
  while (/\{[^{}]*\}/.test(heads)) heads = heads.replace(/\{[^{}]*\}/g, ';');
  for (const [, name, variables] of heads.matchAll(
    /(?:^|;)\s*subscription\b\s*(\w*)\s*((?:\([^)]*(?:\)|$))?)/g,
  ))
    if (!operationName || name === operationName) return variables;
  return undefined;
}

/**
 * Whether a document selects heartbeats. If it does, silence on the connection means that the connection is
 * dead.
 */
export const selectsHeartbeats = ({ query }: Payload): boolean => /\bHeartbeat\b/.test(query);
