/**
 * Registry of the data keys (encryption keys of stored values), and of the keys that each running replica
 * has.
 */
import { inArray, sql } from 'drizzle-orm';
import type { Queryable } from '../connection/client.ts';
import { dataKeys, replicas } from '../schema/tables.ts';

export type ReplicaRow = typeof replicas.$inferSelect;

/** A replica whose last heartbeat is older than this many seconds counts as stopped. */
export const MAX_HEARTBEAT_AGE_SECONDS = 60;
/** The row of a crashed replica is deleted this many seconds after its last heartbeat. */
const STALE_ROW_SECONDS = 600;

/**
 * Writes the heartbeat of a replica, with the ids of its data keys, the key that encrypts first. Also deletes
 * the rows of replicas that crashed long ago.
 */
export async function recordReplicaHeartbeat(
  db: Queryable,
  { id, dataKeys: keyIds }: Pick<ReplicaRow, 'id' | 'dataKeys'>,
): Promise<void> {
  await db.write(sql`
    with gone as (
      delete from ${replicas}
      where seen_at < clock_timestamp() - make_interval(secs => ${STALE_ROW_SECONDS}) and id <> ${id}::uuid
    )
    insert into ${replicas} (id, data_keys, seen_at) values (${id}::uuid, ${sql.param(keyIds)}::text[], clock_timestamp())
    on conflict (id) do update set data_keys = excluded.data_keys, seen_at = excluded.seen_at`);
}

export const deleteReplica = (db: Queryable, id: string) =>
  db.write(sql`delete from ${replicas} where id = ${id}::uuid`);

export const findLiveReplicas = (db: Queryable): Promise<ReplicaRow[]> =>
  db
    .select()
    .from(replicas)
    .where(sql`${replicas.seenAt} > clock_timestamp() - make_interval(secs => ${MAX_HEARTBEAT_AGE_SECONDS})`);

export async function findDataKeyIds(db: Queryable): Promise<string[]> {
  const rows = await db.select().from(dataKeys);
  return rows.map(({ id }) => id);
}

/** Registers data keys with which values may be encrypted from now on. */
export async function registerDataKeys(db: Queryable, ids: readonly string[]): Promise<void> {
  await db
    .insert(dataKeys)
    .values(ids.map((id) => ({ id })))
    .onConflictDoNothing();
}

/** Removes the ids of data keys with which no stored value is encrypted any more. */
export async function unregisterDataKeys(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.delete(dataKeys).where(inArray(dataKeys.id, [...ids]));
}
