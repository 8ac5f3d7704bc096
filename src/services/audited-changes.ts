import { appendAuditEntries, findAuditHeads } from '../db/audit.ts';
import type { Transaction } from '../db/client.ts';
import { endBookedMeeting, insertMeeting, type MeetingRow } from '../db/meetings.ts';
import { addRemarks, insertReview, placeOfRemarks, type ReviewRow } from '../db/reviews.ts';
import type { Sealer } from '../db/sealing.ts';
import { appendTransition, type TransitionRow } from '../db/transitions.ts';
import {
  type AuditContent,
  type AuditEntry,
  type AuditKeys,
  type AuditKind,
  commitmentTo,
  newSalt,
  serialise,
} from '../domain/audit.ts';

/** Something that was recorded and is to be an entry of its session's chain. */
export type AuditNote = Pick<AuditEntry, 'sessionId' | 'kind' | 'content'>;

/** A text that may be personal: as it is stored, the salt beside it, and what the chain may say of it. */
export interface CommittedText {
  readonly sealed: Buffer | null;
  readonly salt: Buffer | null;
  readonly commitment: string | null;
}

/** A review before its remarks are sealed. */
export type NewReview = Omit<ReviewRow, 'remarks' | 'remarksSalt'> & { readonly remarks: string | null };

export type NewMeeting = Omit<MeetingRow, 'cancelledBy' | 'cancelReason' | 'cancelReasonSalt'>;

/**
 * The one place where transitions, meetings and reviews are written, of sessions whose rows are locked: whatever is
 * written here is also an entry of the session's audit chain, in the same transaction.
 */
export class AuditedChanges {
  readonly #tx: Transaction;
  readonly #sealer: Sealer;
  readonly #keys: AuditKeys;
  readonly #notes: AuditNote[] = [];

  constructor(tx: Transaction, sealer: Sealer, keys: AuditKeys) {
    this.#tx = tx;
    this.#sealer = sealer;
    this.#keys = keys;
  }

  addTransition(row: TransitionRow): void {
    this.#tx.start(appendTransition(this.#tx, row));
    this.#note('TRANSITION', row.sessionId, row);
  }

  addMeeting(meeting: NewMeeting): void {
    const row = { ...meeting, cancelledBy: null, cancelReason: null, cancelReasonSalt: null };
    this.#tx.start(insertMeeting(this.#tx, row).execute());
    this.#note('MEETING', row.sessionId, { ...row, cancelReason: null });
  }

  /** Ends the meeting that is booked, if one is. */
  async endMeeting(
    sessionId: string,
    status: MeetingRow['status'],
    cancelledBy: string | null = null,
    reason: CommittedText = NO_TEXT,
  ): Promise<void> {
    const texts = { cancelReason: reason.sealed, cancelReasonSalt: reason.salt };
    const row = await endBookedMeeting(this.#tx, sessionId, { status, cancelledBy, ...texts });
    if (row) this.#note('MEETING', sessionId, { ...row, cancelReason: reason.commitment });
  }

  addReview(review: NewReview): void {
    const remarks = committed(this.#sealer, review.remarks, placeOfRemarks(review.id));
    this.#tx.start(
      insertReview(this.#tx, { ...review, remarks: remarks.sealed, remarksSalt: remarks.salt }).execute(),
    );
    this.#note('REVIEW', review.sessionId, { ...review, remarks: remarks.commitment });
  }

  /** Adds remarks that came after their review, which has none. */
  async addRemarks(review: ReviewRow, text: string): Promise<void> {
    const remarks = committed(this.#sealer, text, placeOfRemarks(review.id));
    await addRemarks(this.#tx, review.id, { remarks: remarks.sealed, remarksSalt: remarks.salt });
    this.#note('REVIEW', review.sessionId, { ...review, remarks: remarks.commitment });
  }

  /** Appends what was written to the chains: once, as the transaction's last statement. */
  async seal(now: Date): Promise<void> {
    if (this.#notes.length > 0) await appendToChains(this.#tx, this.#keys, this.#notes, now);
  }

  #note<K extends AuditKind>(kind: K, sessionId: string, content: AuditContent<K>): void {
    this.#notes.push({ sessionId, kind, content: serialise(kind, content) });
  }
}

const NO_TEXT: CommittedText = { sealed: null, salt: null, commitment: null };

/** Seals a text that may be personal, and commits to it under a salt of its own. */
export function committed(sealer: Sealer, text: string | null, place: string): CommittedText {
  if (text === null) return NO_TEXT;
  const salt = newSalt();
  return { sealed: sealer.seal(text, place), salt, commitment: commitmentTo(text, salt) };
}

/** Appends entries to the chains of sessions whose rows are locked: two statements, however many they are. */
export async function appendToChains(
  tx: Transaction,
  keys: AuditKeys,
  notes: readonly AuditNote[],
  recordedAt: Date,
): Promise<void> {
  const heads = await findAuditHeads(tx, [...new Set(notes.map((note) => note.sessionId))]);
  const ends = new Map(heads.map((head) => [head.sessionId, head]));
  const entries = notes.map((note) => {
    const end = ends.get(note.sessionId);
    const unsigned = { ...note, number: (end?.number ?? 0) + 1, keyId: keys.currentId, recordedAt };
    const entry = { ...unsigned, hash: keys.hash(unsigned, end?.hash ?? null) };
    ends.set(note.sessionId, entry);
    return entry;
  });
  tx.start(appendAuditEntries(tx, entries));
}
