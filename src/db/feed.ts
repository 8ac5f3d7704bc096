import { sql } from 'drizzle-orm';
import type { Database, Queryable } from './client.ts';
import { fieldsOf } from './fields.ts';
import { prepared, preparedColumns } from './prepared.ts';
import { feed, logIdentity, transitions } from './tables.ts';
import type { LogRow } from './transitions.ts';

/** Any number will do, as long as every replica takes the same. */
const NUMBERING_LOCK = 8_529_002;
const SILENT_FOR = '2s';

/**
 * Gives committed transitions the next positions and returns how many; null where another replica is at it.
 * Within a session the outbox ids grow with the sequence, and whoever sees a later one sees the earlier too,
 * since it committed first: so positions never put a session's transitions out of order.
 */
export const numberCommitted = (db: Database, limit: number): Promise<number | null> =>
  db.transaction(async (tx) => {
    const [locked] = await lockNumbering(tx);
    if (!locked) return null;
    const [count] = await moveFromOutbox(tx, limit);
    return Number(count);
  });

const lockNumbering = prepared<boolean>(
  'lock numbering',
  // Whoever falls silent in the middle of it must not keep the others from it.
  `select pg_try_advisory_xact_lock(${NUMBERING_LOCK}) as locked,
     set_config('idle_in_transaction_session_timeout', '${SILENT_FOR}', true)`,
);
const moveFromOutbox = prepared<string>(
  'move from outbox',
  `with moved as (
     delete from transition_outbox
     where id in (select id from transition_outbox order by id limit $1)
     returning id, session_id, sequence
   ), numbered as (
     insert into feed (position, session_id, sequence)
     select (select coalesce(max(position), 0) from feed) + row_number() over (order by id), session_id, sequence
     from moved
     returning 1
   )
   select count(*) from numbered`,
);

/** What stands after a position in the order over all sessions; the number is the position. */
export const feedAfter = (
  db: Database,
  position: number,
  limit: number,
): Promise<(LogRow & { number: number })[]> => entriesAfter(db, position, limit);

const entryFields = fieldsOf<typeof transitions, { verificationId: string; number: number }>(
  transitions,
  't',
  {
    verificationId: 's.verification_id',
    number: 'f.position',
  },
);
const entriesAfter = preparedColumns(
  'feed after',
  entryFields,
  `select ${entryFields.list}
   from feed f
   join status_transition t on t.session_id = f.session_id and t.sequence = f.sequence
   join vkyc_session s on s.id = f.session_id
   where f.position > $1::bigint
   order by f.position
   limit $2`,
);

/** The newest entry of the feed, or null while there is none. */
export async function newestInFeed(db: Queryable): Promise<typeof feed.$inferSelect | null> {
  const [row] = await db.select().from(feed).orderBy(sql`${feed.position} desc`).limit(1);
  return row ?? null;
}

/**
 * Where transitions stand in the feed: UNNUMBERED before one gets its position, UNKNOWN where there is none, or where
 * some of what came after it was archived: nobody can go on from there without missing that.
 */
export async function positionsOf(
  db: Queryable,
  places: readonly { sessionId: string; sequence: number }[],
): Promise<(number | 'UNNUMBERED' | 'UNKNOWN')[]> {
  const { rows } = await db.execute<{ place: number; position: string | null; archived: boolean }>(sql`
    select wanted.place::int as place, f.position, f.position < (select archived_position from ${logIdentity}) as archived
    from unnest(
      ${sql.param(places.map((place) => place.sessionId))}::uuid[],
      ${sql.param(places.map((place) => place.sequence))}::int[]
    ) with ordinality as wanted(session_id, sequence, place)
    join ${transitions} t on t.session_id = wanted.session_id and t.sequence = wanted.sequence
    left join ${feed} f on f.session_id = t.session_id and f.sequence = t.sequence`);
  const found = new Map(rows.filter((row) => !row.archived).map((row) => [row.place, row.position]));
  return places.map((_, index) => {
    const position = found.get(index + 1);
    if (position === undefined) return 'UNKNOWN';
    return position === null ? 'UNNUMBERED' : Number(position);
  });
}

/** Whether the feed still has everything from its first position on. */
export async function isWholeFeed(db: Queryable): Promise<boolean> {
  return (await readLogIdentity(db)).archivedPosition === 0;
}

/** What cursors of this log are made with. */
export async function readLogIdentity(
  db: Pick<Queryable, 'select'>,
): Promise<typeof logIdentity.$inferSelect> {
  const [row] = await db.select().from(logIdentity);
  if (!row) throw new Error('The database has no log identity: its migrations have not been run');
  return row;
}
