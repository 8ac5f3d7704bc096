/**
 * Queries for PostGraphile that are as close as possible to the queries of the bench. PostGraphile lacks the
 * explanations of statuses, and cannot decrypt personal data.
 */
import type { BenchDatabase } from '../database/database.ts';
import type { Operation } from './queries.ts';

const SESSION = `query Session($id: UUID!) {
  vkycSessionById(id: $id) {
    id verificationId referenceId status subStatus waitingOn version disputed
    vkycUserByUserId { userId id }
    createdAt updatedAt
  }
}`;

const PAGE = `query Page($first: Int!, $transitions: Int!, $after: Cursor) {
  allVkycSessions(first: $first, after: $after, orderBy: [CREATED_AT_DESC]) {
    nodes {
      id verificationId status subStatus waitingOn version createdAt
      vkycUserByUserId { userId id }
      statusTransitionsBySessionId(first: $transitions) { nodes { sequence status subStatus source recordedAt } }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** SQL for a cursor of PostGraphile: the name of the order, and the values of its columns. */
const CURSOR = `encode(convert_to(json_build_array('created_at_desc', json_build_array(s.created_at, s.id))::text, 'UTF8'), 'base64')`;

interface Place {
  readonly id: string;
  readonly cursor: string;
}

async function placesOf({ pool }: BenchDatabase, ids: readonly string[]): Promise<Place[]> {
  const { rows } = await pool.query(
    `select s.id, ${CURSOR} as cursor from unnest($1::uuid[]) with ordinality as wanted(id, turn)
     join vkyc_session s on s.id = wanted.id order by turn`,
    [ids],
  );
  return rows.map(({ id, cursor }) => ({ id, cursor: cursor.replaceAll('\n', '') }));
}

/** For each of the gateway's operations, by name: PostGraphile's query for the same session or the same page. */
const EQUIVALENTS: Record<string, (place: Place, variables: Operation['variables']) => Operation> = {
  Session: ({ id }) => ({ operationName: 'Session', query: SESSION, variables: { id } }),
  Page: ({ cursor }, { first, transitions }) => ({
    operationName: 'Page',
    query: PAGE,
    variables: { first, transitions, after: cursor },
  }),
};

/** Returns the session's UUID in the global id or the list cursor of an operation. */
const keyIn = ({ id, after }: Operation['variables']): string =>
  Buffer.from(String(id ?? after), 'base64url')
    .toString('utf8')
    .split(':')[1] ?? '';

export async function equivalents(
  database: BenchDatabase,
  operations: readonly Operation[],
): Promise<Operation[]> {
  const places = await placesOf(
    database,
    operations.map(({ variables }) => keyIn(variables)),
  );
  return operations.map(({ operationName, variables }, index) => {
    const equivalent = EQUIVALENTS[operationName];
    if (!equivalent) throw new Error(`${operationName} has no equivalent in PostGraphile's schema`);
    return equivalent(places[index] as Place, variables);
  });
}
