/**
 * `npm run rotate`: re-encrypts stored data with the first key of DATA_KEYS, so that the other keys can be
 * removed.
 */
import type { Database } from '../db/connection/client.ts';
import { findLiveReplicas, MAX_HEARTBEAT_AGE_SECONDS, registerDataKeys } from '../db/keys/data-keys.ts';
import type { Sealer } from '../encryption/sealing.ts';
import { type ColumnKeyUsage, reencryptWithCurrentKey } from '../services/keys/rotate-keys.ts';
import { openCommandDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const sum = (kept: readonly ColumnKeyUsage[], key: string): number =>
  kept.reduce((total, { byKey }) => total + (byKey.get(key) ?? 0), 0);

function tell(kept: readonly ColumnKeyUsage[], current: string): string {
  const [sealed, hashes] = [kept.filter(({ lasting }) => !lasting), kept.filter(({ lasting }) => lasting)];
  const others = new Set(kept.flatMap(({ byKey }) => [...byKey.keys()]));
  others.delete(current);
  const lines = [...others].map((key) =>
    sum(sealed, key) > 0
      ? `${sum(sealed, key)} values are still encrypted with ${key}. Keep the key, and run this command again.`
      : `No value is encrypted with ${key} any more. ${sum(hashes, key)} idempotency keys were hashed with ${key}: their calls can be repeated as long as ${key} stays in DATA_KEYS. Without ${key}, repeated calls are refused.`,
  );
  return [
    `${sum(kept, current)} values are encrypted with ${current}, the first key of DATA_KEYS.`,
    ...lines,
    ...(lines.length > 0
      ? ['Remove a key only after every replica has the new key first in DATA_KEYS.']
      : []),
  ].join('\n');
}

/**
 * Refuses to rotate while a running replica lacks the first key, because that replica could not decrypt the
 * rotated values.
 */
async function refuseWhileUnknown(db: Database, { keyId }: Sealer): Promise<void> {
  const live = await findLiveReplicas(db);
  const lacking = live.filter(({ dataKeys }) => !dataKeys.includes(keyId)).length;
  if (lacking > 0)
    throw new Error(
      `${lacking} of ${live.length} running replicas lack the key "${keyId}" and could not decrypt rotated values. Nothing was changed. First add the key at the end of DATA_KEYS of every replica; a killed replica counts as running for ${MAX_HEARTBEAT_AGE_SECONDS} s.`,
    );
}

async function main(): Promise<void> {
  const { db, sealer, close } = await openCommandDatabase();
  try {
    await refuseWhileUnknown(db, sealer);
    await registerDataKeys(db, sealer.keyIds);
    const kept = await reencryptWithCurrentKey(db, sealer, (column, done, of) =>
      process.stderr.write(`${column}  ${done} of ${of}\n`),
    );
    process.stdout.write(`${tell(kept, sealer.keyId)}\n`);
  } finally {
    await close();
  }
}

await runCommand(main);
