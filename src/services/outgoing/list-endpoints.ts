import type { EndpointHealth } from '../../db/outgoing/endpoints.ts';
import type { MerchantEndpoint } from '../../domain/merchant-events.ts';

/** States of an endpoint of merchant webhooks, and what they mean. */
export const ENDPOINT_STATES = {
  WORKING: 'The endpoint accepted the last event, or no event was sent yet.',
  FAILING: 'The last attempts failed. The gateway goes on trying.',
  PAUSED:
    'Nothing is sent until `pausedUntil`, because the endpoint keeps failing, or asked for it by Retry-After.',
} as const;
export type EndpointState = keyof typeof ENDPOINT_STATES;

/** Endpoint with its health. Only the host of its URL, because path and query may be secret. */
export interface MerchantEndpointStatus
  extends Pick<EndpointHealth, 'name' | 'pending' | 'parked' | 'failingSince' | 'pausedUntil'> {
  /** Null if the endpoint is stored, but no longer in the settings. */
  readonly host: string | null;
  readonly eventTypes: string[];
  readonly state: EndpointState;
}

/** Endpoints of the settings, and how to read the health of those that are stored. */
export interface EndpointSources {
  readonly endpoints: readonly MerchantEndpoint[];
  readonly readHealth: () => Promise<EndpointHealth[]>;
}

/** Lists the stored endpoints by name, also those that are no longer in the settings. */
export async function listEndpoints({
  endpoints,
  readHealth,
}: EndpointSources): Promise<MerchantEndpointStatus[]> {
  return (await readHealth()).map(({ name, pending, parked, failingSince, pausedUntil }) => {
    const configured = endpoints.find((endpoint) => endpoint.name === name);
    return {
      ...{ name, pending, parked, failingSince, pausedUntil },
      host: configured ? new URL(configured.url).host : null,
      eventTypes: [...(configured?.events ?? [])],
      state: pausedUntil ? 'PAUSED' : failingSince ? 'FAILING' : 'WORKING',
    };
  });
}
