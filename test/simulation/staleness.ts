/**
 * Simulates how stale the gateway's data is if every webhook is lost. The sandbox's lifelike journeys run on a
 * simulated clock, and a polling policy polls the sessions within the call budget. Without sockets and real time, a day
 * takes about a second.
 */
import { computeNextPollAt } from '../../src/domain/polling.ts';
import { getStatusInfo, type KnownSubStatus, toStatusPair } from '../../src/domain/status.ts';
import { buildJourney } from '../../src/sandbox/journey.ts';
import { DEFAULT_USER_TEMPLATE } from '../../src/sandbox/templates.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LINK_LIFE_MS = 30 * DAY;
const MEETING_GRACE_MS = 15 * MINUTE;

/** A change at the provider: its time, and the status from then on. */
interface Change {
  readonly at: number;
  readonly subStatus: KnownSubStatus;
  readonly meetingAt: number | null;
}

type Started = Pick<Watched, 'changes' | 'createdAt'>;

/** A verification at the provider, and how many of its changes polling has seen. */
interface Watched {
  readonly changes: readonly Change[];
  readonly createdAt: number;
  /**
   * Number of changes seen so far. Begins at 1, because the answer to the start already shows the first one.
   */
  seen: number;
  knownSince: number;
  heardAt: number;
  due: number;
}

export interface Setting {
  readonly seed: string;
  /** Number of sessions that are active at the same time. */
  readonly sessions: number;
  readonly pollsPerMinute: number;
  readonly days: number;
}

export interface Staleness {
  /** Seconds from each change until a poll saw that change or a later one, sorted. */
  readonly seconds: readonly number[];
  readonly polls: number;
}

export type Policy = 'ROUND_ROBIN' | 'OURS';

/**
 * Simulates polling by one policy. All policies get the same sessions, because changes at the provider do not depend on
 * polls. The first half of the time is not measured, so that sessions of all ages exist.
 */
export function simulate(setting: Setting, policy: Policy): Staleness {
  const { pollsPerMinute, days } = setting;
  const end = days * DAY;
  const measuredFrom = end / 2;
  const coming = populationOf(setting);
  const active: Watched[] = [];
  const seconds: number[] = [];
  let polls = 0;

  for (let now = 0; now < end; now += MINUTE / pollsPerMinute) {
    const fairShareMs = (active.length / pollsPerMinute) * MINUTE;
    while ((coming.at(-1)?.createdAt ?? Number.POSITIVE_INFINITY) <= now) {
      const { changes, createdAt } = coming.pop() as Started;
      const watched = { changes, createdAt, seen: 1, knownSince: createdAt, heardAt: createdAt, due: 0 };
      plan(watched, policy, active, fairShareMs);
    }
    const chosen = takeMostUrgent(active, now);
    if (!chosen) continue;
    polls += now >= measuredFrom ? 1 : 0;
    while ((chosen.changes[chosen.seen]?.at ?? Number.POSITIVE_INFINITY) <= now) {
      const { at } = chosen.changes[chosen.seen] as Change;
      if (at >= measuredFrom) seconds.push((now - at) / 1000);
      chosen.seen += 1;
      chosen.knownSince = now;
    }
    chosen.heardAt = now;
    plan(chosen, policy, active, fairShareMs);
  }
  return { seconds: seconds.sort((a, b) => a - b), polls };
}

/** Puts a session back into the polling queue, unless it need not be polled any more. */
function plan(watched: Watched, policy: Policy, active: Watched[], fairShareMs: number): void {
  const due = dueOf(watched, policy, fairShareMs);
  if (due === null) return;
  watched.due = due;
  active.push(watched);
}

/** Returns a quantile: the value that this part (0 to 1) of the sorted values does not exceed. */
export const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

/**
 * Generates all sessions, sorted by start, latest first. The number of active sessions is constant, because a new
 * session starts when one ends.
 */
function populationOf({ seed, sessions, days }: Setting): Started[] {
  const started: Started[] = [];
  for (let slot = 0; slot < sessions; slot += 1) {
    let createdAt = (slot / sessions) * DAY;
    for (let number = 1; createdAt < days * DAY; number += 1) {
      const changes = journeyAt(`${slot}-${number}`, seed, createdAt);
      started.push({ createdAt, changes });
      createdAt = (changes.at(-1) as Change).at;
    }
  }
  return started.sort((a, b) => b.createdAt - a.createdAt);
}

function journeyAt(name: string, seed: string, createdAt: number): Change[] {
  const verificationId = `simulation.lifelike.${name}`;
  const template = DEFAULT_USER_TEMPLATE;
  let at = createdAt;
  let meetingAt: number | null = null;
  return buildJourney({ verificationId, seed, template, aadhaarSent: false }).map((step) => {
    at += step.afterSeconds * 1000;
    if (step.meetingInSeconds) meetingAt = at + step.meetingInSeconds * 1000;
    return { at, subStatus: step.subStatus as KnownSubStatus, meetingAt };
  });
}

/** Returns when a session is due to be polled, in milliseconds; null if it need not be polled any more. */
function dueOf(watched: Watched, policy: Policy, fairShareMs: number): number | null {
  const { subStatus, meetingAt } = watched.changes[watched.seen - 1] as Change;
  const pair = toStatusPair(subStatus);
  if (getStatusInfo(pair).terminal) return null;
  // Stops polling when all changes have been seen: a session that waits for a human review has no further
  // change.
  if (watched.seen === watched.changes.length) return null;
  if (policy === 'ROUND_ROBIN') return watched.heardAt;
  const date = (at: number | null) => (at === null ? null : new Date(at));
  const next = computeNextPollAt(
    {
      ...pair,
      changedAt: new Date(watched.knownSince),
      heardAt: new Date(watched.heardAt),
      unsettled: false,
      unconfirmed: false,
      secondLookAt: null,
      meetingAt: date(meetingAt),
      linkExpiresAt: new Date(watched.createdAt + LINK_LIFE_MS),
      createdAt: new Date(watched.createdAt),
    },
    { fairShareMs, meetingGraceMs: MEETING_GRACE_MS, confirmMs: 0 },
  );
  return next?.getTime() ?? null;
}

/** Takes the session whose poll has been due for longest, as the job queue does. */
function takeMostUrgent(active: Watched[], now: number): Watched | undefined {
  let found = -1;
  for (let index = 0; index < active.length; index += 1) {
    const { due } = active[index] as Watched;
    if (due <= now && (found < 0 || due < (active[found] as Watched).due)) found = index;
  }
  return found < 0 ? undefined : active.splice(found, 1)[0];
}
