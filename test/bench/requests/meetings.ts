import { randomUUID } from 'node:crypto';
import { ALL_PAIRS } from '../../../src/domain/status.ts';
import type { BenchDatabase } from '../database/database.ts';
import { type Operation, sessionIdOf } from './queries.ts';

const SCHEDULE = `mutation Schedule($input: ScheduleMeetingInput!) {
  scheduleMeeting(input: $input) {
    __typename
    ... on ScheduleMeetingSuccess {
      session { id version statusInfo { status subStatus waitingOn } }
      meeting { id startsAt status }
      replayed
    }
    ... on MutationError { code message retryable }
  }
}`;

export const SCHEDULED = '"__typename":"ScheduleMeetingSuccess"';

/** Sub-statuses of sessions for which no meeting can be booked. */
const CLOSED = [
  ...ALL_PAIRS.filter((info) => info.terminal).map((info) => info.subStatus),
  'USER_ACCEPTED_MEETING',
  'AGENT_APPROVED',
  'AGENT_REJECTED',
];

/** Returns the sessions for which a meeting can be booked, and whose status webhooks can change. */
export async function openSessions({
  pool,
}: BenchDatabase): Promise<{ id: string; verificationId: string }[]> {
  const { rows } = await pool.query(
    `select id, verification_id as "verificationId" from vkyc_session
     where not sub_status = any($1::text[]) order by created_at desc`,
    [CLOSED],
  );
  return rows;
}

/**
 * Returns a function that makes the next scheduleMeeting operation, each with its own idempotency key. If the
 * session already has a meeting, the operation reschedules the meeting.
 */
export async function meetingOperations(database: BenchDatabase): Promise<() => Operation> {
  const sessions = await openSessions(database);
  let made = 0;
  return () => {
    const { id } = sessions[made++ % sessions.length] as (typeof sessions)[number];
    const startsAt = new Date(Date.now() + 86_400_000 + made * 1_000).toISOString();
    const input = { sessionId: sessionIdOf(id), idempotencyKey: randomUUID(), startsAt };
    return { operationName: 'Schedule', query: SCHEDULE, variables: { input } };
  };
}
