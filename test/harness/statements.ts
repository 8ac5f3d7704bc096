import pg from 'pg';
import { atTheEnd } from './gateway.ts';

/** Counts the statements of this process from now on whose text has this; returns how many there were. */
export function countStatements(part: string): () => number {
  let count = 0;
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (this: pg.Client, ...args: any[]) {
    if (String(args[0]?.text ?? args[0]).includes(part)) count += 1;
    return (query as any).apply(this, args);
  } as typeof query;
  atTheEnd(async () => {
    pg.Client.prototype.query = query;
  });
  return () => count;
}
