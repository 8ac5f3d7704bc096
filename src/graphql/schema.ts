import 'reflect-metadata';
import { type GraphQLEnumType, type GraphQLInterfaceType, type GraphQLSchema, printSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { UNRECOGNIZED } from '../domain/status.ts';
import { applyAccessRules } from './access-rules.ts';
import { AnnotationMutationsResolver } from './annotation-mutations.ts';
import {
  ClosureResolver,
  DisputeResolutionResolver,
  EscalationResolver,
  NoteResolver,
  SessionAnnotationsResolver,
} from './annotations.ts';
import { AssignmentResolver, SessionAssignmentResolver } from './assignment.ts';
import { AssignmentMutationsResolver } from './assignment-mutations.ts';
import { SessionDeadlineResolver } from './deadline.ts';
import { LabelsResolver } from './labels.ts';
import { MeetingResolver } from './meeting.ts';
import { MeetingListResolver } from './meeting-list.ts';
import { NodeResolver } from './node-query.ts';
import {
  NotificationResolver,
  NotifyCustomerResolver,
  SessionNotificationsResolver,
} from './notification.ts';
import { ProviderActionsResolver } from './provider-actions.ts';
import { ReviewResolver } from './review.ts';
import { SessionResolver } from './session.ts';
import { SessionListResolver } from './session-list.ts';
import { SessionStatsResolver } from './session-stats.ts';
import { StartSessionResolver } from './start-session.ts';
import { StatusCatalogResolver, StatusInfoResolver } from './status.ts';
import {
  DeadlinePassedResolver,
  FeedResetResolver,
  HeartbeatResolver,
  SessionSnapshotResolver,
  SubscriptionResolver,
} from './subscription.ts';
import { TemplateResolver } from './template.ts';
import { TransitionResolver } from './transition.ts';
import { UserResolver } from './user.ts';
import { ViewerResolver } from './viewer.ts';
import { SessionWebhookDeliveriesResolver, WebhookDeliveryResolver } from './webhook-delivery.ts';

/**
 * Descriptions of the schema and its root types. `introduced` sets them, because type-graphql has no option
 * for them.
 */
const DESCRIPTIONS = {
  schema: `Video KYC as one typed contract: sessions, the actions they allow, and a live stream of every status transition.
Times are UTC. Ids and cursors are opaque. Lists are paginated. A field that your role may not see is null.
Expected refusals are members of a mutation's result union: match on MutationError. Invalid requests, sign-in failures
and internal errors are reported in \`errors\`, with a \`code\` in their extensions.`,
  Query: 'Reads the current state. Served by POST, GET, WebSocket and server-sent events.',
  Mutation:
    'Changes that a user makes. Each mutation is safe to retry and returns a union of its success and its refusals. Not served by GET.',
  Subscription:
    'Live streams over WebSocket (graphql-transport-ws, at /graphql) or server-sent events (graphql-sse, at /graphql/stream). Every frame has a cursor: pass the last one as `after` when you reconnect, and no transition is missed or repeated.',
};

let schema: GraphQLSchema | null = null;

/**
 * Returns the executable schema, guarded by the access tables. The schema is built at the first call, once
 * per process.
 */
export function getSchema(): GraphQLSchema {
  schema ??= introduced(
    resolvedAtOnce(
      withLaterStatuses(
        applyAccessRules(
          buildSchemaSync({
            resolvers: [
              StatusCatalogResolver,
              StatusInfoResolver,
              TemplateResolver,
              ViewerResolver,
              UserResolver,
              SessionResolver,
              SessionListResolver,
              SessionStatsResolver,
              NodeResolver,
              TransitionResolver,
              SubscriptionResolver,
              SessionSnapshotResolver,
              HeartbeatResolver,
              FeedResetResolver,
              DeadlinePassedResolver,
              StartSessionResolver,
              MeetingResolver,
              MeetingListResolver,
              ReviewResolver,
              SessionAnnotationsResolver,
              NoteResolver,
              ClosureResolver,
              EscalationResolver,
              DisputeResolutionResolver,
              AnnotationMutationsResolver,
              AssignmentResolver,
              SessionAssignmentResolver,
              SessionDeadlineResolver,
              AssignmentMutationsResolver,
              LabelsResolver,
              NotificationResolver,
              SessionNotificationsResolver,
              NotifyCustomerResolver,
              ProviderActionsResolver,
              WebhookDeliveryResolver,
              SessionWebhookDeliveriesResolver,
            ],
            // Switches off the validation of inputs by type-graphql: the services validate them, and report
            // all problems of an input at once.
            validate: false,
            // Skips the check of the schema, which would take a tenth of the start-up time. A test checks the
            // schema instead.
            skipCheck: true,
            // type-graphql requires a `pubSub`. Nothing calls this stub, because the `subscribe` functions
            // read the log of transitions themselves.
            pubSub: {
              publish: () => {},
              subscribe: () => ({
                [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
              }),
            },
          }),
        ),
      ),
    ),
  );
  return schema;
}

/**
 * Makes the status enums serialize an unknown value as UNRECOGNIZED: during a rolling deploy, a newer replica
 * may store statuses that this release lacks.
 */
function withLaterStatuses(built: GraphQLSchema): GraphQLSchema {
  for (const name of ['Status', 'SubStatus']) {
    const type = built.getType(name) as GraphQLEnumType;
    const serialize = type.serialize.bind(type);
    const known = new Set<unknown>(type.getValues().map(({ value }) => value));
    type.serialize = (value) => serialize(known.has(value) ? value : UNRECOGNIZED);
  }
  return built;
}

/**
 * Makes the type resolver of `Node` synchronous. The one of type-graphql returns a promise, which compiled
 * queries (`jit-executor.ts`) do not await.
 */
function resolvedAtOnce(built: GraphQLSchema): GraphQLSchema {
  const node = built.getType('Node') as GraphQLInterfaceType;
  node.resolveType = ({ __typename }: { __typename?: string }) => __typename;
  return built;
}

/** Adds descriptions to the schema and to its three root types. */
function introduced(built: GraphQLSchema): GraphQLSchema {
  const { schema: ofAll, ...ofRoots } = DESCRIPTIONS;
  built.description = ofAll;
  for (const [name, description] of Object.entries(ofRoots))
    Object.assign(built.getType(name) ?? {}, { description });
  return built;
}

/** Returns the schema as SDL: the content of `schema/schema.graphql`. */
export const formatSchemaSdl = (): string => `${printSchema(getSchema())}\n`;
