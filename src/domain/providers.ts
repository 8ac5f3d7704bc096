import { ProviderFailure } from './errors.ts';
import type { Provider, ProviderCallPurpose, ProviderClient } from './ports.ts';

/** Clients of all configured providers, whose calls have the same purpose (mutation or poll). */
export interface ProviderClients {
  /** Name of the provider at which new sessions are started. */
  readonly current: string;
  /**
   * Returns the client of a provider by the name that is stored with a session.
   *
   * @throws ProviderFailure if that provider is not configured any more
   */
  get(name: string): ProviderClient;
}

/**
 * Configured providers, by name. A second provider can run next to the first, for example during a move to it.
 */
export class ProviderRegistry implements Iterable<Provider> {
  /** Provider at which new sessions are started. */
  readonly current: Provider;
  readonly #byName: ReadonlyMap<string, Provider>;

  /** @param providers the first one is `current` */
  constructor(providers: readonly [Provider, ...Provider[]]) {
    this.current = providers[0];
    this.#byName = new Map(providers.map((provider) => [provider.name, provider]));
    if (this.#byName.size < providers.length)
      throw new Error('two providers have the same name: each provider needs its own name');
  }

  /** Finds a provider by the name that is stored with a session; null if none of this name is configured. */
  find(name: string): Provider | null {
    return this.#byName.get(name) ?? null;
  }

  /** Returns the clients of all providers whose calls count as `purpose` in the call budget. */
  clients(purpose: ProviderCallPurpose): ProviderClients {
    const clients = new Map([...this].map((provider) => [provider.name, provider.calls(purpose)]));
    return {
      current: this.current.name,
      get(name) {
        const client = clients.get(name);
        if (client) return client;
        throw new ProviderFailure('UNAVAILABLE', `The provider "${name}" is not configured at this gateway.`);
      },
    };
  }

  [Symbol.iterator](): Iterator<Provider> {
    return this.#byName.values();
  }
}
