/** Durations, and how old the news on a page is. */
export const time = {
  seconds: (count: number | string) => `${count} s`,
  minutes: (count: number) => `${count} min`,
  hours: (count: number) => `${count} h`,
  days: (count: number) => `${count} d`,

  /** Says in which time zone a page shows its times; `zone` is the name of the zone in this language. */
  timesIn: (zone: string) => `Times in ${zone}`,
  inIndia: (time: string) => `${time} IST`,

  feed: {
    live: 'Live',
    'catching up': 'Catching up',
    stale: 'Stale',
  },
  feedMeanings: {
    live: 'You see the current state.',
    'catching up': 'Loading recent changes.',
    stale: 'No connection. What you see may be out of date. Reconnecting automatically.',
  },
  noNewsSince: (time: string) => `No news since ${time}`,
};
