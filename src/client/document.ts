import type { Payload } from './frames.ts';

/** Returns the variable definitions of a subscription, as text; undefined for any other operation. */
export function findVariables({ query, operationName }: Payload): string | undefined {
  // A string that is not closed ends with the document; otherwise each quote would be searched to the end again.
  let heads = query.replace(/"""[\s\S]*?(?:"""|$)|"(?:\\[\s\S]|[^"\\])*(?:"|\\?$)|#.*/g, '');
  while (/\{[^{}]*\}/.test(heads)) heads = heads.replace(/\{[^{}]*\}/g, ';');
  for (const [, name, variables] of heads.matchAll(
    /(?:^|;)\s*subscription\b\s*(\w*)\s*((?:\([^)]*(?:\)|$))?)/g,
  ))
    if (!operationName || name === operationName) return variables;
  return undefined;
}

/** Whether a document selects heartbeats; if so, silence means that the connection is dead. */
export const selectsHeartbeats = ({ query }: Payload): boolean => /\bHeartbeat\b/.test(query);
