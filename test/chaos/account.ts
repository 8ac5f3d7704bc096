/** Compares the transitions that test subscribers received with the log; counts lost, repeated and misplaced ones. */

import { drizzle } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { readLogIdentity } from '../../src/db/sessions/feed.ts';
import {
  type CursorCodec,
  createCursorCodec,
  FEED_START_POSITION,
  type LogPosition,
} from '../../src/feed/cursor.ts';
import { getTransitionFingerprint } from '../../src/feed/fingerprint.ts';
import { eventually } from '../harness/gateway.ts';
import {
  deliveriesTo,
  type Names,
  nameOfTransition,
  type Stretch,
  type Subscriber,
  transitionId,
} from './subscribers.ts';
import { nameOf, type Wish } from './wishes.ts';

interface Entry {
  readonly sessionId: string;
  readonly sequence: number;
  readonly status: string;
  readonly verdict: string;
  readonly number: number;
  /** Position in the feed; null until the transition has a position. */
  readonly position: number | null;
  readonly fingerprint: number;
}

/** The complete log of a database, in feed order. */
export interface Log {
  readonly entries: readonly Entry[];
  /** Returns whether the log has the transition to which `Names` (the register of seen transitions) gave this number. */
  hasTransition(number: number): boolean;
  /** Returns whether the log has the position that a cursor names. */
  has(cursor: string): boolean;
  /** Returns the numbers of the transitions that a subscriber must receive after a cursor. */
  expected(wish: Wish, after: string): readonly number[];
}

export async function readLog(database: pg.Pool, names: Names): Promise<Log> {
  const { rows } = await database.query(
    `select session_id as "sessionId", sequence, status, sub_status as "subStatus", verdict, source,
       occurred_at as "occurredAt", recorded_at as "recordedAt", position::int
     from status_transition left join feed using (session_id, sequence) order by position, session_id, sequence`,
  );
  const entries: Entry[] = rows.map((row) => ({
    ...row,
    number: names.numberOf(
      nameOfTransition(transitionId(row.sessionId, row.sequence), row.recordedAt.toISOString()),
    ),
    fingerprint: getTransitionFingerprint(row),
  }));
  const feed = entries.filter(({ position }) => position !== null);
  const cursors: CursorCodec = createCursorCodec(await readLogIdentity(drizzle(database)));
  const numbers = new Set(entries.map(({ number }) => number));
  const places = new Map(entries.map((entry) => [`${entry.sessionId} ${entry.sequence}`, entry]));
  const entryAt = ({ sessionId, sequence }: LogPosition) =>
    places.get(`${sessionId} ${Math.max(sequence, 1)}`);
  const positionOf = (at: LogPosition): number => {
    if (at.sessionId === FEED_START_POSITION.sessionId) return 0;
    const entry = entryAt(at);
    if (!entry) throw new Error(`The log has no transition ${at.sequence} of session ${at.sessionId}`);
    // Transitions without a position sort after all others.
    const position = entry.position ?? feed.length + 1;
    return at.sequence === 0 ? position - 1 : position;
  };
  const answers = new Map<string, readonly number[]>();
  const find = (wish: Wish, after: string): number[] => {
    const { session } = wish;
    const position = cursors.decode(after);
    const behind = session
      ? entries.filter((entry) => entry.sessionId === session.id && entry.sequence > position.sequence)
      : feed.slice(positionOf(position));
    return behind.filter((entry) => isWished(entry, wish)).map((entry) => entry.number);
  };
  return {
    entries,
    hasTransition: (number) => numbers.has(number),
    has(cursor) {
      const position = cursors.decode(cursor);
      const entry = entryAt(position);
      const isOther = position.fingerprint !== null && position.fingerprint !== entry?.fingerprint;
      return position.sessionId === FEED_START_POSITION.sessionId || (entry !== undefined && !isOther);
    },
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
  /** Transitions that do not pass the subscription's filter, or that precede its cursor. */
  readonly uncalledFor: readonly number[];
}

/**
 * Compares received transitions with the expected ones and returns the errors. If the connection broke (`brokenOff`),
 * the received list may end early, but must have no gap.
 */
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

/** If no subscriber receives a frame for this long, the missing transitions count as lost. */
const SILENCE_MS = 15_000;

/** Waits until every subscriber has received all expected transitions, or no frame has arrived for SILENCE_MS. */
export async function everyoneHasRead(subscribers: readonly Subscriber[], log: Log): Promise<void> {
  const isComplete = ({ wish, stretches, ended }: Subscriber) => {
    const { after, received } = stretches.at(-1) as Stretch;
    return ended !== null || (log.has(after) && received.length >= log.expected(wish, after).length);
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
  /** One line for every subscriber with an error. */
  readonly complaints: readonly string[];
}

/** Error counts of a test in which every subscriber received what it should: all are zero. */
export const NOTHING_WRONG: Account = {
  lost: 0,
  repeated: 0,
  outOfOrder: 0,
  uncalledFor: 0,
  ended: 0,
  complaints: [],
};

/**
 * Compares what all subscribers received with the log, and adds up the errors: zeros prove that no transition was lost,
 * repeated or reordered.
 */
export const accountOf = (subscribers: readonly Subscriber[], log: Log, names: Names): Account =>
  sumOf(
    subscribers,
    ({ wish, stretches }, { after, received }) =>
      judge(received, log.expected(wish, after), stretches.at(-1)?.received !== received),
    names,
  );

/**
 * Adds up the errors of all subscribers. `verdictOf` judges each stretch (the frames between two resyncs) separately.
 */
export function sumOf(
  subscribers: readonly Subscriber[],
  verdictOf: (subscriber: Subscriber, stretch: Stretch) => Verdict,
  names: Names,
): Account {
  const sum = { lost: 0, repeated: 0, outOfOrder: 0, uncalledFor: 0, ended: 0 };
  const complaints: string[] = [];
  for (const [index, subscriber] of subscribers.entries()) {
    const { wish, stretches, ended } = subscriber;
    const complain = (what: string) => complaints.push(`subscriber ${index} (${nameOf(wish)}) ${what}`);
    if (ended) {
      sum.ended += 1;
      complain(`was ended: ${ended}`);
    }
    for (const stretch of stretches) {
      const verdict = verdictOf(subscriber, stretch);
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
  liveOverAGap: 'live over a gap',
  outOfOrder: 'out of order',
  resetInVain: 'reset in vain',
  uncalledFor: 'uncalled for',
};

/** Formats counts with their names as one line. */
export const inWords = (counts: object): string =>
  Object.entries(counts)
    .filter(([, count]) => typeof count === 'number')
    .map(([name, count]) => `${count} ${WORDS[name] ?? name}`)
    .join(', ');
