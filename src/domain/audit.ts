/** What an audit entry says, how it is written down, and how its hash is made: nothing here knows a database. */
import { createHash, createHmac, type Hmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** A key is kept outside the database: who holds the database alone can make no entry that verifies. */
export interface AuditKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The kinds of entries, and the fields of each in the order in which they are written down. */
export const AUDIT_FIELDS = {
  /**
   * Begins the chain of a session that is older than chains; entries for its rows as they were found follow.
   * `adoptedBy` ran the command; entries of earlier releases, which adopted at their start, lack it.
   */
  ADOPTION: ['transitions', 'meetings', 'reviews', 'adoptedBy'],
  /**
   * Identity of a session; begins the chain of a new one. `person` is a commitment (`personText`). `boundBy` is null
   * unless a command added the entry to a chain of an earlier release.
   */
  SESSION: [
    'verificationId',
    'userId',
    'person',
    'caller',
    'referenceId',
    'userTemplate',
    'agentTemplate',
    'replacesId',
    'linkExpiresAt',
    'createdAt',
    'boundBy',
  ],
  /** Details of a session that were learned or changed later. Null: unchanged. `boundBy` as in SESSION. */
  DETAILS: [
    'caller',
    'referenceId',
    'userTemplate',
    'agentTemplate',
    'replacesId',
    'linkExpiresAt',
    'boundBy',
  ],
  TRANSITION: [
    'sequence',
    'fromStatus',
    'fromSubStatus',
    'status',
    'subStatus',
    'rawStatus',
    'rawSubStatus',
    'verdict',
    'source',
    'actor',
    'occurredAt',
    'recordedAt',
  ],
  /** A meeting as it stands after it was made, moved, cancelled, missed or completed. */
  MEETING: ['id', 'startsAt', 'status', 'source', 'scheduledBy', 'cancelledBy', 'cancelReason', 'createdAt'],
  /** A review as it stands after it was made, or got its remarks later. */
  REVIEW: ['id', 'sequence', 'stage', 'decision', 'remarks', 'source', 'reviewer', 'recordedAt'],
  /**
   * A customer's `sub` was replaced by a pseudonym in rows and entries, which were then signed again. `hashes` are those
   * that the entries had before, in hex, comma-separated: exports made before still verify.
   */
  PSEUDONYM: ['erasedBy', 'hashes'],
  /** The free texts of the session were erased on somebody's request, and are rightly gone. */
  ERASURE: ['erasedBy'],
} as const;

export type AuditKind = keyof typeof AUDIT_FIELDS;

/** Fields of SESSION that DETAILS may add to or change. */
export const DETAIL_FIELDS = AUDIT_FIELDS.DETAILS.filter((field) => field !== 'boundBy');
export type DetailField = (typeof DETAIL_FIELDS)[number];

/** A commitment stands for a text that may be erased: see `computeCommitment`. */
export const COMMITMENTS: Partial<Record<AuditKind, string>> = { MEETING: 'cancelReason', REVIEW: 'remarks' };

/** The text of the commitment in `SESSION.person`: names the person by the provider's id of them. */
export const personText = (user: { readonly userId: string; readonly createdAt: Date }): string =>
  JSON.stringify([user.userId, formatTime(user.createdAt)]);

type Value = string | number | Date | null;
export type AuditContent<K extends AuditKind> = Readonly<Record<(typeof AUDIT_FIELDS)[K][number], Value>>;

/** One link of a session's chain. */
export interface AuditEntry {
  readonly sessionId: string;
  /** 1, 2, 3 … within the session. */
  readonly number: number;
  readonly kind: AuditKind;
  /** As `serialise` wrote it. */
  readonly content: string;
  readonly keyId: string;
  readonly recordedAt: Date;
  readonly hash: Buffer;
}

/** How far a session's chain had come: its last entry's number and hash. */
export type AuditHead = Pick<AuditEntry, 'sessionId' | 'number' | 'hash'>;

/**
 * The one way to write content down: a JSON object of exactly the kind's fields, in the order of `AUDIT_FIELDS`,
 * without white space; what is not there is null, never left out; a time is ISO 8601 in UTC with milliseconds; a
 * number is an integer. It is stored as this text, since a database that parses JSON would order it anew.
 */
export function serialise<K extends AuditKind>(kind: K, content: AuditContent<K>): string {
  const fields: readonly string[] = AUDIT_FIELDS[kind];
  const given = content as Readonly<Record<string, Value>>;
  return JSON.stringify(Object.fromEntries(fields.map((field) => [field, plain(given[field] ?? null)])));
}

const plain = (value: Value) => (value instanceof Date ? formatTime(value) : value);

/** A time that somebody put into the database by hand may be none (infinity): no entry says that. */
export const formatTime = (time: Date): string =>
  Number.isNaN(time.getTime()) ? 'no time' : time.toISOString();

/**
 * What stands in an entry for a personal or free text: SHA-256 of 32 random bytes and the text, in hex. The salt lies
 * beside the sealed text and is erased with it; then the commitment says nothing, and the chain still holds.
 */
export const computeCommitment = (text: string | Buffer, salt: Buffer): string =>
  createHash('sha256').update(salt).update(text).digest('hex');

export const newSalt = (): Buffer => randomBytes(32);

/** Makes and checks the hashes of entries: HMAC-SHA256. The first key signs, all of them verify. */
export class AuditKeys {
  readonly currentId: string;
  readonly #keys: ReadonlyMap<string, { entries: Buffer; exports: Buffer; subjects: Buffer }>;

  constructor(keys: readonly AuditKey[]) {
    const [current] = keys;
    if (!current) throw new Error('AUDIT_KEYS contains no key: set at least one');
    this.currentId = current.id;
    this.#keys = new Map(
      keys.map(({ id, key }) => [
        id,
        {
          entries: derive(key, 'entries'),
          exports: derive(key, 'exports'),
          subjects: derive(key, 'subjects'),
        },
      ]),
    );
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /**
   * Over a JSON array of the format's name, the session, the number, the kind, the content, the time of recording, the
   * key's id, and the hash of the entry before it in hex (null before the first): no two entries have the same text.
   */
  hash(entry: Omit<AuditEntry, 'hash'>, previous: Buffer | null): Buffer {
    const { sessionId, number, kind, content, recordedAt, keyId } = entry;
    const before = previous?.toString('hex') ?? null;
    return this.sign(
      ['vkyc-audit-1', sessionId, number, kind, content, formatTime(recordedAt), keyId, before],
      keyId,
    );
  }

  /** HMAC over a JSON array. Its first value names the format, so that nothing of another format has the same text. */
  sign(values: readonly unknown[], keyId: string): Buffer {
    return createHmac('sha256', this.#key(keyId).entries).update(JSON.stringify(values)).digest();
  }

  /** Whether an entry's hash is what its content and the hash before it make it. */
  verifies(entry: AuditEntry, previous: Buffer | null): boolean {
    const expected = this.has(entry.keyId) ? this.hash(entry, previous) : null;
    return expected?.length === entry.hash.length && timingSafeEqual(expected, entry.hash);
  }

  /**
   * Pseudonyms of a customer's `sub`, by each key, the current one first. Made with these keys since they are kept as
   * long as the chains, which name people by them.
   */
  pseudonyms(sub: string): string[] {
    return [...this.#keys.values()].map(
      ({ subjects }) => `customer:${createHmac('sha256', subjects).update(sub).digest('hex').slice(0, 32)}`,
    );
  }

  /** For the MAC over an export. */
  exportMac(keyId = this.currentId): Hmac {
    return createHmac('sha256', this.#key(keyId).exports);
  }

  #key(id: string) {
    const key = this.#keys.get(id);
    if (!key) throw new Error(`AUDIT_KEYS has no key "${id}"`);
    return key;
  }
}

const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', `audit ${purpose}`, 32));
