import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { UserRow } from '../db/sessions/users.ts';
import { getVisibleVerificationIds, maySeeSession } from '../domain/access.ts';
import type { AnnotationKind } from '../domain/annotations.ts';
import { ANNOTATION_KINDS_BY_TYPE, pairEscalationsWithResolutions } from './annotations.ts';
import { pairAssignmentsWithEnds } from './assignment.ts';
import { createBadInputError } from './connection.ts';
import type { Context } from './context.ts';
import { Node, type NodeType, parseGlobalId } from './node.ts';

/** Maximum number of objects that one field fetches by their ids or keys. */
export const MAX_IDS = 100;

/** Row of an object, with the name of its type in the gateway's own schema. */
export interface Found {
  readonly __typename: NodeType;
}

type Finder = (key: string, context: Context) => Promise<object | null>;

/** Returns the session if the viewer may see it; otherwise null. */
export const visibleSession = (session: SessionRow | null, { viewer }: Context): SessionRow | null =>
  session && maySeeSession(viewer, session.verificationId) ? session : null;

const NO_ROW = '00000000-0000-0000-0000-000000000000';

/** Returns a meeting, review, annotation or transition if the viewer may see its session; otherwise null. */
async function ofVisibleSession<Row extends { sessionId: string }>(row: Row | null, context: Context) {
  // Loads a session even if the row does not exist. Otherwise the response time would show whether a hidden
  // row exists (timing side channel).
  const session = await context.loaders.session.load(row?.sessionId ?? NO_ROW);
  return visibleSession(session, context) ? row : null;
}

/** Returns the user if the viewer may see one of the user's sessions; otherwise null. */
export async function visibleUser(user: UserRow | null, context: Context): Promise<UserRow | null> {
  const verificationIds = getVisibleVerificationIds(context.viewer);
  const page = { userId: user?.id ?? NO_ROW, after: null, limit: 1, verificationIds };
  const sessions = await context.loaders.userSessions.load(page);
  return sessions.length > 0 ? user : null;
}

const FINDERS: Record<NodeType, Finder> = {
  VkycSession: async (key, context) => visibleSession(await context.loaders.session.load(key), context),
  VkycUser: async (key, context) => {
    const verificationIds = getVisibleVerificationIds(context.viewer);
    const [user, sessions] = await Promise.all([
      context.loaders.user.load(key),
      context.loaders.userSessions.load({ userId: key, after: null, limit: 1, verificationIds }),
    ]);
    return sessions.length > 0 ? user : null;
  },
  StatusTransition: async (key, context) => {
    const [sessionId, sequence] = key.split(':') as [string, string];
    const at = Number(sequence);
    const page = { sessionId, after: at - 1, before: at + 1, limit: 1, end: 'FIRST', detail: 'ALL' } as const;
    const [row] = await context.loaders.transitionPage.load(page);
    return ofVisibleSession(row ?? null, context);
  },
  Meeting: async (key, context) => ofVisibleSession(await context.loaders.meeting.load(key), context),
  Review: async (key, context) => ofVisibleSession(await context.loaders.review.load(key), context),
  Note: findAnnotation('Note'),
  Closure: findAnnotation('Closure'),
  Escalation: findAnnotation('Escalation'),
  DisputeResolution: findAnnotation('DisputeResolution'),
  Assignment: findAnnotation('Assignment'),
  CustomerNotification: async (key, context) => {
    const row = await ofVisibleSession(await context.loaders.notification.load(key), context);
    return context.staff ? row : null;
  },
};

/** Finds an annotation of the type. Only staff may see annotations. */
function findAnnotation(type: keyof typeof ANNOTATION_KINDS_BY_TYPE): Finder {
  return async (key, context) => {
    const found = await context.loaders.annotation.load(key);
    const kinds: readonly AnnotationKind[] = ANNOTATION_KINDS_BY_TYPE[type];
    const row = found && kinds.includes(found.kind) ? found : null;
    const visibleRow = await ofVisibleSession(row, context);
    if (!visibleRow || !context.staff) return null;
    if (type === 'Assignment') {
      const all = pairAssignmentsWithEnds(await context.loaders.assignments.load(visibleRow.sessionId));
      return all.find(({ id }) => id === key) ?? null;
    }
    if (type !== 'Escalation') return visibleRow;
    const all = pairEscalationsWithResolutions(await context.loaders.escalations.load(visibleRow.sessionId));
    return all.find(({ id }) => id === key) ?? null;
  };
}

/** Finds an object by its global id. Null if it does not exist or the viewer may not see it. */
export async function findNode(id: string, context: Context): Promise<Found | null> {
  const named = parseGlobalId(id);
  if (!named) return null;
  const row = await FINDERS[named.type](named.key, context);
  return row && { __typename: named.type, ...row };
}

@Resolver()
export class NodeResolver {
  @Query(() => Node, {
    nullable: true,
    description: 'Any object by its global `id` (Relay). Null if it does not exist or you may not see it.',
  })
  node(
    @Arg('id', () => ID, { description: 'Global `id` of the object.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Found | null> {
    return findNode(id, context);
  }

  @Query(() => [Node], {
    nullable: 'items',
    description: 'Up to 100 objects by their global `id`s, in the order given.',
  })
  nodes(
    @Arg('ids', () => [ID], {
      description:
        'Global `id`s of the objects. The result has null for each object that does not exist or that you may not see.',
    })
    ids: string[],
    @Ctx() context: Context,
  ): Promise<(Found | null)[]> {
    if (ids.length > MAX_IDS) throw createBadInputError(`Pass at most ${MAX_IDS} ids, not ${ids.length}.`);
    return Promise.all(ids.map((id) => findNode(id, context)));
  }
}
