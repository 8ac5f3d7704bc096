/** Durations, and how old the news on a page is. */
export const time = {
  seconds: (count: number) => `${count} s`,
  minutes: (count: number) => `${count} min`,
  hours: (count: number) => `${count} h`,
  days: (count: number) => `${count} d`,

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
