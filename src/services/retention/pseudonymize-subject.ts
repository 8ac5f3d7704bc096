import { readAuditEvidence } from '../../db/audit/audit.ts';
import type { Database, Transaction } from '../../db/connection/client.ts';
import {
  deleteIdempotencyKeysOfCaller,
  hasActedAsStaff,
  lockSessionsContainingName,
  replaceAuditEntry,
  replaceNameInSessions,
  replaceViewerInUnchainedReads,
} from '../../db/retention/erasure.ts';
import { type AuditEntry, type AuditKeyring, serializeAuditContent } from '../../domain/audit.ts';
import { canonicalizeSubject } from '../../domain/subject.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { verifySessionChain } from '../audit/verify-audit.ts';
import { appendToAuditChains } from '../transitions/audited-writes.ts';
import { ErasureRefusedError } from './erase-person.ts';

interface Dependencies {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: AuditKeyring;
  readonly now: Date;
}

/**
 * Pseudonym that replaced a customer's `sub`, and counts of the rows in which the `sub` was replaced or
 * deleted.
 */
export interface PseudonymizationResult {
  readonly pseudonym: string;
  readonly sessions: number;
  readonly reads: number;
  readonly idempotencyKeys: number;
}

/**
 * Replaces a customer's `sub` with its pseudonym (keyed hash) in data that earlier releases recorded:
 * transitions, meetings, audit chains and the read log. Signs the chains again, and adds to each chain a
 * PSEUDONYM entry with the previous hashes. With `dryRun`, does everything and rolls back.
 *
 * @throws ErasureRefusedError if the subject belongs to staff, or a chain does not verify
 */
export async function pseudonymizeSubject(
  { db, ...dependencies }: Dependencies,
  sub: string,
  by: string,
  dryRun: boolean,
): Promise<PseudonymizationResult> {
  const undo = new Error('dry run');
  let erased: PseudonymizationResult | null = null;
  try {
    await db.transaction(async (tx) => {
      erased = await erase(tx, dependencies, sub, by);
      if (dryRun) throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  return erased as unknown as PseudonymizationResult;
}

async function erase(
  tx: Transaction,
  { sealer, keys, now }: Omit<Dependencies, 'db'>,
  sub: string,
  by: string,
): Promise<PseudonymizationResult> {
  if (await hasActedAsStaff(tx, sub))
    throw new ErasureRefusedError(
      'This subject reviewed, started or annotated sessions. The names of staff who did so must be kept, so nothing was replaced.',
    );
  const [pseudonym] = keys.pseudonyms(canonicalizeSubject(sub)) as [string];
  const ids = await lockSessionsContainingName(tx, sub);
  const evidence = await readAuditEvidence(tx, ids);
  for (const [id, each] of evidence) {
    const { finding } = verifySessionChain(each, null, keys, sealer);
    if (finding)
      throw new ErasureRefusedError(
        `The audit chain of session ${id} is broken (entry ${finding.number}: ${finding.what}), so it was not signed again. Run npm run audit -- verify and find the cause first.`,
      );
  }
  await replaceNameInSessions(tx, sub, pseudonym);
  for (const [sessionId, { entries }] of evidence) {
    for (const entry of signAgain(entries, keys, sub, pseudonym)) await replaceAuditEntry(tx, entry);
    const hashes = entries.map(({ hash }) => hash.toString('hex')).join(',');
    const content = serializeAuditContent('PSEUDONYM', { erasedBy: by, hashes });
    await appendToAuditChains(tx, keys, [{ sessionId, kind: 'PSEUDONYM', content }], now);
  }
  return {
    pseudonym,
    sessions: ids.length,
    reads: await replaceViewerInUnchainedReads(tx, sub, pseudonym),
    idempotencyKeys: await deleteIdempotencyKeysOfCaller(tx, sub),
  };
}

const NAMES = ['actor', 'scheduledBy', 'cancelledBy'];

/**
 * Returns the entries of an audit chain with the subject `name` replaced by `to`. All hashes are computed again, because
 * each covers the previous one.
 */
function signAgain(
  entries: readonly AuditEntry[],
  keys: AuditKeyring,
  name: string,
  to: string,
): readonly AuditEntry[] {
  let previous: Buffer | null = null;
  return entries.map((entry) => {
    const payload = JSON.parse(entry.content) as Record<string, unknown>;
    for (const field of NAMES) if (payload[field] === name) payload[field] = to;
    const unsigned = { ...entry, content: JSON.stringify(payload), keyId: keys.currentId };
    previous = keys.hash(unsigned, previous);
    return { ...unsigned, hash: previous };
  });
}
