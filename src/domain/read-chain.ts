/**
 * Hash chains of the log that records who read personal data. Every process has a few chains of its own, so that
 * recording a read never waits for another replica. The beginning of a chain contains the hash of the beginning of
 * the chain that was the newest until then, which proves that the earlier chain existed: a chain that was removed as
 * a whole is noticed, unless it is the newest. A comparison with an export of the heads also reveals the removal of
 * the newest chain.
 */
import { timingSafeEqual } from 'node:crypto';
import { type AuditKeyring, formatAuditTime } from './audit.ts';

/** One read of personal data: which viewer was shown which fields of which users or sessions. */
export interface PersonalDataRead {
  readonly at: Date;
  readonly viewer: string;
  readonly operations: readonly string[];
  readonly fields: readonly string[];
  readonly subjects: readonly string[];
}

/** Position of a read in its hash chain, and the hash of the read. */
export interface ReadChainLink {
  readonly chainId: string;
  /** Number of the read within the chain: 1, 2, 3 … */
  readonly number: number;
  readonly hash: Buffer;
}

export interface ChainedRead extends PersonalDataRead, ReadChainLink {}

/**
 * First record of a hash chain of personal-data reads. `previousHash` is the hash of the first record of the chain that
 * was the newest until then, so that the removal of that whole chain is noticed.
 */
export interface ReadChainStart {
  readonly id: string;
  readonly startedAt: Date;
  readonly previousId: string | null;
  readonly previousHash: Buffer | null;
  readonly keyId: string;
  readonly hash: Buffer;
}

/** State of the log of reads of personal data, as an export of audit heads recorded it. */
export interface ReadLogCheckpoint {
  /** Last read of each chain, by chain id. */
  readonly heads: ReadonlyMap<string, ReadChainLink>;
  /** Number of reads without a chain, recorded by a release that had no chains. */
  readonly unchained: number;
}

const hex = (hash: Buffer | null) => hash?.toString('hex') ?? null;

/** Creates the beginning of a read chain, signed with the current audit key. */
export function createReadChainStart(
  keys: AuditKeyring,
  id: string,
  startedAt: Date,
  previous: Pick<ReadChainStart, 'id' | 'hash'> | null,
): ReadChainStart {
  const begun = {
    id,
    startedAt,
    previousId: previous?.id ?? null,
    previousHash: previous?.hash ?? null,
    keyId: keys.currentId,
  };
  return { ...begun, hash: hashOfBeginning(keys, begun) };
}

function hashOfBeginning(keys: AuditKeyring, chain: Omit<ReadChainStart, 'hash'>): Buffer {
  const { id, startedAt, previousId, previousHash, keyId } = chain;
  return keys.sign(
    ['vkyc-reads-1', id, formatAuditTime(startedAt), previousId, hex(previousHash), keyId],
    keyId,
  );
}

/**
 * Signs a read as entry `number` of a chain. `previous` is the hash of the read before, or of the beginning of
 * the chain for the first read.
 */
export function signChainedRead(
  keys: AuditKeyring,
  { id: chainId, keyId }: Pick<ReadChainStart, 'id' | 'keyId'>,
  number: number,
  read: PersonalDataRead,
  previous: Buffer,
): ChainedRead {
  const { at, viewer, operations, fields, subjects } = read;
  const values = ['vkyc-read-1', chainId, number, formatAuditTime(at), viewer, operations, fields, subjects];
  return { ...read, chainId, number, hash: keys.sign([...values, keyId, hex(previous)], keyId) };
}

const isEqual = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

/** Error in a chain of the read log. */
export interface ReadLogFinding {
  /** Chain with the error; null if the error is about reads of an earlier release, which have no chain. */
  readonly chainId: string | null;
  /** Number of the read in the chain; 0 for the chain's beginning. */
  readonly number: number;
  readonly what: string;
}

/** Number of a read in its chain, and what is wrong with that read. */
type ReadError = readonly [number: number, what: string];

/**
 * Checks the log of reads of personal data as a stream: the constructor takes the beginnings of all chains,
 * then `add` takes each read, in the order of the row ids.
 */
export class ReadLogVerifier {
  readonly #keys: AuditKeyring;
  readonly #chains: ReadonlyMap<string, ReadChainStart>;
  readonly #exported: ReadLogCheckpoint | null;
  readonly #heads = new Map<string, { number: number; hash: Buffer }>();
  readonly #findings = new Map<string, ReadLogFinding>();
  /** Number of reads added so far that belong to a chain. */
  chained = 0;
  unchained = 0;

  constructor(keys: AuditKeyring, chains: readonly ReadChainStart[], exported: ReadLogCheckpoint | null) {
    this.#keys = keys;
    this.#chains = new Map(chains.map((chain) => [chain.id, chain]));
    this.#exported = exported;
    for (const chain of chains) this.#checkBeginning(chain);
  }

  add(read: PersonalDataRead & { [K in keyof ReadChainLink]: ReadChainLink[K] | null }): void {
    const { chainId, number, hash } = read;
    if (chainId === null || number === null || hash === null) {
      this.unchained += 1;
      return;
    }
    this.chained += 1;
    if (this.#findings.has(chainId)) return;
    const error = this.#findError({ ...read, chainId, number, hash });
    if (error) this.#report(chainId, ...error);
    else this.#heads.set(chainId, { number, hash });
  }

  #findError(read: ChainedRead): ReadError | null {
    const { chainId, number, hash } = read;
    const chain = this.#chains.get(chainId);
    if (!chain) return [0, 'removed: the beginning of this chain is not in read_chain'];
    const before = this.#heads.get(chainId) ?? { number: 0, hash: chain.hash };
    const next = before.number + 1;
    if (number > next) return [next, 'removed: the chain has a gap here'];
    if (number < next) return [number, 'reordered: a later read of the chain comes before it'];
    if (!isEqual(signChainedRead(this.#keys, chain, number, read, before.hash).hash, hash))
      return [number, 'edited, or the previous read was removed: its hash does not match'];
    const head = this.#exported?.heads.get(chainId);
    return head?.number === number && !isEqual(head.hash, hash)
      ? [number, 'edited: its hash differs from the exported hash']
      : null;
  }

  /** Returns the first error of each chain, after the last read was added. */
  end(): ReadLogFinding[] {
    for (const { id } of this.#chains.values())
      if (!this.#heads.has(id)) this.#report(id, 1, 'removed: the chain has no reads');
    for (const { chainId, number } of this.#exported?.heads.values() ?? []) {
      const last = this.#heads.get(chainId)?.number ?? 0;
      if (last < number)
        this.#report(chainId, last + 1, `cut off: the export lists entries of this chain up to ${number}`);
    }
    const findings = [...this.#findings.values()];
    const lost = (this.#exported?.unchained ?? 0) - this.unchained;
    if (lost > 0)
      findings.push({ chainId: null, number: 0, what: `${lost} reads of an earlier release were removed` });
    return findings;
  }

  #checkBeginning(chain: ReadChainStart): void {
    const { id, previousId, previousHash, keyId, hash } = chain;
    if (!this.#keys.has(keyId)) this.#report(id, 0, `AUDIT_KEYS lacks its key "${keyId}"`);
    else if (!isEqual(hashOfBeginning(this.#keys, chain), hash))
      this.#report(id, 0, 'edited: the hash of its beginning does not match');
    else if (previousId !== null) {
      const previous = this.#chains.get(previousId);
      if (!previous) this.#report(previousId, 0, `removed: chain ${id} began after it`);
      else if (!previousHash || !isEqual(previous.hash, previousHash))
        this.#report(previousId, 0, `edited: its hash differs from the one with which chain ${id} began`);
    }
  }

  #report(chainId: string, number: number, what: string): void {
    if (!this.#findings.has(chainId)) this.#findings.set(chainId, { chainId, number, what });
  }
}
