import {
  NIL_UUID,
  readAuditEvidence,
  readSessionIdsToAuditAfter,
  type SessionAuditEvidence,
} from '../../db/audit/audit.ts';
import type { Database } from '../../db/connection/client.ts';
import { type AnnotationRow, getAnnotationSealingContext } from '../../db/sessions/annotations.ts';
import { getCancelReasonSealingContext, type MeetingRow } from '../../db/sessions/meetings.ts';
import {
  getCustomerMessageSealingContext,
  getReviewRemarksSealingContext,
  type ReviewRow,
} from '../../db/sessions/reviews.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import {
  type AuditEntry,
  type AuditHead,
  type AuditKeyring,
  buildReviewAuditContent,
  computeCommitment,
  serializeAuditContent,
} from '../../domain/audit.ts';
import {
  type AuditFinding,
  type CurrentAuditedRow,
  checkChainHashes,
  checkDescribedRows,
  checkExportedHead,
  describesRow,
  parseAuditContent,
} from '../../domain/audit-check.ts';
import { checkDerivedColumns, checkIdentityAndDetails, hasSessionEntry } from '../../domain/audit-session.ts';
import { buildLabelsAuditContent } from '../../domain/labels.ts';
import type { Sealer } from '../../encryption/sealing.ts';

const BATCH = 200;

/**
 * Exported head (last entry) of an audit chain, with the verification id that the session had at the time of
 * the export.
 */
export type ExpectedHead = AuditHead & { readonly verificationId?: string | null };

interface VerifyDependencies {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: AuditKeyring;
  /** Last entries (heads) of the audit chains in an earlier export, by session id; null if there is no export. */
  readonly heads: ReadonlyMap<string, ExpectedHead> | null;
  /** Ids of archived sessions, which need not be in the database. */
  readonly elsewhere?: ReadonlySet<string>;
  readonly onProgress: (sessions: number) => void;
}

export interface AuditVerificationResult {
  sessions: number;
  entries: number;
  /**
   * Number of entries that are newer than the exported head of their chain; 0 without an export. The export cannot
   * show whether such entries were removed or replaced.
   */
  unanchored: number;
  /** Number of erased texts: both the text and the salt of its commitment are gone. */
  erased: number;
  /**
   * Number of chains that begin with an ADOPTION entry: such a chain proves nothing about changes before its
   * adoption.
   */
  adopted: number;
  /** Number of chains of an earlier release that do not say whose session they belong to. */
  unbound: number;
  /**
   * Number of entries that the commands `audit adopt` and `audit bind` added, by a key such as `bound by olga`.
   * Only the named person vouches that such an entry is true.
   */
  signed: Map<string, number>;
  /** First finding of each session that has a finding. */
  findings: (AuditFinding & { sessionId: string })[];
}

/**
 * Recomputes all audit chains. Compares each chain with the rows that it covers, and with its exported head
 * (last entry at the time of the export).
 */
export async function verifyAuditChains({
  db,
  sealer,
  keys,
  heads,
  elsewhere = new Set(),
  onProgress,
}: VerifyDependencies): Promise<AuditVerificationResult> {
  const verified: AuditVerificationResult = {
    sessions: 0,
    entries: 0,
    unanchored: 0,
    erased: 0,
    adopted: 0,
    unbound: 0,
    signed: new Map(),
    findings: [],
  };
  const missing = new Set(heads?.keys());
  for (let after = NIL_UUID; ; ) {
    const batch = await snapshot(db, after);
    for (const [sessionId, evidence] of batch) {
      const { entries } = evidence;
      const head = heads?.get(sessionId) ?? null;
      missing.delete(sessionId);
      const { finding, erased } = verifySessionChain(evidence, head, keys, sealer);
      if (finding) verified.findings.push({ sessionId, ...finding });
      verified.entries += entries.length;
      if (heads) verified.unanchored += entries.filter(({ number }) => number > (head?.number ?? 0)).length;
      verified.erased += erased;
      if (entries[0]?.kind === 'ADOPTION') verified.adopted += 1;
      if (entries.length > 0 && !hasSessionEntry(entries)) verified.unbound += 1;
      for (const signer of findSigners(entries))
        verified.signed.set(signer, (verified.signed.get(signer) ?? 0) + 1);
      after = sessionId;
    }
    verified.sessions += batch.size;
    onProgress(verified.sessions);
    if (batch.size === 0) break;
  }
  for (const sessionId of missing) {
    if (elsewhere.has(sessionId)) continue;
    verified.findings.push({
      sessionId,
      number: 1,
      what: 'removed: the export lists the session, but the database lacks it',
    });
  }
  return verified;
}

/**
 * Returns, for each entry that the command `audit adopt` or `audit bind` added, a text that names the person
 * who ran the command.
 */
function findSigners(entries: readonly AuditEntry[]): string[] {
  return entries.flatMap(({ kind, content }) => {
    if (describesRow(kind)) return [];
    const { adoptedBy, boundBy } = parseAuditContent(content);
    if (typeof adoptedBy === 'string') return [`adopted by ${adoptedBy}`];
    return typeof boundBy === 'string' ? [`bound by ${boundBy}`] : [];
  });
}

export const BEGIN_SNAPSHOT_SQL = 'begin isolation level repeatable read read only';

/**
 * Reads the next batch of sessions in one snapshot (REPEATABLE READ), because the gateway may record changes
 * between two reads.
 */
const snapshot = (db: Database, after: string): Promise<ReadonlyMap<string, SessionAuditEvidence>> =>
  db.transaction(
    async (tx) => readAuditEvidence(tx, await readSessionIdsToAuditAfter(tx, after, BATCH)),
    BEGIN_SNAPSHOT_SQL,
  );

interface Checked {
  /** First problem of the session; null if there is none. */
  readonly finding: AuditFinding | null;
  /**
   * First problem of the session's history (chain, log and rows), ignoring problems of the session's identity
   * and details.
   */
  readonly ofHistory: AuditFinding | null;
  /** Number of erased texts. */
  readonly erased: number;
}

/** Verifies the audit chain of a session against its rows and its exported head. */
export function verifySessionChain(
  evidence: SessionAuditEvidence,
  head: ExpectedHead | null,
  keys: AuditKeyring,
  sealer: Sealer,
): Checked {
  const { entries, session, origin, transitions, meetings, reviews, annotations, labels } = evidence;
  const rows: CurrentAuditedRow[] = [
    ...transitions.map(
      (row): CurrentAuditedRow => ({
        kind: 'TRANSITION',
        key: String(row.sequence),
        content: serializeAuditContent('TRANSITION', row),
      }),
    ),
    ...meetings.map((row) => liveMeeting(row, sealer)),
    ...reviews.map((row) => liveReview(row, sealer)),
    ...annotations.map((row) => liveAnnotation(row, sealer)),
    ...labels.map(
      (row): CurrentAuditedRow => ({
        kind: 'LABELS',
        key: '',
        content: serializeAuditContent('LABELS', buildLabelsAuditContent(row)),
      }),
    ),
  ];
  const compared = checkDescribedRows(entries, rows);
  const beyond = head && (checkExportedHead(entries, head) ?? checkOwner(session, head));
  const nothing =
    entries.length === 0 ? { number: 1, what: 'removed: the session has no audit chain' } : null;
  // The links of the chain are checked first: if entries are missing, correct rows would be reported as wrong.
  const ofHistory =
    nothing ??
    checkChainHashes(entries, keys) ??
    beyond ??
    compared.finding ??
    checkDerivedColumns(entries, transitions, session);
  const finding = ofHistory ?? checkIdentityAndDetails(entries, session, origin);
  return { finding, ofHistory, erased: compared.erased };
}

/**
 * Compares the session's verification id with the exported id. Chains of earlier releases do not contain the
 * verification id, so for those chains this comparison is the only check of the id.
 */
const checkOwner = (session: SessionRow | null, head: ExpectedHead): AuditFinding | null =>
  !session || !head.verificationId || head.verificationId === session.verificationId
    ? null
    : {
        number: head.number,
        what: `its row of vkyc_session was edited: verificationId was ${head.verificationId} in the export`,
      };

function liveMeeting(row: MeetingRow, sealer: Sealer): CurrentAuditedRow {
  const context = getCancelReasonSealingContext(row.id);
  const cancelReason = findCommitment(sealer, row.cancelReason, row.cancelReasonSalt, context);
  return {
    kind: 'MEETING',
    key: row.id,
    content: serializeAuditContent('MEETING', { ...row, cancelReason }),
  };
}

function liveReview(row: ReviewRow, sealer: Sealer): CurrentAuditedRow {
  const { id } = row;
  const remarks = findCommitment(sealer, row.remarks, row.remarksSalt, getReviewRemarksSealingContext(id));
  const customerMessage = findCommitment(
    sealer,
    row.customerMessage,
    row.customerMessageSalt,
    getCustomerMessageSealingContext(id),
  );
  return {
    kind: 'REVIEW',
    key: id,
    content: serializeAuditContent('REVIEW', buildReviewAuditContent(row, { remarks, customerMessage })),
  };
}

function liveAnnotation(row: AnnotationRow, sealer: Sealer): CurrentAuditedRow {
  const text = findCommitment(sealer, row.text, row.textSalt, getAnnotationSealingContext(row.id));
  return { kind: 'ANNOTATION', key: row.id, content: serializeAuditContent('ANNOTATION', { ...row, text }) };
}

/**
 * Computes the commitment to a text; null if text and salt are both gone. If only one of them is gone, or the text
 * cannot be decrypted, returns a message instead, which matches no commitment.
 */
function findCommitment(
  sealer: Sealer,
  sealed: Buffer | null,
  salt: Buffer | null,
  context: string,
): string | null {
  if (!sealed && !salt) return null;
  if (!sealed || !salt) return 'the text or its salt was removed';
  try {
    return computeCommitment(sealer.open(sealed, context), salt);
  } catch (error) {
    return (error as Error).message;
  }
}
