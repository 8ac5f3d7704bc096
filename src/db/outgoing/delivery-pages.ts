/** Lists of deliveries of merchant webhooks by page, newest first, and the replay of all deliveries in a state. */
import { ALL_EVENT_TYPES, type EventType } from '../../domain/merchant-events.ts';
import type { Database, Queryable } from '../connection/client.ts';
import { MERCHANT_DELIVERY_STATES, type MerchantDeliveryState } from '../schema/tables.ts';
import { executeWrite, prepareCommand, prepareQuery } from '../statements/prepared.ts';
import { type DeliveryWithEventFacts, deliveryFields, selectDeliveriesWithFacts } from './deliveries.ts';

/** Conditions on deliveries; null: any. */
export interface DeliveryPageFilter {
  readonly endpoint: string | null;
  readonly state: MerchantDeliveryState | null;
  readonly type: EventType | null;
}

/** Id above all ids of deliveries: the first page begins below it. */
export const ABOVE_ALL_DELIVERIES = 2n ** 63n - 1n;

const page = prepareQuery(
  'page of merchant deliveries',
  deliveryFields,
  `${selectDeliveriesWithFacts('page')} order by d.id desc`,
  // One look into the index for each endpoint, state and type: a condition on the type of all rows would read
  // all deliveries of an endpoint to find a rare one.
  `ids as (
     select found.id from merchant_endpoint e
     cross join unnest($2::text[]) states(state) cross join unnest($3::text[]) types(type)
     cross join lateral (
       select d.id from merchant_delivery d
       where d.endpoint = e.name and d.state = states.state and d.type = types.type and d.id < $4::bigint
       order by d.id desc limit $5
     ) found
     where $1::text is null or e.name = $1
     order by found.id desc limit $5
   ), page as (select d.* from merchant_delivery d where d.id in (select id from ids))`,
);

/** Reads the newest `limit` deliveries with ids below `before`, by an index. */
export const readDeliveryPage = (
  db: Queryable,
  { endpoint, state, type }: DeliveryPageFilter,
  before: bigint,
  limit: number,
): Promise<DeliveryWithEventFacts[]> =>
  page(
    db,
    endpoint,
    state ? [state] : MERCHANT_DELIVERY_STATES,
    type ? [type] : ALL_EVENT_TYPES,
    String(before),
    limit,
  );

const pagesOfSessions = prepareQuery(
  'merchant deliveries by session',
  deliveryFields,
  `${selectDeliveriesWithFacts('page')} order by d.id desc`,
  `page as (
     select d.* from unnest($1::uuid[]) asked(session_id)
     cross join lateral (
       select * from merchant_delivery d where d.session_id = asked.session_id and d.id < $2::bigint
       order by d.id desc limit $3
     ) d
   )`,
);

/** Reads the newest `limit` deliveries of each session with ids below `before`. One statement serves all sessions. */
export const readDeliveriesOfSessions = (
  db: Queryable,
  sessionIds: readonly string[],
  before: bigint,
  limit: number,
): Promise<DeliveryWithEventFacts[]> => pagesOfSessions(db, sessionIds, String(before), limit);

const replayState = prepareCommand(
  'replay merchant deliveries in a state',
  `update merchant_delivery set state = 'PENDING', attempts = 0, queued_at = $4::timestamptz, due_at = $4::timestamptz,
     tried_since = null, outcome = null, settled_at = null
   where not claimed and id in (
     select d.id from merchant_delivery d
     where ($1::text is null or d.endpoint = $1) and d.state = $2 and not d.claimed order by d.id limit $3
   )`,
);

/**
 * Queues up to `limit` deliveries in a state again, except those that are being sent: the oldest first, so that the
 * events of a session are not sent in another order if the next call queues the rest. Returns their number.
 */
export const replayDeliveriesInState = (
  db: Database,
  { endpoint, state }: { readonly endpoint: string | null; readonly state: MerchantDeliveryState },
  limit: number,
  now: Date,
): Promise<number> => executeWrite(db, replayState(endpoint, state, limit, now.toISOString()));
