import { context, trace } from '@opentelemetry/api';
import type pg from 'pg';
import type { BeginSpan } from './span.ts';

const MAX_TEXT_LENGTH = 1_000;

type Query = (...args: unknown[]) => unknown;
type Done = (error: unknown, ...rest: unknown[]) => void;

/**
 * Creates a span for each SQL statement of the pool's clients that runs within a trace. A statement outside any
 * trace, such as a periodic check, gets no span. The span has the statement's text with placeholders, and never
 * the values.
 */
export function traceStatements(pool: pg.Pool, begin: BeginSpan): void {
  const connect = pool.connect.bind(pool) as (callBack?: Done) => unknown;
  // pg-pool runs the callback of a waiting caller in the async context of the caller that releases the
  // connection. The callback is therefore bound to the context of the waiting caller.
  pool.connect = ((callBack?: Done) =>
    connect(callBack && context.bind(context.active(), callBack))) as pg.Pool['connect'];
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as Query;
    client.query = ((...args: unknown[]) => {
      const text = getStatementText(args[0]);
      if (text === null || !trace.getSpan(context.active())) return query(...args);
      const { end } = begin(getSpanName(text), {
        kind: 'CLIENT',
        attributes: { 'db.system.name': 'postgresql', 'db.query.text': text.slice(0, MAX_TEXT_LENGTH) },
      });
      const callBack = args.at(-1);
      if (typeof callBack === 'function') {
        const done: Done = (error, ...rest) => {
          end(error ?? undefined);
          (callBack as Done)(error, ...rest);
        };
        return query(...args.slice(0, -1), context.bind(context.active(), done));
      }
      const answer = query(...args) as Promise<unknown>;
      answer.then(
        () => end(),
        (error) => end(error),
      );
      return answer;
    }) as typeof client.query;
  });
}

/** Returns the text of a statement; null for other objects that `query` accepts, such as a cursor. */
function getStatementText(first: unknown): string | null {
  if (typeof first === 'string') return first;
  const { text, submit } = (first ?? {}) as { text?: unknown; submit?: unknown };
  return typeof text === 'string' && typeof submit !== 'function' ? text : null;
}

/** Returns a span name such as `select vkyc_session`. */
function getSpanName(text: string): string {
  const verb = text.match(/[a-z]+/i)?.[0].toLowerCase() ?? 'statement';
  const table = text.match(/\b(?:from|into|update)\s+"?([a-z_]\w*)"?/i)?.[1];
  return table ? `${verb} ${table}` : verb;
}
