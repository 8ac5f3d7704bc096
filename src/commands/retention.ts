/**
 * `npm run retention`: moves sessions that ended more than RETENTION_DAYS ago out of the database, to archive
 * files.
 */
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { countArchivableSessions, tryAcquireArchiveLock } from '../db/retention/archive.ts';
import { archiveSessions, getRetentionCutoff } from '../services/retention/archive-sessions.ts';
import { openCommandDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      to: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      batch: { type: 'string', default: '200' },
    },
  });
  const {
    db,
    pool,
    sealer,
    auditKeys: keys,
    retentionDays,
    close,
  } = await openCommandDatabase({ asOwner: true });
  const others = await pool.connect();
  try {
    const batch = Number(values.batch);
    if (!Number.isInteger(batch) || batch < 1)
      throw new Error('--batch must be the number of sessions to move per transaction, at least 1.');
    const now = new Date();
    const before = getRetentionCutoff(now, retentionDays);
    const count = await countArchivableSessions(db, before);
    print(`${count} sessions ended before ${before.toISOString()} (RETENTION_DAYS=${retentionDays}).`);
    if (values.to === undefined || values['dry-run']) {
      print(
        'No session was moved. To move these sessions into archives, run npm run retention -- --to FOLDER without --dry-run.',
      );
      return;
    }
    if (!(await tryAcquireArchiveLock(others)))
      throw new Error('Another retention run holds the advisory lock. Wait until it has ended.');
    await mkdir(values.to, { recursive: true, mode: 0o700 });
    const { files, wrong } = await archiveSessions({
      ...{ db, sealer, keys, retentionDays, now, batch, folder: values.to },
      onProgress: (sessions) => process.stderr.write(`\r${sessions} of ${count} sessions`),
    });
    process.stderr.write('\n');
    for (const { file, sessions } of files) print(`Moved ${sessions} sessions to ${file}.`);
    for (const { sessionId, number, what } of wrong)
      print(`STAYS  session ${sessionId}  row ${number}  ${what}`);
    if (wrong.length > 0) process.exitCode = 1;
    print(
      'Keep the AUDIT_KEYS and DATA_KEYS of the archives as long as the archives: npm run rotate does not re-encrypt archives.',
    );
  } finally {
    others.release(true);
    await close();
  }
}

await runCommand(main);
