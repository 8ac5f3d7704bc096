import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';

/** So many starts, whose webhooks come while they are recorded. */
const STARTS = 60;

test('a webhook that comes while its session is begun is recorded at once, and nobody has to ask the provider', async () => {
  const gateway = await bootGateway();

  await Promise.all(Array.from({ length: STARTS }, (_, index) => gateway.start(`overtaken.${index}`)));
  await webhooksSettled(gateway.database);

  const { rows } = await gateway.database.query(
    'select state, count(*)::int as count from webhook_inbox group by state',
  );
  expect(rows).toEqual([{ state: 'DONE', count: STARTS }]);
});
