import type { GatewayClient } from '../gateway/gateway.ts';
import { type Role, VkycCustomerNames } from '../operations.ts';
import { Store } from './store.ts';

/** Roles that see the names of customers. For the others, the console does not even ask for names. */
export const CUSTOMER_NAME_ROLES: readonly Role[] = ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'];

export interface CustomerNamesState {
  /** Name of the customer by the id of the session; null for a customer without a name. */
  readonly names: ReadonlyMap<string, string | null>;
}

/** Rows that are scrolled past within this time are not asked for. */
const SCROLL_PAUSE_MS = 200;
/** Maximum number of ids that the gateway takes in one query. */
const MAX_IDS = 100;

/**
 * Names of the customers of a list. They are queried, because subscriptions refuse personal data, and only for the
 * rows on screen, because the gateway records each name that is read.
 */
export class CustomerNamesStore extends Store<CustomerNamesState> {
  readonly #gateway: GatewayClient;
  #waiting: ReturnType<typeof setTimeout> | undefined;
  /** Sessions whose names are being queried. */
  readonly #asked = new Set<string>();

  constructor(gateway: GatewayClient) {
    super({ names: new Map() });
    this.#gateway = gateway;
  }

  /** Loads the names for the sessions on screen, once the user has stopped scrolling. Each name is loaded once. */
  request(ids: readonly string[]): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      const missing = ids.filter((id) => !this.view.names.has(id) && !this.#asked.has(id));
      for (let from = 0; from < missing.length; from += MAX_IDS)
        void this.#query(missing.slice(from, from + MAX_IDS));
    }, SCROLL_PAUSE_MS);
  }

  async #query(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#asked.add(id);
    try {
      const { nodes } = await this.#gateway.query(VkycCustomerNames, { ids: [...ids] });
      const names = new Map(this.view.names);
      for (const node of nodes) if (node && 'user' in node) names.set(node.id, node.user.name);
      this.show({ names });
    } catch {
      // A list without names can be worked with. The names are asked for again when the rows on screen change.
    } finally {
      for (const id of ids) this.#asked.delete(id);
    }
  }
}
