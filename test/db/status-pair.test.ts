import pg from 'pg';
import { expect, test } from 'vitest';
import { STATUS_CATALOG, STATUSES, SUB_STATUSES } from '../../src/domain/status.ts';
import { atTheEnd, freshDatabase } from '../harness/gateway.ts';

test('the database stores exactly the pairs of the status table', async () => {
  const database = new pg.Client({ connectionString: await freshDatabase() });
  await database.connect();
  atTheEnd(() => database.end());
  const { rows } = await database.query(`
    select conrelid::regclass::text as "table", pg_get_constraintdef(oid) as definition
    from pg_constraint where conname in ('vkyc_session_status_pair', 'status_transition_status_pair')`);
  expect(rows.map((row) => row.table).toSorted()).toEqual(['status_transition', 'vkyc_session']);

  for (const { definition } of rows) {
    const condition = definition.replace(/^CHECK /, '');
    const { rows: accepted } = await database.query(
      `select status, sub_status from unnest($1::text[]) status cross join unnest($2::text[]) sub_status where ${condition}`,
      [STATUSES, SUB_STATUSES],
    );
    const pairs = accepted.map((row) => `${row.status}/${row.sub_status}`);
    expect(pairs.toSorted()).toEqual(
      STATUS_CATALOG.map((info) => `${info.status}/${info.subStatus}`).toSorted(),
    );
  }
});
