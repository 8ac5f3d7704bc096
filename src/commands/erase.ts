/** `npm run erase`: erases what is kept of a person, for good. */
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { erasePerson, type Who } from '../services/erase-person.ts';
import { openDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run erase -- --user ID [--by NAME] [--dry-run]     the person's userId
npm run erase -- --phone 9988776655 …                  by their phone; NAME answers for it in the audit chain`;

function whoOf({ user, phone }: { user?: string | undefined; phone?: string | undefined }): Who {
  if (phone !== undefined && user === undefined) return { phone };
  if (user === undefined || phone !== undefined) throw new Error(USAGE);
  return { userId: user };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      user: { type: 'string' },
      phone: { type: 'string' },
      by: { type: 'string', default: userInfo().username },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const who = whoOf(values);
  const dryRun = values['dry-run'];
  const {
    db,
    sealer,
    auditKeys: keys,
    legalRetentionDays: retentionDays,
    close,
  } = await openDatabase({ asOwner: true });
  try {
    const parts = { db, sealer, keys, retentionDays, now: new Date() };
    const erased = await erasePerson(parts, who, values.by, dryRun);
    const { sessions, texts, webhooks, idempotencyKeys, archives } = erased;
    process.stdout.write(
      `${dryRun ? 'To be erased' : 'Erased'}: the person and ${sessions} links of sessions, ${texts} texts of staff, ${webhooks} webhooks, ${idempotencyKeys} idempotency keys.
What was decided, when and by whom stays, and its proof. Out of reach: the provider's own records, backups, and in development the sandbox's journal.
Where they acted themselves, the 'sub' of their token stays in that proof: let it say nothing of a person.\n`,
    );
    if (archives.length > 0)
      process.stdout.write(
        `Sessions of theirs are in archives, with links and texts that only DATA_KEYS opens: ${archives.join(', ')}.\n`,
      );
  } finally {
    await close();
  }
}

await runCommand(main);
