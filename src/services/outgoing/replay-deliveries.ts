import type { Database } from '../../db/connection/client.ts';
import {
  findDeliveriesById,
  findFeedPositionBefore,
  replayDeliveries,
  replayFeedRange,
} from '../../db/outgoing/deliveries.ts';
import { replayDeliveriesInState } from '../../db/outgoing/delivery-pages.ts';
import { findEndpointWithFeedHead, registerEndpoint } from '../../db/outgoing/endpoints.ts';
import type { MerchantDeliveryState } from '../../db/schema/tables.ts';
import { Refusal } from '../../domain/errors.ts';
import type { MerchantEndpoint } from '../../domain/merchant-events.ts';
import type { Clock } from '../../domain/ports.ts';
import type { DataAccessLog } from '../audit/data-access-log.ts';

/** Maximum number of deliveries in a state that one replay queues. The next replay queues the remaining ones. */
export const MAX_REPLAYED_IN_STATE = 10_000;
/** Transitions that a replay since a time reads at once. */
const FEED_BATCH = 1_000;

/** Which deliveries to queue again. */
export type ReplayRequest =
  | { readonly by: 'IDS'; readonly ids: readonly bigint[] }
  /** All deliveries in a state; `endpoint` null: of all endpoints. */
  | { readonly by: 'STATE'; readonly endpoint: string | null; readonly state: MerchantDeliveryState }
  /** All events of an endpoint since a time. `maxTransitions`: more transitions are refused; null: no limit. */
  | {
      readonly by: 'SINCE';
      readonly endpoint: MerchantEndpoint;
      readonly since: Date;
      readonly maxTransitions: number | null;
    };

export interface ReplayDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly accessLog: Pick<DataAccessLog, 'record'>;
}

/** Who replays: the name and the operation as the read log stores them. */
export interface ReplayCaller {
  readonly name: string;
  readonly operation: string;
}

/**
 * Queues deliveries of merchant webhooks again; a running gateway sends them, with the same ids as before. The read
 * log records first who replays what, so that no replay is without a record. Returns the number of deliveries.
 * @throws Refusal if a delivery is unknown, or the time is too long ago
 */
export async function replayWebhookDeliveries(
  { db, clock, accessLog }: ReplayDependencies,
  caller: ReplayCaller,
  request: ReplayRequest,
): Promise<number> {
  const record = (...subjects: string[]) =>
    accessLog.record({
      ...{
        viewer: caller.name,
        operations: [caller.operation],
        fields: ['merchant_delivery.state'],
        subjects,
      },
    });
  if (request.by === 'IDS') {
    await assertAllFound(db, request.ids);
    await record(...request.ids.map((id) => `merchant_delivery:${id}`));
    return replayDeliveries(db, request.ids, clock.now());
  }
  if (request.by === 'STATE') {
    await record(`merchant_endpoint:${request.endpoint ?? '*'} state ${request.state}`);
    return replayDeliveriesInState(db, request, MAX_REPLAYED_IN_STATE, clock.now());
  }
  const { endpoint, since, maxTransitions } = request;
  await registerEndpoint(db, endpoint.name);
  const stored = await findEndpointWithFeedHead(db, endpoint.name);
  const range = { after: await findFeedPositionBefore(db, since), upTo: stored?.position ?? 0 };
  const transitions = range.upTo - range.after;
  if (maxTransitions !== null && transitions > maxTransitions)
    throw new Refusal(
      'INVALID_INPUT',
      `${transitions} transitions were recorded since then: pass a later time, or use npm run webhooks.`,
      {
        problems: [{ path: ['since'], message: `must have at most ${maxTransitions} transitions after it` }],
      },
    );
  await record(`merchant_endpoint:${endpoint.name} since ${since.toISOString()}`);
  return replayFeedRange(db, endpoint, range, clock.now(), FEED_BATCH);
}

async function assertAllFound(db: Database, ids: readonly bigint[]): Promise<void> {
  const known = new Set((await findDeliveriesById(db, ids)).map(({ id }) => id));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length > 0) throw new Refusal('NOT_FOUND', `No delivery has the id ${missing.join(', ')}.`);
}
