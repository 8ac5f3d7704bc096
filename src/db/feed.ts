import { sql } from 'drizzle-orm';
import type { FeedEntry } from '../domain/session.ts';
import type { Database, Queryable, Transaction } from './client.ts';
import { fieldsOf } from './fields.ts';
import { prepared, preparedColumns, preparedRows } from './prepared.ts';
import { goByIndexes } from './recording.ts';
import { logIdentity, transitions } from './tables.ts';
import { BRIEF, type BriefTransition } from './transitions.ts';

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

const positioned = {
  verificationId: 's.verification_id',
  number: 'f.position',
  position: 'f.position',
};
const entryFields = fieldsOf<
  typeof transitions,
  { verificationId: string; number: number; position: number }
>(transitions, 't', positioned);
const entriesIn = (feed: string, list: string) =>
  `select ${list}
   from ${feed} f
   join status_transition t on t.session_id = f.session_id and t.sequence = f.sequence
   join vkyc_session s on s.id = f.session_id`;
const entriesFrom = preparedColumns(
  'feed from',
  entryFields,
  `${entriesIn('feed', entryFields.list)} where f.position >= $1::bigint order by f.position limit $2`,
);
const newestEntries = preparedColumns(
  'newest in feed',
  entryFields,
  `${entriesIn('feed', entryFields.list)}
   where f.position > (select position from feed order by position desc limit 1) - $1::bigint order by f.position`,
);

/** Reads the feed from a position on, that position included, in order. */
export const feedFrom = (db: Queryable, position: number, limit: number): Promise<FeedEntry[]> =>
  entriesFrom(db, position, limit);

/** Reads the newest entries of the feed, in order; fewer than `limit` if some of them were archived. */
export const newestInFeed = (db: Queryable, limit: number): Promise<FeedEntry[]> => newestEntries(db, limit);

const handedOver = fieldsOf<
  typeof transitions,
  { verificationId: string; number: number; position: number; server: string }
>(transitions, 't', { ...positioned, server: 'pg_postmaster_start_time()::text' });
/**
 * Assigns positions to the oldest transitions of the outbox; to none without the advisory lock. A statement of its own
 * after the one that takes the lock: its snapshot must contain all positions that were assigned before.
 */
const moveFromOutbox = preparedColumns(
  'move from outbox',
  handedOver,
  `${entriesIn('numbered', handedOver.list)} order by f.position`,
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

/** Where a transition stands in the feed, and what its fingerprint is made of. */
export type PlacedTransition = BriefTransition & {
  /** Null while it waits in the outbox. */
  readonly position: number | null;
  /** Whether something that came after it was archived: a subscriber that resumes there would miss it. */
  readonly archived: boolean;
};

const placedFields = fieldsOf<
  typeof transitions,
  { place: number; position: number | null; archived: boolean }
>(
  transitions,
  't',
  {
    place: 'wanted.place',
    position: 'f.position',
    archived: 'coalesce(f.position < (select archived_position from log_identity), false)',
  },
  BRIEF,
);
const placed = preparedRows(
  'places in feed',
  placedFields,
  `select ${placedFields.list}
   from unnest($1::uuid[], $2::int[]) with ordinality as wanted(session_id, sequence, place)
   join status_transition t on t.session_id = wanted.session_id and t.sequence = wanted.sequence
   left join feed f on f.session_id = t.session_id and f.sequence = t.sequence`,
);

/** Finds transitions and their positions in the feed; null for those that the log does not have. */
export async function findPlaced(
  db: Queryable,
  places: readonly { sessionId: string; sequence: number }[],
): Promise<(PlacedTransition | null)[]> {
  const rows = await placed(
    db,
    places.map(({ sessionId }) => sessionId),
    places.map(({ sequence }) => sequence),
  );
  const found = new Map(rows.map((row) => [row.place, row]));
  return places.map((_, index) => found.get(index + 1) ?? null);
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
