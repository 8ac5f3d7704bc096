/** Queries of the calendar: the meetings of all sessions by time, and the slots for new ones. */
import { Arg, Args, ArgsType, Ctx, Field, InputType, Query, Resolver } from 'type-graphql';
import { countMeetingsUpTo, readMeetingPage } from '../db/sessions/meeting-times.ts';
import type { MeetingRow } from '../db/sessions/meetings.ts';
import { getVisibleVerificationIds } from '../domain/access.ts';
import { MEETING_STATUSES, type MeetingStatus } from '../domain/actions.ts';
import { countSlotBookings } from '../services/sessions/meeting-places.ts';
import { createBadInputError, ForwardArgs, MAX_TOTAL_COUNT, Page, parsePageArgs } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { MeetingStatusEnum } from './enums.ts';
import { LIMITS } from './limits.ts';
import { MeetingConnectionTypes } from './meeting.ts';
import { MeetingSlot, toMeetingSlot } from './meeting-slot.ts';
import { decodeTimeCursor, encodeTimeCursor } from './time-cursor.ts';

const MAX_SLOT_DAYS = 31;
const DAY_MS = 86_400_000;
const ALL_STATUSES = Object.keys(MEETING_STATUSES) as MeetingStatus[];

@InputType({ description: 'Conditions on meetings. Omitted fields do not filter.' })
class MeetingFilter {
  @Field(() => [MeetingStatusEnum], {
    nullable: true,
    description: 'Only meetings with one of these statuses.',
  })
  status?: MeetingStatus[];
}

@ArgsType()
class MeetingsArgs extends ForwardArgs {
  @Field(() => DateTime, {
    nullable: true,
    description: 'Only meetings that begin at this time or later.',
  })
  from?: Date;
  @Field(() => DateTime, { nullable: true, description: 'Only meetings that begin before this time.' })
  to?: Date;
  @Field(() => MeetingFilter, {
    nullable: true,
    description: 'Conditions that the meetings must match. Without it, meetings of every status.',
  })
  filter?: MeetingFilter;
}

@Resolver()
export class MeetingListResolver {
  @Query(() => MeetingConnectionTypes.Connection, {
    description:
      'Meetings of all sessions that you may see, by their start, earliest first. `first` is required: 1 to 100.',
  })
  async meetings(
    @Args(() => MeetingsArgs) args: MeetingsArgs,
    @Ctx() { services, viewer, pace }: Context,
  ): Promise<Page<MeetingRow>> {
    const page = parsePageArgs(args);
    const { from = null, to = null } = args;
    if (from && to) assertOrder(from, to);
    const list = {
      from,
      to,
      status: args.filter?.status ?? ALL_STATUSES,
      verificationIds: getVisibleVerificationIds(viewer),
    };
    const after = decodeTimeCursor('STARTS_AT', args.after);
    const rows = await readMeetingPage(services.db, { ...list, after, limit: page.limit + 1 });
    await pace.take(rows.length);
    return new Page(
      rows,
      page,
      ({ startsAt, id }) => encodeTimeCursor('STARTS_AT', { at: startsAt, id }),
      async () => {
        const count = await countMeetingsUpTo(services.db, list, MAX_TOTAL_COUNT + 1);
        return count > MAX_TOTAL_COUNT ? null : count;
      },
    );
  }

  @Query(() => [MeetingSlot], {
    nullable: true,
    description: `Slots in which meetings can take place, also full and past ones, in order. Null if this deployment has no working hours, so that a meeting can be booked at any time. The range may have at most ${MAX_SLOT_DAYS} days and ${LIMITS.slots.toLocaleString('en')} slots.`,
  })
  async meetingSlots(
    @Arg('from', () => DateTime, { description: 'Only slots that begin at this time or later.' })
    from: Date,
    @Arg('to', () => DateTime, { description: 'Only slots that begin before this time.' })
    to: Date,
    @Ctx() { services, pace }: Context,
  ): Promise<MeetingSlot[] | null> {
    assertOrder(from, to);
    if (to.getTime() - from.getTime() > MAX_SLOT_DAYS * DAY_MS)
      throw createBadInputError(`\`from\` and \`to\` must be at most ${MAX_SLOT_DAYS} days apart.`);
    const { db, calendar, clock } = services;
    if (!calendar) return null;
    const slots = calendar.slotsBetween(from, to, LIMITS.slots + 1);
    if (slots.length > LIMITS.slots)
      throw createBadInputError(
        `There are more than ${LIMITS.slots} slots from \`from\` to \`to\`: ask for a shorter time.`,
      );
    await pace.take(slots.length);
    const booked = await countSlotBookings(db, calendar, slots);
    return booked.map((slot) => toMeetingSlot(slot, clock.now()));
  }
}

function assertOrder(from: Date, to: Date): void {
  if (from > to) throw createBadInputError('`from` must not be after `to`.');
}
