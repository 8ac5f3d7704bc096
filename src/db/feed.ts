import { sql } from 'drizzle-orm';
import type { FeedEntry } from '../domain/session.ts';
import type { Database, Queryable, Transaction } from './client.ts';
import { fieldsOf } from './fields.ts';
import { prepared, preparedColumns } from './prepared.ts';
import { goByIndexes } from './recording.ts';
import { feed, logIdentity, transitions } from './tables.ts';

/** Any number will do, as long as every replica takes the same. */
const NUMBERING_LOCK = 8_529_002;
const SILENT_FOR = '2s';

/**
 * Gives committed transitions the next positions and returns which; null where another replica is at it.
 * Within a session the outbox ids grow with the sequence, and whoever sees a later one sees the earlier too,
 * since it committed first: so positions never put a session's transitions out of order.
 */
export async function numberCommitted(db: Database, limit: number): Promise<FeedEntry[] | null> {
  const [anyLeft] = await leftInOutbox(db);
  if (anyLeft === undefined) return [];
  return db.transaction(async (tx) => {
    tx.start(goByIndexes());
    const locked = lockNumbering(tx);
    tx.start(locked);
    const moved = await moveFromOutbox(tx, limit);
    return (await locked)[0] === 'true' ? moved : null;
  });
}

/**
 * The same at the end of a transaction that recorded: what it recorded has its positions with its commit, unless another
 * is at it. It is then found in the outbox. What is returned is true once it has committed.
 */
export function numberAtCommit(tx: Transaction): Promise<FeedEntry[]> {
  tx.start(lockNumbering(tx));
  const moved = moveFromOutbox(tx, NUMBERED_AT_COMMIT);
  tx.start(moved);
  return moved;
}

/** Others wait for their positions meanwhile: a backlog is not for a transaction that has something else to do. */
const NUMBERED_AT_COMMIT = 200;

const leftInOutbox = prepared<string>(
  'left in outbox',
  'select id::text from transition_outbox order by id limit 1',
);
const lockNumbering = prepared<string>(
  'lock numbering',
  // Whoever falls silent in the middle of it must not keep the others from it.
  `select set_config('vkyc.numbering', pg_try_advisory_xact_lock(${NUMBERING_LOCK})::text, true),
     set_config('idle_in_transaction_session_timeout', '${SILENT_FOR}', true)`,
);

/** What stands after a position in the order over all sessions; the number is the position. */
export const feedAfter = (db: Database, position: number, limit: number): Promise<FeedEntry[]> =>
  entriesAfter(db, position, limit);

const entryFields = fieldsOf<typeof transitions, { verificationId: string; number: number }>(
  transitions,
  't',
  {
    verificationId: 's.verification_id',
    number: 'f.position',
  },
);
const entriesIn = (feed: string) =>
  `select ${entryFields.list}
   from ${feed} f
   join status_transition t on t.session_id = f.session_id and t.sequence = f.sequence
   join vkyc_session s on s.id = f.session_id`;
const entriesAfter = preparedColumns(
  'feed after',
  entryFields,
  `${entriesIn('feed')} where f.position > $1::bigint order by f.position limit $2`,
);
/** A statement after the lock's: it is to see all that was given out before. Nothing without the lock. */
const moveFromOutbox = preparedColumns(
  'move from outbox',
  entryFields,
  `${entriesIn('numbered')} order by f.position`,
  `moved as (
     delete from transition_outbox
     where id in (select id from transition_outbox order by id limit $1)
       and current_setting('vkyc.numbering') = 'true'
     returning id, session_id, sequence
   ), numbered as (
     insert into feed (position, session_id, sequence)
     select (select coalesce(max(position), 0) from feed) + row_number() over (order by id), session_id, sequence
     from moved
     returning position, session_id, sequence
   )`,
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

/** Makes every cursor of this log expire, for every gateway that starts from now on; as the database's owner. */
export async function raiseEpoch(db: Queryable): Promise<number> {
  const [raised] = await db
    .update(logIdentity)
    .set({ epoch: sql`${logIdentity.epoch} + 1` })
    .returning({ epoch: logIdentity.epoch });
  if (!raised) throw new Error('The database has no log identity: its migrations have not been run');
  return raised.epoch;
}
