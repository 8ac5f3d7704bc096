import type { Durability, Replication } from '../domain/replication.ts';
import { sharedAnswer } from './shared-answer.ts';

/** Anybody may ask whether the gateway is ready: the database hears of one a second. */
const ASKED = { forMs: 1_000, patienceMs: 1_500 };
/** Positions are milliseconds away while any replica gives them out. */
const LARGEST_FEED_LAG_SECONDS = 30;

interface ReadinessOptions {
  readonly isStopping: () => boolean;
  readonly doorbell: { readonly connected: boolean };
  /** What the database's newest migration has to be, or to be newer than. */
  readonly newestMigration: number;
  readonly askDatabase: () => Promise<{
    readonly migratedTo: number;
    readonly oldestUnnumberedSeconds: number | null;
  }>;
  /** What keeps a database that answers from taking writes, in words of ours; null if nothing is known to. */
  readonly writeFault: () => string | null;
  /** What a failover can lose, as the database is set; rejects if that cannot be read. */
  readonly askReplication: () => Promise<Replication>;
}

/** By check, in words of ours alone. */
export interface Readiness {
  /** What keeps a replica from being of use; nothing if it is ready. */
  readonly missing: Readonly<Record<string, string>>;
  /** What a ready replica cannot do now: it serves reads and subscribers, and is to be sent them. */
  readonly impaired: Readonly<Record<string, string>>;
  /** What operators should know, though nothing is wrong. */
  readonly notes: Readonly<Record<string, string>>;
}

/** What each setting of replication means, as a note. */
const DURABILITY_NOTES = {
  SYNCHRONOUS: 'commits wait for a standby: a failover to it loses nothing that was acknowledged',
  ASYNCHRONOUS: 'no commit waits for a standby: a failover can lose the newest transitions',
  NO_STANDBY: 'no standby is connected: a restore loses what was recorded after the backup',
  COMMIT_NOT_AWAITED: 'synchronous_commit is off: a crash of the server can lose the newest transitions',
} as const satisfies Record<Durability, string>;

export function createReadiness(options: ReadinessOptions): () => Promise<Readiness> {
  const { isStopping, doorbell, newestMigration, askDatabase, writeFault, askReplication } = options;
  const database = sharedAnswer(ASKED, askDatabase);
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
      if (found.migratedTo < newestMigration) missing.migrations = 'are not those of this release';
      // Positions are writes: no replica can give them out without.
      const lag = fault === null ? (found.oldestUnnumberedSeconds ?? 0) : 0;
      if (lag > LARGEST_FEED_LAG_SECONDS) missing.feed = `is ${Math.round(lag)} s behind`;
    }
    if (!doorbell.connected) missing.doorbell = 'is not connected';
    return { missing, impaired, notes };
  };
}
