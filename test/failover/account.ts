/** Holds what subscribers got against every log that the database had, from the first to the one that is left. */
import type { Account, Log, Verdict } from '../chaos/account.ts';
import { judge, sumOf } from '../chaos/account.ts';
import type { Names, Stretch, Subscriber } from '../chaos/subscribers.ts';
import { nameOf } from '../chaos/wishes.ts';

/** A heartbeat that a subscriber got, and where it was then. */
export interface Beat {
  readonly subscriber: Subscriber;
  /** When the gateway sent it, in milliseconds since the epoch. */
  readonly sentAt: number;
  readonly place: Place;
}

/** Where a subscriber believes the log to be: after the newest transition that it got, and the newest cursor. */
export interface Place {
  readonly cursor: string;
  /** Null before the first of a stretch. */
  readonly transition: number | null;
}

export const placeOf = ({ cursor, stretches }: Subscriber): Place => ({
  cursor,
  transition: stretches.at(-1)?.received.at(-1) ?? null,
});

export const hasPlace = (log: Log, { cursor, transition }: Place): boolean =>
  log.has(cursor) && (transition === null || log.hasTransition(transition));

/** A log that the database had, until it lost the end of it; the last one is still there. */
export interface Era {
  readonly log: Log;
  /** When its database was killed, in milliseconds since the epoch; infinite for the last. */
  readonly endedAt: number;
}

export interface FailoverAccount extends Account {
  /** How often subscribers were told to begin again. */
  readonly reset: number;
  /** How often although the log had kept all that they had got. */
  readonly resetInVain: number;
  /** Subscribers that were not told, or were told with a heartbeat or the state `live` that all was well. */
  readonly liveOverAGap: number;
}

/** A gateway that has not seen its database for so long sends no heartbeats; if it has, it knows what was lost. */
const BLIND_AFTER_MS = 6_000;

interface Evidence {
  readonly subscribers: readonly Subscriber[];
  readonly eras: readonly Era[];
  readonly beats: readonly Beat[];
  /** Subscribers that were `live` at a place that the log of the time did not have, long after the failover. */
  readonly misled: readonly Subscriber[];
  readonly names: Names;
}

/**
 * Every stretch of a subscriber has to be part of one log, without gaps: whoever crosses from one log to the next without
 * being told has missed, repeated or reordered something in both. The last stretch has to be all that is left.
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
    if (isSettled && !hasPlace(known, place)) blame(subscriber, 'got a heartbeat over a gap');
  }
  for (const subscriber of misled) blame(subscriber, 'was live at a place that the log did not have');

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
