import { getTableName } from 'drizzle-orm';
import type { Database } from '../../db/connection/client.ts';
import {
  findDataKeyIds,
  findLiveReplicas,
  registerDataKeys,
  unregisterDataKeys,
} from '../../db/keys/data-keys.ts';
import { countValuesByKeyId, ROTATABLE_COLUMNS } from '../../db/keys/key-rotation.ts';
import type { Sealer } from '../../encryption/sealing.ts';

/** Error that lists keys that are needed but missing in DATA_KEYS, with one sentence for each key. */
export class MissingDataKeysError extends Error {
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(issues.join(' '));
    this.issues = issues;
  }
}

/**
 * Checks at startup that DATA_KEYS contains every key that stored values or running replicas need. Scans the
 * stored values only if an earlier start registered a key that DATA_KEYS lacks now.
 *
 * @throws MissingDataKeysError
 */
export async function checkDataKeys(db: Database, sealer: Sealer): Promise<void> {
  const { keyIds } = sealer;
  const noted = await findDataKeyIds(db);
  const removed = noted.filter((id) => !keyIds.includes(id));
  if (removed.length > 0) await refuseWhileUsed(db, keyIds);
  const encrypting = (await findLiveReplicas(db)).flatMap(({ dataKeys: [first = ''] }) => first);
  const unknown = encrypting.find((id) => !keyIds.includes(id));
  if (unknown !== undefined)
    throw new MissingDataKeysError([
      `DATA_KEYS: the key "${unknown}" is missing; a running replica encrypts with it. ${ORDER}`,
    ]);
  if (removed.length > 0) await unregisterDataKeys(db, removed);
  await registerDataKeys(db, keyIds);
}

const ORDER = 'Add it again; OPERATIONS.md describes the order in which keys are changed.';

async function refuseWhileUsed(db: Database, keyIds: readonly string[]): Promise<void> {
  const values = new Map<string, number>();
  const columns = new Map<string, string[]>();
  for (const { column } of ROTATABLE_COLUMNS)
    for (const [id, count] of await countValuesByKeyId(db, column)) {
      if (keyIds.includes(id)) continue;
      values.set(id, (values.get(id) ?? 0) + count);
      columns.set(id, [...(columns.get(id) ?? []), `${getTableName(column.table)}.${column.name}`]);
    }
  if (values.size === 0) return;
  throw new MissingDataKeysError(
    [...values].map(
      ([id, count]) =>
        `DATA_KEYS: the key "${id}" is missing; ${count} stored values are encrypted with it (${columns.get(id)?.join(', ')}). ${ORDER}`,
    ),
  );
}
