import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../../db/connection/client.ts';
import { deleteReplica, findLiveReplicas, recordReplicaHeartbeat } from '../../db/keys/data-keys.ts';
import type { Sealer } from '../../encryption/sealing.ts';

const BEAT_INTERVAL_MS = 10_000;
const RETIRE_TIMEOUT_MS = 1_000;
/** Time for which a replica is not ready after it could not decrypt a value because its key is missing. */
const UNREADY_MS = 60_000;

interface KeyWatchOptions {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly log: Logger;
}

/**
 * Heartbeat that announces the data keys of this replica to the other replicas. Detects keys that this replica
 * lacks: keys with which other replicas encrypt, and keys of stored values that could not be decrypted.
 */
export class DataKeyHeartbeat {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #log: Logger;
  readonly #id = randomUUID();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  /** Id of a key with which another replica encrypts and which this replica lacks; null if there is none. */
  #unknown: string | null = null;

  constructor({ db, sealer, log }: KeyWatchOptions) {
    this.#db = db;
    this.#sealer = sealer;
    this.#log = log;
  }

  /** Announces this replica immediately, and again every 10 s. A failed heartbeat is retried at the next interval. */
  async beat(): Promise<void> {
    try {
      await recordReplicaHeartbeat(this.#db, { id: this.#id, dataKeys: this.#sealer.keyIds });
      const encrypting = (await findLiveReplicas(this.#db)).flatMap(({ dataKeys }) => dataKeys.slice(0, 1));
      this.#unknown = encrypting.find((key) => !this.#sealer.keyIds.includes(key)) ?? null;
    } catch (error) {
      this.#log.debug({ err: error }, 'could not announce the data keys of this replica; retrying in 10 s');
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.beat(), BEAT_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Returns why this replica cannot decrypt all data; null if no missing key is known. */
  fault(): string | null {
    const { missing } = this.#sealer;
    if (missing && performance.now() - missing.at < UNREADY_MS)
      return `lack the key "${missing.keyId}", with which stored data was encrypted`;
    return this.#unknown === null
      ? null
      : `lack the key "${this.#unknown}", with which another replica encrypts`;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    const retired = deleteReplica(this.#db, this.#id).catch(() => {});
    // A database that accepts no writes must not delay the shutdown. If the row of this replica is not deleted,
    // it expires without further heartbeats.
    await Promise.race([retired, pause(RETIRE_TIMEOUT_MS, undefined, { ref: false })]);
  }
}
