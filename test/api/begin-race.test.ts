import { expect, test } from 'vitest';
import { bootGateway, eventually } from '../harness/gateway.ts';

test('the answer of a start and the webhook of its link race to begin the session, and one of them does', async () => {
  const gateway = await bootGateway();
  const ids = Array.from({ length: 60 }, (_, index) => `race.${index}`);

  await Promise.all(
    ids.map((id, index) =>
      gateway.start(id, { user: { phone: `99887766${String(index).padStart(2, '0')}` } }),
    ),
  );
  await eventually(async () => {
    const { rows } = await gateway.database.query(
      `select count(*)::int as done from webhook_inbox where state = 'DONE'`,
    );
    return rows[0].done === ids.length;
  });

  const { rows } = await gateway.database.query(
    'select session_id, count(*)::int as count from status_transition group by 1',
  );
  expect(rows).toHaveLength(ids.length);
  expect(rows.every((row) => row.count === 1)).toBe(true);
  expect(gateway.logs.filter((line) => line.includes('could not be processed'))).toEqual([]);
});
