/** Holds what subscribers got against the log. */

import { drizzle } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { readLogIdentity } from '../../src/db/feed.ts';
import { type Cursors, createCursors, LOG_START, type LogPlace } from '../../src/feed/cursor.ts';
import { eventually } from '../harness/gateway.ts';
import { deliveriesTo, type Names, type Stretch, type Subscriber, transitionId } from './subscribers.ts';
import { nameOf, type Wish } from './wishes.ts';

interface Entry {
  readonly sessionId: string;
  readonly sequence: number;
  readonly status: string;
  readonly verdict: string;
  readonly number: number;
}

/** The whole log in the order of the feed, as it is in the database. */
export interface Log {
  readonly entries: readonly Entry[];
  /** What a subscriber should have got after a cursor, as numbers. */
  expected(wish: Wish, after: string): readonly number[];
}

export async function readLog(database: pg.Pool, names: Names): Promise<Log> {
  const { rows } = await database.query(
    `select session_id as "sessionId", sequence, status, verdict
     from feed join status_transition using (session_id, sequence) order by position`,
  );
  const entries: Entry[] = rows.map((row) => ({
    ...row,
    number: names.numberOf(transitionId(row.sessionId, row.sequence)),
  }));
  const cursors: Cursors = createCursors(await readLogIdentity(drizzle(database)));
  const positions = new Map(
    entries.map((entry, index) => [`${entry.sessionId} ${entry.sequence}`, index + 1]),
  );
  const positionOf = ({ sessionId, sequence }: LogPlace): number => {
    if (sessionId === LOG_START.sessionId) return 0;
    const position = positions.get(`${sessionId} ${Math.max(sequence, 1)}`);
    if (position === undefined) throw new Error(`The feed has no ${sessionId} ${sequence}`);
    return sequence === 0 ? position - 1 : position;
  };
  const answers = new Map<string, readonly number[]>();
  const find = (wish: Wish, after: string): number[] => {
    const { session } = wish;
    const place = cursors.decode(after);
    const behind = session
      ? entries.filter((entry) => entry.sessionId === session.id && entry.sequence > place.sequence)
      : entries.slice(positionOf(place));
    return behind.filter((entry) => isWished(entry, wish)).map((entry) => entry.number);
  };
  return {
    entries,
    expected(wish, after) {
      const key = JSON.stringify([wish.session?.id, wish.filter, after]);
      const answer = answers.get(key) ?? find(wish, after);
      answers.set(key, answer);
      return answer;
    },
  };
}

const isWished = ({ status, verdict }: Entry, { filter }: Wish): boolean =>
  (!filter.status || filter.status.includes(status)) && (!filter.appliedOnly || verdict === 'MOVED');

export interface Verdict {
  readonly lost: readonly number[];
  readonly repeated: readonly number[];
  readonly outOfOrder: readonly number[];
  /** Of another part of the log, or from before the cursor. */
  readonly uncalledFor: readonly number[];
}

/** What is wrong with a list. One that was broken off may end early, but may not leave anything out. */
export function judge(received: readonly number[], expected: readonly number[], brokenOff = false): Verdict {
  const places = new Map(expected.map((number, index) => [number, index]));
  const seen = new Set<number>();
  const repeated: number[] = [];
  const outOfOrder: number[] = [];
  const uncalledFor: number[] = [];
  let furthest = -1;
  for (const number of received) {
    const place = places.get(number);
    if (place === undefined) uncalledFor.push(number);
    else if (seen.has(number)) repeated.push(number);
    else if (place < furthest) outOfOrder.push(number);
    seen.add(number);
    furthest = Math.max(furthest, place ?? -1);
  }
  const due = brokenOff ? expected.slice(0, furthest + 1) : expected;
  return { lost: due.filter((number) => !seen.has(number)), repeated, outOfOrder, uncalledFor };
}

/** When nobody gets anything for so long, nothing more will come: what is missing is lost. */
const SILENCE_MS = 15_000;

/** Waits until every subscriber has got as many as it should, or nothing more comes. */
export async function everyoneHasRead(subscribers: readonly Subscriber[], log: Log): Promise<void> {
  const isComplete = ({ wish, stretches, ended }: Subscriber) => {
    const { after, received } = stretches.at(-1) as Stretch;
    return ended !== null || received.length >= log.expected(wish, after).length;
  };
  let before = 0;
  let quietSince = performance.now();
  await eventually(async () => {
    const deliveries = deliveriesTo(subscribers);
    if (deliveries !== before) quietSince = performance.now();
    before = deliveries;
    return subscribers.every(isComplete) || performance.now() - quietSince > SILENCE_MS;
  });
}

export interface Account {
  readonly lost: number;
  readonly repeated: number;
  readonly outOfOrder: number;
  readonly uncalledFor: number;
  readonly ended: number;
  /** One line for every subscriber with whom something is wrong. */
  readonly complaints: readonly string[];
}

/** What every account is to be. */
export const NOTHING_WRONG: Account = {
  lost: 0,
  repeated: 0,
  outOfOrder: 0,
  uncalledFor: 0,
  ended: 0,
  complaints: [],
};

/** The sum over all subscribers: an empty account but for zeros is the proof. */
export function accountOf(subscribers: readonly Subscriber[], log: Log, names: Names): Account {
  const sum = { lost: 0, repeated: 0, outOfOrder: 0, uncalledFor: 0, ended: 0 };
  const complaints: string[] = [];
  for (const [index, { wish, stretches, ended }] of subscribers.entries()) {
    const complain = (what: string) => complaints.push(`subscriber ${index} (${nameOf(wish)}) ${what}`);
    if (ended) {
      sum.ended += 1;
      complain(`was ended: ${ended}`);
    }
    for (const { after, received } of stretches) {
      const verdict = judge(received, log.expected(wish, after), stretches.at(-1)?.received !== received);
      for (const kind of ['lost', 'repeated', 'outOfOrder', 'uncalledFor'] as const) {
        sum[kind] += verdict[kind].length;
        if (verdict[kind].length > 0) complain(`${kind} ${named(verdict[kind], names)}`);
      }
    }
  }
  return { ...sum, complaints };
}

const MOST_NAMED = 8;

const named = (numbers: readonly number[], names: Names): string =>
  [
    `${numbers.length}:`,
    ...numbers.slice(0, MOST_NAMED).map((number) => names.textOf(number)),
    ...(numbers.length > MOST_NAMED ? ['…'] : []),
  ].join(' ');

const WORDS: Record<string, string> = {
  lateCommits: 'late commits',
  listenerKills: 'listener kills',
  outOfOrder: 'out of order',
  uncalledFor: 'uncalled for',
};

/** Counts with their names, for people. */
export const inWords = (counts: object): string =>
  Object.entries(counts)
    .filter(([, count]) => typeof count === 'number')
    .map(([name, count]) => `${count} ${WORDS[name] ?? name}`)
    .join(', ');
