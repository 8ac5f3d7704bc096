/** `npm run restored`: for operators, after a restore from a backup or a promotion that lost transactions. */
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { readQueueDepths } from '../db/connection/readiness.ts';
import { newestMigration } from '../db/migrate.ts';
import { raiseEpoch } from '../db/sessions/feed.ts';
import { readHeads } from '../services/audit/audit-heads.ts';
import { splitBudget } from '../services/polling/call-budget.ts';
import { findLosses, type Loss, type LossKind } from '../services/polling/find-losses.ts';
import { planRelearning } from '../services/polling/relearn.ts';
import { type Opened, openDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run restored                      asks the provider again about all that the database may have forgotten
npm run restored -- --against F       says what was lost, as far as F knows: an export by npm run audit -- export --file F
       … --missing-to M               writes the verification ids of lost sessions to M, for npm run adopt -- --file M
       … --expire-cursors             makes every cursor expire, so that every client starts from a new snapshot`;

const print = (line: string) => process.stdout.write(`${line}\n`);

const LOSSES: Readonly<Record<LossKind, (loss: Loss) => string>> = {
  MISSING: ({ exported }) => `all of it, ${exported} audit entries or more`,
  BEHIND: ({ exported, newest }) => `audit entries ${newest + 1} to ${exported}, or further`,
  REPLACED: ({ exported }) =>
    `entry ${exported} differs from the exported one: the session went on after the loss`,
};

/** @throws if the database is a standby or of an earlier release */
async function checkDatabase(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ standby: boolean; migrated: number | null }>(
    `select pg_is_in_recovery() as standby,
       (select max(created_at)::float8 from drizzle.__drizzle_migrations) as migrated`,
  );
  if (rows[0]?.standby)
    throw new Error('This database is a standby, which cannot be written: promote it first.');
  if ((rows[0]?.migrated ?? 0) < (await newestMigration()))
    throw new Error(
      'This database is of an earlier release: start a gateway of this release first, it migrates.',
    );
}

async function tellLosses(
  { db, auditKeys }: Opened,
  file: string,
  missingTo: string | undefined,
): Promise<void> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  const { exportedAt, heads } = await readHeads(lines, auditKeys);
  const counts: Record<LossKind, number> = { MISSING: 0, BEHIND: 0, REPLACED: 0 };
  const missing: string[] = [];
  for await (const loss of findLosses(db, heads)) {
    const { kind, sessionId, verificationId } = loss;
    counts[kind] += 1;
    if (kind === 'MISSING' && verificationId !== null) missing.push(verificationId);
    print(
      `${kind.padEnd(8)}  ${verificationId ?? '(verification id unknown)'}  session ${sessionId}  ${LOSSES[kind](loss)}`,
    );
  }
  const { MISSING, BEHIND, REPLACED } = counts;
  print(
    `Of ${heads.size} sessions in the export of ${exportedAt}, ${MISSING} are missing, ${BEHIND} are behind, ${REPLACED} went on after the loss.`,
  );
  print('What was recorded after that export and then lost is not known.');
  if (missingTo !== undefined) {
    await writeFile(missingTo, missing.map((id) => `${id}\n`).join(''));
    print(
      `${missing.length} verification ids are in ${missingTo}: npm run adopt -- --file ${missingTo} takes them in.`,
    );
  } else if (missing.length > 0)
    print(
      'Write the missing ones to a file with --missing-to M, and take them in: npm run adopt -- --file M.',
    );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      against: { type: 'string' },
      'missing-to': { type: 'string' },
      'expire-cursors': { type: 'boolean', default: false },
    },
  });
  if (values['missing-to'] !== undefined && values.against === undefined) throw new Error(USAGE);
  const asOwner = values['expire-cursors'];
  const opened = await openDatabase({ asOwner });
  try {
    const { db, pool, config } = opened;
    await checkDatabase(pool);
    const { polls } = splitBudget(config.provider.callsPerMinute);
    const now = new Date();
    const { sessions, starts } = await planRelearning(db, now, polls);
    const minutes = Math.ceil((sessions + starts) / polls);
    print(
      `A running gateway asks the provider about ${sessions} sessions and ${starts} open starts, which takes ${minutes} min or more at ${polls} polls a minute.`,
    );
    const { pending, waiting, parked } = await readQueueDepths(pool, now);
    print(
      `Webhooks: ${pending} are queued and ${waiting} wait for their session; a running gateway applies them; ${parked} are parked${parked > 0 ? ': npm run inbox -- list --state PARKED' : ''}.`,
    );
    print(
      'Meetings, cancellations and reviews that were made here and then lost are not at the provider: whoever made them has to make them again.',
    );
    if (asOwner) {
      const epoch = await raiseEpoch(db);
      print(
        `The log has epoch ${epoch} now, and every cursor expires. Restart every gateway: until then it uses the last epoch.`,
      );
    }
    if (values.against !== undefined) await tellLosses(opened, values.against, values['missing-to']);
    else
      print('To learn what was lost, give --against F: an export of the audit heads from before the loss.');
  } finally {
    await opened.close();
  }
}

await runCommand(main);
