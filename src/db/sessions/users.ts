import { desc, eq, inArray } from 'drizzle-orm';
import { invariant } from '../../domain/invariant.ts';
import type { ContactDetails } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { Queryable } from '../connection/client.ts';
import { users } from '../schema/tables.ts';
import { equalsAny, prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

export type UserRow = typeof users.$inferSelect;

/**
 * Returns the context (AAD) that a user's encrypted personal data is bound to, so that it cannot be moved to
 * another row; see `Sealer`.
 */
export const getUserSealingContext = (id: string): string => `vkyc_user:${id}`;

/** Decrypts a user's personal data. */
export const decryptPersonalData = (
  sealer: Sealer,
  { personal, id }: Pick<UserRow, 'personal' | 'id'>,
): ContactDetails => JSON.parse(sealer.open(personal, getUserSealingContext(id)).toString('utf8'));

/** Inserts a user unless a user with this user id exists. Returns the stored row. */
export async function insertOrFindUser(db: Queryable, row: UserRow): Promise<UserRow> {
  const [inserted] = await db.insert(users).values(row).onConflictDoNothing().returning();
  if (inserted) return inserted;
  const [existing] = await db.select().from(users).where(eq(users.userId, row.userId));
  invariant(existing, 'user is missing after a conflict on its user id');
  return existing;
}

/** Replaces the personal data and the phone hash of a user. */
export const updatePersonalData = (
  db: Queryable,
  id: string,
  changes: Pick<UserRow, 'personal' | 'phoneHash'>,
) => db.update(users).set(changes).where(eq(users.id, id));

/** Finds a user by the provider's user id. */
export async function findUserByProviderUserId(db: Queryable, userId: string): Promise<UserRow | null> {
  const [row] = await db.select().from(users).where(eq(users.userId, userId));
  return row ?? null;
}

/** Finds the newest users with one of these keyed hashes of a phone number, at most `limit`. */
export const findUsersByPhoneHashes = (
  db: Queryable,
  hashes: readonly Buffer[],
  limit: number,
): Promise<UserRow[]> =>
  db
    .select()
    .from(users)
    .where(inArray(users.phoneHash, [...hashes]))
    .orderBy(desc(users.createdAt), desc(users.id))
    .limit(limit);

/** Finds users by row id, in no particular order. */
export const findUsersById = (db: Queryable, ids: readonly string[]): Promise<UserRow[]> =>
  usersById(db, ids);

export const userRowMapper = createRowMapper(users, 'u');
const usersById = prepareQuery(
  'users by id',
  userRowMapper,
  `select ${userRowMapper.list} from vkyc_user u where ${equalsAny('u.id', '$1', 'uuid')}`,
);

/** Finds users by the provider's user id, in no particular order. */
export const findUsersByProviderUserId = (db: Queryable, userIds: readonly string[]): Promise<UserRow[]> =>
  usersByProviderUserId(db, userIds);

const usersByProviderUserId = prepareQuery(
  'users by user id',
  userRowMapper,
  `select ${userRowMapper.list} from vkyc_user u where ${equalsAny('u.user_id', '$1', 'text')}`,
);
