import { expect, onTestFinished, test } from 'vitest';
import '../../src/db/sessions/sessions.ts';
import { statementTextsByName } from '../../src/db/statements/prepared.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';

test('session rows are locked in verification-id order, even if the planner reads them in the order of the table', async () => {
  const gateway = await bootGateway();
  await gateway.start('b.later');
  await gateway.start('a.first');
  const connect = async () => {
    const client = await gateway.database.connect();
    onTestFinished(async () => client.release(true));
    return client;
  };
  const [holder, writer, other] = [await connect(), await connect(), await connect()];
  await holder.query('begin');
  await holder.query(`select from vkyc_session where verification_id = 'a.first' for update`);

  await writer.query('set enable_indexscan = off');
  await writer.query('set enable_bitmapscan = off');
  await writer.query('begin');
  const text = statementTextsByName.get('sessions locked')?.() as string;
  const locked = writer.query(text, [['b.later', 'a.first']]);
  await eventually(async () => {
    const { rows } = await other.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  });

  // The writer waits for the first row, and holds no lock of the second, so that it is part of no deadlock.
  const free = await other.query(
    `select from vkyc_session where verification_id = 'b.later' for update nowait`,
  );
  expect(free.rowCount).toBe(1);
  await holder.query('commit');
  expect((await locked).rowCount).toBe(2);
});
