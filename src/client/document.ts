import type { Payload } from './frames.ts';

/** Returns the variable definitions of a subscription, as text; undefined for any other operation. */
export function variablesOf({ query, operationName }: Payload): string | undefined {
  let heads = query.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|#.*/g, '');
  while (/\{[^{}]*\}/.test(heads)) heads = heads.replace(/\{[^{}]*\}/g, ';');
  const name = operationName || '\\w*';
  return heads.match(`(?:^|;)\\s*subscription\\b\\s*${name}\\b\\s*((?:\\([^)]*\\))?)`)?.[1];
}

/** Whether a document selects heartbeats; if so, silence means that the connection is dead. */
export const selectsHeartbeats = ({ query }: Payload): boolean => /\bHeartbeat\b/.test(query);
