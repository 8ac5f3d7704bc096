import { sql } from 'drizzle-orm';
import type { FeedEntry } from '../../domain/session.ts';
import type { Database, Queryable, Transaction } from '../connection/client.ts';
import { logIdentity, transitions } from '../schema/tables.ts';
import { prepareColumnarQuery, prepareColumnQuery, prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';
import { TRANSITION_SUMMARY_COLUMNS, type TransitionSummary } from './transitions.ts';
import { forceIndexPlans } from './write-batch.ts';

/**
 * Key of the advisory lock for assigning feed positions. The number is arbitrary, but must be the same in
 * every replica.
 */
const NUMBERING_LOCK = 8_529_002;
const SILENT_FOR = '2s';

/**
 * Assigns the next feed positions to transitions in the outbox, and returns the new entries. Returns null if
 * another replica holds the advisory lock for positions. Positions follow a session's sequences: within a
 * session, outbox ids grow with the sequence and the session's row lock orders the commits, so a transaction
 * that sees a later transition sees the earlier ones too.
 */
export async function assignFeedPositions(db: Database, limit: number): Promise<FeedEntry[] | null> {
  const [anyLeft] = await leftInOutbox(db);
  if (anyLeft === undefined) return [];
  return db.transaction(async (tx) => {
    tx.start(forceIndexPlans());
    const locked = lockNumbering(tx);
    tx.start(locked);
    const moved = await moveFromOutbox(tx, limit);
    return (await locked)[0] === 'true' ? moved : null;
  });
}

/**
 * Assigns feed positions at the end of a transaction that records transitions, if the advisory lock for
 * positions is free; otherwise the rows stay in the outbox for the next holder of the lock. The returned
 * entries are valid only after the commit.
 */
export function assignFeedPositionsAtCommit(tx: Transaction): Promise<FeedEntry[]> {
  tx.start(lockNumbering(tx));
  const moved = moveFromOutbox(tx, NUMBERED_AT_COMMIT);
  tx.start(moved);
  return moved;
}

/**
 * Maximum number of positions that one recording transaction assigns. The transaction holds the advisory lock
 * for positions until its commit, so assigning a large backlog would make other replicas wait.
 */
const NUMBERED_AT_COMMIT = 200;

const leftInOutbox = prepareColumnQuery<string>(
  'left in outbox',
  'select id::text from transition_outbox order by id limit 1',
);
const lockNumbering = prepareColumnQuery<string>(
  'lock numbering',
  // A client that hangs while it holds the advisory lock for positions would stop the feed, so the server
  // ends such a connection (idle_in_transaction_session_timeout).
  `select set_config('vkyc.numbering', pg_try_advisory_xact_lock(${NUMBERING_LOCK})::text, true),
     set_config('idle_in_transaction_session_timeout', '${SILENT_FOR}', true)`,
);

const positioned = {
  verificationId: 's.verification_id',
  number: 'f.position',
  position: 'f.position',
};
const entryFields = createRowMapper<
  typeof transitions,
  { verificationId: string; number: number; position: number }
>(transitions, 't', positioned);
const entriesIn = (feed: string, list: string) =>
  `select ${list}
   from ${feed} f
   join status_transition t on t.session_id = f.session_id and t.sequence = f.sequence
   join vkyc_session s on s.id = f.session_id`;
const entriesFrom = prepareColumnarQuery(
  'feed from',
  entryFields,
  `${entriesIn('feed', entryFields.list)} where f.position >= $1::bigint order by f.position limit $2`,
);
const newestEntries = prepareColumnarQuery(
  'newest in feed',
  entryFields,
  `${entriesIn('feed', entryFields.list)}
   where f.position > (select position from feed order by position desc limit 1) - $1::bigint order by f.position
   -- Without the limit, the planner estimates that a third of the feed is newer, and reads the whole log.
   limit $1::bigint`,
);

/** Reads at most `limit` entries of the feed in order, from `position` on (inclusive). */
export const readFeedFrom = (db: Queryable, position: number, limit: number): Promise<FeedEntry[]> =>
  entriesFrom(db, position, limit);

/** Reads the `limit` newest entries of the feed, in order; fewer if some of these were archived. */
export const readNewestFeedEntries = (db: Queryable, limit: number): Promise<FeedEntry[]> =>
  newestEntries(db, limit);

const handedOver = createRowMapper<
  typeof transitions,
  { verificationId: string; number: number; position: number; server: string }
>(transitions, 't', { ...positioned, server: 'pg_postmaster_start_time()::text' });
/**
 * Assigns positions to the oldest rows of the outbox, if this transaction holds the advisory lock for
 * positions. Must run as a separate statement after the one that takes the lock: only then does its snapshot
 * contain all positions assigned before.
 */
const moveFromOutbox = prepareColumnarQuery(
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

/** Transition with its feed position, and the columns that its fingerprint (digest) is computed from. */
export type PositionedTransition = TransitionSummary & {
  /** Null while the transition is in the outbox, waiting for its position. */
  readonly position: number | null;
  /**
   * Whether a transition at a later feed position was archived. A subscriber that resumed here would miss the
   * archived transition.
   */
  readonly archived: boolean;
};

const placedFields = createRowMapper<
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
  TRANSITION_SUMMARY_COLUMNS,
);
const placed = prepareQuery(
  'places in feed',
  placedFields,
  `select ${placedFields.list}
   from unnest($1::uuid[], $2::int[]) with ordinality as wanted(session_id, sequence, place)
   join status_transition t on t.session_id = wanted.session_id and t.sequence = wanted.sequence
   left join feed f on f.session_id = t.session_id and f.sequence = t.sequence`,
);

/**
 * Finds transitions by session id and sequence, with their feed positions, in the order of `places`; null for
 * each transition that does not exist.
 */
export async function findPositionedTransitions(
  db: Queryable,
  places: readonly { sessionId: string; sequence: number }[],
): Promise<(PositionedTransition | null)[]> {
  const rows = await placed(
    db,
    places.map(({ sessionId }) => sessionId),
    places.map(({ sequence }) => sequence),
  );
  const found = new Map(rows.map((row) => [row.place, row]));
  return places.map((_, index) => found.get(index + 1) ?? null);
}

/** Returns whether the feed still has all entries from its first position on, because none was archived. */
export async function isFeedComplete(db: Queryable): Promise<boolean> {
  return (await readLogIdentity(db)).archivedPosition === 0;
}

/**
 * Reads the only row of `log_identity`: the epoch and the key of cursors, and the highest archived position.
 */
export async function readLogIdentity(
  db: Pick<Queryable, 'select'>,
): Promise<typeof logIdentity.$inferSelect> {
  const [row] = await db.select().from(logIdentity);
  if (!row) throw new Error('the table log_identity is empty: run the migrations');
  return row;
}

/**
 * Raises the epoch of cursors after a restore from a backup: gateways that start from now on refuse every
 * earlier cursor as expired. Needs the database owner's rights.
 */
export async function incrementCursorEpoch(db: Queryable): Promise<number> {
  const [raised] = await db
    .update(logIdentity)
    .set({ epoch: sql`${logIdentity.epoch} + 1` })
    .returning({ epoch: logIdentity.epoch });
  if (!raised) throw new Error('the table log_identity is empty: run the migrations');
  return raised.epoch;
}
