import pg from 'pg';
import { atTheEnd } from './gateway.ts';

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
  readonly client: pg.Client;
}

/** Connection set-up, which every new connection of the pool sends; it does not count as a statement. */
const ON_CONNECT = 'set jit = off';

/**
 * Calls `hear` with every SQL statement of this process before it is sent, except connection set-up, until the test
 * ends; returns a function that stops it earlier.
 */
export function onStatement(hear: (statement: Statement) => void): () => void {
  const { query } = pg.Client.prototype;
  const stop = () => {
    pg.Client.prototype.query = query;
  };
  pg.Client.prototype.query = function (this: pg.Client, ...args: any[]) {
    const text = String(args[0]?.text ?? args[0]);
    if (text !== ON_CONNECT) hear({ text, values: args[0]?.values ?? args[1], client: this });
    return (query as any).apply(this, args);
  } as typeof query;
  atTheEnd(async () => stop());
  return stop;
}

/**
 * Counts this process's statements whose text contains `part`, from now on; returns a function that returns the count.
 */
export function countStatements(part: string): () => number {
  let count = 0;
  onStatement(({ text }) => {
    if (text.includes(part)) count += 1;
  });
  return () => count;
}
