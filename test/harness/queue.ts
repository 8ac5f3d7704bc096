/** Test helper: a database whose queue of agents is full. */
import type pg from 'pg';

/**
 * Inserts sessions that wait for an agent's review, `work.1` for the longest time, without a verification at the
 * provider. Every so many are escalated.
 */
export async function seedQueue(database: pg.Pool, sessions: number, escalatedEvery: number): Promise<void> {
  await database.query(
    `insert into vkyc_user (id, user_id, personal, created_at)
     select gen_random_uuid(), 'user-' || n, '', now() from generate_series(1, 100) n`,
  );
  await database.query(
    `insert into vkyc_session (id, verification_id, user_id, status, sub_status, raw_status, raw_sub_status, waiting_on, version,
       last_sequence, disputed, decided_here, escalated, provider_status, provider_sub_status, provider_webhooks,
       provider_heard_at, unsettled, status_since, created_at, updated_at)
     select gen_random_uuid(), 'work.' || n, u.id, 'VIDEO_CALL', 'AGENT_ENDED_CALL', 'VIDEO_CALL', 'AGENT_ENDED_CALL', 'AGENT',
       1, case when n % $2 = 0 then 2 else 1 end, false, false, n % $2 = 0, 'VIDEO_CALL', 'AGENT_ENDED_CALL', 1, now(), false,
       now() - ($1 - n) * interval '1 second', now() - interval '1 day', now()
     from generate_series(1, $1::int) n
     join (select id, row_number() over () as number from vkyc_user) u on u.number = 1 + n % 100`,
    [sessions, escalatedEvery],
  );
  await database.query(
    `insert into status_transition (session_id, sequence, status, sub_status, raw_status, raw_sub_status, verdict, source, recorded_at)
     select id, 1, status, sub_status, raw_status, raw_sub_status, 'MOVED', 'WEBHOOK', status_since from vkyc_session
     union all
     select id, 2, status, sub_status, null, null, 'ESCALATED', 'MUTATION', status_since from vkyc_session where escalated`,
  );
  await database.query(
    `insert into feed (position, session_id, sequence)
     select row_number() over (order by recorded_at, session_id, sequence), session_id, sequence from status_transition`,
  );
  await database.query('vacuum analyze');
}
