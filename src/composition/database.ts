import { resolve } from 'node:path';
import type pg from 'pg';
import { type Config, ConfigError, type KeyWithId, StartError } from '../config.ts';
import { countAuditBacklog } from '../db/audit/audit.ts';
import { createDatabasePools, type Database, type DatabasePools } from '../db/connection/client.ts';
import { classifyDatabaseFault, DATABASE_FAULT_TEXTS } from '../db/connection/connection-errors.ts';
import { findPoolerProblem } from '../db/connection/pooler.ts';
import type { WriteWatch } from '../db/connection/write-watch.ts';
import { migrate } from '../db/migrate.ts';
import { readLogIdentity } from '../db/sessions/feed.ts';
import { AuditKeyring } from '../domain/audit.ts';
import { loadOrCreateDevelopmentKey, Sealer } from '../encryption/sealing.ts';
import { retryUntilDatabaseIsUp } from '../http/wait-for-database.ts';
import { startEmbeddedPostgres } from '../postgres/embedded-postgres.ts';
import { checkDataKeys, MissingDataKeysError } from '../services/keys/check-data-keys.ts';
import { DataKeyHeartbeat } from '../services/keys/key-watch.ts';
import type { Core } from './core.ts';

/** Migrated database, and the keys that encrypt and sign the stored data. */
export interface OpenedDatabase {
  readonly db: Database;
  readonly pools: DatabasePools['pools'];
  readonly statistics: DatabasePools['statistics'];
  /** URL for the connection on which the doorbell LISTENs. */
  readonly listenUrl: string;
  /**
   * Row of the database with the key and epoch by which feed cursors (opaque positions) are made and verified.
   */
  readonly identity: Awaited<ReturnType<typeof readLogIdentity>>;
  readonly dataKeys: readonly KeyWithId[];
  readonly sealer: Sealer;
  readonly auditKeys: AuditKeyring;
  readonly keyWatch: DataKeyHeartbeat;
  readonly writeWatch: WriteWatch;
  /**
   * Port that the gateway must listen on. If PORT is 0 (any free port) and the gateway had to wait for the
   * database, this is the port that answered 503 during the wait.
   */
  readonly port: number;
}

/**
 * Connects to the configured database, or starts the embedded PostgreSQL if none is configured, and runs the
 * migrations. Waits until the database can be used; until then the gateway's port answers 503.
 * @throws ConfigError if the settings are wrong
 * @throws StartError if the connection pooler in front of the database has an unusable mode
 */
export async function openDatabase(core: Core): Promise<OpenedDatabase> {
  const { config, overrides, log, lifecycle, tracing } = core;
  const { url, migrateUrl, listenUrl } = await findUrls(core);
  const { db, pools, statistics, watchWrites, close } = createDatabasePools(
    url,
    config.database.poolSize,
    (error) => log.warn({ err: error }, 'database connection lost; the pool will reconnect'),
  );
  lifecycle.onStop(close);
  for (const pool of [pools.reads, pools.writes] as readonly pg.Pool[]) tracing?.watchPool(pool);

  const dataDir = resolve(config.dataDir);
  const dataKeys = config.dataKeys ?? [await loadOrCreateDevelopmentKey(dataDir, 'data')];
  const sealer = new Sealer(dataKeys);
  const auditKeys = new AuditKeyring(
    config.auditKeys ?? [await loadOrCreateDevelopmentKey(dataDir, 'audit')],
  );

  const { port, result: identity } = await retryUntilDatabaseIsUp(
    {
      host: config.host,
      port: config.port,
      faultIn: findPassingFault,
      // Logged without the stack trace, which tells nothing about a cause outside of this process.
      onFault: (error) =>
        log.warn({ reason: findCauseMessage(error) }, 'database is not available yet; retrying'),
    },
    async () => {
      if (!overrides.isMigrated) {
        await assertUsablePooler(config);
        await migrate(migrateUrl, url);
      }
      await checkDataKeys(db, sealer);
      const unchained = await countAuditBacklog(db);
      if (unchained > 0)
        log.warn(
          { sessions: unchained },
          'sessions without an audit chain found; run `npm run audit -- adopt --by NAME`',
        );
      return readLogIdentity(db);
    },
  ).catch((error) => {
    throw toConfigError(error);
  });

  const keyWatch = new DataKeyHeartbeat({ db, sealer, log });
  lifecycle.onStop(() => keyWatch.stop());
  void keyWatch.beat();
  const writeWatch = watchWrites(log);
  return {
    ...{ db, pools, statistics, listenUrl, identity, port },
    ...{ dataKeys, sealer, auditKeys, keyWatch, writeWatch },
  };
}

interface DatabaseUrls {
  readonly url: string;
  readonly migrateUrl: string;
  readonly listenUrl: string;
}

/** Returns the configured URLs, or starts the embedded PostgreSQL and returns its URL for all purposes. */
async function findUrls({ config: { database }, log, lifecycle }: Core): Promise<DatabaseUrls> {
  if (database.kind === 'URL') return database;
  const { url, stop } = await startEmbeddedPostgres({
    dir: resolve(database.dataDir, 'postgres'),
    onCrash(failure) {
      if (!failure) return log.error('embedded PostgreSQL exited unexpectedly; restarted it');
      log.fatal(
        { err: failure },
        'embedded PostgreSQL exited unexpectedly and could not be restarted; stopping',
      );
      process.exitCode = 1;
      void lifecycle.stop();
    },
  });
  lifecycle.onStop(stop);
  return { url, migrateUrl: url, listenUrl: url };
}

/**
 * Turns an error that wrong settings caused into a ConfigError, which is shown without a stack trace. Returns
 * any other error unchanged.
 */
function toConfigError(error: unknown): unknown {
  if (error instanceof MissingDataKeysError) return new ConfigError(error.issues);
  if (classifyDatabaseFault(error) !== 'REFUSED') return error;
  let root = error as Error;
  while (root.cause instanceof Error) root = root.cause;
  return new ConfigError([
    `DATABASE_URL or MIGRATE_DATABASE_URL: the database refused the gateway's connection (${root.message}). Check user, password, database name, sslmode and sslrootcert.`,
  ]);
}

/**
 * Describes a database fault that may pass without a change of the settings, so that the start waits and
 * retries. Returns null for any other error.
 */
function findPassingFault(error: unknown): string | null {
  const fault = classifyDatabaseFault(error);
  return fault === null || fault === 'REFUSED' ? null : DATABASE_FAULT_TEXTS[fault];
}

/**
 * @throws StartError if a connection pooler shares server connections on which the gateway keeps state (such as
 * LISTEN)
 */
async function assertUsablePooler({ database, natsServers }: Config): Promise<void> {
  if (database.kind !== 'URL') return;
  const { url, migrateUrl } = database;
  const explanation = await findPoolerProblem({
    url,
    migrateUrl,
    listenUrl: natsServers ? null : database.listenUrl,
  });
  if (explanation) throw new StartError(explanation);
}

/** Returns the error message of the driver or the server, which Drizzle wraps in an error of its own. */
const findCauseMessage = (error: unknown): string =>
  error instanceof Error && error.cause ? findCauseMessage(error.cause) : String((error as Error).message);
