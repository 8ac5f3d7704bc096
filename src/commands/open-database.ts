import { resolve } from 'node:path';
import { type Config, readConfig } from '../config.ts';
import { createDatabasePools, type DatabasePools } from '../db/connection/client.ts';
import { AuditKeyring } from '../domain/audit.ts';
import { loadOrCreateDevelopmentKey, Sealer } from '../encryption/sealing.ts';
import { joinOrStartEmbeddedPostgres } from '../postgres/embedded-postgres.ts';

/**
 * Number of connections in the pool. The retention command needs two at the same time: the first holds its
 * advisory lock, which keeps other runs out, while the second writes.
 */
const POOL_SIZE = 4;

export interface CommandDatabase extends Pick<DatabasePools, 'db' | 'pool'> {
  readonly sealer: Sealer;
  readonly auditKeys: AuditKeyring;
  readonly config: Config;
  readonly legalRetentionDays: number;
  readonly retentionDays: number;
  close(): Promise<void>;
}

/**
 * Opens the gateway's database for a command, with the gateway's settings. A gateway may run at the same
 * time. With `asOwner`, the command connects with the role of MIGRATE_DATABASE_URL, which may delete rows.
 * @throws ConfigError if the settings are not valid
 */
export async function openCommandDatabase({ asOwner = false } = {}): Promise<CommandDatabase> {
  const config = readConfig(process.env);
  const { database } = config;
  const postgres =
    database.kind === 'EMBEDDED'
      ? await joinOrStartEmbeddedPostgres({ dir: resolve(database.dataDir, 'postgres') })
      : null;
  const url =
    database.kind === 'EMBEDDED' ? (postgres?.url as string) : asOwner ? database.migrateUrl : database.url;
  const { db, pool, close } = createDatabasePools(url, POOL_SIZE, () => {});
  return {
    db,
    pool,
    sealer: new Sealer(
      config.dataKeys ?? [await loadOrCreateDevelopmentKey(resolve(config.dataDir), 'data')],
    ),
    auditKeys: new AuditKeyring(
      config.auditKeys ?? [await loadOrCreateDevelopmentKey(resolve(config.dataDir), 'audit')],
    ),
    config,
    legalRetentionDays: config.legalRetentionDays,
    retentionDays: config.retentionDays,
    async close() {
      await close();
      await postgres?.stop();
    },
  };
}
