import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { grantRuntimeRights } from './grants.ts';
import { migrateJobs } from './jobs.ts';
import { runMigrations } from './run-migrations.ts';
import { openClient } from './server-client.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** A migration may take as long as it takes. */
const PATIENT = { answerTimeoutMs: 0, application_name: 'vkyc-gateway migrations' };

/** The name that the newest migration of this release has in the database, see `Fitness`. */
export const newestMigration = async (): Promise<number> => {
  const journal = JSON.parse(await readFile(`${MIGRATIONS}/meta/_journal.json`, 'utf8'));
  return (journal as { entries: { when: number }[] }).entries.at(-1)?.when as number;
};

/**
 * Brings the database to this release's schema, as its owner, while the last release goes on using it. Where the gateway
 * will use it by another role, that one is given what it needs and no more. Replicas that start together take turns.
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

/** As whom a connection string connects: it need not say so itself. */
async function roleOf(url: string): Promise<string> {
  const client = await openClient(url, PATIENT);
  try {
    const { rows } = await client.query<{ role: string }>('select current_user as role');
    return rows[0]?.role as string;
  } finally {
    await client.end();
  }
}
