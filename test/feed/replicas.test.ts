import { expect, test } from 'vitest';
import type { Doorbell } from '../../src/domain/ports.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { natsServerAt, natsTest, startNatsServer } from '../harness/nats.ts';

const TITLE =
  'a transition that one replica has committed is announced to another replica by the doorbell (notification between replicas)';

test(`over PostgreSQL: ${TITLE}`, () => expectToBeTold({}));

natsTest(`over NATS: ${TITLE}, and no connection LISTENs on PostgreSQL`, async () => {
  const { url } = await startNatsServer();

  await expectToBeTold({ NATS_URL: url });
});

natsTest('a gateway starts while NATS is unreachable, and its own subscribers get transitions', async () => {
  const server = await natsServerAt();
  const gateway = await bootGateway({ environment: { NATS_URL: server.url } });
  const live = gateway.subscribe('subscription { statusTransitions { sequence } }');

  await gateway.start('without.nats');

  expect(await live.next()).toEqual({ sequence: 1 });
  expect(gateway.logs.some((line) => line.includes('NATS connection lost'))).toBe(true);
});

async function expectToBeTold(environment: Record<string, string>) {
  const one = await bootGateway({ environment });
  let listening = false;
  const found: Promise<string[]>[] = [];
  const overheard = (doorbell: Doorbell) => {
    doorbell.listen({
      onRing(sessionId, sequence) {
        const result = one.database.query(
          `select verification_id from vkyc_session join status_transition on session_id = vkyc_session.id
           where session_id = $1 and sequence = $2`,
          [sessionId, sequence],
        );
        found.push(result.then(({ rows }) => rows.map((row) => row.verification_id)));
      },
      onGap() {
        listening = true;
      },
    });
    return doorbell;
  };
  await bootGateway({ database: one.databaseUrl, doorbell: overheard, environment });
  await eventually(async () => listening);

  await one.start('told.to.both');

  await eventually(async () => found.length > 0);
  expect(await Promise.all(found)).toEqual([['told.to.both']]);
  const { rowCount } = await one.database.query(
    `select from pg_stat_activity where datname = current_database() and query ilike 'listen%'`,
  );
  expect(rowCount).toBe(environment.NATS_URL ? 0 : 2);
}
