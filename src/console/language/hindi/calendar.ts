import type { Texts } from '../texts.ts';

export const calendar: Texts['calendar'] = {
  title: 'कैलेंडर',
  day: 'दिन',
  previousDay: 'पिछला दिन',
  nextDay: 'अगला दिन',
  today: 'आज',
  timesIn: (zone) => `समय ${zone} के अनुसार`,
  meetings: 'मीटिंग',
  count: (count) => `${count} मीटिंग`,
  loaded: (loaded, total) => `${total} में से ${loaded} मीटिंग लोड हुई हैं।`,
  loadedOfMany: (loaded) => `${loaded} मीटिंग लोड हुई हैं, बाकी लोड हो रही हैं।`,
  noMeetings: 'इस दिन कोई मीटिंग नहीं है।',
  noWorkingHours: 'इस दिन काम के घंटे नहीं हैं।',
  places: (booked, capacity, free) => `${capacity} में से ${booked} बुक, ${free} खाली`,
  placesBegun: (booked, capacity) => `${capacity} में से ${booked} बुक`,
  available: 'खाली',
  unavailable: 'खाली नहीं',
  outsideSlots: 'स्लॉट के बाहर',
  statuses: {
    SCHEDULED: 'तय',
    RESCHEDULED: 'समय बदला गया',
    CANCELLED: 'रद्द',
    COMPLETED: 'पूरी हुई',
    MISSED: 'छूट गई',
  },

  freeTimes: 'खाली समय',
  freePlaces: (count) => `${count} खाली`,
  noFreeTimes: 'इस दिन कोई समय खाली नहीं है। दूसरा दिन चुनें।',
  nextFreeTimes: 'अगले खाली समय',
  bookAt: (time) => `${time} बुक करें`,
};
