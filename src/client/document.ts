import type { Payload } from './frames.ts';

/**
 * Returns the variable definitions of a subscription document, as text; undefined if the operation is not a
 * subscription.
 */
export function findVariables({ query, operationName }: Payload): string | undefined {
  // The pattern accepts a string that is not closed, up to the end of the document. Otherwise the regular
  // expression would search for the end again at every quote (quadratic time).
  let heads = query.replace(/"""[\s\S]*?(?:"""|$)|"(?:\\[\s\S]|[^"\\])*(?:"|\\?$)|#.*/g, '');
  while (/\{[^{}]*\}/.test(heads)) heads = heads.replace(/\{[^{}]*\}/g, ';');
  for (const [, name, variables] of heads.matchAll(
    /(?:^|;)\s*subscription\b\s*(\w*)\s*((?:\([^)]*(?:\)|$))?)/g,
  ))
    if (!operationName || name === operationName) return variables;
  return undefined;
}

/**
 * Whether a document selects heartbeats. If it does, a connection on which nothing arrives for a while is
 * dead.
 */
export const selectsHeartbeats = ({ query }: Payload): boolean => /\bHeartbeat\b/.test(query);
