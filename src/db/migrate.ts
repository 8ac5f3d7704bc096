import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openClient } from './connection/server-client.ts';
import { migrateJobs } from './polling/jobs.ts';
import { runMigrations } from './run-migrations.ts';
import { grantRuntimeRights } from './schema/grants.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Options for connections without answer timeout, because a migration may take any time. */
const PATIENT = { answerTimeoutMs: 0, application_name: 'vkyc-gateway migrations' };

/** Returns the timestamp that identifies this release's newest migration in the database; see `ReadinessFacts`. */
export const newestMigration = async (): Promise<number> => {
  const journal = JSON.parse(await readFile(`${MIGRATIONS}/meta/_journal.json`, 'utf8'));
  return (journal as { entries: { when: number }[] }).entries.at(-1)?.when as number;
};

/**
 * Migrates the database to this release's schema with the owner's role, while the last release keeps using it
 * (rolling deploy). If the gateway uses another role, grants it the rights it needs and no more. Replicas
 * that start together take turns (advisory lock).
 */
export async function migrate(url: string, runtimeUrl = url): Promise<void> {
  const runtimeRole = runtimeUrl === url ? null : await roleOf(runtimeUrl);
  const client = await openClient(url, PATIENT);
  try {
    await runMigrations(client, MIGRATIONS, async () => {
      await migrateJobs(url);
      if (runtimeRole !== null && runtimeRole !== (await roleOf(url)))
        await grantRuntimeRights(client, runtimeRole);
    });
  } finally {
    await client.end();
  }
}

/** Returns the role that a connection string logs in as, which its text need not contain. */
async function roleOf(url: string): Promise<string> {
  const client = await openClient(url, PATIENT);
  try {
    const { rows } = await client.query<{ role: string }>('select current_user as role');
    return rows[0]?.role as string;
  } finally {
    await client.end();
  }
}
