import { createServer } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';
import { pairOf } from '../../src/domain/status.ts';
import { sign } from '../../src/provider/signature.ts';
import { type Chance, chanceOf } from '../../src/sandbox/random.ts';
import { WHAT_MAY_FOLLOW } from '../../src/sandbox/walk.ts';
import { atTheEnd, DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { expectFolds } from '../harness/log.ts';
import { type GatewayProcess, startGatewayProcess } from '../harness/process.ts';
import { startScriptedProvider } from '../harness/provider.ts';

const SEED = process.env.SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const SESSIONS = 100;
const NEWS_EACH = 100;
const IN_FLIGHT = 64;
const CUSTOMER = { user_id: 'customer', phone: '9988776655' };
const EPOCH = Date.parse('2026-03-02T12:00:00Z');

interface News {
  readonly verificationId: string;
  readonly status: string;
  readonly subStatus: string;
  readonly eventTime: string;
}

const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) { ... on StartSessionSuccess { session { id } } }
}`;

/** What happens to a session, in plausible steps, at times that go on, stand still or go back. */
function newsOf(verificationId: string, chance: Chance): News[] {
  const news = new Map<string, News>();
  let at: string = 'LINK_GENERATED';
  let second = 0;
  while (news.size < NEWS_EACH) {
    // After the end of a journey another begins: not as the provider would, but the log has to keep that too.
    const follows = WHAT_MAY_FOLLOW[at as keyof typeof WHAT_MAY_FOLLOW] ?? WHAT_MAY_FOLLOW.LINK_GENERATED;
    at = chance.pick(follows as Record<string, number>);
    second += chance.integer(-2, 3);
    const { status, subStatus } = pairOf(at as Parameters<typeof pairOf>[0]);
    const eventTime = new Date(EPOCH + second * 1000).toISOString();
    news.set(`${status} ${subStatus} ${eventTime}`, { verificationId, status, subStatus, eventTime });
  }
  return [...news.values()];
}

const bodyOf = ({ verificationId, status, subStatus, eventTime }: News, label: string): string =>
  JSON.stringify({
    event_type: label,
    event_time: eventTime,
    version: 'v1',
    data: { verification_id: verificationId, user_id: CUSTOMER.user_id, status, sub_status: subStatus },
  });

/** Each piece of news, some of it again byte for byte, some of it again in other bytes; in any order. */
function burstOf(news: readonly News[], chance: Chance): string[] {
  const bodies = news.flatMap((each) => [
    bodyOf(each, 'VKYC_STATUS'),
    ...(chance.happens(0.25) ? [bodyOf(each, 'VKYC_STATUS')] : []),
    ...(chance.happens(0.1) ? [bodyOf(each, 'VKYC_STATUS_AGAIN')] : []),
  ]);
  for (let last = bodies.length - 1; last > 0; last -= 1) {
    const other = chance.integer(0, last);
    [bodies[last], bodies[other]] = [bodies[other] as string, bodies[last] as string];
  }
  return bodies;
}

/** Not of those that the system gives to outgoing connections, which might take it while the gateway is away. */
async function freePort(chance: Chance): Promise<number> {
  for (;;) {
    const port = chance.integer(20_000, 30_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** A gateway that can be killed and comes back at the same address. */
function phoenix(environment: Record<string, string>) {
  let present = startGatewayProcess(environment);
  const life = {
    deaths: 0,
    present: () => present,
    kill() {
      present = present.then(async (gateway) => {
        await gateway.end('SIGKILL');
        life.deaths += 1;
        return startGatewayProcess(environment);
      });
    },
  };
  return life;
}

/** As the provider sends: again and again, until it is taken. */
async function sendUntilTaken(body: string, present: () => Promise<GatewayProcess>, onSend: () => void) {
  for (;;) {
    const { url } = await present();
    const timestamp = String(Date.now());
    onSend();
    const response = await fetch(`${url}/webhooks/cashfree`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-webhook-timestamp': timestamp,
        'x-webhook-signature': sign('sandbox', timestamp, Buffer.from(body)),
      },
      body,
    }).catch(() => null);
    await response?.arrayBuffer().catch(() => {});
    if (response?.ok) return;
    if (response && response.status < 500) throw new Error(`A webhook was answered ${response.status}`);
  }
}

test('of 10,000 webhooks in a burst, repeated and in any order, each piece of news is in the log once, whatever is killed', async () => {
  const chance = chanceOf('webhook burst', SEED);
  process.stderr.write(`webhook burst, SEED=${SEED}\n`);
  // It starts sessions and cannot be asked about them: all that is known of them comes with the webhooks.
  const provider = await startScriptedProvider(({ method, path, body }) => {
    if (method === 'GET' && path.startsWith('/user')) return { body: JSON.stringify(CUSTOMER) };
    if (method === 'GET') return null;
    const started = { ...JSON.parse(body), status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
    return { body: JSON.stringify(started) };
  });
  const DATABASE_URL = await freshDatabase();
  const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  atTheEnd(() => database.end());
  const count = async (from: string): Promise<number> =>
    Number((await database.query(`select count(*) from ${from}`)).rows[0].count);
  const life = phoenix({
    DATABASE_URL,
    DATA_KEYS,
    PORT: String(await freePort(chance)),
    CASHFREE_BASE_URL: provider.baseUrl,
    CASHFREE_CLIENT_ID: 'sandbox',
    CASHFREE_CLIENT_SECRET: 'sandbox',
    PROVIDER_CALLS_PER_MINUTE: '6000',
  });
  const ids = Array.from({ length: SESSIONS }, (_, index) => `burst.${index}`);
  const first = await life.present();
  for (const verificationId of ids) {
    const input = { verificationId, user: { userId: CUSTOMER.user_id, phone: CUSTOMER.phone } };
    expect((await first.graphql(START, { input })).startSession.session).toBeTruthy();
  }
  const news = ids.flatMap((id) => newsOf(id, chance));
  const burst = burstOf(news, chance);
  const killAt = [chance.between(0.15, 0.4), chance.between(0.5, 0.9), 1].map((part) =>
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

  const waiting = [...burst];
  const line = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
      await sendUntilTaken(body, life.present, () => {
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

/** The order over all sessions has every transition once, without gaps, and each session's in their own order. */
async function expectFeedOfLog(database: pg.Pool): Promise<void> {
  const { rows: feed } = await database.query('select * from feed order by position');
  const { rows: log } = await database.query('select session_id, sequence from status_transition');
  expect(feed.map((row) => Number(row.position))).toEqual(feed.map((_, index) => index + 1));
  const named = (row: { session_id: string; sequence: number }) => `${row.session_id} ${row.sequence}`;
  expect(feed.map(named).sort()).toEqual(log.map(named).sort());
  const last = new Map<string, number>();
  for (const { session_id, sequence } of feed) {
    expect(sequence).toBe((last.get(session_id) ?? 0) + 1);
    last.set(session_id, sequence);
  }
}
