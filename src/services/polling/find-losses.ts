import { compareWithExportedHeads, type ExportedHeadComparison } from '../../db/audit/audit.ts';
import type { Database } from '../../db/connection/client.ts';
import type { ExportedHead } from '../audit/audit-heads.ts';

const BATCH = 1_000;

/**
 * Ways in which a session differs from an export of the audit heads.
 * - MISSING: neither the database nor an archive has the session.
 * - BEHIND: the session's audit chain ends before the exported entry.
 * - REPLACED: the chain has a different entry with the exported number, because the session went on after the
 *   loss.
 */
export type SessionLossKind = 'MISSING' | 'BEHIND' | 'REPLACED';

export interface SessionLoss {
  readonly kind: SessionLossKind;
  readonly sessionId: string;
  /** Verification id; null if neither the database nor the export has the id. */
  readonly verificationId: string | null;
  /** Number of the exported head: the session had at least this many audit entries. */
  readonly exported: number;
  /** Number of the session's newest audit entry in the database; 0 if there is none. */
  readonly newest: number;
}

/** Compares the database with an export of the audit heads, and yields each session that lost entries. */
export async function* findSessionLosses(
  db: Database,
  heads: ReadonlyMap<string, ExportedHead>,
): AsyncGenerator<SessionLoss> {
  const all = [...heads.values()];
  for (let from = 0; from < all.length; from += BATCH) {
    for (const chain of await compareWithExportedHeads(db, all.slice(from, from + BATCH))) {
      const head = heads.get(chain.sessionId) as ExportedHead;
      const kind = kindOfLoss(chain, head);
      if (kind === null) continue;
      const verificationId = chain.verificationId ?? head.verificationId;
      const { sessionId, newest } = chain;
      yield { kind, sessionId, verificationId, exported: head.number, newest };
    }
  }
}

function kindOfLoss(chain: ExportedHeadComparison, head: ExportedHead): SessionLossKind | null {
  if (chain.isArchived) return null;
  if (chain.verificationId === null) return 'MISSING';
  if (chain.hash === null) return 'BEHIND';
  return chain.hash.equals(head.hash) ? null : 'REPLACED';
}
