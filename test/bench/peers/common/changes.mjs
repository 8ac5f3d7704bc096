/**
 * Database writes of the peers (servers that the benchmarks compare with the gateway): for a change of a session they
 * store the same rows as the gateway, by prepared statements.
 */
import { AuditKeyring, serializeAuditContent } from '../../../../.build/domain/audit.js';
import { pool } from './setting.mjs';

const [id, key] = process.env.AUDIT_KEYS.split(':');
const keys = new AuditKeyring([{ id, key: Buffer.from(key, 'base64') }]);

/**
 * Runs `work` in a transaction on one connection. `work` gets a function that executes a prepared statement
 * and returns its rows.
 */
export async function inTransaction(work) {
  const client = await pool.connect();
  const run = async (name, text, values) => (await client.query({ name, text, values })).rows;
  try {
    await client.query('begin');
    const result = await work(run);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

export const lockSession = (run, column, value) =>
  run(`lock-by-${column}`, `select * from vkyc_session where ${column} = $1 for update`, [value]);

/** Appends a transition to the session's log and to the outbox. */
export const addTransition = (run, row) =>
  run(
    'add-transition',
    `with logged as (
       insert into status_transition (session_id, sequence, from_status, from_sub_status, status, sub_status,
         raw_status, raw_sub_status, verdict, source, actor, occurred_at, recorded_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, 'MOVED', $9, $10, $11, $12) returning session_id, sequence
     ) insert into transition_outbox (session_id, sequence) select session_id, sequence from logged`,
    [
      row.sessionId,
      row.sequence,
      row.fromStatus,
      row.fromSubStatus,
      row.status,
      row.subStatus,
      row.rawStatus,
      row.rawSubStatus,
      row.source,
      row.actor,
      row.occurredAt,
      row.recordedAt,
    ],
  );

/**
 * Returns the next transition of a session, which the caller must have locked (race on `last_sequence`). `rest` adds or
 * replaces columns of the transition.
 */
export const nextTransition = (session, rest) => ({
  sessionId: session.id,
  sequence: session.last_sequence + 1,
  fromStatus: session.status,
  fromSubStatus: session.sub_status,
  rawStatus: null,
  rawSubStatus: null,
  verdict: 'MOVED',
  actor: null,
  occurredAt: null,
  ...rest,
});

/** Appends entries to the audit chain of a session; each note is a pair of the kind and the content of an entry. */
export async function audit(run, sessionId, notes, recordedAt) {
  const [head] = await run(
    'audit-head',
    'select number, hash from audit_entry where session_id = $1 order by number desc limit 1',
    [sessionId],
  );
  let [number, previous] = [head?.number ?? 0, head?.hash ?? null];
  for (const [kind, row] of notes) {
    number += 1;
    const entry = {
      sessionId,
      number,
      kind,
      content: serializeAuditContent(kind, row),
      keyId: id,
      recordedAt,
    };
    previous = keys.hash(entry, previous);
    await run(
      'audit-entry',
      `insert into audit_entry (session_id, number, kind, content, key_id, hash, recorded_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [sessionId, number, kind, entry.content, id, previous, recordedAt],
    );
  }
}

/** Notifies listeners of a transition by NOTIFY, like the gateway's doorbell (notification between replicas). */
export const ring = (sessionId, sequence) =>
  pool.query({
    name: 'ring',
    text: `select pg_notify('vkyc_doorbell', $1)`,
    values: [JSON.stringify({ from: 'peer', rings: [[sessionId, sequence]] })],
  });
