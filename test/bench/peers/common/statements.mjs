/**
 * Prepared SQL statements of the peers (servers that the benchmarks compare with the gateway). They read the gateway's
 * tables; columns have the names of the GraphQL fields.
 */

const SESSION_COLUMNS = `id, verification_id as "verificationId", reference_id as "referenceId", user_id as "userKey",
  user_template as "userTemplate", agent_template as "agentTemplate", status, sub_status as "subStatus",
  raw_status as "rawStatus", raw_sub_status as "rawSubStatus", version, last_sequence as "lastSequence", disputed,
  status_since as "statusSince", waiting_on as "waitingOn", decided_here as "decidedHere",
  provider_status as "providerStatus", provider_sub_status as "providerSubStatus",
  provider_event_time as "providerEventTime", provider_webhooks as "providerWebhooks",
  provider_heard_at as "providerHeardAt", provider_found_at as "providerFoundAt", unsettled,
  next_poll_at as "nextPollAt", link, link_expires_at as "linkExpiresAt", provider_meeting_at as "providerMeetingAt",
  meeting_at as "meetingAt", replaces_id as "replacesId", erased_at as "erasedAt", created_at as "createdAt",
  updated_at as "updatedAt"`;

const place = '($3::timestamptz, $4::uuid)';

/** Returns a function that makes a `pg` query of a prepared statement from its parameter values. */
const prepared = (name, text) => (values) => ({ name, text, values });

export const sessionsByIds = prepared(
  'sessions-by-ids',
  `select ${SESSION_COLUMNS} from vkyc_session where id = any($1::uuid[])`,
);

export const usersByIds = prepared(
  'users-by-ids',
  `select id, user_id as "userId", personal, phone_hash as "phoneHash", created_at as "createdAt",
     erased_at as "erasedAt" from vkyc_user where id = any($1::uuid[])`,
);

/**
 * Pages of sessions after a cursor, newest first: of all sessions, or of those for which one of the given
 * parties has to act next.
 */
export const pages = {
  all: prepared(
    'page-all',
    `select ${SESSION_COLUMNS} from vkyc_session where (created_at, id) < ($2::timestamptz, $3::uuid)
     order by created_at desc, id desc limit $1`,
  ),
  filtered: prepared(
    'page-filtered',
    `select ${SESSION_COLUMNS} from vkyc_session where waiting_on = any($2::text[]) and (created_at, id) < ${place}
     order by created_at desc, id desc limit $1`,
  ),
};

const logRanges = prepared(
  'log-ranges',
  `select wanted.range::int as range, found.*
   from unnest($1::uuid[], $2::int[], $3::int[]) with ordinality as wanted(session_id, after, before, range)
   cross join lateral (
     select session_id as "sessionId", sequence, from_status as "fromStatus", from_sub_status as "fromSubStatus",
       status, sub_status as "subStatus", raw_status as "rawStatus", raw_sub_status as "rawSubStatus", verdict, source,
       actor, occurred_at as "occurredAt", recorded_at as "recordedAt"
     from status_transition t
     where t.session_id = wanted.session_id and t.sequence > wanted.after and t.sequence < wanted.before
     order by t.sequence limit $4
   ) found order by wanted.range, found.sequence`,
);

const NOTHING_BEFORE = 0;
const NOTHING_AFTER = 2_147_483_647;

/** Returns the statement for the first `limit` transitions of each session. */
export const firstTransitions = (ids, limit) =>
  logRanges([ids, ids.map(() => NOTHING_BEFORE), ids.map(() => NOTHING_AFTER), limit]);

export const insertRead = prepared(
  'insert-read',
  'insert into personal_data_read (at, viewer, operations, fields, subjects) values ($1, $2, $3, $4, $5)',
);
