import { v7 as uuidv7 } from 'uuid';
import { findNewestReadChainStart, insertChainedReads } from '../../db/audit/personal-data-reads.ts';
import type { Database } from '../../db/connection/client.ts';
import type { AuditKeyring } from '../../domain/audit.ts';
import type { Clock } from '../../domain/ports.ts';
import {
  type ChainedRead,
  createReadChainStart,
  type PersonalDataRead,
  type ReadChainStart,
  signChainedRead,
} from '../../domain/read-chain.ts';

/**
 * Maximum number of hash chains, and so of concurrent statements, per process. Each statement appends to its
 * own chain, so that statements never wait for each other.
 */
const MAX_CHAINS = 4;
/** Maximum number of reads that one statement records. */
const MAX_BATCH = 200;

interface ReadLogOptions {
  readonly db: Database;
  readonly keys: AuditKeyring;
  readonly clock: Clock;
}

interface Waiting {
  readonly read: Omit<PersonalDataRead, 'at'>;
  resolve(): void;
  reject(error: unknown): void;
}

/** Hash chain that one statement at a time appends to, with the number and hash of its last read. */
interface Lane {
  /** Null until the first read is written. */
  chain: ReadChainStart | null;
  number: number;
  hash: Buffer;
}

/**
 * Records who was shown whose personal data, in hash chains (`domain/read-chain.ts`). A read takes one
 * statement. While every chain has a statement in flight, further reads wait and share the next statement
 * (group commit).
 */
export class DataAccessLog {
  readonly #db: Database;
  readonly #keys: AuditKeyring;
  readonly #clock: Clock;
  readonly #idle: Lane[] = [];
  #lanes = 0;
  #waiting: Waiting[] = [];

  constructor({ db, keys, clock }: ReadLogOptions) {
    this.#db = db;
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * Resolves once the record of the read is committed. Rejects if the commit failed or is uncertain; the caller
   * must then not show the personal data.
   */
  record(read: Omit<PersonalDataRead, 'at'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ read, resolve, reject });
      this.#send();
    });
  }

  #send(): void {
    if (this.#waiting.length === 0) return;
    const lane = this.#idle.pop() ?? this.#open();
    if (!lane) return;
    const batch = this.#waiting.slice(0, MAX_BATCH);
    this.#waiting = this.#waiting.slice(MAX_BATCH);
    void this.#write(lane, batch);
  }

  #open(): Lane | null {
    if (this.#lanes === MAX_CHAINS) return null;
    this.#lanes += 1;
    return { chain: null, number: 0, hash: Buffer.alloc(0) };
  }

  async #write(lane: Lane, batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#append(lane, batch);
      this.#idle.push(lane);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      // The outcome of the statement is unknown (it may have committed), so the chain of this lane must not
      // continue: the lane is dropped, and a later read may open another lane with a new chain.
      this.#lanes -= 1;
      for (const { reject } of batch) reject(error);
    }
    this.#send();
  }

  async #append(lane: Lane, batch: readonly Waiting[]): Promise<void> {
    if (lane.chain && (await this.#store(lane, lane.chain, null, batch))) return;
    const begun = await this.#begin();
    const fresh = { number: 0, hash: begun.hash };
    if (!(await this.#store(Object.assign(lane, fresh), begun, begun, batch)))
      throw new Error('inserted a new read chain but not its first reads');
  }

  /**
   * Stores a batch of reads. Returns false if the preceding read of the chain is missing in the database,
   * because a failover lost it.
   */
  async #store(
    lane: Lane,
    chain: ReadChainStart,
    begun: ReadChainStart | null,
    batch: readonly Waiting[],
  ): Promise<boolean> {
    const at = this.#clock.now();
    let { number, hash } = lane;
    const reads: ChainedRead[] = [];
    for (const { read } of batch) {
      const chained = signChainedRead(this.#keys, chain, number + 1, { ...read, at }, hash);
      ({ number, hash } = chained);
      reads.push(chained);
    }
    if (!(await insertChainedReads(this.#db, begun, reads))) return false;
    Object.assign(lane, { chain, number, hash });
    return true;
  }

  async #begin(): Promise<ReadChainStart> {
    return createReadChainStart(
      this.#keys,
      uuidv7(),
      this.#clock.now(),
      await findNewestReadChainStart(this.#db),
    );
  }
}
