/** The statements of the gateway, prepared, with columns under the names that answers have. */

const SESSION_COLUMNS = `id, verification_id as "verificationId", reference_id as "referenceId", user_id as "userKey",
  user_template as "userTemplate", agent_template as "agentTemplate", status, sub_status as "subStatus",
  raw_status as "rawStatus", raw_sub_status as "rawSubStatus", version, last_sequence as "lastSequence", disputed,
  status_since as "statusSince", waiting_on as "waitingOn", link, link_expires_at as "linkExpiresAt",
  meeting_at as "meetingAt", created_at as "createdAt", updated_at as "updatedAt"`;

const place = '($3::timestamptz, $4::uuid)';

/** Each takes the values of its parameters, and gives what `pg` takes. */
const prepared = (name, text) => (values) => ({ name, text, values });

export const sessionsByIds = prepared(
  'sessions-by-ids',
  `select ${SESSION_COLUMNS} from vkyc_session where id = any($1::uuid[])`,
);

export const usersByIds = prepared(
  'users-by-ids',
  'select id, user_id as "userId", personal from vkyc_user where id = any($1::uuid[])',
);

/** Newest first, of whatever waits on these parties (null: on whomever), after a place (null: from the newest). */
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

/** Of each session the first so many. */
export const firstTransitions = prepared(
  'first-transitions',
  `select wanted.range::int as range, found.* from unnest($1::uuid[]) with ordinality as wanted(session_id, range)
   cross join lateral (
     select session_id as "sessionId", sequence, from_status as "fromStatus", from_sub_status as "fromSubStatus",
       status, sub_status as "subStatus", raw_status as "rawStatus", raw_sub_status as "rawSubStatus", verdict, source,
       actor, occurred_at as "occurredAt", recorded_at as "recordedAt"
     from status_transition t where t.session_id = wanted.session_id and t.sequence > 0
     order by t.sequence limit $2
   ) found order by wanted.range, found.sequence`,
);

export const insertRead = prepared(
  'insert-read',
  'insert into personal_data_read (at, viewer, operations, fields, subjects) values ($1, $2, $3, $4, $5)',
);
