import { setTimeout as pause } from 'node:timers/promises';
import { getTableName } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../db/client.ts';
import {
  countByKey,
  LASTING,
  lockOfAnotherKey,
  putValue,
  RENEWABLE,
  type Renewable,
} from '../db/rotating.ts';
import type { Sealer } from '../db/sealing.ts';

const BATCH = 200;
/** Number of rounds. Locked rows are skipped (SKIP LOCKED) and retried in the next round. */
const ROUNDS = 10;
const BETWEEN_ROUNDS_MS = 500;

/** Number of stored values of a column, by the id of the key that encrypted or hashed them. */
export interface Kept {
  /** Table and column, such as `vkyc_session.link`. */
  readonly place: string;
  readonly byKey: ReadonlyMap<string, number>;
  /** Whether these are hashes whose input is not stored, so that they cannot be computed with another key. */
  readonly lasting: boolean;
}

const placeOf = (column: PgColumn): string => `${getTableName(column.table)}.${column.name}`;

/**
 * Re-encrypts all values of older keys with the first key of DATA_KEYS. Safe while the gateway runs: locked
 * rows are skipped, and each transaction locks only a small batch. Can be stopped at any time and run again.
 * Calls `onProgress` with the number of values done in a column and their total. Returns the counts per key
 * afterwards.
 */
export async function rotateKeys(
  db: Database,
  sealer: Sealer,
  onProgress: (place: string, done: number, of: number) => void,
): Promise<Kept[]> {
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) await pause(BETWEEN_ROUNDS_MS);
    let left = 0;
    for (const each of RENEWABLE) {
      const ofAnotherKey = async () => {
        const byKey = await countByKey(db, each.column);
        return [...byKey].reduce((sum, [key, count]) => (key === sealer.keyId ? sum : sum + count), 0);
      };
      const total = await ofAnotherKey();
      // A replica without the new key may add values of an old key during the round, so `done` can exceed the
      // total.
      const tell = (done: number) => onProgress(placeOf(each.column), done, Math.max(done, total));
      if (total > 0) await oneRound(db, sealer, each, tell);
      left += await ofAnotherKey();
    }
    if (left === 0) break;
  }
  const kept = (column: PgColumn, lasting: boolean) =>
    countByKey(db, column).then((byKey) => ({ place: placeOf(column), byKey, lasting }));
  return Promise.all([
    ...RENEWABLE.map(({ column }) => kept(column, false)),
    ...LASTING.map((column) => kept(column, true)),
  ]);
}

async function oneRound(
  db: Database,
  sealer: Sealer,
  renewable: Renewable,
  onBatch: (done: number) => void,
): Promise<void> {
  let done = 0;
  for (let after: string | bigint | null = null; ; ) {
    const last: string | bigint | undefined = await db.transaction(async (tx) => {
      const values = await lockOfAnotherKey(tx, renewable, sealer.label, after, BATCH);
      for (const value of values) await putValue(tx, renewable, value.id, renewable.renew(sealer, value));
      done += values.length;
      return values.at(-1)?.id;
    });
    if (last === undefined) return;
    after = last;
    onBatch(done);
  }
}
