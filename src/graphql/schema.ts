import 'reflect-metadata';
import {
  defaultFieldResolver,
  GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  printSchema,
  type SelectionSetNode,
} from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { hasRole, OPERATIONS, type Role } from '../domain/access.ts';
import type { Context } from './context.ts';
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

/** The executable schema, built once per process. Every root field is guarded by the table of operations. */
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

function guarded(built: GraphQLSchema): GraphQLSchema {
  const roots = [built.getQueryType(), built.getMutationType(), built.getSubscriptionType()];
  for (const root of roots) for (const field of fieldsOf(root)) guard(root?.name ?? '', field);
  return built;
}

const fieldsOf = (type: GraphQLObjectType | null | undefined): GraphQLField<unknown, Context>[] =>
  Object.values(type?.getFields() ?? {});

function guard(root: string, field: GraphQLField<unknown, Context>): void {
  const operation = `${root}.${field.name}`;
  const allowed: readonly Role[] | undefined = OPERATIONS[operation as keyof typeof OPERATIONS];
  if (!allowed) throw new Error(`${operation} is not in the table of operations: say who may use it`);
  const part = root === 'Subscription' ? 'subscribe' : 'resolve';
  const inner = field[part] ?? defaultFieldResolver;
  field[part] = (source, args, context, info) => {
    if (!hasRole(context.viewer, allowed)) throw forbidden(field.name, allowed);
    // Whoever goes on after this cursor is to miss nothing of what the same answer shows.
    if (root === 'Query' && asksForFeedCursor(info))
      return context.feedEnd().then(() => inner(source, args, context, info));
    return inner(source, args, context, info);
  };
}

const answers = new WeakMap<OperationDefinitionNode, boolean>();

function asksForFeedCursor({ operation, fragments }: GraphQLResolveInfo): boolean {
  const among = ({ selections }: SelectionSetNode): boolean =>
    selections.some((selection) => {
      if (selection.kind === Kind.FIELD) return selection.name.value === 'feedCursor';
      const { selectionSet } =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : (fragments[selection.name.value] ?? {});
      return selectionSet !== undefined && among(selectionSet);
    });
  const answer = answers.get(operation) ?? among(operation.selectionSet);
  answers.set(operation, answer);
  return answer;
}

const forbidden = (field: string, allowed: readonly Role[]): GraphQLError =>
  new GraphQLError(`${field} needs one of the roles ${allowed.join(', ')}.`, {
    extensions: { code: 'FORBIDDEN' },
  });
