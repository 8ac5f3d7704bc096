/** Tests that the gateway runs behind PgBouncer, or refuses to start and says which setting to change. */
import { expect, test } from 'vitest';
import { bootGateway, eventually, freshDatabase, PRODUCTION, untilReady } from '../harness/gateway.ts';
import { PGBOUNCER, startPgBouncer } from '../harness/pgbouncer.ts';
import { runToItsEnd } from '../harness/process.ts';

const refused = async (environment: Record<string, string>) => {
  const { code, said } = await runToItsEnd({ ...PRODUCTION, PORT: '0', SANDBOX_PORT: '0', ...environment });
  expect(code).toBe(1);
  expect(said).not.toMatch(/\bat .+:\d+:\d+/);
  return said;
};

test.skipIf(!PGBOUNCER)(
  'the gateway refuses to start behind a transaction pooler that loses prepared statements',
  async () => {
    const direct = await freshDatabase();
    const pooled = await startPgBouncer(direct, 'transaction', false);

    const said = await refused({
      DATABASE_URL: pooled,
      MIGRATE_DATABASE_URL: direct,
      LISTEN_DATABASE_URL: direct,
    });

    expect(said).toContain('DATABASE_URL: its pooler assigns connections per transaction and loses prepared');
  },
);

test.skipIf(!PGBOUNCER?.keepsStatements)(
  'the gateway refuses to start if migrations or LISTEN would go through a transaction pooler',
  async () => {
    const direct = await freshDatabase();
    const pooled = await startPgBouncer(direct, 'transaction');

    expect(await refused({ DATABASE_URL: pooled })).toContain(
      'MIGRATE_DATABASE_URL: migrations hold an advisory lock',
    );
    expect(await refused({ DATABASE_URL: pooled, MIGRATE_DATABASE_URL: direct })).toContain(
      'LISTEN_DATABASE_URL: LISTEN needs a connection of its own',
    );
  },
);

async function expectReplicasToWork(environment: Record<string, string>): Promise<void> {
  const one = await bootGateway({ environment });
  const other = await bootGateway({ environment });
  await Promise.all([one, other].map(untilReady));

  const stream = other.subscribe('subscription { feed { ... on StatusTransition { sequence subStatus } } }');
  // Waits for the first heartbeat frame, which shows that the subscription is live.
  await stream.next();
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, n) => one.start(`pooled-${n}.happy-path`).then(({ id }) => id)),
  );
  const first = await stream.take(20);
  await one.advance('pooled-0.happy-path', 3);
  const later = await stream.take(3);

  expect(first.map(({ sequence }) => sequence)).toEqual(Array(20).fill(1));
  expect(later.map(({ sequence }) => sequence)).toEqual([2, 3, 4]);
  await eventually(async () => {
    const { data } = await other.graphql('query ($id: ID!) { session(id: $id) { version } }', { id: ids[0] });
    return data.session.version === 4;
  });
  for (const { logs } of [one, other])
    expect(logs.filter((line) => /"level":(40|50)/.test(line))).toEqual([]);
}

test.skipIf(!PGBOUNCER)(
  'two replicas behind a session pooler (PgBouncer) answer queries and send all transitions, without a warning in their logs',
  async () => {
    await expectReplicasToWork({ DATABASE_URL: await startPgBouncer(await freshDatabase(), 'session') });
  },
);

test.skipIf(!PGBOUNCER?.keepsStatements)(
  'two replicas behind a transaction pooler (PgBouncer) answer queries and send all transitions, without a warning in their logs',
  async () => {
    const direct = await freshDatabase();
    const pooled = await startPgBouncer(direct, 'transaction');

    await expectReplicasToWork({
      DATABASE_URL: pooled,
      MIGRATE_DATABASE_URL: direct,
      LISTEN_DATABASE_URL: direct,
    });
  },
);
