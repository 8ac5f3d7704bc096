/** Start page: the counts of open sessions and the list of sessions. */
export const floor = {
  title: 'Sessions',
  openSessions: 'Open sessions',
  waitingOn: 'Waiting on',
  onlyThose: 'Only sessions that are',
  longestWait: (duration: string) => `longest wait ${duration}`,
  none: 'none',

  views: 'Views',
  allSessions: 'All sessions',
  callsToReview: 'Calls to review',
  approvalsToAudit: 'Approvals to audit',
  waitingOnUs: 'Waiting on us',

  order: 'Order',
  orders: {
    newest: 'Newest first',
    oldest: 'Oldest first',
    moved: 'Recently updated first',
    waiting: 'Least recently updated first',
  },
  phase: 'Phase',
  allPhases: 'All phases',
  start: 'Start a session',
  filters: 'Filters',
  removeFilter: (filter: string) => `Remove filter: ${filter}`,
  clearFilters: 'Clear filters',

  columns: ['Verification ID', 'Step', 'Waiting on', 'Time in step', 'Meeting', 'Started'],
  noMatches: 'No sessions match these filters. New matches will appear here.',
  noSessions: 'No sessions yet.',
  count: (count: number, text: string) => `${text} session${count === 1 ? '' : 's'}`,
  moreThan: (sessions: string) => `More than ${sessions}`,
  loaded: (count: string) => `, ${count} loaded`,
};
