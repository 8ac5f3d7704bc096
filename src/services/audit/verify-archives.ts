import type { SessionAuditEvidence } from '../../db/audit/audit.ts';
import type { Database } from '../../db/connection/client.ts';
import {
  filterExistingSessionIds,
  findArchivedSessionRows,
  findSessionIdsInArchiveFile,
} from '../../db/retention/archive.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import type { AuditKeyring } from '../../domain/audit.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { type AuditVerificationResult, type ExpectedHead, verifySessionChain } from './verify-audit.ts';

const BATCH = 200;

interface ArchiveDependencies {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: AuditKeyring;
  /** Last entries (heads) of the audit chains in an earlier export, by session id; null if there is no export. */
  readonly heads: ReadonlyMap<string, ExpectedHead> | null;
}

/** Archive file, and a stream of its sessions, each with its rows and audit entries. */
interface Archive {
  /** File name without folder. */
  readonly file: string;
  readonly sessions: AsyncIterable<SessionAuditEvidence>;
}

type Finding = AuditVerificationResult['findings'][number];

/**
 * Verifies the audit chains of the sessions in an archive file, compares the sessions with the rows of
 * `archived_session`, and adds the session ids to `ids`. If no row of `archived_session` names the file, the
 * archive may come from another database: then a missing row is a finding only if the export of heads names the
 * session. A text whose encryption key DATA_KEYS lacks cannot be compared, which is also a finding.
 *
 * @throws UnusableArchiveError if the file was altered or truncated
 */
export async function verifyArchive(
  { db, sealer, keys, heads }: ArchiveDependencies,
  { file, sessions }: Archive,
  ids: Set<string>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const listed = await findSessionIdsInArchiveFile(db, file);
  const left = new Set(listed);
  let batch: SessionRow[] = [];
  const compare = async () => {
    const rows = new Map(
      (await findArchivedSessionRows(db, batch.map(idOf))).map((row) => [row.sessionId, row]),
    );
    const present = await filterExistingSessionIds(db, batch.map(idOf));
    for (const session of batch) {
      const { id } = session;
      left.delete(id);
      const row = rows.get(id);
      const expected = { verificationId: session.verificationId, userId: session.userId, file };
      const wrong = Object.entries(expected).flatMap(([name, value]) =>
        row && value !== row[name as keyof typeof expected] ? name : [],
      );
      // Earlier releases recorded the time of the newest entry of the log as the end of the session.
      const ends = [session.statusSince, session.updatedAt];
      if (row && !ends.some((end) => end?.getTime() === row.endedAt.getTime())) wrong.push('endedAt');
      const isMissing = !row && !present.has(id) && (listed.length > 0 || heads?.has(id) === true);
      const what = isMissing
        ? 'its row of archived_session was removed'
        : wrong.length > 0 && `its row of archived_session was edited: ${wrong.join(', ')}`;
      if (what) findings.push({ sessionId: id, number: 1, what });
    }
    batch = [];
  };
  for await (const evidence of sessions) {
    const session = evidence.session as SessionRow;
    ids.add(session.id);
    const { finding } = verifySessionChain(evidence, heads?.get(session.id) ?? null, keys, sealer);
    if (finding) findings.push({ sessionId: session.id, ...finding });
    batch.push(session);
    if (batch.length >= BATCH) await compare();
  }
  if (batch.length > 0) await compare();
  for (const sessionId of left)
    findings.push({
      sessionId,
      number: 1,
      what: 'missing: archived_session lists the session, but the archive lacks it',
    });
  return findings;
}

const idOf = ({ id }: SessionRow): string => id;
