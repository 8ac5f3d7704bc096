/** The data keys that values may be stored under, and those that each running gateway knows. */
import { inArray, sql } from 'drizzle-orm';
import type { Queryable } from './client.ts';
import { dataKeys, replicas } from './tables.ts';

export type ReplicaRow = typeof replicas.$inferSelect;

/** A replica that has not been seen for so long does not run any more. */
export const LIVE_SECONDS = 60;
/** Rows of replicas that were killed are deleted after this. */
const KEPT_SECONDS = 600;

/** Says that a replica runs, and which keys it knows, the one that encrypts first. */
export async function announceReplica(
  db: Queryable,
  { id, dataKeys: keyIds }: Pick<ReplicaRow, 'id' | 'dataKeys'>,
): Promise<void> {
  await db.write(sql`
    with gone as (
      delete from ${replicas}
      where seen_at < clock_timestamp() - make_interval(secs => ${KEPT_SECONDS}) and id <> ${id}::uuid
    )
    insert into ${replicas} (id, data_keys, seen_at) values (${id}::uuid, ${sql.param(keyIds)}::text[], clock_timestamp())
    on conflict (id) do update set data_keys = excluded.data_keys, seen_at = excluded.seen_at`);
}

export const retireReplica = (db: Queryable, id: string) =>
  db.write(sql`delete from ${replicas} where id = ${id}::uuid`);

export const findLiveReplicas = (db: Queryable): Promise<ReplicaRow[]> =>
  db
    .select()
    .from(replicas)
    .where(sql`${replicas.seenAt} > clock_timestamp() - make_interval(secs => ${LIVE_SECONDS})`);

export async function findDataKeys(db: Queryable): Promise<string[]> {
  const rows = await db.select().from(dataKeys);
  return rows.map(({ id }) => id);
}

/** Notes that values may be stored under these keys from now on. */
export async function registerDataKeys(db: Queryable, ids: readonly string[]): Promise<void> {
  await db
    .insert(dataKeys)
    .values(ids.map((id) => ({ id })))
    .onConflictDoNothing();
}

/** Notes that nothing is stored under these keys any more. */
export async function forgetDataKeys(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.delete(dataKeys).where(inArray(dataKeys.id, [...ids]));
}
