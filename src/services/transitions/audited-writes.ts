import DataLoader from 'dataloader';
import { appendAuditEntries, findAuditHeads } from '../../db/audit/audit.ts';
import type { Transaction } from '../../db/connection/client.ts';
import {
  type AnnotationRow,
  getAnnotationSealingContext,
  insertAnnotation,
} from '../../db/sessions/annotations.ts';
import { saveLabels } from '../../db/sessions/labels.ts';
import { endBookedMeeting, insertMeeting, type MeetingRow } from '../../db/sessions/meetings.ts';
import {
  addMissingRemarks,
  getCustomerMessageSealingContext,
  getReviewRemarksSealingContext,
  insertReview,
  type ReviewRow,
} from '../../db/sessions/reviews.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import type { TransitionRow } from '../../db/sessions/transitions.ts';
import type { UserRow } from '../../db/sessions/users.ts';
import type { SessionWriteBatch } from '../../db/sessions/write-batch.ts';
import {
  AUDIT_FIELDS,
  type AuditEntry,
  type AuditEntryContent,
  type AuditEntryKind,
  type AuditHead,
  type AuditKeyring,
  buildReviewAuditContent,
  computeCommitment,
  createCommitmentSalt,
  formatPersonForCommitment,
  LATE_SESSION_FIELDS,
  type LateSessionField,
  serializeAuditContent,
} from '../../domain/audit.ts';
import { buildLabelsAuditContent, type Labels } from '../../domain/labels.ts';
import type { Sealer } from '../../encryption/sealing.ts';

/**
 * Recorded change that becomes an entry of its session's audit chain. `buildEntries` adds the number, the key
 * id and the hash.
 */
export type NewAuditEntry = Pick<AuditEntry, 'sessionId' | 'kind' | 'content'>;

/**
 * Text that may contain personal data: its encrypted form, its salt, and its commitment (salted hash), which the
 * audit chain holds in place of the text.
 */
export interface SealedTextWithCommitment {
  readonly sealed: Buffer | null;
  readonly salt: Buffer | null;
  readonly commitment: string | null;
}

/** Review with its texts still in plain text. */
export type NewReview = Omit<
  ReviewRow,
  'remarks' | 'remarksSalt' | 'customerMessage' | 'customerMessageSalt'
> & { readonly remarks: string | null; readonly customerMessage: string | null };

/** Annotation with its text still in plain text. */
export type NewAnnotation = Omit<AnnotationRow, 'text' | 'textSalt'> & { readonly text: string | null };

export type NewMeeting = Omit<MeetingRow, 'cancelledBy' | 'cancelReason' | 'cancelReasonSalt'>;

/**
 * Writes transitions, meetings, reviews, annotations and labels of sessions whose rows are locked. All such writes go
 * through this class, which adds an entry to the session's audit chain for each change, in the same transaction.
 */
export class AuditedWriter {
  readonly #tx: Transaction;
  readonly #batch: SessionWriteBatch;
  readonly #sealer: Sealer;
  readonly #keys: AuditKeyring;
  readonly #notes: NewAuditEntry[] = [];
  readonly #heads = new DataLoader(async (sessionIds: readonly string[]) => {
    const heads = headsById(await findAuditHeads(this.#tx, sessionIds));
    return sessionIds.map((id) => heads.get(id) ?? null);
  });

  constructor(tx: Transaction, batch: SessionWriteBatch, sealer: Sealer, keys: AuditKeyring) {
    this.#tx = tx;
    this.#batch = batch;
    this.#sealer = sealer;
    this.#keys = keys;
  }

  /**
   * Starts reading the head (last entry) of the session's audit chain while the transaction does other work.
   * The session row must be locked; otherwise another transaction could append to the chain after the read.
   */
  prefetchHead(sessionId: string): void {
    this.#heads.load(sessionId).catch(() => {});
  }

  /**
   * Sets the head (last entry) of a session's audit chain, which saves reading the head again. The caller must
   * have read the head after the session row was locked. Null: the session has no chain yet.
   */
  setHead(sessionId: string, head: AuditHead | null): void {
    this.#heads.prime(sessionId, head);
  }

  /**
   * Adds the SESSION entry with the identity and details of a new session. Must be called before any other change of
   * the session is added, because this entry begins the chain.
   */
  addSession(row: SessionRow, person: string | null, caller: string | null): void {
    this.#addNote('SESSION', row.id, { ...row, person, caller, boundBy: null });
  }

  /**
   * Adds a DETAILS entry with the fields that differ between the stored row and the row being saved. `caller`
   * is set if the session is given back to the caller who started it. Adds no entry if no field differs and
   * `caller` is null.
   */
  addDetails(
    before: Pick<SessionRow, 'id' | RowDetail>,
    after: Pick<SessionRow, RowDetail>,
    caller: string | null = null,
  ): void {
    const changed = ROW_DETAILS.filter((field) => after[field]?.valueOf() !== before[field]?.valueOf());
    if (changed.length === 0 && caller === null) return;
    const values = Object.fromEntries(changed.map((field) => [field, after[field]]));
    this.#addNote('DETAILS', before.id, { ...UNCHANGED_DETAILS, ...values, caller });
  }

  addTransition(row: TransitionRow): void {
    this.#batch.addTransition(row);
    this.#addNote('TRANSITION', row.sessionId, row);
  }

  addMeeting(meeting: NewMeeting): void {
    const row = { ...meeting, cancelledBy: null, cancelReason: null, cancelReasonSalt: null };
    this.#tx.start(insertMeeting(row));
    this.#addNote('MEETING', row.sessionId, { ...row, cancelReason: null });
  }

  /** Sets the final status of the session's booked meeting, if there is one. */
  async endMeeting(
    sessionId: string,
    status: MeetingRow['status'],
    cancelledBy: string | null = null,
    reason: SealedTextWithCommitment = NO_TEXT,
  ): Promise<void> {
    const texts = { cancelReason: reason.sealed, cancelReasonSalt: reason.salt };
    const row = await endBookedMeeting(this.#tx, sessionId, { status, cancelledBy, ...texts });
    if (row) this.#addNote('MEETING', sessionId, { ...row, cancelReason: reason.commitment });
  }

  addReview(review: NewReview): void {
    const remarks = encryptWithCommitment(
      this.#sealer,
      review.remarks,
      getReviewRemarksSealingContext(review.id),
    );
    const message = encryptWithCommitment(
      this.#sealer,
      review.customerMessage,
      getCustomerMessageSealingContext(review.id),
    );
    this.#tx.start(
      insertReview({
        ...review,
        remarks: remarks.sealed,
        remarksSalt: remarks.salt,
        customerMessage: message.sealed,
        customerMessageSalt: message.salt,
      }),
    );
    this.#addNote(
      'REVIEW',
      review.sessionId,
      buildReviewAuditContent(review, { remarks: remarks.commitment, customerMessage: message.commitment }),
    );
  }

  addAnnotation(annotation: NewAnnotation): void {
    const text = encryptWithCommitment(
      this.#sealer,
      annotation.text,
      getAnnotationSealingContext(annotation.id),
    );
    this.#tx.start(insertAnnotation({ ...annotation, text: text.sealed, textSalt: text.salt }));
    this.#addNote('ANNOTATION', annotation.sessionId, { ...annotation, text: text.commitment });
  }

  /** Stores the labels of a session in place of those that it had. */
  setLabels(sessionId: string, labels: Labels): void {
    this.#tx.start(saveLabels(sessionId, labels));
    this.#addNote('LABELS', sessionId, buildLabelsAuditContent(labels));
  }

  /** Adds remarks to a review that was recorded without remarks. */
  async addRemarks(review: ReviewRow, text: string): Promise<void> {
    const remarks = encryptWithCommitment(this.#sealer, text, getReviewRemarksSealingContext(review.id));
    await addMissingRemarks(this.#tx, review.id, { remarks: remarks.sealed, remarksSalt: remarks.salt });
    // Only a review made at the provider gets its remarks later, and such a review has no message to the customer.
    const texts = { remarks: remarks.commitment, customerMessage: null };
    this.#addNote('REVIEW', review.sessionId, buildReviewAuditContent(review, texts));
  }

  /** Adds the audit entries of all changes to the write batch. Must be called once, after the last change. */
  async appendChainEntries(now: Date): Promise<void> {
    const heads = await Promise.all(uniqueSessionIds(this.#notes).map((id) => this.#heads.load(id)));
    const ends = headsById(heads.filter((head) => head !== null));
    for (const entry of buildEntries(this.#keys, ends, this.#notes, now)) this.#batch.addAuditEntry(entry);
  }

  #addNote<K extends AuditEntryKind>(kind: K, sessionId: string, content: AuditEntryContent<K>): void {
    this.#notes.push({ sessionId, kind, content: serializeAuditContent(kind, content) });
  }
}

type RowDetail = Exclude<LateSessionField, 'caller'>;
const ROW_DETAILS = LATE_SESSION_FIELDS.filter((field) => field !== 'caller');

/**
 * Content of a DETAILS entry in which no field changed. Callers spread this object and then set the changed
 * fields.
 */
export const UNCHANGED_DETAILS = Object.fromEntries(
  AUDIT_FIELDS.DETAILS.map((field) => [field, null]),
) as unknown as AuditEntryContent<'DETAILS'>;

export const NO_PERSON_COMMITMENT = { salt: null, commitment: null };

/**
 * Computes the commitment (salted hash) by which a SESSION entry records the person whose session it is. Erasing the
 * person erases the salt, after which the commitment reveals nothing.
 */
export function createPersonCommitment(user: Pick<UserRow, 'userId' | 'createdAt'>) {
  const salt = createCommitmentSalt();
  return { salt, commitment: computeCommitment(formatPersonForCommitment(user), salt) };
}

const NO_TEXT: SealedTextWithCommitment = { sealed: null, salt: null, commitment: null };

/** Encrypts a text that may contain personal data, and computes a commitment to it with a new salt. */
export function encryptWithCommitment(
  sealer: Sealer,
  text: string | null,
  context: string,
): SealedTextWithCommitment {
  if (text === null) return NO_TEXT;
  const salt = createCommitmentSalt();
  return { sealed: sealer.seal(text, context), salt, commitment: computeCommitment(text, salt) };
}

/**
 * Appends entries to the audit chains of sessions whose rows are locked. Sends two statements, whatever the
 * number of entries.
 */
export async function appendToAuditChains(
  tx: Transaction,
  keys: AuditKeyring,
  notes: readonly NewAuditEntry[],
  recordedAt: Date,
): Promise<void> {
  const ends = headsById(await findAuditHeads(tx, uniqueSessionIds(notes)));
  await appendAuditEntries(tx, buildEntries(keys, ends, notes, recordedAt));
}

const uniqueSessionIds = (notes: readonly NewAuditEntry[]): string[] => [
  ...new Set(notes.map((note) => note.sessionId)),
];

const headsById = (heads: readonly AuditHead[]): Map<string, AuditHead> =>
  new Map(heads.map((head) => [head.sessionId, head]));

/** Numbers and signs the next entries of the audit chains. Updates `ends` to the new heads (last entries). */
function buildEntries(
  keys: AuditKeyring,
  ends: Map<string, AuditHead>,
  notes: readonly NewAuditEntry[],
  recordedAt: Date,
): AuditEntry[] {
  return notes.map((note) => {
    const end = ends.get(note.sessionId);
    const unsigned = { ...note, number: (end?.number ?? 0) + 1, keyId: keys.currentId, recordedAt };
    const entry = { ...unsigned, hash: keys.hash(unsigned, end?.hash ?? null) };
    ends.set(note.sessionId, entry);
    return entry;
  });
}
