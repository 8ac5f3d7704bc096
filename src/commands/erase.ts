/** `npm run erase`: permanently erases the personal data of a person. */
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { type ErasureTarget, erasePerson } from '../services/retention/erase-person.ts';
import { type ErasedSubject, eraseSubject } from '../services/retention/erase-subject.ts';
import { openDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run erase -- --user ID [--by NAME] [--dry-run]     the person's userId
npm run erase -- --phone 9988776655 …                  by their phone; NAME answers for it in the audit chain
npm run erase -- --subject SUB …                       puts a pseudonym in the place of a customer's \`sub\`, which earlier releases recorded`;

function parseTarget({
  user,
  phone,
}: {
  user?: string | undefined;
  phone?: string | undefined;
}): ErasureTarget {
  if (phone !== undefined && user === undefined) return { phone };
  if (user === undefined || phone !== undefined) throw new Error(USAGE);
  return { userId: user };
}

function tellSubject({ pseudonym, sessions, reads, idempotencyKeys }: ErasedSubject, dryRun: boolean): void {
  process.stdout.write(
    `${dryRun ? 'To be replaced' : 'Replaced'} by ${pseudonym}: the subject in the logs, meetings and chains of ${sessions} sessions and in ${reads} reads; ${idempotencyKeys} idempotency keys were deleted. Archives and backups are out of reach.\n`,
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      user: { type: 'string' },
      phone: { type: 'string' },
      subject: { type: 'string' },
      by: { type: 'string', default: userInfo().username },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const { subject } = values;
  const dryRun = values['dry-run'];
  if (subject !== undefined && (values.user !== undefined || values.phone !== undefined))
    throw new Error(USAGE);
  const who = subject === undefined ? parseTarget(values) : null;
  const {
    db,
    sealer,
    auditKeys: keys,
    legalRetentionDays: retentionDays,
    close,
  } = await openDatabase({ asOwner: true });
  try {
    const dependencies = { db, sealer, keys, retentionDays, now: new Date() };
    if (who === null)
      return tellSubject(await eraseSubject(dependencies, subject as string, values.by, dryRun), dryRun);
    const erased = await erasePerson(dependencies, who, values.by, dryRun);
    const { sessions, texts, webhooks, idempotencyKeys, archives } = erased;
    process.stdout.write(
      `${dryRun ? 'To be erased' : 'Erased'}: the person and ${sessions} links of sessions, ${texts} texts of staff, ${webhooks} webhooks, ${idempotencyKeys} idempotency keys.
What was decided, when and by whom stays, and its proof. Out of reach: the provider's own records, backups, and in development the sandbox's journal.
Where they acted themselves they are named by a pseudonym; by the 'sub' of their token if an earlier release recorded it: --subject SUB.\n`,
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
