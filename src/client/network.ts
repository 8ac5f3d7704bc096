/** The events that browsers send when they lose or get back their network. Other environments have none of this. */
interface Browser {
  readonly navigator?: { readonly onLine?: boolean };
  addEventListener?(event: string, heard: () => void): void;
  removeEventListener?(event: string, heard: () => void): void;
}

/** Network of the browser. Without a browser, it counts as always there. */
export interface Network {
  readonly offline: boolean;
  /** Calls `lose` when the network is lost. Returns a function that stops that. */
  onOffline(lose: () => void): () => void;
  /** Resolves with the given promise, or as soon as the network is back. */
  unlessOnline(waiting: Promise<void>): Promise<void>;
  dispose(): void;
}

/** Watches the network of the browser, until `dispose`. */
export function watchNetwork(): Network {
  const browser = globalThis as unknown as Browser;
  const losers = new Set<() => void>();
  const waiters = new Set<() => void>();
  let offline = browser.navigator?.onLine === false;
  const onOffline = () => {
    offline = true;
    for (const lose of losers) lose();
  };
  const onOnline = () => {
    offline = false;
    for (const wake of waiters) wake();
  };
  browser.addEventListener?.('offline', onOffline);
  browser.addEventListener?.('online', onOnline);
  return {
    get offline() {
      return offline;
    },
    onOffline(lose) {
      losers.add(lose);
      return () => losers.delete(lose);
    },
    unlessOnline: (waiting) =>
      new Promise((resolve, reject) => {
        const wake = () => {
          waiters.delete(wake);
          resolve();
        };
        waiters.add(wake);
        waiting.then(wake, reject);
      }),
    dispose() {
      browser.removeEventListener?.('offline', onOffline);
      browser.removeEventListener?.('online', onOnline);
    },
  };
}
