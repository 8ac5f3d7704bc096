/** Audit entries: their fields, their serialization and their hashes. Independent of the database. */
import { createHash, createHmac, type Hmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** HMAC key that is kept outside the database: access to the database alone is not enough to forge an entry. */
export interface AuditKey {
  readonly id: string;
  /** Secret of 32 bytes. */
  readonly key: Buffer;
}

/** Kinds of entries, and the fields of each in serialization order. */
export const AUDIT_FIELDS = {
  /**
   * First entry of the chain of a session that is older than audit chains; entries for the existing rows of the
   * session follow. `adoptedBy` is the person who ran `npm run audit -- adopt`. Earlier releases began such
   * chains automatically at their start, and their entries have no `adoptedBy`.
   */
  ADOPTION: ['transitions', 'meetings', 'reviews', 'adoptedBy'],
  /**
   * Identity of a session; first entry of a new session's chain. `person` is the commitment (salted hash) to
   * `formatPersonForCommitment`. `boundBy` names the person who ran `npm run audit -- bind` to add the entry to a chain of an
   * earlier release; null if the gateway added the entry.
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
  /**
   * Details of a session that became known, or changed, after its SESSION entry. A null field is unchanged.
   * `boundBy` names the person who ran `npm run audit -- bind`; null if the gateway added the entry.
   */
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
  /** State of a meeting after it was booked, rescheduled, cancelled, missed or completed. */
  MEETING: ['id', 'startsAt', 'status', 'source', 'scheduledBy', 'cancelledBy', 'cancelReason', 'createdAt'],
  /** State of a review after it was recorded, or after its remarks were added later. */
  REVIEW: [
    'id',
    'sequence',
    'stage',
    'decision',
    'remarks',
    'source',
    'reviewer',
    'recordedAt',
    'reasons',
    'customerMessage',
    'callComplete',
  ],
  /** What staff recorded about the session with a transition (`annotations.ts`). */
  ANNOTATION: ['id', 'sequence', 'kind', 'code', 'text', 'author', 'recordedAt'],
  /**
   * Labels of the session after a change, or as its start set them (`buildLabelsAuditContent`). Labels hold no personal data, so the
   * entry contains the texts themselves.
   */
  LABELS: ['metadata', 'tags'],
  /**
   * Records that a pseudonym replaced a customer's `sub` in rows and audit entries, and that the entries were
   * signed again. `hashes` are the previous hashes of the entries (hex, comma-separated), so that exports from
   * before still verify.
   */
  PSEUDONYM: ['erasedBy', 'hashes'],
  /**
   * Records that the free texts of the session were erased on request, so that the audit accepts that the texts
   * are missing.
   */
  ERASURE: ['erasedBy'],
} as const;

export type AuditEntryKind = keyof typeof AUDIT_FIELDS;

/** Fields of the SESSION entry to which a later DETAILS entry may give a value. */
export const LATE_SESSION_FIELDS = AUDIT_FIELDS.DETAILS.filter((field) => field !== 'boundBy');
export type LateSessionField = (typeof LATE_SESSION_FIELDS)[number];

/**
 * Fields of each kind of entry whose texts may have to be erased later (free texts). The entry holds commitments
 * (salted hashes, `computeCommitment`) instead of the texts, so that the chain still verifies after the erasure.
 */
export const COMMITMENT_FIELDS_BY_KIND: Partial<Record<AuditEntryKind, readonly string[]>> = {
  MEETING: ['cancelReason'],
  REVIEW: ['remarks', 'customerMessage'],
  ANNOTATION: ['text'],
};

/**
 * Returns the text that the commitment `person` of a SESSION entry hashes: the provider's user id of the person, and
 * the time at which the user row was created.
 */
export const formatPersonForCommitment = (user: {
  readonly userId: string;
  readonly createdAt: Date;
}): string => JSON.stringify([user.userId, formatAuditTime(user.createdAt)]);

/** Returns the content of a REVIEW entry; `texts` are the commitments to the texts of the review. */
export const buildReviewAuditContent = <Row extends { readonly reasons: readonly string[] | null }, Texts>(
  row: Row,
  texts: Texts,
) => ({ ...row, ...texts, reasons: row.reasons?.join(' ') ?? null });

type Value = string | number | boolean | Date | null;
export type AuditEntryContent<K extends AuditEntryKind> = Readonly<
  Record<(typeof AUDIT_FIELDS)[K][number], Value>
>;

/** One entry of a session's audit chain. */
export interface AuditEntry {
  readonly sessionId: string;
  /** Number of the entry in the session's chain: 1, 2, 3 … */
  readonly number: number;
  readonly kind: AuditEntryKind;
  /** The entry's content as canonical JSON text, made by `serializeAuditContent`. */
  readonly content: string;
  readonly keyId: string;
  readonly recordedAt: Date;
  readonly hash: Buffer;
}

/** Head of a session's audit chain: number and hash of the last entry. */
export type AuditHead = Pick<AuditEntry, 'sessionId' | 'number' | 'hash'>;

/**
 * Serializes content canonically: a JSON object with exactly the kind's fields in the order of `AUDIT_FIELDS`,
 * without white space; missing values are null; times are ISO 8601 in UTC with milliseconds; numbers are
 * integers. The JSON is stored as text, because `jsonb` would reorder the keys and break the hash.
 */
export function serializeAuditContent<K extends AuditEntryKind>(
  kind: K,
  content: AuditEntryContent<K>,
): string {
  const fields: readonly string[] = AUDIT_FIELDS[kind];
  const given = content as Readonly<Record<string, Value>>;
  return JSON.stringify(Object.fromEntries(fields.map((field) => [field, plain(given[field] ?? null)])));
}

const plain = (value: Value) => (value instanceof Date ? formatAuditTime(value) : value);

/**
 * Formats a time in ISO 8601. A time that is no valid date (such as `infinity`, set by an edit in the database)
 * becomes "no time", which matches no audit entry.
 */
export const formatAuditTime = (time: Date): string =>
  Number.isNaN(time.getTime()) ? 'no time' : time.toISOString();

/**
 * Returns the commitment to a personal or free text, which an audit entry holds instead of the text: SHA-256
 * of a 32-byte salt and the text, in hex. The salt is stored with the encrypted text and erased with it;
 * after that the commitment reveals nothing, and the chain still verifies.
 */
export const computeCommitment = (text: string | Buffer, salt: Buffer): string =>
  createHash('sha256').update(salt).update(text).digest('hex');

export const createCommitmentSalt = (): Buffer => randomBytes(32);

/**
 * Signs and verifies audit entries with HMAC-SHA256. The first key signs; every key verifies, so that entries
 * stay valid after a key rotation.
 */
export class AuditKeyring {
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
   * Computes an entry's hash over a JSON array of the format's name, the session, the number, the kind, the content,
   * the recording time, the key's id, and the previous hash in hex (null for the first). The encoding is unambiguous:
   * no two entries have the same text.
   */
  hash(entry: Omit<AuditEntry, 'hash'>, previous: Buffer | null): Buffer {
    const { sessionId, number, kind, content, recordedAt, keyId } = entry;
    const before = previous?.toString('hex') ?? null;
    return this.sign(
      ['vkyc-audit-1', sessionId, number, kind, content, formatAuditTime(recordedAt), keyId, before],
      keyId,
    );
  }

  /**
   * Computes an HMAC over a JSON array. The first value of the array names the format, so that a signature is
   * not valid for another format (domain separation).
   */
  sign(values: readonly unknown[], keyId: string): Buffer {
    return createHmac('sha256', this.#key(keyId).entries).update(JSON.stringify(values)).digest();
  }

  /** Whether an entry's hash matches its content and the previous hash. */
  verifies(entry: AuditEntry, previous: Buffer | null): boolean {
    const expected = this.has(entry.keyId) ? this.hash(entry, previous) : null;
    return expected?.length === entry.hash.length && timingSafeEqual(expected, entry.hash);
  }

  /**
   * Returns the pseudonyms (keyed hashes) of a customer's `sub`, one under each audit key, the current key
   * first. Audit keys are used because they are kept as long as the chains that contain the pseudonyms.
   */
  pseudonyms(sub: string): string[] {
    return [...this.#keys.values()].map(
      ({ subjects }) => `customer:${createHmac('sha256', subjects).update(sub).digest('hex').slice(0, 32)}`,
    );
  }

  /**
   * Creates the HMAC that protects an export of audit heads or an archive. The caller feeds it with the lines
   * of the file.
   */
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
