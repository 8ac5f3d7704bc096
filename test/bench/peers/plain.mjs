/**
 * A peer (server that the benchmarks compare with the gateway) without a GraphQL library: hand-written code on
 * node:http and pg, which can answer only the queries of the bench.
 */
import { getStatusInfo } from '../../../.build/domain/status.js';
import { cursorOf, globalId, keyOf, placeOf } from './common/ids.mjs';
import { schedule } from './common/schedule.mjs';
import { serve } from './common/serve.mjs';
import { rowsOf } from './common/setting.mjs';
import { firstTransitions, pages, sessionsByIds, usersByIds } from './common/statements.mjs';
import { personal, recordRead, viewerOf } from './common/viewer.mjs';

const infoFor = (session) => ({ ...getStatusInfo(session), waitingOn: session.waitingOn });

const userFor = (viewer, user) => ({
  userId: user.userId,
  name: personal(viewer, user, 'name'),
  phone: personal(viewer, user, 'phone'),
});

async function session(viewer, { id }) {
  const [row] = await rowsOf(sessionsByIds([[keyOf(id)]]));
  if (!row) return { session: null };
  const [user] = await rowsOf(usersByIds([[row.userKey]]));
  const { explanation, recommendedAction, waitingOn, terminal } = infoFor(row);
  return {
    session: {
      id: globalId('VkycSession', row.id),
      verificationId: row.verificationId,
      referenceId: row.referenceId,
      status: row.status,
      subStatus: row.subStatus,
      statusInfo: { explanation, recommendedAction, waitingOn, terminal },
      version: row.version,
      disputed: row.disputed,
      user: userFor(viewer, user),
      createdAt: row.createdAt,
      updatedAt: row.updatedAt,
    },
  };
}

async function page(viewer, { first, transitions, after }) {
  const { at, id } = placeOf(after);
  const found = await rowsOf(pages.all([first + 1, at, id]));
  const rows = found.slice(0, first);
  const [users, logs] = await Promise.all([
    rowsOf(usersByIds([[...new Set(rows.map((row) => row.userKey))]])),
    rowsOf(
      firstTransitions(
        rows.map((row) => row.id),
        transitions + 1,
      ),
    ),
  ]);
  const byId = new Map(users.map((user) => [user.id, user]));
  const logOf = rows.map(() => []);
  for (const { range, sequence, status, subStatus, source, recordedAt } of logs)
    if (logOf[range - 1].length < transitions)
      logOf[range - 1].push({ sequence, status, subStatus, source, recordedAt });
  const nodes = rows.map((row, index) => {
    const { explanation, waitingOn } = infoFor(row);
    return {
      id: globalId('VkycSession', row.id),
      verificationId: row.verificationId,
      status: row.status,
      subStatus: row.subStatus,
      statusInfo: { explanation, waitingOn },
      version: row.version,
      createdAt: row.createdAt,
      user: userFor(viewer, byId.get(row.userKey)),
      transitions: { nodes: logOf[index] },
    };
  });
  return { sessions: { nodes, pageInfo: pageInfoOf(found, first) } };
}

async function filtered(_viewer, { first, waitingOn, after }) {
  const { at, id } = placeOf(after);
  const found = await rowsOf(pages.filtered([first + 1, waitingOn, at, id]));
  const nodes = found.slice(0, first).map((row) => ({
    id: globalId('VkycSession', row.id),
    verificationId: row.verificationId,
    status: row.status,
    subStatus: row.subStatus,
    createdAt: row.createdAt,
  }));
  return { sessions: { nodes, pageInfo: pageInfoOf(found, first) } };
}

const pageInfoOf = (found, first) => ({
  hasNextPage: found.length > first,
  endCursor: found.length > 0 ? cursorOf(found[Math.min(first, found.length) - 1]) : null,
});

/**
 * For each operation name: the function that answers the operation, and the name under which reads of personal
 * data by the operation are recorded.
 */
const ANSWERS = {
  Session: { find: session, operation: 'Query.session' },
  Page: { find: page, operation: 'Query.sessions' },
  Filtered: { find: filtered, operation: 'Query.sessions' },
  Schedule: { find: schedule, operation: 'Mutation.scheduleMeeting' },
};

await serve(async (request, body) => {
  const viewer = await viewerOf(request.headers.authorization);
  const { operationName, variables } = JSON.parse(body.toString('utf8'));
  const { find, operation } = ANSWERS[operationName];
  viewer.operation = operation;
  const data = await find(viewer, variables);
  await recordRead(viewer);
  return { data };
});
