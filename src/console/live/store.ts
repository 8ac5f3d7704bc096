import { useSyncExternalStore } from 'react';

/** Something that changes by itself, and is shown as it was at one moment. */
export abstract class Store<View> {
  #view: View;
  readonly #listeners = new Set<() => void>();

  constructor(view: View) {
    this.#view = view;
  }

  get view(): View {
    return this.#view;
  }

  protected show(changes: Partial<View>): void {
    this.#view = { ...this.#view, ...changes };
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** What a store shows now, and whenever it changes. */
export const useStore = <View>(store: Store<View>): View =>
  useSyncExternalStore(store.subscribe, () => store.view);
