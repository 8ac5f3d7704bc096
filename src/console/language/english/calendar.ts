/** Calendar of a day, and the times that the dialog for a meeting offers. */
export const calendar = {
  title: 'Calendar',
  day: 'Day',
  previousDay: 'Previous day',
  nextDay: 'Next day',
  today: 'Today',
  timesIn: (zone: string) => `Times in ${zone}`,
  meetings: 'Meetings',
  count: (count: string, isOne: boolean) => (isOne ? `${count} meeting` : `${count} meetings`),
  loaded: (loaded: string, total: string) => `${loaded} of ${total} meetings are loaded.`,
  loadedOfMany: (loaded: string) => `${loaded} meetings are loaded, more follow.`,
  noMeetings: 'No meetings on this day.',
  noWorkingHours: 'No working hours on this day.',
  places: (booked: string, capacity: string, free: string) => `${booked} of ${capacity} booked, ${free} free`,
  /** Places of a slot that has begun: those that are left cannot be booked any more. */
  placesBegun: (booked: string, capacity: string) => `${booked} of ${capacity} booked`,
  available: 'Free',
  unavailable: 'Not free',
  outsideSlots: 'Outside the slots',
  statuses: {
    SCHEDULED: 'Scheduled',
    RESCHEDULED: 'Rescheduled',
    CANCELLED: 'Cancelled',
    COMPLETED: 'Completed',
    MISSED: 'Missed',
  },

  freeTimes: 'Free times',
  freePlaces: (count: string) => `${count} free`,
  noFreeTimes: 'No free times on this day. Choose another day.',
  nextFreeTimes: 'Next free times',
  bookAt: (time: string) => `Book ${time}`,
};
