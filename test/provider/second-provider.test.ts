/**
 * Tests a gateway with a second provider next to the configured one, written as CONTRIBUTING.md describes.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { expect, test } from 'vitest';
import type {
  Provider,
  ProviderClient,
  ProviderSession,
  WebhookHeaders,
  WebhookPayload,
} from '../../src/domain/ports.ts';
import { bootGateway, eventually, freshDatabase, type Gateway } from '../harness/gateway.ts';
import { startScriptedProvider } from '../harness/provider.ts';
import { logOf, MINUTE, polledGateway, sessionOf } from '../reconciling/polled.ts';

const SECRET = 'acme-secret';

/** A verification in the JSON format of the second provider. */
interface Check {
  readonly check: string;
  readonly person: string;
  readonly step: keyof typeof STEPS;
}

/** Translates the steps of the second provider to the raw statuses of the status table. */
const STEPS = {
  invited: ['RECEIVED', 'LINK_GENERATED'],
  identified: ['PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_SUCCESS'],
  addressed: ['PRE_VIDEO_CALL', 'USER_IP_VERIFICATION_SUCCESSFUL'],
} as const;

const toSession = ({ check, person, step }: Check): ProviderSession => ({
  verificationId: check,
  referenceId: `acme-${check}`,
  userId: person,
  rawStatus: STEPS[step][0],
  rawSubStatus: STEPS[step][1],
  link: null,
  linkExpiresAt: null,
  meetingAt: null,
  recordingLink: null,
  recordingLinkExpiresAt: null,
  agentRemarks: null,
  auditorRemarks: null,
});

const sign = (body: Buffer) => createHmac('sha256', SECRET).update(body).digest();

/** Creates the second provider, whose webhooks have another signature header, signature and body than Cashfree's. */
function createAcme() {
  const checks = new Map<string, Check>();
  /** Calls that the gateway has made to this provider, such as `find v.1`. */
  const asked: string[] = [];
  const client: ProviderClient = {
    createUser: async (user) => user,
    findUser: async (userId) => ({ userId, phone: '9000000000', name: 'Ravi', email: null, address: null }),
    updateUser: async (user) => ({ ...user, phone: null }),
    async startVerification({ verificationId, userId }) {
      asked.push(`start ${verificationId}`);
      const check: Check = { check: verificationId, person: userId, step: 'invited' };
      checks.set(verificationId, check);
      return toSession(check);
    },
    async findVerification(verificationId) {
      asked.push(`find ${verificationId}`);
      const found = checks.get(verificationId);
      return found ? toSession(found) : null;
    },
    createSdkToken: async (referenceId) => ({ token: `acme token of ${referenceId}`, expiresAt: null }),
  };
  const check = (headers: WebhookHeaders) =>
    typeof headers['acme-seal'] === 'string'
      ? ('OK' as const)
      : ({ kind: 'UNSIGNED', message: 'acme-seal is missing.' } as const);
  const provider: Provider = {
    name: 'acme',
    calls: () => client,
    templates: { user: { templates: [], complete: false }, agent: { templates: [], complete: false } },
    webhooks: {
      impersonalFields: ['check', 'step', 'minutes'],
      checkHeaders: check,
      verify({ headers, body }) {
        if (check(headers) !== 'OK') return check(headers);
        const given = Buffer.from(headers['acme-seal'] as string, 'hex');
        const isRight = given.length === 32 && timingSafeEqual(given, sign(body));
        return isRight ? 'OK' : { kind: 'BADLY_SIGNED', message: 'acme-seal does not fit.' };
      },
      parse(body): WebhookPayload | { problem: string; verificationId: null } {
        const parsed = JSON.parse(body.toString('utf8')) as Partial<Check> & { minutes?: number };
        if (!parsed.check || parsed.minutes === undefined)
          return { problem: 'It names no check.', verificationId: null };
        return {
          eventTime: new Date(Date.UTC(2025, 0, 1) + parsed.minutes * MINUTE),
          session: toSession(parsed as Check),
        };
      },
    },
  };
  return { provider, checks, asked };
}

async function sendSealed(gateway: Gateway, body: object, headers: Record<string, string> = {}) {
  const bytes = Buffer.from(JSON.stringify(body));
  const response = await fetch(`${gateway.url}/webhooks/acme`, {
    method: 'POST',
    headers: { 'acme-seal': sign(bytes).toString('hex'), ...headers },
    body: new Uint8Array(bytes),
  });
  return { status: response.status, body: (await response.json()) as any };
}

/** Wraps the client of the configured provider, to record which verifications the gateway asks it about. */
function recordingFinds() {
  const asked: string[] = [];
  const wrap = (client: ProviderClient): ProviderClient => ({
    ...client,
    findVerification(verificationId) {
      asked.push(`find ${verificationId}`);
      return client.findVerification(verificationId);
    },
  });
  return { asked, wrap };
}

const providersOf = async ({ database }: Gateway, table: string): Promise<Record<string, string>> => {
  const { rows } = await database.query(`select verification_id as id, provider from ${table}`);
  return Object.fromEntries(rows.map(({ id, provider }) => [id, provider]));
};

const REFRESH = `mutation ($id: ID!) { refreshSession(sessionId: $id) {
  ... on RefreshSessionSuccess { changed session { subStatus } }
  ... on MutationError { code message retryable }
} }`;

const refresh = async (gateway: Gateway, verificationId: string) => {
  const { id } = await sessionOf(gateway, verificationId);
  return (await gateway.graphql(REFRESH, { id })).data.refreshSession;
};

test('two providers run side by side: each has its own webhook path, and each session is polled at its own provider', async () => {
  const acme = createAcme();
  const { asked, wrap } = recordingFinds();
  const { gateway, clock } = await polledGateway(
    {},
    { provider: wrap, providers: (configured) => [configured, acme.provider] },
  );

  await gateway.start('first.happy-path');
  acme.checks.set('second.1', { check: 'second.1', person: 'ravi', step: 'invited' });
  expect(
    await sendSealed(gateway, { check: 'second.1', person: 'ravi', step: 'invited', minutes: 1 }),
  ).toEqual({
    status: 200,
    body: { received: true },
  });
  await eventually(() => sessionOf(gateway, 'second.1'));

  await gateway.advance('first.happy-path');
  await sendSealed(gateway, { check: 'second.1', person: 'ravi', step: 'identified', minutes: 2 });
  await eventually(
    async () => (await sessionOf(gateway, 'second.1')).subStatus === 'AADHAAR_VERIFICATION_SUCCESS',
  );
  await eventually(async () => (await logOf(gateway, 'first.happy-path')).length === 2);
  acme.checks.set('second.1', { check: 'second.1', person: 'ravi', step: 'addressed' });
  const before = asked.length;
  clock.forward(24 * 60 * MINUTE);
  await eventually(
    async () => (await sessionOf(gateway, 'second.1')).subStatus === 'USER_IP_VERIFICATION_SUCCESSFUL',
  );
  await eventually(async () => asked.length > before);

  const stored = { 'first.happy-path': 'cashfree', 'second.1': 'acme' };
  for (const table of ['vkyc_session', 'start_intent', 'webhook_inbox'])
    expect(await providersOf(gateway, table), table).toEqual(stored);
  expect(await logOf(gateway, 'second.1')).toContain('POLL USER_IP_VERIFICATION_SUCCESSFUL');
  expect((await sessionOf(gateway, 'second.1')).user).toEqual({
    userId: 'ravi',
    phone: '9000000000',
    name: 'Ravi',
  });
  expect(new Set(asked)).toEqual(new Set(['find first.happy-path']));
  expect(new Set(acme.asked)).toEqual(new Set(['find second.1']));
});

test('a webhook is verified only by the provider to whose path it is sent', async () => {
  const acme = createAcme();
  const gateway = await bootGateway({ providers: (configured) => [configured, acme.provider] });
  const update = { check: 'second.1', person: 'ravi', step: 'invited', minutes: 1 };

  const atTheFirst = await gateway.webhook(update, {
    'x-webhook-signature': undefined,
    'acme-seal': sign(Buffer.from(JSON.stringify(update))).toString('hex'),
  });
  const forged = await sendSealed(gateway, update, { 'acme-seal': '00'.repeat(32) });
  const unsealed = await sendSealed(gateway, update, { 'acme-seal': '' });
  const large = await sendSealed(gateway, { ...update, padding: 'x'.repeat(256 * 1024) });

  expect(atTheFirst).toBe(401);
  expect(forged).toMatchObject({ status: 401, body: { errors: [{ message: 'acme-seal does not fit.' }] } });
  expect(unsealed.status).toBe(401);
  expect(large.status).toBe(413);
  expect((await gateway.database.query('select from webhook_inbox')).rowCount).toBe(0);
});

// Invariant 3 of ARCHITECTURE.md
test('a webhook from another provider than that of its session is parked (dead-lettered) and changes nothing', async () => {
  const acme = createAcme();
  const gateway = await bootGateway({ providers: (configured) => [configured, acme.provider] });
  await gateway.start('first.1');
  const before = await logOf(gateway, 'first.1');
  const { userId } = (await sessionOf(gateway, 'first.1')).user;

  const update = { check: 'first.1', person: userId, step: 'identified', minutes: 60 * 24 * 700 };
  expect((await sendSealed(gateway, update)).status).toBe(200);

  const parked = await eventually(async () => {
    const { rows } = await gateway.database.query(
      `select state, reason from webhook_inbox where provider = 'acme' and state <> 'PENDING'`,
    );
    return rows[0];
  });
  expect(parked).toEqual({
    state: 'PARKED',
    reason: 'The webhook names another provider than its session has.',
  });
  expect(await logOf(gateway, 'first.1')).toEqual(before);
});

test('after the provider is changed, new sessions start at the new provider, and existing ones stay at the old one', async () => {
  const acme = createAcme();
  const configured = await startScriptedProvider(({ method, body }) => {
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'old.1', user_id: 'asha' };
    return { body: JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }) };
  });
  const options = {
    database: await freshDatabase(),
    environment: {
      CASHFREE_BASE_URL: configured.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    },
  };
  const before = await bootGateway(options);
  await before.start('old.1', { user: { userId: 'asha', phone: '9988776655', name: 'Asha Rao' } });
  await before.stop();

  const after = await bootGateway({ ...options, providers: (standard) => [acme.provider, standard] });
  await after.start('new.1');
  const callsOfOld = configured.calls.length;
  expect(await refresh(after, 'old.1')).toMatchObject({ changed: false });

  expect(await providersOf(after, 'vkyc_session')).toEqual({ 'old.1': 'cashfree', 'new.1': 'acme' });
  expect(acme.asked).toEqual(['start new.1']);
  expect(configured.calls.slice(callsOfOld)).toEqual(['GET /vkyc']);
  await after.stop();

  const without = await bootGateway(options);
  expect(await refresh(without, 'new.1')).toMatchObject({
    code: 'PROVIDER_UNAVAILABLE',
    message: expect.stringContaining('The provider "acme" is not configured at this gateway.'),
  });
});
