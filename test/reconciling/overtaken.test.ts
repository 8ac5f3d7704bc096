import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';

/**
 * Number of concurrent starts. The sandbox sends the webhook of each while the gateway still records the
 * start.
 */
const STARTS = 40;

test('webhooks that arrive while their session is being created are applied without a lookup at the provider', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();

  await Promise.all(Array.from({ length: STARTS }, (_, index) => gateway.start(`overtaken.${index}`)));
  await webhooksSettled(gateway.database);

  const { rows } = await gateway.database.query(
    'select state, count(*)::int as count from webhook_inbox group by state',
  );
  expect(rows).toEqual([{ state: 'DONE', count: STARTS }]);
});
