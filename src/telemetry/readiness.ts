import type { ReplicationDurability, ReplicationState } from '../domain/replication.ts';
import { createCachedQuery } from './cached-query.ts';

/**
 * Settings for caching the database query: anyone can call the readiness probe, so it must cost at most one
 * query a second.
 */
const DATABASE_CACHE = { forMs: 1_000, patienceMs: 1_500 };
/**
 * Maximum age of a transition without a feed position. If a transition is older, the replica is not ready: as
 * long as any replica assigns positions, a transition gets its position within milliseconds.
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
  /**
   * Returns a text that says why the database answers but accepts no writes; null if it accepts writes, as far
   * as is known.
   */
  readonly writeFault: () => string | null;
  /**
   * Returns a text that says why this replica cannot decrypt all stored data; null if it can, as far as is
   * known.
   */
  readonly keyFault: () => string | null;
  /** Returns a text about endpoints of merchant webhooks that keep failing; null if there are none. */
  readonly merchantFault: () => string | null;
  /**
   * Returns which transactions a failover can lose under the current replication settings; rejects if the
   * settings cannot be read.
   */
  readonly askReplication: () => Promise<ReplicationState>;
}

/**
 * Results of the readiness probe, by check. Anyone can call the probe, so the texts are fixed texts and never
 * the message of an error, which may reveal internals.
 */
export interface ReadinessReport {
  /** Failed checks, each with a text; empty if the replica is ready. */
  readonly missing: Readonly<Record<string, string>>;
  /**
   * Work that a ready replica cannot do now, such as writes. Such a replica should still get traffic, because
   * it serves reads and subscribers.
   */
  readonly impaired: Readonly<Record<string, string>>;
  /** Information for operators. A note does not mean that something is wrong. */
  readonly notes: Readonly<Record<string, string>>;
}

/** Text about what a failover or a crash can lose, for each replication setting. */
const DURABILITY_NOTES = {
  SYNCHRONOUS: 'commits wait for a standby: a failover to it loses no acknowledged transition',
  ASYNCHRONOUS: 'no commit waits for a standby: a failover can lose the newest transitions',
  NO_STANDBY: 'no standby is connected: a restore loses all transitions recorded after the backup',
  COMMIT_NOT_AWAITED: 'synchronous_commit is off: a crash of the server can lose the newest transitions',
} as const satisfies Record<ReplicationDurability, string>;

export function createReadinessProbe(options: ReadinessOptions): () => Promise<ReadinessReport> {
  const {
    isStopping,
    doorbell,
    newestMigration,
    askDatabase,
    writeFault,
    keyFault,
    merchantFault,
    askReplication,
  } = options;
  const database = createCachedQuery(DATABASE_CACHE, askDatabase);
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
      // While the database accepts no writes, no replica can assign feed positions, so the lag is no reason
      // to take traffic away from this replica.
      const lag = fault === null ? (found.oldestUnnumberedSeconds ?? 0) : 0;
      if (lag > MAX_FEED_LAG_SECONDS) missing.feed = `is ${Math.round(lag)} s behind`;
    }
    const merchants = merchantFault();
    if (merchants !== null) impaired.merchantWebhooks = merchants;
    const fault = keyFault();
    if (fault !== null) missing.dataKeys = fault;
    if (!doorbell.connected) missing.doorbell = 'is not connected';
    return { missing, impaired, notes };
  };
}
