/**
 * GraphQL schema for peers (servers that the benchmarks compare with the gateway): the gateway's SDL, with hand-written
 * resolvers that read the same tables.
 */
import { readFileSync } from 'node:fs';
import { makeExecutableSchema } from '@graphql-tools/schema';
import DataLoader from 'dataloader';
import { GraphQLScalarType } from 'graphql';
import { getStatusInfo } from '../../../../.build/domain/status.js';
import { cursorOf, globalId, keyOf, placeOf } from './ids.mjs';
import { rowsOf } from './setting.mjs';
import { firstTransitions, pages, sessionsByIds, usersByIds } from './statements.mjs';
import { personal, recordRead, viewerOf } from './viewer.mjs';

const typeDefs = readFileSync(new URL('../../../../schema/schema.graphql', import.meta.url), 'utf8');

async function byId(statement, ids) {
  const rows = new Map((await rowsOf(statement([ids]))).map((row) => [row.id, row]));
  return ids.map((id) => rows.get(id) ?? null);
}

async function transitionPages(wanted) {
  const found = wanted.map(() => []);
  const ids = wanted.map(({ id }) => id);
  for (const row of await rowsOf(firstTransitions(ids, wanted[0].first + 1))) found[row.range - 1].push(row);
  return found;
}

/**
 * Returns the resolvers' context for one request: the viewer and the data loaders. Rejects if the token is
 * not valid.
 */
export async function contextOf(authorization) {
  const viewer = await viewerOf(authorization);
  return {
    viewer,
    session: new DataLoader((ids) => byId(sessionsByIds, ids)),
    user: new DataLoader((ids) => byId(usersByIds, ids)),
    transitions: new DataLoader(transitionPages, { cacheKeyFn: ({ id, first }) => `${id} ${first}` }),
  };
}

/** Records which personal data the response shows. Await this before sending the response. */
export const recorded = ({ viewer }) => recordRead(viewer);

function connectionOf(rows, first, cursor) {
  const nodes = rows.slice(0, first);
  const ends = {
    startCursor: nodes.length ? cursor(nodes[0]) : null,
    endCursor: nodes.length ? cursor(nodes.at(-1)) : null,
  };
  return { nodes, pageInfo: { hasNextPage: rows.length > first, hasPreviousPage: false, ...ends } };
}

const resolvers = {
  DateTime: new GraphQLScalarType({ name: 'DateTime', serialize: (at) => at.toISOString() }),
  Query: {
    session(_, { id }, { viewer, session }) {
      viewer.operation = 'Query.session';
      return session.load(keyOf(id));
    },
    async sessions(_, { first, after, filter }, { viewer }) {
      viewer.operation = 'Query.sessions';
      const { at, id } = placeOf(after);
      const rows = await rowsOf(
        filter?.waitingOn
          ? pages.filtered([first + 1, filter.waitingOn, at, id])
          : pages.all([first + 1, at, id]),
      );
      return connectionOf(rows, first, cursorOf);
    },
  },
  VkycSession: {
    id: ({ id }) => globalId('VkycSession', id),
    user: ({ userKey }, _, { user }) => user.load(userKey),
    statusInfo: (session) => ({ ...getStatusInfo(session), waitingOn: session.waitingOn }),
    transitions: async ({ id }, { first }, { transitions }) =>
      connectionOf(await transitions.load({ id, first }), first, ({ sequence }) => String(sequence)),
  },
  VkycUser: {
    id: ({ id }) => globalId('VkycUser', id),
    phone: (user, _, { viewer }) => personal(viewer, user, 'phone'),
    name: (user, _, { viewer }) => personal(viewer, user, 'name'),
    email: (user, _, { viewer }) => personal(viewer, user, 'email'),
  },
  StatusTransition: {
    id: ({ sessionId, sequence }) => globalId('StatusTransition', `${sessionId}:${sequence}`),
    statusInfo: (transition) => getStatusInfo(transition),
    applied: ({ verdict }) => verdict === 'MOVED',
  },
};

export const schema = makeExecutableSchema({
  typeDefs,
  resolvers,
  resolverValidationOptions: { requireResolversForResolveType: 'ignore' },
});
