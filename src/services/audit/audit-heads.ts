/**
 * Export of the heads (last entries) of all audit chains to a file. Store the file where people with write
 * access to the database cannot change it.
 */
import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { findVerificationIdsBySessionId, NIL_UUID, readAuditHeadsAfter } from '../../db/audit/audit.ts';
import { countUnchainedReads, findReadChainHeads } from '../../db/audit/personal-data-reads.ts';
import type { Database } from '../../db/connection/client.ts';
import type { AuditHead, AuditKeyring } from '../../domain/audit.ts';
import type { ReadChainLink, ReadLogCheckpoint } from '../../domain/read-chain.ts';

const BATCH = 1_000;

/** Error for an untrustworthy export: truncated, altered, or made with a key that is not configured. */
export class UntrustedExportError extends Error {
  override readonly name = 'ExportError';
}

const headLine = z.object({
  session: z.uuid(),
  number: z.int().min(1),
  hash: z.hex().length(64),
  // Absent in exports of earlier releases, and for sessions that are no longer in the database.
  verification: z.string().optional(),
});
const readHeadLine = z.object({
  reads: z.uuid(),
  number: z.int().min(1),
  hash: z.hex().length(64),
});
// The MAC covers these fields in this order, so they must not be reordered. Exports of earlier releases lack
// `reads` and `unchainedReads`.
const lastLine = z.object({
  heads: z.int().min(0),
  reads: z.int().min(0).optional(),
  unchainedReads: z.int().min(0).optional(),
  exportedAt: z.string(),
  key: z.string(),
  mac: z.hex().length(64),
});

/**
 * Yields the lines of an export: `{session, number, hash, verification}` for each session, `{reads, number,
 * hash}` for each chain of the read log, then `{heads, reads, unchainedReads, exportedAt, key, mac}`. The MAC
 * covers all earlier lines with their line ends, and the last line without its `mac`.
 */
export async function* exportAuditHeads(db: Database, keys: AuditKeyring, now: Date): AsyncGenerator<string> {
  const mac = keys.exportMac();
  let count = 0;
  for (let after = NIL_UUID; ; ) {
    const heads = await readAuditHeadsAfter(db, after, BATCH);
    const verificationIds = await findVerificationIdsBySessionId(
      db,
      heads.map(({ sessionId }) => sessionId),
    );
    for (const { sessionId: session, number, hash } of heads) {
      const verification = verificationIds.get(session);
      const line = `${JSON.stringify({ session, number, hash: hash.toString('hex'), verification })}\n`;
      mac.update(line);
      yield line;
    }
    count += heads.length;
    const last = heads.at(-1);
    if (!last) break;
    after = last.sessionId;
  }
  const readHeads = await findReadChainHeads(db);
  for (const { chainId, number, hash } of readHeads) {
    const line = `${JSON.stringify({ reads: chainId, number, hash: hash.toString('hex') })}\n`;
    mac.update(line);
    yield line;
  }
  const payload = {
    heads: count,
    reads: parseHeadsExport.length,
    unchainedReads: await countUnchainedReads(db),
    exportedAt: now.toISOString(),
    key: keys.currentId,
  };
  yield `${JSON.stringify({ ...payload, mac: mac.update(JSON.stringify(payload)).digest('hex') })}\n`;
}

/** Exported head of an audit chain. Its `verificationId` is null if the export does not name it. */
export interface ExportedHead extends AuditHead {
  readonly verificationId: string | null;
}

export interface HeadsExport {
  readonly exportedAt: string;
  /** Heads of the read log; null in an export of an earlier release. */
  readonly reads: ReadLogCheckpoint | null;
  readonly heads: ReadonlyMap<string, ExportedHead>;
}

/**
 * Parses an export of audit heads and checks its MAC.
 *
 * @throws ExportError if the lines differ in any byte from what was exported, or AUDIT_KEYS lacks the key of the MAC
 */
export async function parseHeadsExport(
  lines: AsyncIterable<string>,
  keys: AuditKeyring,
): Promise<HeadsExport> {
  const heads = new Map<string, ExportedHead>();
  const chains = new Map<string, ReadChainLink>();
  const read: string[] = [];
  for await (const line of lines) read.push(line);
  const last = lastLine.safeParse(parsed(read.pop() ?? ''));
  if (!last.success)
    throw new UntrustedExportError('The export is truncated: its last line is missing. Use an intact copy.');
  const { mac, ...payload } = last.data;
  if (!keys.has(payload.key))
    throw new UntrustedExportError(
      `The export was signed with the key "${payload.key}", which AUDIT_KEYS lacks. Add the key to AUDIT_KEYS.`,
    );
  const expected = keys.exportMac(payload.key);
  for (const line of read) {
    expected.update(`${line}\n`);
    const ofReads = readHeadLine.safeParse(parsed(line));
    if (ofReads.success) {
      const { reads, number, hash } = ofReads.data;
      chains.set(reads, { chainId: reads, number, hash: Buffer.from(hash, 'hex') });
      continue;
    }
    const head = headLine.safeParse(parsed(line));
    if (!head.success) throw new UntrustedExportError('The export was altered: a line is not an audit head.');
    const { session, number, hash, verification } = head.data;
    heads.set(session, {
      sessionId: session,
      number,
      hash: Buffer.from(hash, 'hex'),
      verificationId: verification ?? null,
    });
  }
  const right = timingSafeEqual(expected.update(JSON.stringify(payload)).digest(), Buffer.from(mac, 'hex'));
  if (!right) throw new UntrustedExportError('The export was altered: its MAC does not match its content.');
  const { exportedAt, unchainedReads } = payload;
  const reads = unchainedReads === undefined ? null : { heads: chains, unchained: unchainedReads };
  return { exportedAt, heads, reads };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
