import type pg from 'pg';
import { expect } from 'vitest';
import { applyTransition, isAppliedVerdict } from '../../src/domain/session.ts';

/**
 * Expects every session row to equal what its log reduces to, sequences without gaps, and `status_since` to
 * be the time of the last transition that changed the status.
 */
export async function expectFolds(database: pg.Pool): Promise<void> {
  const { rows: sessions } = await database.query('select * from vkyc_session');
  const { rows: log } = await database.query('select * from status_transition order by session_id, sequence');
  const logs = new Map<string, any[]>();
  for (const row of log) logs.set(row.session_id, [...(logs.get(row.session_id) ?? []), row]);
  for (const session of sessions) {
    const own = logs.get(session.id) ?? [];
    expect(own.map((row) => row.sequence)).toEqual(own.map((_, index) => index + 1));
    const folded = own.reduce(
      (state, row) =>
        applyTransition(state, {
          status: row.status,
          subStatus: row.sub_status,
          sequence: row.sequence,
          verdict: row.verdict,
          source: row.source,
          rawStatus: row.raw_status,
          rawSubStatus: row.raw_sub_status,
        }),
      null,
    );
    const moves = own.filter((row) => isAppliedVerdict(row.verdict));
    expect(session.status_since).toEqual(moves.at(-1).recorded_at);
    expect(folded).toEqual({
      status: session.status,
      subStatus: session.sub_status,
      version: session.version,
      lastSequence: session.last_sequence,
      disputed: session.disputed,
      escalated: session.escalated,
      closed: session.closed,
      replaced: session.replaced,
      assigned: session.assigned_agent !== null,
      decidedHere: session.decided_here,
      provider: { rawStatus: session.provider_status, rawSubStatus: session.provider_sub_status },
    });
  }
}

/**
 * Expects feed positions without gaps, one for each transition, in the order of sequences within each
 * session.
 */
export async function expectFeedOfLog(database: pg.Pool): Promise<void> {
  const { rows: feed } = await database.query('select * from feed order by position');
  const { rows: log } = await database.query('select session_id, sequence from status_transition');
  expect(feed.map((row) => Number(row.position))).toEqual(feed.map((_, index) => index + 1));
  const named = (row: { session_id: string; sequence: number }) => `${row.session_id} ${row.sequence}`;
  expect(feed.map(named).sort()).toEqual(log.map(named).sort());
  const last = new Map<string, number>();
  for (const { session_id, sequence } of feed) {
    expect(sequence).toBe((last.get(session_id) ?? 0) + 1);
    last.set(session_id, sequence);
  }
}
