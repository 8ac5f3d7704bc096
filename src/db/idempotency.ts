import type { Transaction } from './client.ts';
import { fieldsOf } from './fields.ts';
import { amongKeys, builtStatement, preparedRows, run, valuesOf } from './prepared.ts';
import { idempotencyKeys } from './tables.ts';

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

/** Finds an earlier call of the same mutation with the same key, by a caller with any of these names. */
export async function findCall(
  tx: Transaction,
  { callers, mutation, key }: Pick<IdempotencyRow, 'mutation' | 'key'> & { callers: readonly string[] },
): Promise<IdempotencyRow | null> {
  const [row] = await callOf(tx, callers, mutation, key);
  return row ?? null;
}

const callFields = fieldsOf(idempotencyKeys, 'k');
const callOf = preparedRows(
  'call of key',
  callFields,
  `select ${callFields.list} from idempotency_key k where ${amongKeys('k.caller', '$1', 'text')} and k.mutation = $2 and k.key = $3`,
);

/**
 * Inserts a key. Waits for a concurrent transaction with the same key; returns false if that one committed.
 */
export const insertCall = async (tx: Transaction, row: IdempotencyRow): Promise<boolean> =>
  (await run(tx, keepCall(row))) > 0;

const keepCall = builtStatement<IdempotencyRow>('keep call', (build) =>
  build.insert(idempotencyKeys).values(valuesOf(idempotencyKeys)).onConflictDoNothing(),
);
