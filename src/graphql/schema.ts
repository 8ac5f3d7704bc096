import 'reflect-metadata';
import { type GraphQLSchema, printSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { guarded } from './guard.ts';
import { MeetingResolver } from './meeting.ts';
import { NodeResolver } from './node-query.ts';
import { ProviderActionsResolver } from './provider-actions.ts';
import { ReviewResolver } from './review.ts';
import { SessionResolver } from './session.ts';
import { SessionListResolver } from './session-list.ts';
import { StartSessionResolver } from './start-session.ts';
import { StatusResolver } from './status.ts';
import {
  FeedResetResolver,
  HeartbeatResolver,
  SessionSnapshotResolver,
  SubscriptionResolver,
} from './subscription.ts';
import { TransitionResolver } from './transition.ts';
import { UserResolver } from './user.ts';
import { ViewerResolver } from './viewer.ts';

let schema: GraphQLSchema | null = null;

/** The executable schema, built once per process. Guarded by the tables of who may do and see what. */
export function getSchema(): GraphQLSchema {
  schema ??= guarded(
    buildSchemaSync({
      resolvers: [
        StatusResolver,
        ViewerResolver,
        UserResolver,
        SessionResolver,
        SessionListResolver,
        NodeResolver,
        TransitionResolver,
        SubscriptionResolver,
        SessionSnapshotResolver,
        HeartbeatResolver,
        FeedResetResolver,
        StartSessionResolver,
        MeetingResolver,
        ReviewResolver,
        ProviderActionsResolver,
      ],
      // Inputs are checked by the services, which know all that is wrong with them.
      validate: false,
      // Subscriptions follow the log themselves; the library asks for one all the same.
      pubSub: {
        publish: () => {},
        subscribe: () => ({
          [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
        }),
      },
    }),
  );
  return schema;
}

/** The schema as `schema/schema.graphql` holds it. */
export const printedSchema = (): string => `${printSchema(getSchema())}\n`;
