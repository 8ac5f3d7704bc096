import { sharedAnswer } from './shared-answer.ts';

/** Anybody may ask whether the gateway is ready: the database hears of one a second. */
const ASKED = { forMs: 1_000, patienceMs: 1_500 };
/** Positions are milliseconds away while any replica gives them out. */
const LARGEST_FEED_LAG_SECONDS = 30;

interface Parts {
  readonly isStopping: () => boolean;
  readonly doorbell: { readonly connected: boolean };
  /** What the database's newest migration has to be, or to be newer than. */
  readonly newestMigration: number;
  readonly askDatabase: () => Promise<{
    readonly migratedTo: number;
    readonly oldestUnnumberedSeconds: number | null;
  }>;
}

/** What keeps a replica from being of use, by check, in words of ours alone; nothing where it is ready. */
export function createReadiness({ isStopping, doorbell, newestMigration, askDatabase }: Parts) {
  const database = sharedAnswer(ASKED, askDatabase);
  return async (): Promise<Readonly<Record<string, string>>> => {
    const missing: Record<string, string> = {};
    if (isStopping()) missing.gateway = 'is stopping';
    const found = await database().catch(() => null);
    if (!found) missing.database = 'does not answer';
    else {
      if (found.migratedTo < newestMigration) missing.migrations = 'are not those of this release';
      const lag = found.oldestUnnumberedSeconds ?? 0;
      if (lag > LARGEST_FEED_LAG_SECONDS) missing.feed = `is ${Math.round(lag)} s behind`;
    }
    if (!doorbell.connected) missing.doorbell = 'is not connected';
    return missing;
  };
}
