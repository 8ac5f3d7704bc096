import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { isValidWebhookSignature, signWebhook } from '../../src/provider/signature.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { startScriptedProvider } from '../harness/provider.ts';

const LOG = `query ($id: String!) {
  sessionByVerificationId(verificationId: $id) {
    status subStatus rawSubStatus version disputed link linkExpiresAt statusInfo { waitingOn }
    transitions(first: 50) { nodes { sequence status subStatus rawStatus rawSubStatus applied occurredAt source } }
  }
}`;

const sessionOf = async (gateway: Gateway, id: string) =>
  (await gateway.graphql(LOG, { id })).data.sessionByVerificationId;

const inboxStates = async (gateway: Gateway): Promise<Record<string, number>> => {
  const { rows } = await gateway.database.query(
    'select state, count(*)::int as count from webhook_inbox group by state',
  );
  return Object.fromEntries(rows.map((row) => [row.state, row.count]));
};

/** Waits until no webhook in the inbox is PENDING. */
const processed = (gateway: Gateway) => eventually(async () => !(await inboxStates(gateway)).PENDING);

const news = (id: string, status: string, sub_status: string, second: number, more: object = {}) => ({
  event_type: 'VKYC_LABEL_ONLY',
  event_time: `2025-05-22T03:51:${String(second).padStart(2, '0')}Z`,
  version: 'v1',
  data: {
    verification_id: id,
    status,
    sub_status,
    recording_link: '',
    meeting_schedule: '',
    ...more,
  },
});

/** Boots a gateway whose provider sends no webhooks: only those that a test sends change its sessions. */
async function quietGateway(): Promise<Gateway> {
  const provider = await startScriptedProvider(({ method, path, body }) => {
    if (method === 'GET')
      return { status: 404, body: '{"type":"not_found_error","code":"Resource not found"}' };
    const sent = JSON.parse(body);
    if (path === '/user') return { body: JSON.stringify({ user_id: sent.user_id, phone: sent.phone }) };
    return { body: JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }) };
  });
  return bootGateway({
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'sandbox,retired-secret',
    },
  });
}

async function quietSession(id: string, input: object = {}): Promise<Gateway> {
  const gateway = await quietGateway();
  await gateway.start(id, input);
  return gateway;
}

test('the webhook signature equals the HMAC that openssl computes over the timestamp and the raw body', () => {
  const body = Buffer.from('{"a": "ü",  "b":1}');
  const openssl = execFileSync('openssl', ['dgst', '-sha256', '-hmac', 'the-secret', '-binary'], {
    input: Buffer.concat([Buffer.from('1746427759733'), body]),
  }).toString('base64');

  expect(signWebhook('the-secret', '1746427759733', body)).toBe(openssl);
  expect(isValidWebhookSignature(['new', 'the-secret'], '1746427759733', body, openssl)).toBe(true);
  expect(isValidWebhookSignature(['new'], '1746427759733', body, openssl)).toBe(false);
  expect(isValidWebhookSignature(['the-secret'], '1746427759733', body, openssl.slice(0, -1))).toBe(false);
});

test('the webhook body of the provider’s documentation updates its session, with the link and the link’s expiry', async () => {
  const documented = await readFile(
    new URL('../fixtures/webhook-link-generated.json', import.meta.url),
    'utf8',
  );
  const gateway = await quietSession('test333', { user: { userId: 'test11', phone: '9988776655' } });
  expect(await gateway.webhook(news('test333', 'PRE_VIDEO_CALL', 'USER_QUEUED', 1))).toBe(200);

  expect(await gateway.webhook(documented)).toBe(200);
  await processed(gateway);

  const session = await sessionOf(gateway, 'test333');
  expect(session).toMatchObject({
    link: 'https://forms.qa.cashfree.net/verification/c8k926bpt84g',
    linkExpiresAt: '2025-06-21T00:00:00.000Z',
    subStatus: 'USER_QUEUED',
  });
  // The webhook with LINK_GENERATED confirms the response to the start: it adds an event time, not a transition.
  expect(session.transitions.nodes.map((each: any) => each.subStatus)).toEqual([
    'LINK_GENERATED',
    'USER_QUEUED',
  ]);
});

// Invariant 2 of ARCHITECTURE.md
test('webhooks that repeat an update add no second transition, even if their bytes differ', async () => {
  const gateway = await quietSession('twice.1');
  const body = news('twice.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 10);

  for (const copy of [body, body, { ...body, signature: 'other' }, { ...body, event_type: 'OTHER' }]) {
    expect(await gateway.webhook(copy)).toBe(200);
  }
  await processed(gateway);

  const { transitions } = await sessionOf(gateway, 'twice.1');
  expect(transitions.nodes.map((each: any) => each.subStatus)).toEqual(['LINK_GENERATED', 'USER_QUEUED']);
});

test('a webhook that arrives late is logged as a transition but does not move the session back', async () => {
  const gateway = await quietSession('late.1');

  await gateway.webhook(news('late.1', 'PRE_VIDEO_CALL', 'NO_AGENT_FOUND', 20));
  await gateway.webhook(news('late.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 10));
  await processed(gateway);

  const session = await sessionOf(gateway, 'late.1');
  expect(session).toMatchObject({ subStatus: 'NO_AGENT_FOUND', version: 2 });
  expect(session.transitions.nodes.at(-1)).toMatchObject({
    sequence: 3,
    subStatus: 'USER_QUEUED',
    applied: false,
  });
});

test('a final decision that contradicts an earlier decision makes the session disputed: the merchant has to act next', async () => {
  const gateway = await quietSession('dispute.1');

  await gateway.webhook(news('dispute.1', 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 10));
  await gateway.webhook(news('dispute.1', 'AUDITOR_REVIEWED', 'AUDITOR_REJECTED', 20));
  await processed(gateway);

  expect(await sessionOf(gateway, 'dispute.1')).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    disputed: true,
    statusInfo: { waitingOn: 'MERCHANT' },
  });
});

test('statuses unknown to this release are recorded as UNRECOGNIZED with their raw status, and a warning is logged', async () => {
  const gateway = await quietSession('unknown.1');

  await gateway.webhook(news('unknown.1', 'VIDEO_CALL', 'USER_WAVED', 10));
  await gateway.webhook(news('unknown.1', 'ON_HOLD', 'BY_REGULATOR', 11));
  await processed(gateway);

  const { transitions } = await sessionOf(gateway, 'unknown.1');
  expect(transitions.nodes.slice(1)).toMatchObject([
    { status: 'VIDEO_CALL', subStatus: 'UNRECOGNIZED', rawStatus: 'VIDEO_CALL', rawSubStatus: 'USER_WAVED' },
    { status: 'UNRECOGNIZED', subStatus: 'UNRECOGNIZED', rawStatus: 'ON_HOLD', rawSubStatus: 'BY_REGULATOR' },
  ]);
  expect(gateway.logs.filter((line) => line.includes('unknown to this release'))).toHaveLength(2);
});

test('a webhook that overtakes the response to the start creates the session; the response adds no transition', async () => {
  let deliver: (userId: string) => Promise<unknown> = async () => {};
  const provider = await startScriptedProvider(({ path, body }) => {
    const sent = JSON.parse(body);
    if (path === '/user') return { body: JSON.stringify({ user_id: sent.user_id, phone: sent.phone }) };
    const known = { reference_id: 1358, vkyc_link: 'https://forms.cashfree.com/verification/s7ml5i0' };
    const answer = {
      body: JSON.stringify({ ...sent, ...known, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }),
    };
    return { ...answer, before: () => deliver(sent.user_id) };
  });
  const gateway = await bootGateway({
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    },
  });
  deliver = async (user_id) => {
    await gateway.webhook(news('overtakes.1', 'RECEIVED', 'LINK_GENERATED', 1, { user_id }));
    await gateway.webhook(
      news('overtakes.1', 'PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_SUCCESS', 3, { user_id }),
    );
    await processed(gateway);
  };

  await gateway.start('overtakes.1');

  const session = await sessionOf(gateway, 'overtakes.1');
  expect(session.transitions.nodes.map((each: any) => [each.subStatus, each.source])).toEqual([
    ['LINK_GENERATED', 'WEBHOOK'],
    ['AADHAAR_VERIFICATION_SUCCESS', 'WEBHOOK'],
  ]);
  // The link comes from the response to the start, since the webhooks did not contain it.
  expect(session.link).toBe('https://forms.cashfree.com/verification/s7ml5i0');
});

test('webhooks of a verification that belongs to another user stay WAITING in the inbox, and create no session', async () => {
  const gateway = await bootGateway();
  await gateway.callProvider('POST', '/user', { user_id: 'theirs', phone: '9000000000' });
  await gateway.callProvider('POST', '/vkyc', { verification_id: 'theirs.happy-path', user_id: 'theirs' });
  const { data } = await gateway.graphql(
    'mutation { startSession(input: { verificationId: "theirs.happy-path", user: { phone: "9988776655" } }) { ... on MutationError { code } } }',
  );
  expect(data.startSession.code).toBe('VERIFICATION_ID_TAKEN');

  await gateway.advance('theirs.happy-path', 13);
  await eventually(async () => (await inboxStates(gateway)).WAITING === 14);

  expect(await sessionOf(gateway, 'theirs.happy-path')).toBeNull();
});

test('the status of a webhook is recorded even if its other fields cannot be read', async () => {
  const gateway = await quietSession('odd.1');

  await gateway.webhook(
    news('odd.1', 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 10, {
      meeting_schedule: 'tomorrow',
      recording_link: 5,
      reference_id: [],
    }),
  );
  await processed(gateway);

  expect(await sessionOf(gateway, 'odd.1')).toMatchObject({ subStatus: 'AUDITOR_APPROVED' });
});

test('contradicting final decisions make the session disputed, even if they arrive in reverse order', async () => {
  const gateway = await quietSession('swapped.1');

  await gateway.webhook(news('swapped.1', 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 20));
  await gateway.webhook(news('swapped.1', 'AUDITOR_REVIEWED', 'AUDITOR_REJECTED', 10));
  await processed(gateway);

  expect(await sessionOf(gateway, 'swapped.1')).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    disputed: true,
  });
});

test('a webhook is accepted with any active secret, so that no webhook is lost when secrets are rotated', async () => {
  const gateway = await quietSession('rotation.1');
  const body = Buffer.from(JSON.stringify(news('rotation.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 10)));

  const timestamp = String(Date.now());
  const retired = {
    'x-webhook-timestamp': timestamp,
    'x-webhook-signature': signWebhook('retired-secret', timestamp, body),
  };
  expect(await gateway.webhook(body, retired)).toBe(200);
  const unknown = { ...retired, 'x-webhook-signature': signWebhook('never-a-secret', timestamp, body) };
  expect(await gateway.webhook(body, unknown)).toBe(401);
});

test('every correctly signed webhook is stored and answered 200; a webhook that cannot be understood is parked (dead letter)', async () => {
  const gateway = await quietSession('parked.1');

  for (const body of [
    '',
    'not json',
    '{}',
    '[]',
    '"text"',
    JSON.stringify({ test: 'from the dashboard' }),
    Buffer.from([0xff, 0xfe, 0]),
  ]) {
    expect(await gateway.webhook(body)).toBe(200);
  }
  expect(await gateway.webhook(news('parked.1', 'RECEIVED', 'LINK_GENERATED', 99))).toBe(200);
  expect(await gateway.webhook(news('nobody.knows', 'RECEIVED', 'LINK_GENERATED', 5))).toBe(200);
  await processed(gateway);

  expect(await inboxStates(gateway)).toEqual({ PARKED: 8, WAITING: 1 });
  expect((await sessionOf(gateway, 'parked.1')).transitions.nodes).toHaveLength(1);
});

test('unsigned, wrongly signed and too large webhooks are refused and not stored', async () => {
  const gateway = await quietSession('refused.1');
  const body = news('refused.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 10);

  expect(await gateway.webhook(body, { 'x-webhook-signature': undefined })).toBe(401);
  expect(await gateway.webhook(body, { 'x-webhook-timestamp': undefined })).toBe(401);
  expect(await gateway.webhook(body, { 'x-webhook-signature': 'nonsense' })).toBe(401);
  expect(await gateway.webhook(body, { 'x-webhook-timestamp': '1' })).toBe(401);
  expect(await gateway.webhook({ ...body, padding: 'x'.repeat(1024 * 1024) })).toBe(413);

  expect(await inboxStates(gateway)).toEqual({});
});

test('GET and HEAD of the webhook URL return 200, and an unsigned POST gets a message that names the missing header', async () => {
  const gateway = await quietGateway();
  const url = `${gateway.url}/webhooks/cashfree`;
  for (const method of ['GET', 'HEAD']) {
    const response = await fetch(url, { method });
    expect([method, response.status, await response.text()]).toEqual([method, 200, '']);
  }

  const timestamp = { 'x-webhook-timestamp': '1746427759733' };
  for (const [headers, lacks] of [
    [{}, 'x-webhook-timestamp is missing, and x-webhook-signature is missing'],
    [timestamp, 'x-webhook-signature is missing'],
    [
      { ...timestamp, 'x-webhook-signature': 'nonsense' },
      'x-webhook-signature must be the base64 of an HMAC-SHA256',
    ],
  ] as [Record<string, string>, string][]) {
    const response = await fetch(url, { method: 'POST', headers });
    const { errors } = (await response.json()) as { errors: { message: string; extensions: object }[] };
    expect(response.status).toBe(401);
    expect(errors[0]?.message).toContain(`The webhook is not signed: ${lacks}`);
    expect(errors[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED' });
  }
  expect(await inboxStates(gateway)).toEqual({});
});

test('webhooks at the path of an unknown provider get 404, and are neither read nor counted as failed sign-ins', async () => {
  const gateway = await bootGateway({ environment: { RATE_LIMIT_FAILURES_PER_MINUTE: '1' } });

  for (const name of ['acme', 'Cashfree', 'cashfree%2F..', ':provider', '__proto__'])
    for (const method of ['GET', 'HEAD', 'POST']) {
      const response = await fetch(`${gateway.url}/webhooks/${name}`, { method });
      expect(response.status, `${method} ${name}`).toBe(404);
      if (method === 'HEAD') continue;
      const { errors } = (await response.json()) as { errors: object[] };
      expect(errors).toEqual([
        {
          message: 'No provider of this name sends webhooks here. Check the end of the path.',
          extensions: { code: 'NOT_FOUND' },
        },
      ]);
    }

  const unsigned = await fetch(`${gateway.url}/webhooks/cashfree`, { method: 'POST' });
  expect(unsigned.status).toBe(401);
  expect(await inboxStates(gateway)).toEqual({});
});

test('a webhook that arrives before its session is started is stored as WAITING, and applied once the session is started', async () => {
  const gateway = await quietGateway();
  await gateway.webhook(news('early.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 10));
  await processed(gateway);
  expect(await inboxStates(gateway)).toEqual({ WAITING: 1 });

  await gateway.start('early.1');
  await eventually(async () => (await sessionOf(gateway, 'early.1')).subStatus === 'USER_QUEUED');
});

test('in a burst, a webhook that cannot be stored is answered 503, and all others are stored', async () => {
  const gateway = await quietGateway();
  await gateway.database.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
    create trigger refuse before insert on webhook_inbox for each row
      when (new.verification_id = 'burst.7') execute function refuse()`);
  const burst = Array.from({ length: 30 }, (_, number) =>
    news(`burst.${number}`, 'PRE_VIDEO_CALL', 'USER_QUEUED', 10),
  );

  const answers = await Promise.all(burst.map((body) => gateway.webhook(body)));
  expect(answers).toEqual(burst.map((_, number) => (number === 7 ? 503 : 200)));
  await gateway.database.query('drop trigger refuse on webhook_inbox');
  expect(await gateway.webhook(burst[7])).toBe(200);
  await processed(gateway);
  expect(await inboxStates(gateway)).toEqual({ WAITING: 30 });
});

test('a transition gets its feed position in the database transaction that records it', async () => {
  const gateway = await quietSession('numbered.1');
  await gateway.webhook(news('numbered.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 10));
  await processed(gateway);

  const { rows } = await gateway.database.query(
    `select t.sequence, t.xmin = f.xmin as together from status_transition t
     join feed f on f.session_id = t.session_id and f.sequence = t.sequence order by f.position`,
  );
  expect(rows).toEqual([
    { sequence: 1, together: true },
    { sequence: 2, together: true },
  ]);
});
