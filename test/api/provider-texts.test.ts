/**
 * Provider texts that PostgreSQL cannot store (null bytes, half surrogate pairs, too long for an index) are recorded in
 * a storable form. Audit entries hash the stored form, so that they still match the rows.
 */
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { AuditKeyring } from '../../src/domain/audit.ts';
import { auditOf } from '../harness/audit.ts';
import { AUDIT_KEYS, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { startScriptedProvider } from '../harness/provider.ts';

const HIGH_HALF = '\ud83d';
const LOW_HALF = '\ude00';
/** Returns random letters: PostgreSQL would compress repeated letters, which would then fit into an index entry. */
const letters = (count: number) => randomBytes(count).toString('base64').slice(0, count);

/** Fields that replace fields of the provider's usual response to a poll or start. */
let said: object = {};
beforeEach(() => {
  said = {};
});

const provider = await startScriptedProvider(({ method, path, body }) => {
  const id =
    new URLSearchParams(path.split('?')[1]).get('verification_id') ??
    JSON.parse(body || '{}').verification_id;
  if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
  const usual = { verification_id: id, user_id: 'asha', status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
  return { body: JSON.stringify(method === 'POST' && !id.startsWith('odd') ? usual : { ...usual, ...said }) };
});
const gateway = await bootGateway({
  environment: {
    CASHFREE_BASE_URL: provider.baseUrl,
    CASHFREE_CLIENT_ID: 'id',
    CASHFREE_CLIENT_SECRET: 'sandbox',
    PROVIDER_CALLS_PER_MINUTE: '6000',
  },
});
const staff = await person(gateway, 'olga', 'ADMIN');
const audit = auditOf(gateway.databaseUrl);
/** Returns the primary key of a session from its global id. */
const keyOf = (id: string) => Buffer.from(id, 'base64url').toString().replace('VkycSession:', '');
const findingOf = (id: string) => audit.findingOf(keyOf(id));

const start = (id: string) => gateway.start(id, { user: { userId: 'asha', phone: '9988776655' } });

let count = 0;
const startAnother = async () => {
  count += 1;
  const verificationId = `texts.${count}`;
  return { verificationId, ...(await start(verificationId)) };
};

const webhookOf = (verification_id: string, data: object, second = 10) => ({
  event_type: 'LABEL',
  event_time: `2025-05-22T03:51:${second}Z`,
  data: { verification_id, user_id: 'asha', status: 'PRE_VIDEO_CALL', sub_status: 'USER_QUEUED', ...data },
});

const logOf = async (id: string): Promise<any[]> =>
  (
    await gateway.graphql(
      `query ($id: ID!) { session(id: $id) { transitions(first: 20) { nodes { status subStatus rawStatus rawSubStatus source } } } }`,
      { id },
    )
  ).data.session.transitions.nodes;

/** Waits until no webhook of the session is PENDING; returns the state and reason of each. */
const outcomesOf = (verificationId: string) =>
  eventually(async () => {
    const { rows } = await gateway.database.query(
      'select state, reason from webhook_inbox where verification_id = $1 order by id',
      [verificationId],
    );
    return rows.every(({ state }) => state !== 'PENDING') && rows;
  });

const DONE = { state: 'DONE', reason: null };

const ODD: Record<string, string> = {
  'half a surrogate pair': HIGH_HALF,
  'the other half in a word': `USER_${LOW_HALF}QUEUED`,
  'a null byte': 'USER\0QUEUED',
  '3,000 letters': letters(3_000),
  '100,000 letters': letters(100_000),
};

describe('raw statuses that cannot be stored', () => {
  test.each(Object.entries(ODD))(
    'a sub-status that PostgreSQL cannot store is recorded as UNRECOGNIZED by webhooks, polls and starts: %s',
    async (_name, odd) => {
      const { id, verificationId } = await startAnother();

      await gateway.webhook(webhookOf(verificationId, { sub_status: odd }));
      expect(await outcomesOf(verificationId)).toEqual([DONE]);
      said = { status: 'VIDEO_CALL', sub_status: odd };
      const refreshed = await staff.ask('refreshSession', id);
      const again = await staff.ask('refreshSession', id);
      const started = await start(`odd.${verificationId}`);

      expect([refreshed, again]).toMatchObject([{ changed: true }, { changed: false }]);
      const recorded = {
        subStatus: 'UNRECOGNIZED',
        rawSubStatus: expect.stringMatching(/^.{1,150} \(sha256 [0-9a-f]{16}\)$/),
      };
      expect(await logOf(id)).toMatchObject([
        { subStatus: 'LINK_GENERATED' },
        { status: 'PRE_VIDEO_CALL', source: 'WEBHOOK', ...recorded },
        { status: 'VIDEO_CALL', source: 'POLL', ...recorded },
      ]);
      expect(await logOf(started.id)).toMatchObject([
        { status: 'VIDEO_CALL', source: 'MUTATION', ...recorded },
      ]);
      expect(await findingOf(id)).toBeNull();
    },
  );

  test('a status that PostgreSQL cannot store is recorded as UNRECOGNIZED', async () => {
    const { id, verificationId } = await startAnother();

    for (const [index, odd] of Object.values(ODD).entries())
      await gateway.webhook(webhookOf(verificationId, { status: odd }, 10 + index));

    expect(await outcomesOf(verificationId)).toEqual(Object.values(ODD).map(() => DONE));
    expect((await logOf(id)).slice(1)).toEqual(
      Object.values(ODD).map(() =>
        expect.objectContaining({
          status: 'UNRECOGNIZED',
          rawStatus: expect.stringMatching(/sha256/),
          rawSubStatus: 'USER_QUEUED',
        }),
      ),
    );
    expect(await findingOf(id)).toBeNull();
  });

  test('different sub-statuses that PostgreSQL cannot store are stored as different texts, even with a long common prefix', async () => {
    const { id, verificationId } = await startAnother();
    const begin = letters(2_999);

    for (const odd of [`${begin}a`, `${begin}b`, HIGH_HALF, LOW_HALF, '\ufffd'])
      await gateway.webhook(webhookOf(verificationId, { sub_status: odd }));

    expect(await outcomesOf(verificationId)).toEqual(Array(5).fill(DONE));
    const texts = (await logOf(id)).map(({ rawSubStatus }) => rawSubStatus);
    expect(new Set(texts).size).toBe(6);
    expect(texts.at(-1)).toBe('\ufffd');
  });

  test('a raw status of 200 characters is stored unchanged', async () => {
    const { id, verificationId } = await startAnother();
    const long = letters(200);

    await gateway.webhook(webhookOf(verificationId, { status: long, sub_status: long }));
    await outcomesOf(verificationId);

    expect((await logOf(id)).at(-1)).toMatchObject({ rawStatus: long, rawSubStatus: long });
  });
});

describe('other fields that cannot be stored', () => {
  test.each([
    ['reference_id', letters(3_000)],
    ['reference_id', `1${HIGH_HALF}`],
    ['vkyc_link', 'https://example.com/\0'],
    ['vkyc_link', `https://example.com/${letters(100_000)}`],
    ['link_expiry', '0000-01-01'],
    ['link_expiry', '9999-12-31T23:59:59-12:00'],
    ['meeting_schedule', '0000-06-01T00:00:00Z'],
    ['meeting_schedule', '0001-01-01T00:00:00+14:00'],
    ['agent_remarks', HIGH_HALF],
    ['agent_remarks', `\0${letters(100_000)}`],
  ])(
    'the status of an update is recorded even if PostgreSQL cannot store another field of the update: %s',
    async (field, value) => {
      const { id, verificationId } = await startAnother();

      await gateway.webhook(webhookOf(verificationId, { [field]: value }));
      said = { status: 'AGENT_REVIEWED', sub_status: 'AGENT_REJECTED', [field]: value };
      const refreshed = await staff.ask('refreshSession', id);
      const started = await start(`odd.${verificationId}`);

      expect(await outcomesOf(verificationId)).toEqual([DONE]);
      expect(refreshed).toMatchObject({ changed: true, session: { subStatus: 'AGENT_REJECTED' } });
      expect(started).toMatchObject({ subStatus: 'AGENT_REJECTED' });
      expect(await findingOf(id)).toBeNull();
    },
  );

  test('remarks of the provider are recorded without unstorable characters, and truncated to 20,000 characters', async () => {
    const { id } = await startAnother();
    said = {
      status: 'AGENT_REVIEWED',
      sub_status: 'AGENT_REJECTED',
      agent_remarks: `Not\0her${HIGH_HALF}. ${'x'.repeat(30_000)}`,
    };

    await staff.ask('refreshSession', id);

    const { reviews } = await staff.look(id);
    expect(reviews[0].remarks).toMatch(/^Not\ufffdher\ufffd\. x+…$/);
    expect(reviews[0].remarks).toHaveLength(20_000);
  });

  test('a webhook whose event time cannot be stored is parked with the reason', async () => {
    const { verificationId } = await startAnother();

    await gateway.webhook({ ...webhookOf(verificationId, {}), event_time: '0000-05-22T03:51:10Z' });

    expect(await outcomesOf(verificationId)).toEqual([
      { state: 'PARKED', reason: expect.stringContaining('event_time') },
    ]);
  });
});

test('if PostgreSQL cannot store the user id of an unknown session, the lookup of the session at the provider is postponed without an error', async () => {
  const looking = await bootGateway({
    polling: true,
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'sandbox',
      PROVIDER_CALLS_PER_MINUTE: '6000',
    },
  });
  said = { user_id: letters(3_000) };

  await looking.webhook(webhookOf('odd.stranger', { user_id: letters(3_000) }));

  const postponed = () =>
    looking.database.query(`select from provider_lookup where due_at > since + interval '20 seconds'`);
  await eventually(async () => (await postponed()).rowCount === 1);
  expect(looking.logs.filter((line) => line.includes('could not reconcile'))).toEqual([]);
});

describe('audit entries of an earlier release', () => {
  /**
   * Rewrites the newest audit entry as an earlier release wrote it: with the hash of a text that has half a surrogate
   * pair, although PostgreSQL stored U+FFFD.
   */
  async function recordAsBefore({ database }: Gateway, sessionId: string, rawSubStatus: string) {
    const [keyId, key] = AUDIT_KEYS.split(':') as [string, string];
    const keys = new AuditKeyring([{ id: keyId, key: Buffer.from(key, 'base64') }]);
    const { rows } = await database.query(
      'select * from audit_entry where session_id = $1 order by number desc limit 2',
      [sessionId],
    );
    const [last, previous] = rows;
    const content = JSON.stringify({ ...JSON.parse(last.content), rawSubStatus });
    const unsigned = {
      sessionId,
      number: last.number,
      kind: last.kind,
      content,
      keyId,
      recordedAt: last.recorded_at,
    };
    await database.query(
      'update audit_entry set content = $3, hash = $4 where session_id = $1 and number = $2',
      [sessionId, last.number, content, keys.hash(unsigned, previous.hash)],
    );
    await store(rawSubStatus.toWellFormed(), sessionId);
  }

  const store = (rawSubStatus: string, sessionId: string) =>
    gateway.database.query(
      `with session as (update vkyc_session set raw_sub_status = $2, provider_sub_status = $2 where id = $1)
       update status_transition set raw_sub_status = $2 where session_id = $1 and sequence = 2`,
      [sessionId, rawSubStatus],
    );

  test('the audit accepts U+FFFD in a row where the entry has half a surrogate pair, but reports any other text as an edit', async () => {
    const { verificationId, ...started } = await startAnother();
    const id = keyOf(started.id);
    await gateway.webhook(webhookOf(verificationId, { sub_status: 'UNKNOWN_STEP' }));
    await outcomesOf(verificationId);

    await recordAsBefore(gateway, id, `STEP_${HIGH_HALF}`);
    expect(await audit.findingOf(id)).toBeNull();

    for (const edited of ['STEP_', 'STEP_?', 'STEP_\ufffd\ufffd']) {
      await store(edited, id);
      expect(await audit.findingOf(id)).toBe('3: status_transition 2 was edited: rawSubStatus');
    }
  });
});
