import pg from 'pg';
import { expect, test } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import {
  accessTo,
  burstOf,
  CUSTOMER,
  type News,
  newsOf,
  sendUntilTaken,
  startSilentProvider,
} from '../harness/news.ts';
import { freePort, phoenix } from '../harness/phoenix.ts';

const SEED = process.env.SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const SESSIONS = 100;
const NEWS_EACH = 100;
const IN_FLIGHT = 64;

const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) { __typename ... on StartSessionSuccess { session { id } } ... on MutationError { message } }
}`;

test('10,000 status updates, sent as webhooks in random order, some of them repeatedly, are each in the log once, although the gateway is killed three times', async () => {
  const random = createSeededRandom('webhook burst', SEED);
  process.stderr.write(`webhook burst, SEED=${SEED}\n`);
  const provider = await startSilentProvider();
  const DATABASE_URL = await freshDatabase();
  const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  atTheEnd(() => database.end());
  const count = async (from: string): Promise<number> =>
    Number((await database.query(`select count(*) from ${from}`)).rows[0].count);
  const life = phoenix({
    DATABASE_URL,
    DATA_KEYS,
    PORT: String(await freePort(random)),
    ...accessTo(provider),
  });
  const ids = Array.from({ length: SESSIONS }, (_, index) => `burst.${index}`);
  const first = await life.present();
  for (const verificationId of ids) {
    const input = { verificationId, user: { userId: CUSTOMER.user_id, phone: CUSTOMER.phone } };
    expect(await first.graphql(START, { input })).toMatchObject({
      startSession: { session: { id: expect.any(String) } },
    });
  }
  const news = ids.flatMap((id) => newsOf(id, random, NEWS_EACH));
  const burst = burstOf(news, random);
  const killAt = [random.between(0.15, 0.4), random.between(0.5, 0.9), 1].map((part) =>
    Math.floor(part * burst.length),
  );
  let sent = 0;
  let acknowledged = 0;
  const startedAt = performance.now();
  const progress = setInterval(async () => {
    const processed = await count(`webhook_inbox where state <> 'PENDING'`).catch(() => 0);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stderr.write(
      `${seconds} s: sent ${sent}, acknowledged ${acknowledged} of ${burst.length}, processed ${processed}, killed ${life.deaths}\n`,
    );
  }, 1000);
  atTheEnd(async () => clearInterval(progress));

  const presentUrl = async () => (await life.present()).url;
  const waiting = [...burst];
  const line = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
      await sendUntilTaken(body, presentUrl, () => {
        sent += 1;
      });
      acknowledged += 1;
      if (!killAt.includes(acknowledged)) continue;
      life.kill();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, line));
  await life.present();
  for (const queue of [`webhook_inbox where state = 'PENDING'`, 'transition_outbox'])
    await eventually(async () => (await database.query(`select from ${queue} limit 1`)).rowCount === 0);

  expect(life.deaths).toBe(killAt.length);
  const { rows: inbox } = await database.query(
    'select state, count(*)::int from webhook_inbox group by state',
  );
  expect(inbox).toEqual([{ state: 'DONE', count: new Set(burst).size }]);
  const { rows: log } = await database.query(
    `select verification_id, t.status, t.sub_status, occurred_at from status_transition t
     join vkyc_session s on s.id = session_id where source = 'WEBHOOK'`,
  );
  const wordsOf = (each: News) =>
    [each.verificationId, each.status, each.subStatus, each.eventTime].join(' ');
  const logged = log.map((row) =>
    wordsOf({
      verificationId: row.verification_id,
      status: row.status,
      subStatus: row.sub_status,
      eventTime: row.occurred_at.toISOString(),
    }),
  );
  expect(logged.sort()).toEqual(news.map(wordsOf).sort());
  expect(await count('status_transition')).toBe(news.length + SESSIONS);
  await expectFolds(database);
  await expectFeedOfLog(database);
});
