import DataLoader from 'dataloader';
import { appendAuditEntries, findAuditHeads } from '../db/audit.ts';
import type { Transaction } from '../db/client.ts';
import { endBookedMeeting, insertMeeting, type MeetingRow } from '../db/meetings.ts';
import type { Gathered } from '../db/recording.ts';
import { addRemarks, insertReview, placeOfRemarks, type ReviewRow } from '../db/reviews.ts';
import type { Sealer } from '../db/sealing.ts';
import type { SessionRow } from '../db/sessions.ts';
import type { TransitionRow } from '../db/transitions.ts';
import type { UserRow } from '../db/users.ts';
import {
  type AuditContent,
  type AuditEntry,
  type AuditHead,
  type AuditKeys,
  type AuditKind,
  commitmentTo,
  DETAIL_FIELDS,
  type DetailField,
  newSalt,
  personText,
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
  readonly #gathered: Gathered;
  readonly #sealer: Sealer;
  readonly #keys: AuditKeys;
  readonly #notes: AuditNote[] = [];
  readonly #heads = new DataLoader(async (sessionIds: readonly string[]) => {
    const heads = headsById(await findAuditHeads(this.#tx, sessionIds));
    return sessionIds.map((id) => heads.get(id) ?? null);
  });

  constructor(tx: Transaction, gathered: Gathered, sealer: Sealer, keys: AuditKeys) {
    this.#tx = tx;
    this.#gathered = gathered;
    this.#sealer = sealer;
    this.#keys = keys;
  }

  /** Says early that something will be recorded of a session whose row is locked: its chain is looked up meanwhile. */
  expect(sessionId: string): void {
    this.#heads.load(sessionId).catch(() => {});
  }

  /** Says how far the chain of a session has come, as it was read after its row was locked; null: it has not begun. */
  know(sessionId: string, head: AuditHead | null): void {
    this.#heads.prime(sessionId, head);
  }

  /** Adds who and what a new session is about. Comes first, since it begins the chain. */
  addSession(row: SessionRow, person: string | null, caller: string | null): void {
    this.#note('SESSION', row.id, { ...row, person, caller, boundBy: null });
  }

  /** Adds the details in which a session that is being saved differs from its row; nothing if there are none. */
  addDetails(
    before: Pick<SessionRow, 'id' | RowDetail>,
    after: Pick<SessionRow, RowDetail>,
    caller: string | null = null,
  ): void {
    const changed = ROW_DETAILS.filter((field) => after[field]?.valueOf() !== before[field]?.valueOf());
    if (changed.length === 0 && caller === null) return;
    const values = Object.fromEntries(changed.map((field) => [field, after[field]]));
    this.#note('DETAILS', before.id, { ...NO_DETAILS, ...values, caller });
  }

  addTransition(row: TransitionRow): void {
    this.#gathered.append(row);
    this.#note('TRANSITION', row.sessionId, row);
  }

  addMeeting(meeting: NewMeeting): void {
    const row = { ...meeting, cancelledBy: null, cancelReason: null, cancelReasonSalt: null };
    this.#tx.start(insertMeeting(row));
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
    this.#tx.start(insertReview({ ...review, remarks: remarks.sealed, remarksSalt: remarks.salt }));
    this.#note('REVIEW', review.sessionId, { ...review, remarks: remarks.commitment });
  }

  /** Adds remarks that came after their review, which has none. */
  async addRemarks(review: ReviewRow, text: string): Promise<void> {
    const remarks = committed(this.#sealer, text, placeOfRemarks(review.id));
    await addRemarks(this.#tx, review.id, { remarks: remarks.sealed, remarksSalt: remarks.salt });
    this.#note('REVIEW', review.sessionId, { ...review, remarks: remarks.commitment });
  }

  /** Gathers the entries of the chains for what was written: once, when there is nothing more to write. */
  async seal(now: Date): Promise<void> {
    const heads = await Promise.all(sessionsOf(this.#notes).map((id) => this.#heads.load(id)));
    const ends = headsById(heads.filter((head) => head !== null));
    for (const entry of entriesOf(this.#keys, ends, this.#notes, now)) this.#gathered.addAuditEntry(entry);
  }

  #note<K extends AuditKind>(kind: K, sessionId: string, content: AuditContent<K>): void {
    this.#notes.push({ sessionId, kind, content: serialise(kind, content) });
  }
}

type RowDetail = Exclude<DetailField, 'caller'>;
const ROW_DETAILS = DETAIL_FIELDS.filter((field) => field !== 'caller');

/** A DETAILS entry that changes nothing. */
export const NO_DETAILS: AuditContent<'DETAILS'> = {
  caller: null,
  referenceId: null,
  userTemplate: null,
  agentTemplate: null,
  replacesId: null,
  linkExpiresAt: null,
  boundBy: null,
};

export const NO_PERSON = { salt: null, commitment: null };

/** Commits to the person of a session, under a salt that is erased with the person. */
export function commitPerson(user: Pick<UserRow, 'userId' | 'createdAt'>) {
  const salt = newSalt();
  return { salt, commitment: commitmentTo(personText(user), salt) };
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
  const ends = headsById(await findAuditHeads(tx, sessionsOf(notes)));
  await appendAuditEntries(tx, entriesOf(keys, ends, notes, recordedAt));
}

const sessionsOf = (notes: readonly AuditNote[]): string[] => [
  ...new Set(notes.map((note) => note.sessionId)),
];

const headsById = (heads: readonly AuditHead[]): Map<string, AuditHead> =>
  new Map(heads.map((head) => [head.sessionId, head]));

/** The next entries of chains that have come so far; moves their ends. */
function entriesOf(
  keys: AuditKeys,
  ends: Map<string, AuditHead>,
  notes: readonly AuditNote[],
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
