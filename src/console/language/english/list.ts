/** List of sessions: search, orders, marks and saved views. */
export const list = {
  search: 'Verification or reference ID contains',
  searchPlaceholder: 'ID contains  ( / )',
  searchTooShort: (letters: number) => `Type at least ${letters} characters.`,
  /** Sort orders, each with the sessions that it lists. */
  orders: {
    since: { label: 'Longest in step first', note: 'Only sessions that have not ended.' },
    meeting: { label: 'Next meeting first', note: 'Only sessions with a booked meeting.' },
    due: { label: 'Next deadline first', note: 'Only sessions with a deadline.' },
  },
  marks: {
    overdue: 'Overdue',
    meetingToday: 'Meeting today',
    linkExpiring: 'Link expires within a day',
  },
  overdueFor: (duration: string) => `Overdue ${duration}`,
  customer: 'Customer',
  filters: (active: number) => (active === 0 ? 'Filters' : `Filters (${active} active)`),
  saveView: 'Save view',
  saveViewTitle: 'Save these filters as a view',
  saveViewHint:
    'Saved in this browser. A view of the same name is replaced. Do not use the name of a customer.',
  viewName: 'Name',
  save: 'Save',
  cancel: 'Cancel',
  deleteView: (name: string) => `Delete view ${name}`,
};
