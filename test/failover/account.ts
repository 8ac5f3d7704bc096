/** Compares what subscribers received with every log that the database had: one before each failover, and the last. */
import type { Account, Log, Verdict } from '../chaos/account.ts';
import { judge, sumOf } from '../chaos/account.ts';
import type { Names, Stretch, Subscriber } from '../chaos/subscribers.ts';
import { nameOf } from '../chaos/wishes.ts';

/** A heartbeat, and the position of its subscriber when the heartbeat arrived. */
export interface Beat {
  readonly subscriber: Subscriber;
  /** When the gateway sent the heartbeat, in milliseconds since the epoch. */
  readonly sentAt: number;
  readonly place: Place;
}

/** A subscriber's position in the log: its newest transition and its newest cursor. */
export interface Place {
  readonly cursor: string;
  /**
   * Number of the newest transition; null until the subscription gets its first transition after its start or a resync.
   */
  readonly transition: number | null;
}

export const placeOf = ({ cursor, stretches }: Subscriber): Place => ({
  cursor,
  transition: stretches.at(-1)?.received.at(-1) ?? null,
});

export const hasPlace = (log: Log, { cursor, transition }: Place): boolean =>
  log.has(cursor) && (transition === null || log.hasTransition(transition));

/**
 * One era: the log of the database up to a failover, which lost the newest entries of this log. The last era has the
 * surviving log.
 */
export interface Era {
  readonly log: Log;
  /** When the database with this log was killed, in milliseconds since the epoch; infinite for the last log. */
  readonly endedAt: number;
}

export interface FailoverAccount extends Account {
  /** Number of resyncs of all subscribers. */
  readonly reset: number;
  /** Number of needless resyncs: the surviving log had every transition that the subscriber had received. */
  readonly resetInVain: number;
  /**
   * Number of subscribers that had received a lost transition, and yet got frames, a heartbeat or the state `live`
   * without a resync.
   */
  readonly liveOverAGap: number;
}

/**
 * Time after a failover in which heartbeats may still be wrong: a gateway stops sending heartbeats only after it could
 * not reach its database for this long.
 */
const BLIND_AFTER_MS = 6_000;

interface Evidence {
  readonly subscribers: readonly Subscriber[];
  readonly eras: readonly Era[];
  readonly beats: readonly Beat[];
  /** Subscribers that, long after the failover, were in the state `live` at a position that the log did not have. */
  readonly misled: readonly Subscriber[];
  readonly names: Names;
}

/**
 * Checks that every stretch (transitions between two resyncs) is part of one log: if a subscriber goes on from a lost
 * log to the next log without a resync, its stretch fits neither. The last stretch must be complete.
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
      if (found.length === 0) blame(subscriber, 'resumed at a position that no log has, without a resync');
      else if (faultsIn(verdict) > 0) blame(subscriber, 'got transitions that fit no log');
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
