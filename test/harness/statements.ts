import pg from 'pg';
import { atTheEnd } from './gateway.ts';

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
  readonly client: pg.Client;
}

/** Tells of every statement of this process before it is sent, from now to the test's end; returns how to stop. */
export function onStatement(hear: (statement: Statement) => void): () => void {
  const { query } = pg.Client.prototype;
  const stop = () => {
    pg.Client.prototype.query = query;
  };
  pg.Client.prototype.query = function (this: pg.Client, ...args: any[]) {
    hear({ text: String(args[0]?.text ?? args[0]), values: args[0]?.values ?? args[1], client: this });
    return (query as any).apply(this, args);
  } as typeof query;
  atTheEnd(async () => stop());
  return stop;
}

/** Counts the statements of this process from now on whose text has this; returns how many there were. */
export function countStatements(part: string): () => number {
  let count = 0;
  onStatement(({ text }) => {
    if (text.includes(part)) count += 1;
  });
  return () => count;
}
