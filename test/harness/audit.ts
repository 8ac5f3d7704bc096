/**
 * Checks audit chains as `npm run audit` does, and creates sessions with a history that tests can tamper
 * with.
 */
import { createHash } from 'node:crypto';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import { type AuditHead, AuditKeyring } from '../../src/domain/audit.ts';
import type { ReadLogCheckpoint } from '../../src/domain/read-chain.ts';
import { Sealer } from '../../src/encryption/sealing.ts';
import { exportAuditHeads, parseHeadsExport } from '../../src/services/audit/audit-heads.ts';
import { type AuditVerificationResult, verifyAuditChains } from '../../src/services/audit/verify-audit.ts';
import { verifyReadLogChains } from '../../src/services/audit/verify-reads.ts';
import { AUDIT_KEYS, atTheEnd, DATA_KEYS, eventually, type Gateway } from './gateway.ts';
import { inMinutes, person } from './people.ts';

const keyOf = (setting: string) => {
  const [id, key] = setting.split(':') as [string, string];
  return { id, key: Buffer.from(key, 'base64') };
};

export interface Audit {
  verify(heads?: ReadonlyMap<string, AuditHead>): Promise<AuditVerificationResult>;
  /**
   * Returns the finding (detected tampering) in one session's chain as `number: finding`, or null if the
   * chain is intact.
   */
  findingOf(sessionId: string, heads?: ReadonlyMap<string, AuditHead>): Promise<string | null>;
  exported(): Promise<ReadonlyMap<string, AuditHead>>;
  /**
   * Returns the findings in the log of personal-data reads. If an export of chain heads is given, it is compared with
   * the log as well.
   */
  findingsOfReads(exported?: ReadLogCheckpoint | null): Promise<string[]>;
  exportedReads(): Promise<ReadLogCheckpoint | null>;
}

export function auditOf(databaseUrl: string): Audit {
  const { db, close } = createDatabasePools(databaseUrl, 2, () => {});
  atTheEnd(close);
  const keys = new AuditKeyring([keyOf(AUDIT_KEYS)]);
  const sealer = new Sealer([keyOf(DATA_KEYS)]);
  const verify = (heads: ReadonlyMap<string, AuditHead> | null = null) =>
    verifyAuditChains({ db, sealer, keys, heads, onProgress: () => {} });
  const exportAll = () => {
    async function* lines() {
      for await (const line of exportAuditHeads(db, keys, new Date())) yield line.trimEnd();
    }
    return parseHeadsExport(lines(), keys);
  };
  return {
    verify: (heads) => verify(heads),
    async findingOf(sessionId, heads) {
      const finding = (await verify(heads)).findings.find((each) => each.sessionId === sessionId);
      return finding ? `${finding.number}: ${finding.what}` : null;
    },
    exported: async () => (await exportAll()).heads,
    exportedReads: async () => (await exportAll()).reads,
    async findingsOfReads(exported = null) {
      const { findings } = await verifyReadLogChains(db, keys, exported);
      return findings.map(({ number, what }) => `${number}: ${what}`);
    },
  };
}

let count = 0;

/**
 * Creates a session with a meeting that was rescheduled and cancelled for a reason, remarks of the provider's agent, and
 * a review with remarks, a reason and a message; returns its id.
 */
export async function sessionWithHistory(gateway: Gateway): Promise<string> {
  count += 1;
  const verificationId = `audited.${count}`;
  const session = await gateway.start(verificationId);
  const [operator, agent] = [
    await person(gateway, 'olga', 'OPERATOR'),
    await person(gateway, 'ravi', 'AGENT'),
  ];
  await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(20) });
  await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30) });
  await operator.act('cancelMeeting', session.id, { reason: 'Her son Rahul is ill.' });
  await gateway.webhook({
    event_type: 'VKYC_STATUS',
    event_time: new Date(Date.now() + 60_000).toISOString(),
    version: 'v1',
    data: {
      ...{ verification_id: verificationId, status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' },
      agent_remarks: 'She had a cold.',
    },
  });
  await eventually(async () => (await agent.look(session.id)).subStatus === 'AGENT_ENDED_CALL');
  await agent.act('recordAgentReview', session.id, {
    ...{ decision: 'REJECTED', remarks: 'Not Asha Rao.', reasons: ['FACE_MISMATCH'], callComplete: true },
    customerMessage: 'Visit a branch, please.',
  });
  const { rows } = await gateway.database.query('select id from vkyc_session where verification_id = $1', [
    verificationId,
  ]);
  return rows[0].id;
}

/**
 * Recomputes a chain's hashes without the key, as an attacker would who can write to the database and knows
 * the algorithm.
 */
export async function rehash(gateway: Gateway, sessionId: string): Promise<void> {
  const { rows } = await gateway.database.query(
    'select * from audit_entry where session_id = $1 order by number',
    [sessionId],
  );
  let previous: string | null = null;
  for (const row of rows) {
    const text: unknown[] = [
      'vkyc-audit-1',
      sessionId,
      row.number,
      row.kind,
      row.content,
      row.recorded_at.toISOString(),
      row.key_id,
      previous,
    ];
    previous = createHash('sha256').update(JSON.stringify(text)).digest('hex');
    await gateway.database.query('update audit_entry set hash = $3 where session_id = $1 and number = $2', [
      sessionId,
      row.number,
      Buffer.from(previous, 'hex'),
    ]);
  }
}

/** Timestamp columns of a session, its log and its dependent rows, by table. */
const TIMES: Record<string, string[]> = {
  vkyc_session: ['created_at', 'updated_at', 'status_since', 'link_expires_at'],
  status_transition: ['recorded_at', 'occurred_at'],
  meeting: ['starts_at', 'created_at'],
  review: ['recorded_at'],
  annotation: ['recorded_at'],
  audit_entry: ['recorded_at'],
};
const TIME_IN_CONTENT = /"(\d{4}-\d\d-\d\dT[\d:.]+Z)"/g;

/** Makes a session some days older, and signs its audit chain again with the tests' key. */
export async function makeOlder(
  { database }: Pick<Gateway, 'database'>,
  sessionId: string,
  days: number,
): Promise<void> {
  for (const [table, columns] of Object.entries(TIMES)) {
    const older = columns.map((column) => `${column} = ${column} - make_interval(hours => ${days * 24})`);
    const key = table === 'vkyc_session' ? 'id' : 'session_id';
    await database.query(`update ${table} set ${older.join(', ')} where ${key} = $1`, [sessionId]);
  }
  const asOlder = (_: string, time: string) =>
    JSON.stringify(new Date(Date.parse(time) - days * 86_400_000).toISOString());
  await signAgain({ database }, sessionId, (content) => content.replace(TIME_IN_CONTENT, asOlder));
}

/** Signs a chain again after `change` has edited its entries, as only the holder of the key can. */
export async function signAgain(
  { database }: Pick<Gateway, 'database'>,
  sessionId: string,
  change: (content: string) => string,
): Promise<void> {
  const keys = new AuditKeyring([keyOf(AUDIT_KEYS)]);
  const { rows } = await database.query('select * from audit_entry where session_id = $1 order by number', [
    sessionId,
  ]);
  let previous: Buffer | null = null;
  for (const { number, kind, content: before, recorded_at: recordedAt } of rows) {
    const content = change(before);
    const hash: Buffer = keys.hash(
      { sessionId, number, kind, content, recordedAt, keyId: keys.currentId },
      previous,
    );
    previous = hash;
    await database.query(
      'update audit_entry set content = $3, hash = $4 where session_id = $1 and number = $2',
      [sessionId, number, content, hash],
    );
  }
}
