import type { Durability, Replication } from '../domain/replication.ts';
import { cachedQuery } from './cached-query.ts';

/**
 * Cache of the database query: the readiness probe is public, and must cost the database at most one query a second.
 */
const DATABASE_CACHE = { forMs: 1_000, patienceMs: 1_500 };
/**
 * Maximum age of a transition without a feed position; beyond it the replica is not ready. As long as any replica
 * assigns positions, a transition gets its own within milliseconds.
 */
const MAX_FEED_LAG_SECONDS = 30;

interface ReadinessOptions {
  readonly isStopping: () => boolean;
  readonly doorbell: { readonly connected: boolean };
  /** Newest migration that this release needs; the database must have it or a newer one. */
  readonly newestMigration: number;
  readonly askDatabase: () => Promise<{
    readonly migratedTo: number;
    readonly oldestUnnumberedSeconds: number | null;
  }>;
  /** Returns why a database that answers takes no writes, in our own words; null if no reason is known. */
  readonly writeFault: () => string | null;
  /** Returns why stored data cannot be decrypted here; null if all of it can, as far as is known. */
  readonly keyFault: () => string | null;
  /** Returns what a failover can lose under the current settings; rejects if they cannot be read. */
  readonly askReplication: () => Promise<Replication>;
}

/**
 * Results of the readiness probe, by check. The probe is public, so the texts are our own, never an error's message.
 */
export interface Readiness {
  /** Failed checks; empty if the replica is ready. */
  readonly missing: Readonly<Record<string, string>>;
  /**
   * Work that a ready replica cannot do now, such as writes. It still serves reads and subscribers, so it should get
   * traffic.
   */
  readonly impaired: Readonly<Record<string, string>>;
  /** Information for operators; nothing is wrong. */
  readonly notes: Readonly<Record<string, string>>;
}

/** Text about what a failover or a crash can lose, for each replication setting. */
const DURABILITY_NOTES = {
  SYNCHRONOUS: 'commits wait for a standby: a failover to it loses no acknowledged transition',
  ASYNCHRONOUS: 'no commit waits for a standby: a failover can lose the newest transitions',
  NO_STANDBY: 'no standby is connected: a restore loses all transitions recorded after the backup',
  COMMIT_NOT_AWAITED: 'synchronous_commit is off: a crash of the server can lose the newest transitions',
} as const satisfies Record<Durability, string>;

export function createReadiness(options: ReadinessOptions): () => Promise<Readiness> {
  const { isStopping, doorbell, newestMigration, askDatabase, writeFault, keyFault, askReplication } =
    options;
  const database = cachedQuery(DATABASE_CACHE, askDatabase);
  return async () => {
    const missing: Record<string, string> = {};
    const impaired: Record<string, string> = {};
    const notes: Record<string, string> = {};
    if (isStopping()) missing.gateway = 'is stopping';
    const [found, replication] = await Promise.all([
      database().catch(() => null),
      askReplication().catch(() => null),
    ]);
    if (replication) notes.replication = DURABILITY_NOTES[replication.durability];
    if (!found) missing.database = 'does not answer';
    else {
      const fault = writeFault();
      if (fault !== null) impaired.database = fault;
      if (found.migratedTo < newestMigration)
        missing.migrations = "are not those of this release: run this release's migrations";
      // While the database is read-only, no replica can assign positions, so the lag does not make this replica less
      // ready than others.
      const lag = fault === null ? (found.oldestUnnumberedSeconds ?? 0) : 0;
      if (lag > MAX_FEED_LAG_SECONDS) missing.feed = `is ${Math.round(lag)} s behind`;
    }
    const fault = keyFault();
    if (fault !== null) missing.dataKeys = fault;
    if (!doorbell.connected) missing.doorbell = 'is not connected';
    return { missing, impaired, notes };
  };
}
