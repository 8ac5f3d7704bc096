import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openClient } from './connection/server-client.ts';
import { migrateJobQueue } from './polling/jobs.ts';
import { runMigrations } from './run-migrations.ts';
import { resetRuntimeRights } from './schema/grants.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Connection options without a timeout for answers, because a migration may take any time. */
const PATIENT = { answerTimeoutMs: 0, application_name: 'vkyc-gateway migrations' };

/**
 * Returns the timestamp of this release's newest migration; readiness compares it with that of the newest
 * migration in the database (`ReadinessFacts.migratedTo`).
 */
export const readNewestMigrationTimestamp = async (): Promise<number> => {
  const journal = JSON.parse(await readFile(`${MIGRATIONS}/meta/_journal.json`, 'utf8'));
  return (journal as { entries: { when: number }[] }).entries.at(-1)?.when as number;
};

/**
 * Migrates the database to this release's schema with the owner's role, while the last release keeps using
 * the database (rolling deploy). If the gateway itself uses another role, grants that role the rights it
 * needs and no more. Replicas that start together take turns (advisory lock).
 */
export async function migrate(url: string, runtimeUrl = url): Promise<void> {
  const runtimeRole = runtimeUrl === url ? null : await roleOf(runtimeUrl);
  const client = await openClient(url, PATIENT);
  try {
    await runMigrations(client, MIGRATIONS, async () => {
      await migrateJobQueue(url);
      if (runtimeRole !== null && runtimeRole !== (await roleOf(url)))
        await resetRuntimeRights(client, runtimeRole);
    });
  } finally {
    await client.end();
  }
}

/**
 * Returns the role that a connection URL logs in as. The database is asked, because the URL need not name a
 * role.
 */
async function roleOf(url: string): Promise<string> {
  const client = await openClient(url, PATIENT);
  try {
    const { rows } = await client.query<{ role: string }>('select current_user as role');
    return rows[0]?.role as string;
  } finally {
    await client.end();
  }
}
