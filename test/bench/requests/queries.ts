/** The queries that are measured, with the same text for every server. */
import type { BenchDatabase } from '../database/database.ts';

export const SESSION = `query Session($id: ID!) {
  session(id: $id) {
    id verificationId referenceId status subStatus
    statusInfo { explanation recommendedAction waitingOn terminal }
    version disputed
    user { userId name phone }
    createdAt updatedAt
  }
}`;

export const PAGE = `query Page($first: Int!, $transitions: Int!, $after: String) {
  sessions(first: $first, after: $after) {
    nodes {
      id verificationId status subStatus
      statusInfo { explanation waitingOn }
      version createdAt
      user { userId name phone }
      transitions(first: $transitions) { nodes { sequence status subStatus source recordedAt } }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

export const FILTERED = `query Filtered($first: Int!, $waitingOn: [Party!], $after: String) {
  sessions(first: $first, after: $after, filter: { waitingOn: $waitingOn }) {
    nodes { id verificationId status subStatus createdAt }
    pageInfo { hasNextPage endCursor }
  }
}`;

export interface Operation {
  readonly operationName: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Number of different operations, which are sent in turn. */
const VARIETY = 500;
const FIRST = 50;
const PAGE_TRANSITIONS = 8;
const PARTIES = ['AGENT', 'AUDITOR'];

interface Place {
  readonly id: string;
  readonly at: Date;
}

/**
 * Returns sessions that are spread evenly over a part of the table (0 is the oldest session, 1 the newest). Every
 * run gets the same sessions.
 */
async function somePlaces({ pool, sessions }: BenchDatabase, from: number, to: number): Promise<Place[]> {
  const first = 1 + Math.floor(sessions * from);
  const { rows } = await pool.query<Place>(
    `select s.id, s.created_at as at from generate_series(0, $1::int - 1) as turn
     join vkyc_session s
       on s.verification_id = 'bench-' || lpad(($2::int + (turn::bigint * 7919) % $3::int)::text, 7, '0')`,
    [VARIETY, first, Math.floor(sessions * (to - from))],
  );
  return rows;
}

/**
 * Encodes a global id in the gateway's format. Importing the gateway's function would load the whole schema.
 */
export const sessionIdOf = (id: string): string => Buffer.from(`VkycSession:${id}`).toString('base64url');

const cursorOf = ({ id, at }: Place): string => Buffer.from(`c${at.getTime()}:${id}`).toString('base64url');

export async function sessionOperations(database: BenchDatabase): Promise<Operation[]> {
  return (await somePlaces(database, 0, 1)).map(({ id }) => ({
    operationName: 'Session',
    query: SESSION,
    variables: { id: sessionIdOf(id) },
  }));
}

/** Returns operations that ask for full pages, each at another position of the list. */
export async function pageOperations(database: BenchDatabase): Promise<Operation[]> {
  return (await somePlaces(database, (2 * FIRST) / database.sessions, 1)).map((place) => ({
    operationName: 'Page',
    query: PAGE,
    variables: { first: FIRST, transitions: PAGE_TRANSITIONS, after: cursorOf(place) },
  }));
}

/**
 * Returns operations that ask for pages of sessions for which some party has to act next, from the last fifth
 * of the list.
 */
export async function filteredOperations(database: BenchDatabase): Promise<Operation[]> {
  return (await somePlaces(database, 0.15, 0.2)).map((place) => ({
    operationName: 'Filtered',
    query: FILTERED,
    variables: { first: FIRST, waitingOn: PARTIES, after: cursorOf(place) },
  }));
}
