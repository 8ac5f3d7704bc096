import { useSyncExternalStore } from 'react';

/** Observable state outside of React. `view` is an immutable snapshot, as `useSyncExternalStore` requires. */
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

/** Hook that returns the current `view` of a store. The component renders again when the view changes. */
export const useStore = <View>(store: Store<View>): View =>
  useSyncExternalStore(store.subscribe, () => store.view);
