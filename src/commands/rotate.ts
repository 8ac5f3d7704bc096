/** `npm run rotate`: encrypts what is stored with the first of the data keys, so that the others can go. */
import { type Kept, rotateKeys } from '../services/rotate-keys.ts';
import { openDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const sum = (kept: readonly Kept[], key: string): number =>
  kept.reduce((total, { byKey }) => total + (byKey.get(key) ?? 0), 0);

function tell(kept: readonly Kept[], current: string): string {
  const [sealed, hashes] = [kept.filter(({ lasting }) => !lasting), kept.filter(({ lasting }) => lasting)];
  const others = new Set(kept.flatMap(({ byKey }) => [...byKey.keys()]));
  others.delete(current);
  const lines = [...others].map((key) =>
    sum(sealed, key) > 0
      ? `${sum(sealed, key)} values are still encrypted with ${key}: keep it, and run this again.`
      : `Nothing is encrypted with ${key} any more. ${sum(hashes, key)} calls that were made under it can be repeated only while it stays in DATA_KEYS: without it they are refused as used.`,
  );
  return [
    `${sum(kept, current)} values are under ${current}, the first of DATA_KEYS.`,
    ...lines,
    ...(lines.length > 0 ? ['Take a key away only once every replica has the new one first.'] : []),
  ].join('\n');
}

async function main(): Promise<void> {
  const { db, sealer, close } = await openDatabase();
  try {
    const kept = await rotateKeys(db, sealer, (place, done, of) =>
      process.stderr.write(`${place}  ${done} of ${of}\n`),
    );
    process.stdout.write(`${tell(kept, sealer.keyId)}\n`);
  } finally {
    await close();
  }
}

await runCommand(main);
