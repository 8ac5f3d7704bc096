import { useSyncExternalStore } from 'react';

/** View that the user saved under a name: filters and sort order, as in the address. */
export interface SavedView {
  readonly name: string;
  readonly search: string;
}

const STORAGE_KEY = 'vkyc.views';
const MAX_VIEWS = 20;
/** Number of letters that the name of a view can have. */
export const MAX_VIEW_NAME_LETTERS = 40;

/** Reads stored views. Returns no views for anything else, because anyone can edit what a browser stores. */
function parseViews(text: string | null): readonly SavedView[] {
  try {
    const kept: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(kept) ? kept.filter(isView).slice(-MAX_VIEWS) : [];
  } catch {
    return [];
  }
}

const isView = (value: SavedView | null): value is SavedView =>
  typeof value?.name === 'string' && value.name !== '' && typeof value.search === 'string';

const listeners = new Set<() => void>();
let views = parseViews(localStorage.getItem(STORAGE_KEY));

function store(next: readonly SavedView[]): void {
  views = next;
  localStorage.setItem(STORAGE_KEY, JSON.stringify(next));
  for (const listener of listeners) listener();
}

/** Saves a view in the browser. It replaces the view of the same name; of too many, the oldest is deleted. */
export const saveView = (view: SavedView): void =>
  store([...views.filter(({ name }) => name !== view.name), view].slice(-MAX_VIEWS));

/** Deletes the view of this name. */
export const deleteView = (name: string): void => store(views.filter((view) => view.name !== name));

function subscribe(listener: () => void): () => void {
  const onStored = ({ key, newValue }: StorageEvent) => {
    if (key !== STORAGE_KEY) return;
    views = parseViews(newValue);
    listener();
  };
  // The event comes from the other windows of the browser.
  addEventListener('storage', onStored);
  listeners.add(listener);
  return () => {
    removeEventListener('storage', onStored);
    listeners.delete(listener);
  };
}

/** Hook that returns the saved views, the oldest first. */
export const useSavedViews = (): readonly SavedView[] => useSyncExternalStore(subscribe, () => views);
