import { Field, Int, ObjectType } from 'type-graphql';
import { isBookableSlot, type SlotWithBookings } from '../domain/calendar.ts';
import { DateTime } from './date-time.ts';

@ObjectType({
  description: 'Time in which meetings can take place: one entry of the calendar of this deployment.',
  simpleResolvers: true,
})
export class MeetingSlot {
  @Field(() => DateTime, { description: 'Start of the slot: pass it as `startsAt` to scheduleMeeting.' })
  startsAt: Date;
  @Field(() => DateTime, { description: 'End of the slot: a meeting lasts as long as its slot.' })
  endsAt: Date;
  @Field(() => Boolean, {
    description:
      'True if a meeting can be booked in the slot now: it has a free place and has not begun. Another user may take the place first.',
  })
  available: boolean;
  @Field(() => Int, {
    nullable: true,
    description: 'Number of meetings that can take place in the slot. Null for customers.',
  })
  capacity: number | null;
  @Field(() => Int, {
    nullable: true,
    description:
      'Number of booked meetings that take place in the slot, even partly. It may exceed `capacity`, because customers also book meetings at the provider. Null for customers.',
  })
  booked: number | null;
  @Field(() => Int, {
    nullable: true,
    description: 'Number of places that are left, 0 or more. Null for customers.',
  })
  free: number | null;
}

/** Converts a slot to its GraphQL type. `now` decides whether the slot has begun. */
export const toMeetingSlot = (slot: SlotWithBookings, now: Date): MeetingSlot => ({
  ...slot,
  available: isBookableSlot(slot, now),
  free: Math.max(0, slot.capacity - slot.booked),
});
