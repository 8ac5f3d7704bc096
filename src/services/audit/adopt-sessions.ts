import {
  readAuditEvidence,
  type SessionAuditEvidence,
  setMeetingCancelReasonSalt,
  setReviewRemarksSalt,
  takeFromAuditBacklog,
} from '../../db/audit/audit.ts';
import type { Database, Transaction } from '../../db/connection/client.ts';
import { getCancelReasonSealingContext } from '../../db/sessions/meetings.ts';
import { getReviewRemarksSealingContext } from '../../db/sessions/reviews.ts';
import {
  type AuditHead,
  type AuditKeyring,
  buildReviewAuditContent,
  computeCommitment,
  createCommitmentSalt,
  serializeAuditContent,
} from '../../domain/audit.ts';
import type { Clock } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { appendToAuditChains, type NewAuditEntry } from '../transitions/audited-writes.ts';
import { createSessionAuditEntry } from './bind-sessions.ts';

const BATCH = 100;

interface AdoptionDependencies {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: AuditKeyring;
  readonly clock: Clock;
  /** Name of the person who answers for the adoption. The name is written into each chain. */
  readonly by: string;
  /**
   * Exported audit heads (last entries) by session id; null if there is no export. A session without a chain
   * but with an exported head is not adopted: somebody removed its chain.
   */
  readonly heads: ReadonlyMap<string, AuditHead> | null;
}

export type SessionAdoptionResult = 'ADOPTED' | 'HAS_CHAIN' | 'HAD_CHAIN';

/**
 * Begins the audit chains of sessions that are older than audit chains (listed in `audit_backlog`). Each chain gets
 * an ADOPTION entry with the name of the person who adopts the session, a SESSION entry, and one entry for each row
 * of the session as it was found. Such a chain proves nothing about changes before the adoption, so a person must
 * start the adoption and answer for it.
 */
export async function adoptSessions(
  { db, sealer, keys, clock, by, heads }: AdoptionDependencies,
  onSession: (sessionId: string, outcome: SessionAdoptionResult) => void,
): Promise<void> {
  for (let count = -1; count !== 0; ) {
    const outcomes = new Map<string, SessionAdoptionResult>();
    count = await db.transaction(async (tx) => {
      const ids = await takeFromAuditBacklog(tx, BATCH);
      const notes: NewAuditEntry[] = [];
      for (const [id, evidence] of ids.length === 0 ? [] : await readAuditEvidence(tx, ids)) {
        const outcome = evidence.entries.length > 0 ? 'HAS_CHAIN' : heads?.has(id) ? 'HAD_CHAIN' : 'ADOPTED';
        outcomes.set(id, outcome);
        if (outcome === 'ADOPTED') notes.push(...(await notesOf(tx, sealer, id, evidence, by)));
      }
      if (notes.length > 0) await appendToAuditChains(tx, keys, notes, clock.now());
      return ids.length;
    });
    for (const [id, outcome] of outcomes) onSession(id, outcome);
  }
}

async function notesOf(
  tx: Transaction,
  sealer: Sealer,
  sessionId: string,
  evidence: SessionAuditEvidence,
  adoptedBy: string,
): Promise<NewAuditEntry[]> {
  const { transitions, meetings, reviews } = evidence;
  const content = serializeAuditContent('ADOPTION', {
    transitions: transitions.length,
    meetings: meetings.length,
    reviews: reviews.length,
    adoptedBy,
  });
  const notes: NewAuditEntry[] = [
    { sessionId, kind: 'ADOPTION', content },
    await createSessionAuditEntry(tx, sessionId, evidence, adoptedBy),
  ];
  for (const row of transitions)
    notes.push({ sessionId, kind: 'TRANSITION', content: serializeAuditContent('TRANSITION', row) });
  for (const row of meetings) {
    const cancelReason = await commit(
      sealer,
      row.cancelReason,
      getCancelReasonSealingContext(row.id),
      (salt) => setMeetingCancelReasonSalt(tx, row.id, salt),
    );
    notes.push({
      sessionId,
      kind: 'MEETING',
      content: serializeAuditContent('MEETING', { ...row, cancelReason }),
    });
  }
  for (const row of reviews) {
    const remarks = await commit(sealer, row.remarks, getReviewRemarksSealingContext(row.id), (salt) =>
      setReviewRemarksSalt(tx, row.id, salt),
    );
    // Reviews from before audit chains have no message to the customer: a later release added these messages.
    const content = buildReviewAuditContent(row, { remarks, customerMessage: null });
    notes.push({ sessionId, kind: 'REVIEW', content: serializeAuditContent('REVIEW', content) });
  }
  return notes;
}

async function commit(
  sealer: Sealer,
  sealed: Buffer | null,
  context: string,
  keep: (salt: Buffer) => Promise<unknown>,
): Promise<string | null> {
  if (!sealed) return null;
  const salt = createCommitmentSalt();
  await keep(salt);
  return computeCommitment(sealer.open(sealed, context), salt);
}
