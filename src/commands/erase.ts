/**
 * `npm run erase`: permanently erases the personal data of a person, or replaces a customer's `sub` with a pseudonym.
 */
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { type ErasureTarget, erasePerson } from '../services/retention/erase-person.ts';
import {
  type PseudonymizationResult,
  pseudonymizeSubject,
} from '../services/retention/pseudonymize-subject.ts';
import { openCommandDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run erase -- --user ID [--by NAME] [--dry-run]     erases the person with this userId; NAME is recorded in the audit chain
npm run erase -- --phone 9988776655 …                  erases the person with this phone
npm run erase -- --subject SUB …                       replaces a customer's \`sub\`, which earlier releases recorded, by a pseudonym`;

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

function tellSubject(
  { pseudonym, sessions, reads, idempotencyKeys }: PseudonymizationResult,
  dryRun: boolean,
): void {
  process.stdout.write(
    `${dryRun ? 'Would replace' : 'Replaced'} the subject by ${pseudonym} in the logs, meetings and chains of ${sessions} sessions and in ${reads} reads, and ${dryRun ? 'would delete' : 'deleted'} ${idempotencyKeys} idempotency keys. Archives and backups are not changed.\n`,
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
  } = await openCommandDatabase({ asOwner: true });
  try {
    const dependencies = { db, sealer, keys, retentionDays, now: new Date() };
    if (who === null)
      return tellSubject(
        await pseudonymizeSubject(dependencies, subject as string, values.by, dryRun),
        dryRun,
      );
    const erased = await erasePerson(dependencies, who, values.by, dryRun);
    const { sessions, texts, webhooks, idempotencyKeys, archives } = erased;
    process.stdout.write(
      `${dryRun ? 'Would erase' : 'Erased'} the person, ${sessions} links of sessions, ${texts} texts of staff, ${webhooks} webhooks, ${idempotencyKeys} idempotency keys.
Decisions, their times, their authors and their proof are kept. The provider's records, backups and, in development, the sandbox's journal are not changed.
The person's own actions are recorded under a pseudonym. If an earlier release recorded the 'sub' of the person's token, replace it with --subject SUB.\n`,
    );
    if (archives.length > 0)
      process.stdout.write(
        `Archives contain sessions of this person, with links and texts encrypted with DATA_KEYS: ${archives.join(', ')}.\n`,
      );
  } finally {
    await close();
  }
}

await runCommand(main);
