/**
 * Tests that responses and webhooks are refused if they name another verification, reference or user than the
 * session has.
 */
import { describe, expect, test } from 'vitest';
import { eventually, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { scrape } from '../harness/prometheus.ts';
import type { ScriptedAnswer } from '../harness/provider.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { againstScript, logOf, MINUTE, sessionOf, webhookOf } from './polled.ts';

const APPROVED = { status: 'AUDITOR_REVIEWED', sub_status: 'AUDITOR_APPROVED' };
const ASHA = { user: { userId: 'asha', phone: '9988776655' } };
const BINA = { user: { userId: 'bina', phone: '9988776656' } };

type Said = Record<string, unknown>;

/**
 * Boots a gateway against a provider that stores verifications as a real one does. A test can falsify each
 * response: `falsify` gets the endpoint and the true response.
 */
async function gatewayAgainst(options: Parameters<typeof againstScript>[1] = {}) {
  const verifications = new Map<string, Said>();
  const users = new Map<string, Said>();
  const script = {
    falsify: (_endpoint: string, said: Said): Said => said,
    verifications,
  };
  const answer = (endpoint: string, said: Said | undefined): ScriptedAnswer => {
    const given = script.falsify(endpoint, said ?? {});
    return said || Object.keys(given).length > 0
      ? { body: JSON.stringify(given) }
      : { status: 404, body: JSON.stringify({ type: 'not_found_error', code: 'Resource not found' }) };
  };
  const running = await againstScript(({ method, path, body }) => {
    const [endpoint = '', search] = path.split('?');
    const query = new URLSearchParams(search);
    const call = `${method} ${endpoint}`;
    if (endpoint === '/user') {
      if (method === 'GET') return answer(call, users.get(query.get('user_id') ?? ''));
      const sent = JSON.parse(body);
      users.set(sent.user_id, { ...users.get(sent.user_id), ...sent });
      return answer(call, users.get(sent.user_id));
    }
    if (method === 'GET') return answer(call, verifications.get(query.get('verification_id') ?? ''));
    const { verification_id, user_id } = JSON.parse(body);
    verifications.set(verification_id, {
      verification_id,
      user_id,
      reference_id: 1000 + verifications.size,
      status: 'RECEIVED',
      sub_status: 'LINK_GENERATED',
    });
    return answer(call, verifications.get(verification_id));
  }, options);
  return { ...running, script };
}

const refused = async (gateway: Gateway, source: string, field: string): Promise<number> =>
  (await scrape(gateway)).value(`vkyc_provider_mismatches_total{source="${source}",field="${field}"}`);

/** Wrong ids in a response about `a.1`, each with a description and the field that mismatches. */
const FALSE_ANSWERS: [string, string, Said][] = [
  ['another verification', 'verificationId', { verification_id: 'b.1', user_id: 'bina', reference_id: 1001 }],
  ['the same verification id in another case', 'verificationId', { verification_id: 'A.1' }],
  ['another reference id', 'referenceId', { reference_id: 1001 }],
  ['another user', 'userId', { user_id: 'bina' }],
  ['the user id in another case', 'userId', { user_id: 'Asha' }],
];

describe('response of the provider to a poll or mutation', () => {
  // Invariant 3 of ARCHITECTURE.md
  test('refreshSession refuses a response about another verification, reference or user, and records it on no session', async () => {
    const { gateway, script } = await gatewayAgainst({ polling: false });
    const { id } = await gateway.start('a.1', ASHA);
    await gateway.start('b.1', BINA);
    const staff = await person(gateway, 'olga', 'OPERATOR');

    for (const [what, field, ids] of FALSE_ANSWERS) {
      const before = await refused(gateway, 'ANSWER', field);
      gateway.logs.length = 0;
      script.falsify = (_call, said) => ({ ...said, ...APPROVED, ...ids });

      expect(await staff.ask('refreshSession', id), what).toMatchObject({
        __typename: 'ProviderError',
        code: 'PROVIDER_UNAVAILABLE',
        retryable: true,
      });

      expect(await refused(gateway, 'ANSWER', field), what).toBe(before + 1);
      const [line] = gateway.logs.filter((each) => each.includes('names another'));
      expect(JSON.parse(line as string)).toMatchObject({
        level: 50,
        source: 'ANSWER',
        field,
        verificationId: 'a.1',
      });
      expect(gateway.logs.join('')).not.toMatch(/b\.1|bina|1001|Asha/);
    }
    for (const each of ['a.1', 'b.1'])
      expect(await logOf(gateway, each)).toEqual(['MUTATION LINK_GENERATED']);
  });

  test.each(FALSE_ANSWERS.filter(([, field]) => field !== 'userId'))(
    'a poll refuses a response with %s, and the next poll records the true response',
    async (_what, field, ids) => {
      const { gateway, clock, script } = await gatewayAgainst();
      await gateway.start('a.1', ASHA);
      await gateway.start('b.1', BINA);
      let asked = 0;
      script.falsify = (_call, said) => {
        if (said.verification_id !== 'a.1') return said;
        asked += 1;
        return { ...said, ...APPROVED, ...ids };
      };

      clock.forward(15 * MINUTE);
      await eventually(async () => (await refused(gateway, 'ANSWER', field)) === 1);
      for (const each of ['a.1', 'b.1'])
        expect(await logOf(gateway, each)).toEqual(['MUTATION LINK_GENERATED']);
      expect(asked).toBe(1);

      script.falsify = (_call, said) => (said.verification_id === 'a.1' ? { ...said, ...APPROVED } : said);
      clock.forward(60 * MINUTE);
      await eventually(async () => (await sessionOf(gateway, 'a.1')).subStatus === 'AUDITOR_APPROVED');
      expect((await sessionOf(gateway, 'b.1')).subStatus).toBe('LINK_GENERATED');
    },
  );

  test('the transition writer refuses a response with wrong ids, even if the provider client did not notice them', async () => {
    const { gateway, script } = await gatewayAgainst({
      polling: false,
      // This provider client does not notice wrong ids.
      provider: (client) => ({
        ...client,
        findVerification: async (verificationId) => {
          const said = await client.findVerification(verificationId);
          return said && { ...said, verificationId: 'b.1', userId: 'bina', referenceId: '1001' };
        },
      }),
    });
    const { id } = await gateway.start('a.1', ASHA);
    await gateway.start('b.1', BINA);
    const staff = await person(gateway, 'olga', 'OPERATOR');
    script.falsify = (_call, said) => ({ ...said, ...APPROVED });

    expect(await staff.ask('refreshSession', id)).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });

    for (const each of ['a.1', 'b.1'])
      expect(await logOf(gateway, each)).toEqual(['MUTATION LINK_GENERATED']);
    expect(await refused(gateway, 'ANSWER', 'verificationId')).toBe(1);
  });

  test('a response without a reference id and a user id is recorded, because the provider sometimes leaves these ids out', async () => {
    const { gateway, script } = await gatewayAgainst({ polling: false });
    const { id } = await gateway.start('a.1', ASHA);
    const staff = await person(gateway, 'olga', 'OPERATOR');
    script.falsify = () => ({ verification_id: 'a.1', reference_id: null, user_id: '', ...APPROVED });

    expect(await staff.ask('refreshSession', id)).toMatchObject({
      changed: true,
      session: { subStatus: 'AUDITOR_APPROVED' },
    });
  });

  test('requestRecording returns no recording from a response about another verification, reference or user', async () => {
    const { gateway, script } = await gatewayAgainst({ polling: false });
    const { id } = await gateway.start('a.1', ASHA);
    await gateway.webhook(webhookOf('a.1', 'VIDEO_CALL', 'AGENT_ENDED_CALL', 1));
    await eventually(async () => (await sessionOf(gateway, 'a.1')).subStatus === 'AGENT_ENDED_CALL');
    const agent = await person(gateway, 'ravi', 'AGENT');
    const recording_link = 'https://storage.cashfree.com/recordings/of-somebody';

    for (const [what, field, ids] of FALSE_ANSWERS) {
      const before = await refused(gateway, 'ANSWER', field);
      script.falsify = (_call, said) => ({ ...said, recording_link, ...ids });
      expect(await agent.ask('requestRecording', id), what).toMatchObject({ __typename: 'ProviderError' });
      expect(await refused(gateway, 'ANSWER', field), what).toBe(before + 1);
    }

    script.falsify = (_call, said) => ({ ...said, recording_link });
    expect(await agent.ask('requestRecording', id)).toMatchObject({ recording: { url: recording_link } });
  });
});

describe('start', () => {
  const START = `mutation ($input: StartSessionInput!) {
    startSession(input: $input) { __typename ... on MutationError { code retryable message } }
  }`;
  const start = async (gateway: Gateway) =>
    (await gateway.graphql(START, { input: { verificationId: 'a.1', ...ASHA } })).data.startSession;

  test.each([
    ['another verification', { verification_id: 'b.1' }],
    ['the same verification id in another case', { verification_id: 'A.1' }],
    ['another user', { user_id: 'bina' }],
  ])(
    'if the response to a start names %s, startSession looks the verification up, and the session gets the status of the lookup',
    async (_what, ids) => {
      const { gateway, script, provider } = await gatewayAgainst();
      script.falsify = (call, said) => (call === 'POST /vkyc' ? { ...said, ...APPROVED, ...ids } : said);

      expect(await start(gateway)).toEqual({ __typename: 'StartSessionSuccess' });

      expect(await logOf(gateway, 'a.1')).toEqual(['MUTATION LINK_GENERATED']);
      expect(provider.calls.filter((call) => call === 'POST /vkyc')).toHaveLength(1);
    },
  );

  test.each([
    ['another verification', { verification_id: 'b.1' }],
    ['another user', { user_id: 'bina' }],
  ])(
    'if all responses to a start name %s, no session is created, and a later retry succeeds',
    async (_what, ids) => {
      const { gateway, clock, script } = await gatewayAgainst();
      script.falsify = (call, said) => (call.endsWith('/vkyc') ? { ...said, ...APPROVED, ...ids } : said);

      expect(await start(gateway)).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
      clock.forward(MINUTE);
      // Waits until the reconciler's lookup has got a false response, too, and was postponed.
      await eventually(async () => {
        const { rows } = await gateway.database.query(
          `select due_at > since + interval '1 minute' as again from provider_lookup`,
        );
        return rows[0]?.again;
      });
      for (const each of ['a.1', 'b.1']) expect(await sessionOf(gateway, each)).toBeNull();

      script.falsify = (_call, said) => said;
      expect(await start(gateway)).toEqual({ __typename: 'StartSessionSuccess' });
      expect(await logOf(gateway, 'a.1')).toEqual(['MUTATION LINK_GENERATED']);
    },
  );

  test.each(['POST /user', 'GET /user', 'PATCH /user'])(
    'startSession stores nothing from a response to %s about another user',
    async (endpoint) => {
      const { gateway, script } = await gatewayAgainst();
      await gateway.start('before.1', BINA);
      if (endpoint !== 'POST /user') await gateway.start('before.2', ASHA);
      const input = { ...ASHA.user, ...(endpoint === 'PATCH /user' ? { name: 'Asha Rao' } : {}) };
      script.falsify = (call, said) =>
        call === endpoint ? { user_id: 'bina', phone: '9988776655', name: 'Bina Shah' } : said;

      const { data } = await gateway.graphql(START, { input: { verificationId: 'a.1', user: input } });

      expect(data.startSession).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
      expect(await sessionOf(gateway, 'a.1')).toBeNull();
      if (endpoint !== 'POST /user') expect((await sessionOf(gateway, 'before.2')).user.name).toBeNull();
      expect(await refused(gateway, 'ANSWER', 'userId')).toBe(1);
      expect(gateway.logs.join('')).not.toMatch(/Bina|bina/);
    },
  );
});

test("a webhook of an unknown session creates no session if the provider's response is about another verification", async () => {
  const { gateway, clock, script } = await gatewayAgainst();
  script.falsify = (call, said) =>
    call === 'GET /vkyc' ? { verification_id: 'b.1', user_id: 'bina', ...APPROVED } : said;

  await gateway.webhook(webhookOf('stranger.1', 'RECEIVED', 'LINK_GENERATED', 1));
  await eventually(async () => (await refused(gateway, 'ANSWER', 'verificationId')) === 1);

  for (const each of ['stranger.1', 'b.1']) expect(await sessionOf(gateway, each)).toBeNull();
  const seen = async () => refused(gateway, 'ANSWER', 'verificationId');
  const before = await seen();
  clock.forward(25 * 60 * MINUTE);
  await eventually(async () => (await seen()) > before);
  // The webhook waits, because only a response about its verification could tell whether the provider knows
  // the id.
  const { rows } = await gateway.database.query('select state from webhook_inbox');
  expect(rows).toEqual([{ state: 'WAITING' }]);
});

describe('webhook', () => {
  const ours = (ids: Said = {}, second = 5) => {
    const body = webhookOf('a.1', 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', second);
    return { ...body, data: { ...body.data, ...ids } };
  };

  test('a webhook that names another user or reference id than its session has is parked (dead-lettered), and the reason says which', async () => {
    const { gateway } = await gatewayAgainst({ polling: false });
    await gateway.start('a.1', ASHA);
    await gateway.start('b.1', BINA);

    await gateway.webhook(ours({ user_id: 'bina' }));
    await gateway.webhook(ours({ user_id: 'ASHA' }));
    await gateway.webhook(ours({ reference_id: 1001 }));
    await gateway.webhook(webhookOf('a.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 6));
    await webhooksSettled(gateway.database);

    const { rows } = await gateway.database.query('select state, reason from webhook_inbox order by id');
    expect(rows).toEqual([
      { state: 'PARKED', reason: 'The webhook names another user id than its session has.' },
      { state: 'PARKED', reason: 'The webhook names another user id than its session has.' },
      { state: 'PARKED', reason: 'The webhook names another reference id than its session has.' },
      { state: 'DONE', reason: null },
    ]);
    expect(await logOf(gateway, 'a.1')).toEqual(['MUTATION LINK_GENERATED', 'WEBHOOK USER_QUEUED']);
    expect(await refused(gateway, 'WEBHOOK', 'userId')).toBe(2);
    expect(await refused(gateway, 'WEBHOOK', 'referenceId')).toBe(1);
    expect(gateway.logs.join('')).not.toMatch(/bina|ASHA/);
  });

  test('a webhook is recorded if its ids match those of the session, as numbers or as text, or if it has no ids', async () => {
    const { gateway } = await gatewayAgainst({ polling: false });
    await gateway.start('a.1', ASHA);

    const spellings = [
      { user_id: 'asha', reference_id: 1000 },
      { user_id: 'asha', reference_id: '1000' },
      { user_id: null, reference_id: '' },
      { user_id: undefined, reference_id: undefined },
    ];
    for (const [index, ids] of spellings.entries()) await gateway.webhook(ours(ids, index));
    await webhooksSettled(gateway.database);

    expect((await logOf(gateway, 'a.1')).slice(1)).toEqual(spellings.map(() => 'WEBHOOK AUDITOR_APPROVED'));
  });

  test('a webhook is not applied if its reference id differs from the one that only an earlier webhook of the session contained', async () => {
    const { gateway, script } = await gatewayAgainst({ polling: false });
    script.falsify = (call, said) => (call === 'POST /vkyc' ? { ...said, reference_id: null } : said);
    await gateway.start('a.1', ASHA);

    await gateway.webhook(ours({ reference_id: 7, status: 'PRE_VIDEO_CALL', sub_status: 'USER_QUEUED' }, 1));
    await webhooksSettled(gateway.database);
    await gateway.webhook(ours({ reference_id: 8 }, 2));
    await webhooksSettled(gateway.database);

    expect(await logOf(gateway, 'a.1')).toEqual(['MUTATION LINK_GENERATED', 'WEBHOOK USER_QUEUED']);
  });
});
