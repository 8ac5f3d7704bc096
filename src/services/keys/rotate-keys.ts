import { setTimeout as pause } from 'node:timers/promises';
import { getTableName } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../../db/connection/client.ts';
import {
  countValuesByKeyId,
  lockValuesWithOtherKey,
  ROTATABLE_COLUMNS,
  type RotatableColumn,
  UNROTATABLE_COLUMNS,
  updateColumnValue,
} from '../../db/keys/key-rotation.ts';
import type { Sealer } from '../../encryption/sealing.ts';

const BATCH = 200;
/** Maximum number of rounds. Locked rows are skipped (SKIP LOCKED) and retried in the next round. */
const ROUNDS = 10;
const BETWEEN_ROUNDS_MS = 500;

/** Number of stored values of a column, by the id of the key that encrypted or hashed them. */
export interface ColumnKeyUsage {
  /** Table and column, such as `vkyc_session.link`. */
  readonly column: string;
  readonly byKey: ReadonlyMap<string, number>;
  /** True for hashes whose input is not stored, so that they cannot be computed again with another key. */
  readonly lasting: boolean;
}

const describeColumn = (column: PgColumn): string => `${getTableName(column.table)}.${column.name}`;

/**
 * Re-encrypts all values of older keys with the first key of DATA_KEYS. Safe while the gateway runs: locked
 * rows are skipped (SKIP LOCKED), and each transaction locks only a small batch. Can be stopped at any time and
 * run again. Calls `onProgress` with the number of values done in a column and the total. Returns how many
 * values of each column then use which key.
 */
export async function reencryptWithCurrentKey(
  db: Database,
  sealer: Sealer,
  onProgress: (column: string, done: number, of: number) => void,
): Promise<ColumnKeyUsage[]> {
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) await pause(BETWEEN_ROUNDS_MS);
    let left = 0;
    for (const each of ROTATABLE_COLUMNS) {
      const ofAnotherKey = async () => {
        const byKey = await countValuesByKeyId(db, each.column);
        return [...byKey].reduce((sum, [key, count]) => (key === sealer.keyId ? sum : sum + count), 0);
      };
      const total = await ofAnotherKey();
      // A replica without the new key may add values of an old key during the round, so `done` can exceed the
      // total.
      const tell = (done: number) => onProgress(describeColumn(each.column), done, Math.max(done, total));
      if (total > 0) await oneRound(db, sealer, each, tell);
      left += await ofAnotherKey();
    }
    if (left === 0) break;
  }
  const kept = (column: PgColumn, lasting: boolean) =>
    countValuesByKeyId(db, column).then((byKey) => ({ column: describeColumn(column), byKey, lasting }));
  return Promise.all([
    ...ROTATABLE_COLUMNS.map(({ column }) => kept(column, false)),
    ...UNROTATABLE_COLUMNS.map((column) => kept(column, true)),
  ]);
}

async function oneRound(
  db: Database,
  sealer: Sealer,
  renewable: RotatableColumn,
  onBatch: (done: number) => void,
): Promise<void> {
  let done = 0;
  for (let after: string | bigint | null = null; ; ) {
    const last: string | bigint | undefined = await db.transaction(async (tx) => {
      const values = await lockValuesWithOtherKey(tx, renewable, sealer.keyIdPrefix, after, BATCH);
      for (const value of values)
        await updateColumnValue(tx, renewable, value.id, renewable.reencrypt(sealer, value));
      done += values.length;
      return values.at(-1)?.id;
    });
    if (last === undefined) return;
    after = last;
    onBatch(done);
  }
}
