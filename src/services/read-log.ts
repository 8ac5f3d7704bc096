import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../db/client.ts';
import { findNewestReadChain, insertReads } from '../db/personal-data-reads.ts';
import type { AuditKeys } from '../domain/audit.ts';
import type { Clock } from '../domain/ports.ts';
import {
  beginChain,
  type ChainedRead,
  chainRead,
  type PersonalDataRead,
  type ReadChain,
} from '../domain/read-chain.ts';

/** Statements that a process may have under way at once; each appends to a chain of its own. */
const MAX_CHAINS = 4;
/** Reads in one statement. */
const MAX_BATCH = 200;

interface ReadLogOptions {
  readonly db: Database;
  readonly keys: AuditKeys;
  readonly clock: Clock;
}

interface Waiting {
  readonly read: Omit<PersonalDataRead, 'at'>;
  resolve(): void;
  reject(error: unknown): void;
}

interface Lane {
  /** Null until the first read. */
  chain: ReadChain | null;
  number: number;
  hash: Buffer;
}

/**
 * Records who was shown whose personal data, in hash chains (`domain/read-chain.ts`). A read takes one statement, as it
 * did without chains: while all chains have a statement under way, further reads wait and share the next one (group
 * commit).
 */
export class ReadLog {
  readonly #db: Database;
  readonly #keys: AuditKeys;
  readonly #clock: Clock;
  readonly #idle: Lane[] = [];
  #lanes = 0;
  #waiting: Waiting[] = [];

  constructor({ db, keys, clock }: ReadLogOptions) {
    this.#db = db;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Resolves once the read is committed; rejects if it may not be, so that nothing must be shown. */
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
      // The statement may have been committed all the same, so the chain cannot go on: the next read begins another.
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
      throw new Error('the first reads of a chain were not stored');
  }

  /** False if a failover lost the read before these. */
  async #store(
    lane: Lane,
    chain: ReadChain,
    begun: ReadChain | null,
    batch: readonly Waiting[],
  ): Promise<boolean> {
    const at = this.#clock.now();
    let { number, hash } = lane;
    const reads: ChainedRead[] = [];
    for (const { read } of batch) {
      const chained = chainRead(this.#keys, chain, number + 1, { ...read, at }, hash);
      ({ number, hash } = chained);
      reads.push(chained);
    }
    if (!(await insertReads(this.#db, begun, reads))) return false;
    Object.assign(lane, { chain, number, hash });
    return true;
  }

  async #begin(): Promise<ReadChain> {
    return beginChain(this.#keys, uuidv7(), this.#clock.now(), await findNewestReadChain(this.#db));
  }
}
