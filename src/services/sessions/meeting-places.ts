import type { Queryable, Transaction } from '../../db/connection/client.ts';
import {
  countBookingsByStart,
  countMeetingsOfOtherSessions,
  lockSlot,
} from '../../db/sessions/meeting-times.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import {
  BOOKING_TIME_PROBLEMS,
  type BookingTimeProblem,
  isBookableSlot,
  type MeetingCalendar,
  type Slot,
  type SlotWithBookings,
} from '../../domain/calendar.ts';
import { Refusal } from '../../domain/errors.ts';

const MAX_NEXT_FREE_SLOTS = 5;
const DAY_MS = 86_400_000;
/** Days after which each further search for free slots ends: most searches end with the first. */
const SEARCHES = [1, 7, 31];

/** Thrown if no meeting of the session can be booked at a time. */
export class MeetingTimeUnavailable extends Error {
  override readonly name = 'MeetingTimeUnavailable';
  constructor(
    readonly problem: BookingTimeProblem,
    readonly session: SessionRow,
    readonly startsAt: Date,
  ) {
    super(BOOKING_TIME_PROBLEMS[problem].message);
  }
}

/**
 * Locks the slot that begins at this time until the transaction ends, and checks that it has a place for a meeting of
 * the session. A booked meeting takes its place by its row alone: no counter has to follow it, a transaction that
 * fails or whose process dies takes none, and a meeting that is moved or ends frees its place with its status.
 * Meetings that customers book at the provider count, but take no lock, since they cannot be refused.
 *
 * @throws MeetingTimeUnavailable
 */
export async function lockSlotWithFreePlace(
  tx: Transaction,
  calendar: MeetingCalendar,
  session: SessionRow,
  startsAt: Date,
): Promise<void> {
  const problem = calendar.findTimeProblem(startsAt);
  if (problem) throw new MeetingTimeUnavailable(problem, session, startsAt);
  const [from, to] = [
    new Date(startsAt.getTime() - calendar.slotMs),
    new Date(startsAt.getTime() + calendar.slotMs),
  ];
  const assertFree = async () => {
    const taken = await countMeetingsOfOtherSessions(tx, session.id, from, to);
    if (taken >= calendar.capacity) throw new MeetingTimeUnavailable('SLOT_FULL', session, startsAt);
  };
  // Without the lock first: most who are refused would wait for it in vain, each with a connection of the pool.
  await assertFree();
  tx.start(lockSlot(startsAt));
  await assertFree();
}

/** Adds to each slot the number of meetings that are booked in it. The slots must be in order. */
export async function countSlotBookings(
  db: Queryable,
  calendar: MeetingCalendar,
  slots: readonly Slot[],
): Promise<SlotWithBookings[]> {
  const [first, last] = [slots[0], slots.at(-1)];
  if (!first || !last) return [];
  // A meeting that began before the first slot may still take place in it.
  const earliest = new Date(first.startsAt.getTime() - calendar.slotMs);
  return calendar.withBookings(slots, await countBookingsByStart(db, earliest, last.endsAt));
}

interface Bounds {
  readonly now: Date;
  /** Latest time at which a meeting may be booked at all. */
  readonly furthest: Date;
}

/**
 * Converts to a refusal with the next free slots, at most five: from the wanted time on, or from now on if there are
 * none within 31 days after the wanted time and before the customer's link expires.
 */
export async function createMeetingTimeRefusal(
  db: Queryable,
  calendar: MeetingCalendar,
  { problem, session, startsAt, message }: MeetingTimeUnavailable,
  { now, furthest }: Bounds,
): Promise<Refusal> {
  const until = session.linkExpiresAt && session.linkExpiresAt < furthest ? session.linkExpiresAt : furthest;
  const later = await findFreeSlots(db, calendar, { from: startsAt, until, now });
  const nextFreeSlots =
    later.length > 0 ? later : await findFreeSlots(db, calendar, { from: now, until, now });
  return new Refusal('TIME_UNAVAILABLE', message, {
    sessionId: session.id,
    timeProblem: problem,
    nextFreeSlots,
  });
}

interface FreeSlots {
  readonly from: Date;
  readonly until: Date;
  readonly now: Date;
}

async function findFreeSlots(
  db: Queryable,
  calendar: MeetingCalendar,
  { from, until, now }: FreeSlots,
): Promise<SlotWithBookings[]> {
  const found: SlotWithBookings[] = [];
  let start = from;
  for (const days of SEARCHES) {
    const end = new Date(Math.min(from.getTime() + days * DAY_MS, until.getTime()));
    const slots = await countSlotBookings(db, calendar, calendar.slotsBetween(start, end));
    found.push(...slots.filter((slot) => isBookableSlot(slot, now)));
    if (found.length >= MAX_NEXT_FREE_SLOTS || end >= until) break;
    start = end;
  }
  return found.slice(0, MAX_NEXT_FREE_SLOTS);
}
