import type { Transaction } from '../connection/client.ts';
import { idempotencyKeys } from '../schema/tables.ts';
import {
  createInsertPlaceholders,
  equalsAny,
  executeWrite,
  prepareFromBuilder,
  prepareQuery,
} from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

/**
 * Finds an earlier call of the mutation with this idempotency key, by a caller with any of these names; null
 * if there was none.
 */
export async function findIdempotencyKey(
  tx: Transaction,
  { callers, mutation, key }: Pick<IdempotencyRow, 'mutation' | 'key'> & { callers: readonly string[] },
): Promise<IdempotencyRow | null> {
  const [row] = await selectIdempotencyKey(tx, callers, mutation, key);
  return row ?? null;
}

const callFields = createRowMapper(idempotencyKeys, 'k');
const selectIdempotencyKey = prepareQuery(
  'call of key',
  callFields,
  `select ${callFields.list} from idempotency_key k where ${equalsAny('k.caller', '$1', 'text')} and k.mutation = $2 and k.key = $3`,
);

/**
 * Inserts an idempotency key. If a concurrent transaction inserts the same key, waits for the end of that
 * transaction, and returns false if it commits.
 */
export const tryInsertIdempotencyKey = async (tx: Transaction, row: IdempotencyRow): Promise<boolean> =>
  (await executeWrite(tx, keepCall(row))) > 0;

const keepCall = prepareFromBuilder<IdempotencyRow>('keep call', (build) =>
  build.insert(idempotencyKeys).values(createInsertPlaceholders(idempotencyKeys)).onConflictDoNothing(),
);
