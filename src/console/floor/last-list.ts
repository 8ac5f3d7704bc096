/** The newest state of the session list: a session's page links back to it, and to the next session of the list. */
interface LastList {
  /** Filters and sort order, as in the address. */
  search: string;
  /** Ids of the loaded sessions, in the order of the list. */
  ids: readonly string[];
}

export const lastShownList: LastList = { search: '', ids: [] };

/** Returns the address of the list with the filters that it had last. */
export const getLastListAddress = (): string => (lastShownList.search ? `/?${lastShownList.search}` : '/');

/** Returns the session after this one in the list; the first one for a session that is not in the list, null after the last. */
export const findNextIdInLastList = (id: string): string | null =>
  lastShownList.ids[lastShownList.ids.indexOf(id) + 1] ?? null;
