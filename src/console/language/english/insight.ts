/** Page with the statistics of a period. */
export const insight = {
  title: 'Insight',
  period: 'Period',
  windows: {
    '24h': 'Last 24 hours',
    '7d': 'Last 7 days',
    '30d': 'Last 30 days',
    '90d': 'Last 90 days',
    all: 'All time',
  },
  asOf: (time: string) => `As of ${time}; updates every 30 s`,
  refresh: 'Refresh',
  noneStarted: 'No sessions were started in this period.',
  chart: 'Chart',
  table: 'Table',
  showAs: (title: string) => `Show ${title.toLowerCase()} as`,

  started: 'Started',
  approved: 'Approved',
  ended: 'Ended',
  sessions: 'Sessions',
  step: 'Step',
  phase: 'Phase',
  share: 'Share',

  stillOpen: (count: string) => `${count} still open`,
  noneStartedYet: 'none started',
  shareOfStarted: (share: string) => `${share} of those started`,
  approvalRate: 'Approval rate',
  noneEnded: 'none ended yet',
  ofEnded: (count: string) => `of ${count} ended`,
  timeToDecision: 'Time to decision',
  noneDecided: 'none decided yet',
  median: 'median, from start to auditor review',

  funnel: {
    title: 'How far sessions get',
    soFar: 'Number of sessions that have reached each phase so far.',
    largestDrop: (phase: string, count: number, text: string) =>
      `Largest drop at “${phase}”: ${text} session${count === 1 ? '' : 's'} did not reach this phase, or not yet.`,
    skips: 'Some sessions skip a phase, so a phase can have more sessions than the one before it.',
    describe: (stages: string) => `How far sessions get: ${stages}`,
    caption: 'Sessions that reached each phase',
    reached: 'Reached',
    shareOfAll: 'Share of all',
    shareOfBefore: 'Share of the phase before',
    dropOff: 'Drop-off',
    reachedCount: (count: string) => `${count} reached`,
    fewer: (count: string) => `, ${count} fewer than in the phase before`,
  },
  notApproved: {
    title: 'Sessions not approved',
    mostFrequent: (shown: number, all: number) =>
      `By step: the ${shown} most frequent of ${all}. The table lists all of them.`,
    about: 'By step: in progress, in need of attention, or ended.',
    allApproved: 'All sessions of this period are approved.',
    describe: (steps: string) => `Sessions not approved, by step: ${steps}`,
    caption: 'Sessions not approved, by step',
  },
  overTime: {
    title: 'Sessions over time',
    about: 'By start time, with the outcome so far. Recent sessions have had less time to finish.',
    describe: (intervals: number, started: number, approved: number, ended: number) =>
      `Sessions over time in ${intervals} intervals: ${started} started, ${approved} of them approved, ${ended} ended`,
    caption: 'Sessions by start time',
    from: 'From',
  },
  times: {
    title: 'Time per phase',
    about:
      'Median times: half of the sessions were faster. Time to reach a phase counts from the start of the session. The table also lists unsuccessful ends.',
    none: 'No session of this period has changed phase yet.',
    toReach: 'Time to reach',
    spent: 'Time spent',
    describe: (phases: string) => `Median times: ${phases}`,
    describePhase: (phase: string, reached: string, spent: string) =>
      `${phase} reached after ${reached}, ${spent} spent in it`,
    caption: 'Median time to each phase and in it',
  },
};
