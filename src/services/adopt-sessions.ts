import { type Evidence, readEvidence, saltCancelReason, saltRemarks, takeAuditBacklog } from '../db/audit.ts';
import type { Database, Transaction } from '../db/client.ts';
import { placeOfCancelReason } from '../db/meetings.ts';
import { placeOfRemarks } from '../db/reviews.ts';
import type { Sealer } from '../db/sealing.ts';
import { type AuditKeys, commitmentTo, newSalt, serialise } from '../domain/audit.ts';
import type { Clock } from '../domain/ports.ts';
import { type AuditNote, appendToChains } from './audited-changes.ts';

const BATCH = 100;

interface AdoptionParts {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: AuditKeys;
  readonly clock: Clock;
}

/**
 * Begins the chains of sessions from before there were chains: an entry that says so, and one for each transition,
 * meeting and review as it stands. What was changed before that moment no chain can tell. Returns their number.
 */
export async function adoptSessions({ db, sealer, keys, clock }: AdoptionParts): Promise<number> {
  for (let adopted = 0; ; ) {
    const count = await db.transaction(async (tx) => {
      const ids = await takeAuditBacklog(tx, BATCH);
      if (ids.length === 0) return 0;
      const notes: AuditNote[] = [];
      for (const [id, evidence] of await readEvidence(tx, ids)) {
        // Whoever puts a session on the list by hand does not get what they changed signed.
        if (evidence.entries.length > 0) continue;
        notes.push(...(await notesOf(tx, sealer, id, evidence)));
      }
      if (notes.length > 0) await appendToChains(tx, keys, notes, clock.now());
      return ids.length;
    });
    if (count === 0) return adopted;
    adopted += count;
  }
}

async function notesOf(
  tx: Transaction,
  sealer: Sealer,
  sessionId: string,
  { transitions, meetings, reviews }: Evidence,
): Promise<AuditNote[]> {
  const counts = { transitions: transitions.length, meetings: meetings.length, reviews: reviews.length };
  const notes: AuditNote[] = [{ sessionId, kind: 'ADOPTION', content: serialise('ADOPTION', counts) }];
  for (const row of transitions)
    notes.push({ sessionId, kind: 'TRANSITION', content: serialise('TRANSITION', row) });
  for (const row of meetings) {
    const cancelReason = await commit(sealer, row.cancelReason, placeOfCancelReason(row.id), (salt) =>
      saltCancelReason(tx, row.id, salt),
    );
    notes.push({ sessionId, kind: 'MEETING', content: serialise('MEETING', { ...row, cancelReason }) });
  }
  for (const row of reviews) {
    const remarks = await commit(sealer, row.remarks, placeOfRemarks(row.id), (salt) =>
      saltRemarks(tx, row.id, salt),
    );
    notes.push({ sessionId, kind: 'REVIEW', content: serialise('REVIEW', { ...row, remarks }) });
  }
  return notes;
}

async function commit(
  sealer: Sealer,
  sealed: Buffer | null,
  place: string,
  keep: (salt: Buffer) => Promise<unknown>,
): Promise<string | null> {
  if (!sealed) return null;
  const salt = newSalt();
  await keep(salt);
  return commitmentTo(sealer.open(sealed, place), salt);
}
