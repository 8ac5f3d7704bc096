/** Merchant webhooks for administrators: endpoints, deliveries, and the mutation that queues deliveries again. */
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  createUnionType,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import type { DeliveryWithEventFacts } from '../db/outgoing/deliveries.ts';
import { ABOVE_ALL_DELIVERIES, readDeliveryPage } from '../db/outgoing/delivery-pages.ts';
import type { MerchantDeliveryState } from '../db/schema/tables.ts';
import type { SessionRow, SessionSummary } from '../db/sessions/sessions.ts';
import { ALL_EVENT_TYPES, isEventType } from '../domain/merchant-events.ts';
import { getMerchantEventId } from '../services/outgoing/event-body.ts';
import { listEndpoints, type MerchantEndpointStatus } from '../services/outgoing/list-endpoints.ts';
import { MAX_REPLAYED_IN_STATE } from '../services/outgoing/replay-deliveries.ts';
import { REPLAY_LIMITS } from '../services/outgoing/replay-webhooks.ts';
import {
  createBadInputError,
  createConnectionTypes,
  ForwardArgs,
  Page,
  parsePageArgs,
} from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { MerchantEndpointStateEnum, WebhookDeliveryStateEnum } from './enums.ts';
import { InvalidInputError, NotFoundError, RESOLVE_BY_TYPENAME, toMutationResult } from './mutation-error.ts';
import { VkycSession } from './session-type.ts';

const TYPES = `Types of events: ${ALL_EVENT_TYPES.join(', ')}. More may be added.`;
const MAX_COUNTED = '10,000';

const DELIVERY_ID = /^WebhookDelivery:(\d{1,18})$/;

const encodeDeliveryId = (id: bigint): string => Buffer.from(`WebhookDelivery:${id}`).toString('base64url');

/** Returns the number of a delivery, as text; null if the id is not one of a delivery. */
const decodeDeliveryId = (id: string): string | null =>
  Buffer.from(id, 'base64url').toString('utf8').match(DELIVERY_ID)?.[1] ?? null;

/** @throws GraphQLError if the cursor is not one of a list of deliveries */
function decodeCursor(cursor: string | null | undefined): bigint {
  if (cursor == null) return ABOVE_ALL_DELIVERIES;
  const id = decodeDeliveryId(cursor);
  if (id === null)
    throw createBadInputError(
      'The cursor was not issued for this list: pass a cursor exactly as you received it.',
    );
  return BigInt(id);
}

@ObjectType({ description: 'Receiver of merchant webhooks, and its health.', simpleResolvers: true })
class MerchantEndpoint implements MerchantEndpointStatus {
  @Field(() => String, { description: 'Name of the endpoint in the setting WEBHOOK_ENDPOINTS.' })
  name: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Host of the URL, with the port if it is not the usual one. Null if the endpoint is no longer in WEBHOOK_ENDPOINTS, but its deliveries are still stored.',
  })
  host: string | null;
  @Field(() => [String], { description: `Types of the events that the endpoint gets. ${TYPES}` })
  eventTypes: string[];
  @Field(() => MerchantEndpointStateEnum, { description: 'Whether the endpoint accepts its events.' })
  state: MerchantEndpointStatus['state'];
  @Field(() => DateTime, {
    nullable: true,
    description: 'Time of the first failed attempt since the last success. Null if the last one succeeded.',
  })
  failingSince: Date | null;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Time at which the gateway tries the endpoint again. Null if it is not paused.',
  })
  pausedUntil: Date | null;
  @Field(() => Int, {
    description: `Number of deliveries to be sent, or sent again; counted up to ${MAX_COUNTED}.`,
  })
  pending: number;
  @Field(() => Int, {
    description: `Number of dead letters: deliveries that the endpoint did not accept within three days; counted up to ${MAX_COUNTED}.`,
  })
  parked: number;
}

@ObjectType({
  description: 'Delivery of one event to one endpoint of merchant webhooks.',
  simpleResolvers: true,
})
class WebhookDelivery {
  @Field(() => ID, {
    description: 'Opaque id, unique among all objects. `node` does not find it; pass it to replayWebhooks.',
  })
  id: string;
  @Field(() => String, { description: 'Name of the endpoint that gets the event.' })
  endpoint: string;
  @Field(() => String, { description: `Type of the event. ${TYPES}` })
  type: string;
  @Field(() => VkycSession, { description: 'The session that the event tells of, in its current state.' })
  session: VkycSession;
  @Field(() => Int, { description: '`sequence` of the transition that the event tells of.' })
  sequence: number;
  @Field(() => WebhookDeliveryStateEnum, { description: 'Whether the endpoint has accepted the event.' })
  state: MerchantDeliveryState;
  @Field(() => Int, { description: 'Number of attempts since the delivery was queued.' })
  attempts: number;
  @Field(() => DateTime, { description: 'Time at which the delivery was created, or queued again.' })
  queuedAt: Date;
  @Field(() => DateTime, {
    nullable: true,
    description:
      'Earliest time of the next attempt. An earlier event of the session, or a pause of the endpoint, may delay it. Null unless the state is PENDING.',
  })
  dueAt: Date | null;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Time at which the delivery became DONE or PARKED. Null if it is PENDING.',
  })
  settledAt: Date | null;
  @Field(() => String, {
    nullable: true,
    description:
      'Outcome of the last attempt: `HTTP` and the status, or the code of an error such as TIMEOUT. Null before the first attempt.',
  })
  outcome: string | null;
  @Field(() => String, {
    description: 'Header `webhook-id` of the event: the same for each attempt and each replay.',
  })
  webhookId: string;
}

/** Relay types of lists of deliveries. */
const WebhookDeliveryConnectionTypes = createConnectionTypes('WebhookDelivery', () => WebhookDelivery);

@InputType({ description: 'Conditions on deliveries. Omitted fields do not filter.' })
class WebhookDeliveryFilter {
  @Field(() => String, { nullable: true, description: 'Only deliveries to the endpoint with this name.' })
  endpoint?: string;
  @Field(() => WebhookDeliveryStateEnum, {
    nullable: true,
    description: 'Only deliveries in this state. PARKED lists the dead letters.',
  })
  state?: MerchantDeliveryState;
  @Field(() => String, { nullable: true, description: `Only events of this type. ${TYPES}` })
  type?: string;
}

@ArgsType()
class WebhookDeliveriesArgs extends ForwardArgs {
  @Field(() => WebhookDeliveryFilter, {
    nullable: true,
    description: 'Conditions that the deliveries must match. Without it, all deliveries.',
  })
  filter?: WebhookDeliveryFilter;
}

@InputType({
  description:
    'Which deliveries replayWebhooks queues again: `deliveryIds`; or `endpoint` and `state`; or `endpoint` and `since`.',
})
class ReplayWebhooksInput {
  @Field(() => [ID], {
    nullable: true,
    description: `Ids of deliveries, at most ${REPLAY_LIMITS.deliveryIds.toLocaleString('en')}, whatever their state.`,
  })
  deliveryIds?: string[];
  @Field(() => String, {
    nullable: true,
    description:
      'Endpoint whose events are sent again, by its name in WEBHOOK_ENDPOINTS. Pass it with `state` or `since`.',
  })
  endpoint?: string;
  @Field(() => WebhookDeliveryStateEnum, {
    nullable: true,
    description: `All deliveries of the endpoint in this state, at most ${MAX_REPLAYED_IN_STATE.toLocaleString('en')} by one call, the oldest first.`,
  })
  state?: MerchantDeliveryState;
  @Field(() => DateTime, {
    nullable: true,
    description: `All events of the endpoint since this time, also accepted ones. Refused if more than ${REPLAY_LIMITS.transitions.toLocaleString('en')} transitions were recorded since then.`,
  })
  since?: Date;
}

@ObjectType({ description: 'Deliveries were queued again.', simpleResolvers: true })
class ReplayWebhooksSuccess {
  @Field(() => Int, {
    description: 'Number of deliveries that were queued again. Those that are being sent are left out.',
  })
  queued: number;
  @Field(() => Boolean, {
    description:
      'True if more deliveries may match than one call queues: repeat the call once these have been sent.',
  })
  mayHaveMore: boolean;
}

const ReplayWebhooksResult = createUnionType({
  name: 'ReplayWebhooksResult',
  description: 'How many deliveries were queued again, or the reason for refusing.',
  types: () => [ReplayWebhooksSuccess, InvalidInputError, NotFoundError] as const,
  ...RESOLVE_BY_TYPENAME,
});

@Resolver(() => WebhookDelivery)
export class WebhookDeliveryResolver {
  @FieldResolver(() => ID)
  id(@Root() { id }: DeliveryWithEventFacts): string {
    return encodeDeliveryId(id);
  }

  @FieldResolver(() => VkycSession)
  session(
    @Root() { sessionId }: DeliveryWithEventFacts,
    @Ctx() { loaders }: Context,
  ): Promise<SessionRow | null> {
    return loaders.session.load(sessionId);
  }

  @FieldResolver(() => DateTime, { nullable: true })
  dueAt(@Root() { state, dueAt }: DeliveryWithEventFacts): Date | null {
    return state === 'PENDING' ? dueAt : null;
  }

  @FieldResolver(() => String)
  webhookId(@Root() delivery: DeliveryWithEventFacts): string {
    return getMerchantEventId(delivery);
  }

  @Query(() => [MerchantEndpoint], {
    description:
      'Endpoints of merchant webhooks with their health, by name. Empty if the deployment has none. For administrators.',
  })
  merchantEndpoints(@Ctx() { services }: Context): Promise<MerchantEndpointStatus[]> {
    return listEndpoints(services.merchantWebhooks);
  }

  @Query(() => WebhookDeliveryConnectionTypes.Connection, {
    description:
      'Deliveries of merchant webhooks, the newest first. Accepted ones are deleted after 30 days. `first` is required: 1 to 100. For administrators.',
  })
  async webhookDeliveries(
    @Args(() => WebhookDeliveriesArgs) args: WebhookDeliveriesArgs,
    @Ctx() { services, pace }: Context,
  ): Promise<Page<DeliveryWithEventFacts>> {
    const page = parsePageArgs(args);
    const { endpoint = null, state = null, type = null } = args.filter ?? {};
    if (type !== null && !isEventType(type))
      throw createBadInputError(`\`filter.type\` must be one of ${ALL_EVENT_TYPES.join(', ')}.`);
    const filter = { endpoint, state, type };
    const rows = await readDeliveryPage(services.db, filter, decodeCursor(args.after), page.limit + 1);
    await pace.take(rows.length);
    return new Page(rows, page, ({ id }) => encodeDeliveryId(id));
  }

  @Mutation(() => ReplayWebhooksResult, {
    description:
      'Queues deliveries of merchant webhooks again. Receivers get the same events with the same `webhook-id` as before, and can so recognize those that they know. The read log records who replayed what. For administrators.',
  })
  replayWebhooks(
    @Arg('input', () => ReplayWebhooksInput, { description: 'The deliveries to queue again.' })
    input: ReplayWebhooksInput,
    @Ctx() context: Context,
  ) {
    const { deliveryIds } = input;
    // An id of another type becomes an empty string, which the service refuses with its path.
    const decoded = deliveryIds && { deliveryIds: deliveryIds.map((id) => decodeDeliveryId(id) ?? '') };
    const work = context.services.replayWebhooks(context.viewer, { ...input, ...decoded });
    return toMutationResult('ReplayWebhooksSuccess', context, work);
  }
}

@Resolver(() => VkycSession)
export class SessionWebhookDeliveriesResolver {
  @FieldResolver(() => WebhookDeliveryConnectionTypes.Connection, {
    nullable: true,
    description:
      'Deliveries of merchant webhooks about the session, the newest first. `first` is required: 1 to 100. Null unless you are an administrator.',
  })
  async webhookDeliveries(
    @Root() { id }: SessionSummary,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() { loaders, pace }: Context,
  ): Promise<Page<DeliveryWithEventFacts>> {
    const page = parsePageArgs(args);
    const before = decodeCursor(args.after);
    const rows = await loaders.webhookDeliveries.load({ sessionId: id, before, limit: page.limit + 1 });
    await pace.take(rows.length);
    return new Page(rows, page, (row) => encodeDeliveryId(row.id));
  }
}
