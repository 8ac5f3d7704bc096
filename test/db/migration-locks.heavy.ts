import pg from 'pg';
import { expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { atTheEnd } from '../harness/gateway.ts';
import { databaseAsOf, fillWithSessions, moveAsBefore, startAsBefore } from '../harness/old-database.ts';

const SESSIONS = Number(process.env.SESSIONS ?? 200_000);
/**
 * Longest that a statement may wait during the migration: the migration's lock timeout, with a margin for a
 * busy machine.
 */
const LONGEST_WAIT_MS = 2_000;
const say = (line: string) => process.stderr.write(`${line}\n`);

test(`statements of an earlier release wait less than 2 s while ${SESSIONS} sessions are migrated`, async () => {
  const { url, client } = await databaseAsOf('0003_reads_and_erasing');
  await fillWithSessions(client, SESSIONS);
  await client.query('vacuum analyze');
  let migrating = true;
  const waits: Record<string, number[]> = { reads: [], moves: [], starts: [] };
  const goOn = async (name: string, work: (connection: pg.Client, index: number) => Promise<unknown>) => {
    const connection = new pg.Client({ connectionString: url });
    await connection.connect();
    atTheEnd(() => connection.end());
    for (let index = 0; migrating; index += 1) {
      const startedAt = performance.now();
      await work(connection, index);
      waits[name]?.push(performance.now() - startedAt);
    }
  };
  const traffic = Promise.all([
    goOn('reads', (connection, index) =>
      connection.query('select * from vkyc_session where verification_id = $1', [`old.${index + 1}`]),
    ),
    goOn('moves', (connection, index) => moveAsBefore(connection, `old.${(index % SESSIONS) + 1}`)),
    goOn('starts', (connection, index) => startAsBefore(connection, `later.${index}`)),
  ]);

  const startedAt = performance.now();
  await migrate(url);
  const seconds = (performance.now() - startedAt) / 1000;
  migrating = false;
  await traffic;

  say(`${SESSIONS} sessions migrated in ${seconds.toFixed(1)} s; statements during the migration:`);
  for (const [name, times] of Object.entries(waits)) {
    const sorted = times.toSorted((a, b) => a - b);
    const at = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] as number).toFixed(1);
    say(`${sorted.length} ${name}: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`);
    expect(sorted.length).toBeGreaterThan(50);
    expect(sorted.at(-1)).toBeLessThan(LONGEST_WAIT_MS);
  }
  const { rows } =
    await client.query(`select count(*)::int as wrong from vkyc_session s join status_transition t
    on t.session_id = s.id and t.sequence = s.version where s.status_since is distinct from t.recorded_at`);
  expect(rows).toEqual([{ wrong: 0 }]);
}, 300_000);
