import { type SQL, sql } from 'drizzle-orm';
import { DEADLINE_NAMES, type DeadlineMinutes } from '../../domain/deadlines.ts';
import { PARTIES, type Status, type SubStatus } from '../../domain/status.ts';
import type { Queryable } from '../connection/client.ts';
import { sessions, whereTerminal } from '../schema/tables.ts';
import { prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

/** Session whose deadline has passed. */
export interface OverdueSession {
  readonly id: string;
  readonly verificationId: string;
  readonly status: Status;
  readonly subStatus: SubStatus;
  readonly dueAt: Date;
}

/** Place in the order of deadlines, from which the next deadlines are read. */
export interface DeadlineCursor {
  readonly at: Date;
  readonly id: string;
}

const fields = createRowMapper(sessions, 's', {}, ['id', 'verificationId', 'status', 'subStatus', 'dueAt']);
const passed = prepareQuery(
  'passed deadlines',
  fields,
  `select ${fields.list} from vkyc_session s
   where s.due_at is not null and (s.due_at, s.id) > ($1::timestamptz, $2::uuid) and s.due_at <= $3::timestamptz
   order by s.due_at, s.id limit $4`,
);

/** Finds the sessions whose deadline passed after the place `after` and until `now`, in the order of the deadlines. */
export const findOverdueSessions = async (
  db: Queryable,
  after: DeadlineCursor,
  now: Date,
  limit: number,
): Promise<OverdueSession[]> =>
  (await passed(db, after.at.toISOString(), after.id, now.toISOString(), limit)) as OverdueSession[];

/**
 * Sets the deadline of up to `limit` sessions whose stored one does not follow from the settings: those settings were
 * changed, or the last release, which knows no deadlines, moved the session. Returns the number of sessions.
 */
export async function correctStoredDeadlines(
  db: Queryable,
  deadlines: DeadlineMinutes,
  limit: number,
): Promise<number> {
  const dueAt = dueAtBy(deadlines);
  const { rowCount } = await db.write(sql`
    update ${sessions} set due_at = ${dueAt} where id in (
      select id from ${sessions}
      where (due_at is not null or (${Object.keys(deadlines).length > 0}::boolean and not ${whereTerminal(sessions.subStatus)}))
        and due_at is distinct from ${dueAt}
      limit ${limit} for update skip locked
    )`);
  return rowCount ?? 0;
}

/** SQL expression for `findDueAt`. */
function dueAtBy(deadlines: DeadlineMinutes): SQL {
  const given = DEADLINE_NAMES.flatMap((name) => {
    const minutes = deadlines[name];
    return minutes === undefined ? [] : [{ name, minutes }];
  });
  const cases = [
    ...given.filter(({ name }) => !(name in PARTIES)),
    ...given.filter(({ name }) => name in PARTIES),
  ];
  const branches = cases.map(
    ({ name, minutes }) =>
      sql`when ${name in PARTIES ? sessions.waitingOn : sessions.subStatus} = ${name} then ${minutes}::int`,
  );
  if (branches.length === 0) return sql`null::timestamptz`;
  return sql`case when ${sessions.disputed} or ${whereTerminal(sessions.subStatus)} then null
    else ${sessions.statusSince} + (case ${sql.join(branches, sql` `)} end) * interval '1 minute' end`;
}
