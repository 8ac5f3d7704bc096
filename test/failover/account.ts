/** Compares what subscribers received with every log that the database had, from the first to the surviving one. */
import type { Account, Log, Verdict } from '../chaos/account.ts';
import { judge, sumOf } from '../chaos/account.ts';
import type { Names, Stretch, Subscriber } from '../chaos/subscribers.ts';
import { nameOf } from '../chaos/wishes.ts';

/** A heartbeat, and the subscriber's position when it arrived. */
export interface Beat {
  readonly subscriber: Subscriber;
  /** When the gateway sent the heartbeat, in milliseconds since the epoch. */
  readonly sentAt: number;
  readonly place: Place;
}

/** A subscriber's position in the log: its newest transition and its newest cursor. */
export interface Place {
  readonly cursor: string;
  /** Number of the newest transition; null before the first one after a (re)start of the subscription. */
  readonly transition: number | null;
}

export const placeOf = ({ cursor, stretches }: Subscriber): Place => ({
  cursor,
  transition: stretches.at(-1)?.received.at(-1) ?? null,
});

export const hasPlace = (log: Log, { cursor, transition }: Place): boolean =>
  log.has(cursor) && (transition === null || log.hasTransition(transition));

/** The database's log as it was before one failover, which then lost its newest entries. The last era has the log that survived. */
export interface Era {
  readonly log: Log;
  /** When the database with this log was killed, in milliseconds since the epoch; infinite for the last log. */
  readonly endedAt: number;
}

export interface FailoverAccount extends Account {
  /** Number of resyncs. */
  readonly reset: number;
  /** Number of needless resyncs: the surviving log had everything that the subscriber received. */
  readonly resetInVain: number;
  /** Subscribers that were not resynced after a loss, or got a heartbeat or the state `live` in spite of it. */
  readonly liveOverAGap: number;
}

/**
 * A gateway sends no heartbeats if it has not reached its database for this long; after that it knows what was lost.
 */
const BLIND_AFTER_MS = 6_000;

interface Evidence {
  readonly subscribers: readonly Subscriber[];
  readonly eras: readonly Era[];
  readonly beats: readonly Beat[];
  /** Subscribers that were `live` long after the failover at a position that the log did not have. */
  readonly misled: readonly Subscriber[];
  readonly names: Names;
}

/**
 * Checks that every stretch (what arrived between two resyncs) is part of one log: a subscriber that crosses from one
 * to the next without a resync has lost, repeated or reordered transitions in both. The last stretch must be complete.
 */
export function accountOfFailovers({ subscribers, eras, beats, misled, names }: Evidence): FailoverAccount {
  const last = eras.at(-1)?.log as Log;
  const verdicts = new Map<Stretch, Verdict>();
  const gaps = new Map<Subscriber, string[]>();
  const blame = (subscriber: Subscriber, what: string) =>
    gaps.set(subscriber, [...(gaps.get(subscriber) ?? []), what]);

  for (const subscriber of subscribers)
    for (const stretch of subscriber.stretches) {
      const isLast = stretch === subscriber.stretches.at(-1);
      const logs = isLast ? [last] : eras.map(({ log }) => log);
      const found = logs
        .filter((log) => log.has(stretch.after))
        .map((log) => judge(stretch.received, log.expected(subscriber.wish, stretch.after), !isLast))
        .sort((a, b) => faultsIn(a) - faultsIn(b));
      const verdict = found[0] ?? { lost: [], repeated: [], outOfOrder: [], uncalledFor: stretch.received };
      verdicts.set(stretch, verdict);
      if (found.length === 0) blame(subscriber, 'follows a place that no log has, and was not told');
      else if (faultsIn(verdict) > 0) blame(subscriber, 'got what is part of no log');
    }
  for (const { subscriber, sentAt, place } of beats) {
    const era = eras.findIndex(({ endedAt }) => sentAt < endedAt);
    const known = eras[era]?.log as Log;
    const isSettled = era === 0 || sentAt > (eras[era - 1]?.endedAt as number) + BLIND_AFTER_MS;
    if (isSettled && !hasPlace(known, place)) blame(subscriber, 'got a heartbeat despite a gap');
  }
  for (const subscriber of misled) blame(subscriber, 'was live at a position that the log did not have');

  const account = sumOf(subscribers, (_, stretch) => verdicts.get(stretch) as Verdict, names);
  const endings = subscribers.flatMap(({ stretches }) => stretches.slice(0, -1));
  return {
    ...account,
    reset: endings.length,
    resetInVain: endings.filter((stretch) => hasPlace(last, endOf(stretch))).length,
    liveOverAGap: gaps.size,
    complaints: [
      ...account.complaints,
      ...[...gaps].map(
        ([subscriber, found]) =>
          `subscriber ${subscribers.indexOf(subscriber)} (${nameOf(subscriber.wish)}) ${countEach(found)}`,
      ),
    ],
  };
}

const endOf = ({ after, received }: Stretch): Place => ({
  cursor: after,
  transition: received.at(-1) ?? null,
});

const faultsIn = ({ lost, repeated, outOfOrder, uncalledFor }: Verdict): number =>
  lost.length + repeated.length + outOfOrder.length + uncalledFor.length;

function countEach(all: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].map(([each, count]) => `${each} (${count})`).join(', ');
}
