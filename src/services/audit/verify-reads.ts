import { findPersonalDataReadsAfter, findReadChainStarts } from '../../db/audit/personal-data-reads.ts';
import type { Database } from '../../db/connection/client.ts';
import type { AuditKeyring } from '../../domain/audit.ts';
import { type ReadLogCheckpoint, type ReadLogFinding, ReadLogVerifier } from '../../domain/read-chain.ts';
import { BEGIN_SNAPSHOT_SQL } from './verify-audit.ts';

const BATCH = 2_000;

export interface ReadLogVerificationResult {
  readonly chained: number;
  /**
   * Number of reads that a release without chains recorded. Nothing proves that these reads were not edited.
   */
  readonly unchained: number;
  readonly findings: readonly ReadLogFinding[];
}

/** Recomputes the chains of the read log and compares them with an export of their heads. */
export const verifyReadLogChains = (
  db: Database,
  keys: AuditKeyring,
  exported: ReadLogCheckpoint | null,
): Promise<ReadLogVerificationResult> =>
  db.transaction(async (tx) => {
    const check = new ReadLogVerifier(keys, await findReadChainStarts(tx), exported);
    for (let after = -1n; ; ) {
      const batch = await findPersonalDataReadsAfter(tx, after, BATCH);
      for (const read of batch) check.add(read);
      const last = batch.at(-1);
      if (!last) break;
      after = last.id;
    }
    const findings = check.end();
    const { chained, unchained } = check;
    return { chained, unchained, findings };
  }, BEGIN_SNAPSHOT_SQL);
