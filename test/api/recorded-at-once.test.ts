import pg from 'pg';
import { expect, test } from 'vitest';
import { signWebhook } from '../../src/provider/signature.ts';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { startScriptedProvider } from '../harness/provider.ts';
import { rawPeer } from '../harness/raw-peer.ts';
import { countStatements } from '../harness/statements.ts';

const QUEUED = 'USER_QUEUED';
const NO_AGENT = 'NO_AGENT_FOUND';

const news = (id: string, sub_status: string, second: number) => ({
  event_type: 'VKYC_STATUS',
  event_time: `2025-05-22T03:51:${String(second).padStart(2, '0')}Z`,
  data: { verification_id: id, status: 'PRE_VIDEO_CALL', sub_status },
});

/** Boots a gateway with sessions of these verification ids, which only webhooks of the test change. */
async function gatewayWith(...ids: string[]): Promise<Gateway> {
  const provider = await startScriptedProvider(({ path, body }) => {
    const sent = JSON.parse(body);
    if (path === '/user') return { body: JSON.stringify({ user_id: sent.user_id, phone: sent.phone }) };
    return { body: JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }) };
  });
  const gateway = await bootGateway({
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    },
    bothWays: false,
  });
  for (const id of ids) await gateway.start(id);
  return gateway;
}

/** Returns the transitions that webhooks have recorded so far, as texts, ordered by session. */
async function logOf(gateway: Gateway): Promise<string[]> {
  const { rows } = await gateway.database.query(
    `select s.verification_id || ' ' || t.sub_status || ' ' || t.verdict as line
     from status_transition t join vkyc_session s on s.id = t.session_id
     where t.source = 'WEBHOOK' order by s.verification_id, t.sequence`,
  );
  return rows.map(({ line }) => line);
}

async function inboxOf(gateway: Gateway): Promise<string[]> {
  const { rows } = await gateway.database.query('select state from webhook_inbox order by id');
  return rows.map(({ state }) => state);
}

async function connected(gateway: Gateway): Promise<pg.Client> {
  const client = new pg.Client(gateway.databaseUrl);
  await client.connect();
  atTheEnd(() => client.end());
  return client;
}

/** Pipelines webhooks over one connection without awaiting responses; resolves when all got 200. */
async function inOneBreath(gateway: Gateway, bodies: readonly object[]): Promise<void> {
  const peer = await rawPeer(gateway.url);
  const requests = bodies.map((body) => {
    const bytes = JSON.stringify(body);
    const timestamp = String(Date.now());
    const signature = signWebhook('sandbox', timestamp, Buffer.from(bytes));
    const lines = [
      'POST /webhooks/cashfree HTTP/1.1',
      'host: localhost',
      `content-length: ${bytes.length}`,
      `x-webhook-timestamp: ${timestamp}`,
      `x-webhook-signature: ${signature}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${bytes}`;
  });
  peer.send(requests.join(''));
  await eventually(async () => peer.heard.split('HTTP/1.1 200').length - 1 === bodies.length);
}

/** Locks a session's row in another transaction; returns a function that ends the transaction. */
async function hold(gateway: Gateway, id: string): Promise<() => Promise<unknown>> {
  const holder = await connected(gateway);
  await holder.query('begin');
  await holder.query('select from vkyc_session where verification_id = $1 for update', [id]);
  return () => holder.query('rollback');
}

test('a webhook that gets 200 has been stored and recorded in one database transaction', async () => {
  const gateway = await gatewayWith('once.1');

  expect(await gateway.webhook(news('once.1', QUEUED, 10))).toBe(200);

  expect(await logOf(gateway)).toEqual(['once.1 USER_QUEUED MOVED']);
  const { rows } = await gateway.database.query(
    `select state, i.xmin = t.xmin as together from webhook_inbox i, status_transition t where t.source = 'WEBHOOK'`,
  );
  expect(rows).toEqual([{ state: 'DONE', together: true }]);
});

test('a webhook that is sent repeatedly is stored and recorded once', async () => {
  const gateway = await gatewayWith('again.1');
  const body = news('again.1', QUEUED, 10);

  expect(await Promise.all([body, body, body].map((same) => gateway.webhook(same)))).toEqual([200, 200, 200]);
  expect(await gateway.webhook(body)).toBe(200);

  await eventually(async () => !(await inboxOf(gateway)).includes('PENDING'));
  expect(await inboxOf(gateway)).toEqual(['DONE']);
  expect(await logOf(gateway)).toEqual(['again.1 USER_QUEUED MOVED']);
});

test('if a session row is locked, webhooks of the session are queued without waiting, and recorded in order after the lock', async () => {
  const gateway = await gatewayWith('held.1', 'free.1');
  const letGo = await hold(gateway, 'held.1');

  expect(await gateway.webhook(news('held.1', QUEUED, 10))).toBe(200);
  expect(await gateway.webhook(news('held.1', NO_AGENT, 20))).toBe(200);
  expect(await gateway.webhook(news('free.1', QUEUED, 10))).toBe(200);
  expect(await logOf(gateway)).toEqual(['free.1 USER_QUEUED MOVED']);
  expect(await inboxOf(gateway)).toEqual(['PENDING', 'PENDING', 'DONE']);

  await letGo();
  await eventually(async () => (await logOf(gateway)).length === 3);
  expect(await logOf(gateway)).toEqual([
    'free.1 USER_QUEUED MOVED',
    'held.1 USER_QUEUED MOVED',
    'held.1 NO_AGENT_FOUND MOVED',
  ]);
});

test('a webhook does not overtake a queued webhook of its session, even if the session row is free', async () => {
  const gateway = await gatewayWith('line.1');
  await gateway.webhook(news('line.1', QUEUED, 10));
  // Sets the stored webhook back to PENDING, and locks its inbox row so that no queue worker can process it.
  const holder = await connected(gateway);
  await holder.query(
    `begin; update webhook_inbox set state = 'PENDING'; commit; begin; select from webhook_inbox for update`,
  );

  expect(await gateway.webhook(news('line.1', NO_AGENT, 20))).toBe(200);
  expect(await inboxOf(gateway)).toEqual(['PENDING', 'PENDING']);
  expect(await logOf(gateway)).toEqual(['line.1 USER_QUEUED MOVED']);

  await holder.query('rollback');
  await eventually(async () => (await logOf(gateway)).length === 2);
  expect(await inboxOf(gateway)).toEqual(['DONE', 'DONE']);
});

test('in a burst, webhooks of one session are recorded in arrival order, and no transaction is rolled back', async () => {
  const ids = Array.from({ length: 10 }, (_, number) => `burst.${number}`);
  const gateway = await gatewayWith(...ids);
  const undone = countStatements('rollback');

  const bodies = ids.flatMap((id) => [news(id, QUEUED, 10), news(id, NO_AGENT, 20)]);
  await inOneBreath(gateway, bodies);

  await eventually(async () => (await logOf(gateway)).length === 20);
  expect(await logOf(gateway)).toEqual(
    ids.flatMap((id) => [`${id} USER_QUEUED MOVED`, `${id} NO_AGENT_FOUND MOVED`]),
  );
  expect(undone()).toBe(0);
});

test('even with more webhooks than fit into one batch, the webhooks of one session are recorded in arrival order', async () => {
  const ids = Array.from({ length: 10 }, (_, number) => `many.${number}`);
  const gateway = await gatewayWith(...ids);

  for (let round = 0; round < 4; round += 1) {
    const seconds = Array.from({ length: 14 }, (_, number) => round * 14 + number + 1);
    const bodies = seconds.flatMap((second) =>
      ids.map((id) => news(id, second % 2 ? QUEUED : NO_AGENT, second)),
    );
    await inOneBreath(gateway, bodies);
  }

  await eventually(async () => (await logOf(gateway)).length === 560);
  expect((await logOf(gateway)).filter((line) => !line.endsWith('MOVED'))).toEqual([]);
});

test('a webhook whose transition the database refuses stays PENDING until the insert succeeds, and other webhooks are recorded', async () => {
  const gateway = await gatewayWith('odd.1', 'odd.2', 'odd.3');
  const { rows } = await gateway.database.query(
    `select id from vkyc_session where verification_id = 'odd.2'`,
  );
  await gateway.database.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
    create trigger refuse before insert on status_transition for each row
      when (new.session_id = '${rows[0].id}') execute function refuse()`);

  const answers = await Promise.all(
    ['odd.1', 'odd.2', 'odd.3'].map((id) => gateway.webhook(news(id, QUEUED, 10))),
  );
  expect(answers).toEqual([200, 200, 200]);
  await eventually(async () => (await logOf(gateway)).length === 2);
  expect((await inboxOf(gateway)).toSorted()).toEqual(['DONE', 'DONE', 'PENDING']);

  await gateway.database.query('drop trigger refuse on status_transition');
  await eventually(async () => (await logOf(gateway)).length === 3);
  expect(await logOf(gateway)).toContain('odd.2 USER_QUEUED MOVED');
});

test('two replicas that get the same webhooks in opposite order neither deadlock nor roll back', async () => {
  const ids = Array.from({ length: 10 }, (_, number) => `both.${number}`);
  const gateway = await gatewayWith(...ids);
  const other = await bootGateway({ database: gateway.databaseUrl, bothWays: false });
  // Slows the inserts down by a trigger, so that both replicas insert webhooks during the same time.
  await gateway.database.query(`
    create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(0.01); return new; end $$;
    create trigger dawdle before insert on webhook_inbox for each row execute function dawdle()`);
  const undone = countStatements('rollback');

  const bodies = ids.map((id) => news(id, QUEUED, 10));
  await Promise.all([inOneBreath(gateway, bodies), inOneBreath(other, bodies.toReversed())]);

  await eventually(async () => (await logOf(gateway)).length === ids.length);
  expect(await inboxOf(gateway)).toEqual(ids.map(() => 'DONE'));
  expect(undone()).toBe(0);
});
