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
}

/** By check, in words of ours alone. */
export interface Readiness {
  /** What keeps a replica from being of use; nothing if it is ready. */
  readonly missing: Readonly<Record<string, string>>;
  /** What a ready replica cannot do now: it serves reads and subscribers, and is to be sent them. */
  readonly impaired: Readonly<Record<string, string>>;
}

export function createReadiness(options: ReadinessOptions): () => Promise<Readiness> {
  const { isStopping, doorbell, newestMigration, askDatabase, writeFault } = options;
  const database = sharedAnswer(ASKED, askDatabase);
  return async () => {
    const missing: Record<string, string> = {};
    const impaired: Record<string, string> = {};
    if (isStopping()) missing.gateway = 'is stopping';
    const found = await database().catch(() => null);
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
    return { missing, impaired };
  };
}
