import { and, eq } from 'drizzle-orm';
import type { Transaction } from './client.ts';
import { idempotencyKeys } from './tables.ts';

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

/** An earlier call under the same key of the same caller and mutation. */
export async function findCall(
  tx: Transaction,
  { caller, mutation, key }: Pick<IdempotencyRow, 'caller' | 'mutation' | 'key'>,
): Promise<IdempotencyRow | null> {
  const [row] = await tx
    .select()
    .from(idempotencyKeys)
    .where(
      and(
        eq(idempotencyKeys.caller, caller),
        eq(idempotencyKeys.mutation, mutation),
        eq(idempotencyKeys.key, key),
      ),
    );
  return row ?? null;
}

/** False where another transaction stored the key first; that one has then been waited for. */
export async function insertCall(tx: Transaction, row: IdempotencyRow): Promise<boolean> {
  const inserted = await tx
    .insert(idempotencyKeys)
    .values(row)
    .onConflictDoNothing()
    .returning({ key: idempotencyKeys.key });
  return inserted.length > 0;
}
