import {
  lockNextSessionsForAudit,
  NIL_UUID,
  type SessionAuditEvidence,
  setPersonSalt,
} from '../../db/audit/audit.ts';
import type { Database, Transaction } from '../../db/connection/client.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import { type AuditKeyring, serializeAuditContent } from '../../domain/audit.ts';
import { findDifferingDetails, hasSessionEntry } from '../../domain/audit-session.ts';
import type { Clock } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import {
  appendToAuditChains,
  createPersonCommitment,
  type NewAuditEntry,
  NO_PERSON_COMMITMENT,
  UNCHANGED_DETAILS,
} from '../transitions/audited-writes.ts';
import { type ExpectedHead, verifySessionChain } from './verify-audit.ts';

const BATCH = 100;

interface BindingDependencies {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: AuditKeyring;
  readonly clock: Clock;
  /** Name of the person who answers for the binding. The name is written into each added entry. */
  readonly by: string;
  /**
   * Exported audit heads (last entries) by session id; null if there is no export. A session that contradicts
   * its exported head is not bound.
   */
  readonly heads: ReadonlyMap<string, ExpectedHead> | null;
  /**
   * Ids of sessions whose details (such as templates or the link's expiry) may be signed although the details
   * differ from the chain.
   */
  readonly differing: ReadonlySet<string>;
}

/**
 * Result of binding one session (adding a SESSION or DETAILS entry to its chain). Sessions that need no entry are
 * not reported.
 */
export type SessionBindingResult =
  | { readonly kind: 'BOUND' | 'DETAILS_BOUND' }
  /**
   * DIFFERS: the identity or the details of the session differ from its chain. Only details can be added, and only
   * if `differing` lists the session. WRONG: the chain does not verify, so no entry is added.
   */
  | { readonly kind: 'DIFFERS' | 'WRONG'; readonly what: string };

/**
 * Adds a SESSION entry, which says whose session the chain is, to audit chains of earlier releases, which lack it.
 * Also adds details that an earlier release wrote without an audit entry during a rolling upgrade, if `differing`
 * lists the session. Adds nothing to a chain that does not verify.
 */
export async function bindSessionsToChains(
  dependencies: BindingDependencies,
  onSession: (sessionId: string, binding: SessionBindingResult) => void,
): Promise<void> {
  for (let after: string | undefined = NIL_UUID; after !== undefined; ) {
    const bindings = new Map<string, SessionBindingResult>();
    const from: string = after;
    after = await dependencies.db.transaction(async (tx) => {
      const notes: NewAuditEntry[] = [];
      const batch = await lockNextSessionsForAudit(tx, from, BATCH);
      for (const [id, evidence] of batch) {
        const done = await bind(tx, dependencies, id, evidence);
        if (done) bindings.set(id, done.binding);
        if (done?.note) notes.push(done.note);
      }
      if (notes.length > 0) await appendToAuditChains(tx, dependencies.keys, notes, dependencies.clock.now());
      return [...batch.keys()].at(-1);
    });
    for (const [id, binding] of bindings) onSession(id, binding);
  }
}

async function bind(
  tx: Transaction,
  { sealer, keys, by, heads, differing }: BindingDependencies,
  sessionId: string,
  evidence: SessionAuditEvidence,
): Promise<{ binding: SessionBindingResult; note?: NewAuditEntry } | null> {
  const { entries, session, origin } = evidence;
  const { finding, ofHistory } = verifySessionChain(evidence, heads?.get(sessionId) ?? null, keys, sealer);
  if (ofHistory || !session || !origin)
    return { binding: { kind: 'WRONG', what: ofHistory?.what ?? 'its row was removed' } };
  if (!hasSessionEntry(entries)) {
    if (finding) return { binding: { kind: 'WRONG', what: finding.what } };
    return { binding: { kind: 'BOUND' }, note: await createSessionAuditEntry(tx, sessionId, evidence, by) };
  }
  if (!finding) return null;
  const details = findDifferingDetails(entries, session, origin);
  const named = differing.has(sessionId) && Object.keys(details).length > 0;
  if (!named) return { binding: { kind: 'DIFFERS', what: finding.what } };
  const content = serializeAuditContent('DETAILS', { ...UNCHANGED_DETAILS, ...details, boundBy: by });
  return { binding: { kind: 'DETAILS_BOUND' }, note: { sessionId, kind: 'DETAILS', content } };
}

/**
 * Builds the SESSION entry, which says whose session a chain is. `boundBy` names the operator who vouches for the
 * entry. Stores the salt of the commitment (salted hash) to the person.
 */
export async function createSessionAuditEntry(
  tx: Transaction,
  sessionId: string,
  { session, origin }: SessionAuditEvidence,
  boundBy: string,
): Promise<NewAuditEntry> {
  const row = session as SessionRow;
  const user = origin?.user ?? null;
  const person = user && !user.erasedAt ? createPersonCommitment(user) : NO_PERSON_COMMITMENT;
  if (person.salt) await setPersonSalt(tx, sessionId, person.salt);
  const payload = { ...row, person: person.commitment, caller: origin?.caller ?? null, boundBy };
  return { sessionId, kind: 'SESSION', content: serializeAuditContent('SESSION', payload) };
}
