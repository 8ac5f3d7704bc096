const STORAGE_KEY = 'vkyc.queue';

/** Returns the name of the queue that the user chose last in this browser; null if there is none. Anyone can edit it. */
export const readChosenQueue = (): string | null => localStorage.getItem(STORAGE_KEY);

/** Stores the queue that the user chose in the browser. */
export const storeChosenQueue = (queue: string): void => localStorage.setItem(STORAGE_KEY, queue);
