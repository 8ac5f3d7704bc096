import pg from 'pg';
import { atTheEnd } from './gateway.ts';

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
  /** Name under which connections prepare the statement; undefined if it is planned for each call. */
  readonly name: string | undefined;
  readonly client: pg.Client;
}

/** Statement that every new connection of the pool sends first. `onStatement` does not report it. */
const ON_CONNECT = 'set jit = off';

/**
 * Calls `hear` with every SQL statement of this process before it is sent, except connection set-up, until the test
 * ends. Returns a function that stops the calls earlier.
 */
export function onStatement(hear: (statement: Statement) => void): () => void {
  const { query } = pg.Client.prototype;
  const stop = () => {
    pg.Client.prototype.query = query;
  };
  pg.Client.prototype.query = function (this: pg.Client, ...args: any[]) {
    const text = String(args[0]?.text ?? args[0]);
    if (text !== ON_CONNECT)
      hear({ text, values: args[0]?.values ?? args[1], name: args[0]?.name, client: this });
    return (query as any).apply(this, args);
  } as typeof query;
  atTheEnd(async () => stop());
  return stop;
}

/**
 * Counts, from now on, the SQL statements of this process whose text contains `part`. Returns a function that returns
 * the count.
 */
export function countStatements(part: string): () => number {
  let count = 0;
  onStatement(({ text }) => {
    if (text.includes(part)) count += 1;
  });
  return () => count;
}
