import type pg from 'pg';
import { expect } from 'vitest';
import { advance } from '../../src/domain/session.ts';

/** Every session's row is the fold of its log, whose sequences have no gaps. */
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
        advance(state, {
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
    expect(folded).toEqual({
      status: session.status,
      subStatus: session.sub_status,
      version: session.version,
      lastSequence: session.last_sequence,
      disputed: session.disputed,
      decidedHere: session.decided_here,
      provider: { rawStatus: session.provider_status, rawSubStatus: session.provider_sub_status },
    });
  }
}
