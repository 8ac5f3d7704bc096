import type { Transaction } from './client.ts';
import { fieldsOf } from './fields.ts';
import { builtStatement, preparedRows, run, valuesOf } from './prepared.ts';
import { idempotencyKeys } from './tables.ts';

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

/** An earlier call under the same key of the same caller and mutation. */
export async function findCall(
  tx: Transaction,
  { caller, mutation, key }: Pick<IdempotencyRow, 'caller' | 'mutation' | 'key'>,
): Promise<IdempotencyRow | null> {
  const [row] = await callOf(tx, caller, mutation, key);
  return row ?? null;
}

const callFields = fieldsOf(idempotencyKeys, 'k');
const callOf = preparedRows(
  'call of key',
  callFields,
  `select ${callFields.list} from idempotency_key k where k.caller = $1 and k.mutation = $2 and k.key = $3`,
);

/** False where another transaction stored the key first; that one has then been waited for. */
export const insertCall = async (tx: Transaction, row: IdempotencyRow): Promise<boolean> =>
  (await run(tx, keepCall(row))) > 0;

const keepCall = builtStatement<IdempotencyRow>('keep call', (build) =>
  build.insert(idempotencyKeys).values(valuesOf(idempotencyKeys)).onConflictDoNothing(),
);
