/**
 * `npm run restored`: for use after a restore from a backup, or a failover that lost transactions. Plans
 * polls of all sessions that are open or ended by an unconfirmed decision, and of all open starts, and lists
 * the losses that an export of the audit heads (newest entry of each audit chain) shows.
 */
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { readQueueDepthsAndCallUse } from '../db/connection/readiness.ts';
import { readNewestMigrationTimestamp } from '../db/migrate.ts';
import { incrementCursorEpoch } from '../db/sessions/feed.ts';
import { parseHeadsExport } from '../services/audit/audit-heads.ts';
import { splitCallBudget } from '../services/polling/call-budget.ts';
import {
  findSessionLosses,
  type SessionLoss,
  type SessionLossKind,
} from '../services/polling/find-losses.ts';
import { planPollsAfterDataLoss } from '../services/polling/relearn.ts';
import { type CommandDatabase, openCommandDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run restored                      schedules polls of everything that the database may have lost
npm run restored -- --against F       also lists the losses that the export F of npm run audit -- export --file F shows
       … --missing-to M               writes the verification ids of lost sessions to M, for npm run adopt -- --file M
       … --expire-cursors             expires every cursor, so that every client starts from a new snapshot`;

const print = (line: string) => process.stdout.write(`${line}\n`);

const LOSSES: Readonly<Record<SessionLossKind, (loss: SessionLoss) => string>> = {
  MISSING: ({ exported }) => `lost the whole session: ${exported} audit entries or more`,
  BEHIND: ({ exported, newest }) => `lost audit entries ${newest + 1} to ${exported}, or more`,
  REPLACED: ({ exported }) =>
    `entry ${exported} differs from the exported one: the session continued after the loss`,
};

/**
 * Checks that the command can work on this database.
 * @throws Error if the database is a standby, or has the schema of an earlier release
 */
async function checkDatabase(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ standby: boolean; migrated: number | null }>(
    `select pg_is_in_recovery() as standby,
       (select max(created_at)::float8 from drizzle.__drizzle_migrations) as migrated`,
  );
  if (rows[0]?.standby)
    throw new Error('This database is a standby and accepts no writes: promote it first.');
  if ((rows[0]?.migrated ?? 0) < (await readNewestMigrationTimestamp()))
    throw new Error(
      'This database has the schema of an earlier release: start a gateway of this release first, which migrates it.',
    );
}

async function tellLosses(
  { db, auditKeys }: CommandDatabase,
  file: string,
  missingTo: string | undefined,
): Promise<void> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  const { exportedAt, heads } = await parseHeadsExport(lines, auditKeys);
  const counts: Record<SessionLossKind, number> = { MISSING: 0, BEHIND: 0, REPLACED: 0 };
  const missing: string[] = [];
  for await (const loss of findSessionLosses(db, heads)) {
    const { kind, sessionId, verificationId } = loss;
    counts[kind] += 1;
    if (kind === 'MISSING' && verificationId !== null) missing.push(verificationId);
    print(
      `${kind.padEnd(8)}  ${verificationId ?? '(verification id unknown)'}  session ${sessionId}  ${LOSSES[kind](loss)}`,
    );
  }
  const { MISSING, BEHIND, REPLACED } = counts;
  print(
    `Of ${heads.size} sessions in the export of ${exportedAt}, ${MISSING} are missing, ${BEHIND} lost their newest audit entries, ${REPLACED} also lost entries and have recorded others in their place.`,
  );
  print('Losses of entries recorded after that export cannot be detected.');
  if (missingTo !== undefined) {
    await writeFile(missingTo, missing.map((id) => `${id}\n`).join(''));
    print(
      `Wrote ${missing.length} verification ids to ${missingTo}. Run npm run adopt -- --file ${missingTo} to record their sessions again.`,
    );
  } else if (missing.length > 0)
    print(
      'Write the missing verification ids to a file with --missing-to M, and run npm run adopt -- --file M to record their sessions again.',
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
  const opened = await openCommandDatabase({ asOwner });
  try {
    const { db, pool, config } = opened;
    await checkDatabase(pool);
    const { polls } = splitCallBudget(config.provider.callsPerMinute);
    const now = new Date();
    const { sessions, starts } = await planPollsAfterDataLoss(db, now, polls);
    const minutes = Math.ceil((sessions + starts) / polls);
    print(
      `A running gateway will poll the provider for ${sessions} sessions and ${starts} open starts, which takes at least ${minutes} min at ${polls} polls per minute.`,
    );
    const { pending, waiting, parked } = await readQueueDepthsAndCallUse(pool, now);
    print(
      `Webhooks: ${pending} are queued and ${waiting} wait for their session; a running gateway applies them; ${parked} are parked${parked > 0 ? ': npm run inbox -- list --state PARKED' : ''}.`,
    );
    print(
      'The provider does not know meetings, cancellations and reviews that were made through this API. Their authors must repeat those that were lost.',
    );
    if (asOwner) {
      const epoch = await incrementCursorEpoch(db);
      print(
        `The log now has epoch ${epoch}, which expires every cursor. Restart every gateway: until then it uses the previous epoch.`,
      );
    }
    if (values.against !== undefined) await tellLosses(opened, values.against, values['missing-to']);
    else print('To list what was lost, pass --against F: an export of the audit heads from before the loss.');
  } finally {
    await opened.close();
  }
}

await runCommand(main);
