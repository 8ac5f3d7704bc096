import type { BenchDatabase } from '../database/database.ts';
import { requestOf } from '../harness/http-load.ts';
import { CONTENDERS, type ContenderName } from './contenders.ts';
import type { Operation } from './queries.ts';

/** Requests that are sent to one server. */
export interface Traffic {
  /** Text that every response must contain, as proof that the server did the work. */
  readonly proof: string;
  next(): Buffer;
}

export interface Given {
  readonly database: BenchDatabase;
  readonly token: string;
}

export type TrafficTo = (name: ContenderName) => Traffic;

/** Returns traffic that sends the same operations in turn, again and again. */
export function repeating(operations: readonly Operation[], { token }: Given): TrafficTo {
  return (name) => {
    const { path, proof } = CONTENDERS[name];
    const requests = operations.map((operation) =>
      requestOf(path, JSON.stringify(operation), { authorization: `Bearer ${token}` }),
    );
    let sent = 0;
    return { proof, next: () => requests[sent++ % requests.length] as Buffer };
  };
}

/** Returns traffic that makes a new operation for each request, for mutations that may not be sent twice. */
export function making(make: () => Operation, proof: string, { token }: Given): TrafficTo {
  return (name) => ({
    proof,
    next: () =>
      requestOf(CONTENDERS[name].path, JSON.stringify(make()), { authorization: `Bearer ${token}` }),
  });
}
