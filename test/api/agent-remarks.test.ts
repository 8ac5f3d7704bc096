/** The provider's remarks of the agent: staff read them before they review, customers never. */
import { expect, test } from 'vitest';
import { auditOf } from '../harness/audit.ts';
import { bootGateway, eventually, type Gateway, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { type ScriptedAnswer, startScriptedProvider } from '../harness/provider.ts';
import { everyRow, webhooksSettled } from '../harness/rows.ts';

const SEEN = `query ($id: ID!) { session(id: $id) {
  subStatus agentRemarks statusInfo { recommendedAction } availableActions reviews { remarks } } }`;

/** Returns the session as a person with this role sees it. */
async function seenBy(gateway: Gateway, role: string, id: string, verificationIds: string[] = []) {
  const token = await gateway.token({ sub: `a ${role}`, roles: [role], verification_ids: verificationIds });
  const { data, errors } = await gateway.graphql(SEEN, { id }, { authorization: `Bearer ${token}` });
  expect(errors).toBeUndefined();
  return data.session;
}

/** Boots a gateway with a session. Its provider answers polls with `said.fields`, after it has run `said.before`. */
async function asked(verificationId: string) {
  const said: { fields: object; before?: () => Promise<unknown> } = { fields: {} };
  const provider = await startScriptedProvider(({ method, path }): ScriptedAnswer => {
    if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
    const usual = { verification_id: verificationId, user_id: 'asha' };
    const state = { status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
    if (method === 'POST') return { body: JSON.stringify({ ...usual, ...state }) };
    return {
      body: JSON.stringify({ ...usual, ...state, ...said.fields }),
      ...(said.before ? { before: said.before } : {}),
    };
  });
  const gateway = await bootGateway({
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'sandbox',
      PROVIDER_CALLS_PER_MINUTE: '6000',
    },
  });
  const { id } = await gateway.start(verificationId, { user: { userId: 'asha', phone: '9988776655' } });
  const agent = await person(gateway, 'ravi', 'AGENT');
  return {
    gateway,
    id,
    said,
    remarks: async () => (await seenBy(gateway, 'AGENT', id)).agentRemarks,
    refresh: (fields: object) => {
      said.fields = fields;
      return agent.ask('refreshSession', id);
    },
    webhook: async (second: number, data: object) => {
      const event_time = `2025-05-22T03:51:${second}Z`;
      expect(
        await gateway.webhook({
          event_time,
          data: { verification_id: verificationId, user_id: 'asha', ...data },
        }),
      ).toBe(200);
      await webhooksSettled(gateway.database);
    },
  };
}

const startCursorOf = async (gateway: Gateway, id: string): Promise<string> =>
  (await gateway.graphql('query ($id: ID!) { session(id: $id) { startCursor } }', { id })).data.session
    .startCursor;

const ENDED = { status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' };
const QUEUED = { status: 'PRE_VIDEO_CALL', sub_status: 'USER_QUEUED' };

test("after the agent ended the call, staff can read the agent's remarks from the provider before the review; customers get null", async () => {
  const gateway = await bootGateway();
  const agent = await person(gateway, 'ravi', 'AGENT');
  const { id } = await gateway.start('remarked.awaits-review');
  await gateway.advance('remarked.awaits-review', STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () => (await agent.look(id)).subStatus === 'AGENT_ENDED_CALL');
  // The sandbox's webhooks contain no remarks; only its answers to polls do.
  expect((await seenBy(gateway, 'AGENT', id)).agentRemarks).toBeNull();

  await agent.ask('refreshSession', id);

  const remarks = "The sandbox's agent says: AGENT_ENDED_CALL.";
  for (const role of ['VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'])
    expect(await seenBy(gateway, role, id), role).toMatchObject({
      subStatus: 'AGENT_ENDED_CALL',
      agentRemarks: remarks,
      reviews: [],
    });
  expect((await seenBy(gateway, 'AGENT', id)).availableActions).toContain('RECORD_AGENT_REVIEW');
  expect((await seenBy(gateway, 'CUSTOMER', id, ['remarked.awaits-review'])).agentRemarks).toBeNull();
  const { rows: reads } = await gateway.database.query('select viewer, fields from personal_data_read');
  const readers = reads.filter(({ fields }) => fields.includes('VkycSession.agentRemarks'));
  expect(readers.map(({ viewer }) => viewer).sort()).toEqual(
    ['a ADMIN', 'a AGENT', 'a AGENT', 'a AUDITOR', 'a OPERATOR', 'a VIEWER'].sort(),
  );
  const rows = await everyRow(gateway.database);
  for (const form of [remarks, Buffer.from(remarks).toString('hex')]) expect(rows).not.toContain(form);
  expect(gateway.logs.join('')).not.toContain('agent says');
  expect(await auditOf(gateway.databaseUrl).verify()).toMatchObject({ findings: [] });
});

test('subscribers get one transition for the first agent remarks of a session; repeated, late or overtaken remarks then add none', async () => {
  const { gateway, id, refresh, webhook, said } = await asked('told.1');
  const told = async () => {
    const { data } = await gateway.graphql(
      `query ($id: ID!) { session(id: $id) { transitions(first: 20) { nodes { subStatus applied changes } } } }`,
      { id },
    );
    return data.session.transitions.nodes
      .slice(1)
      .map((each: any) => `${each.subStatus} ${each.applied} ${each.changes}`);
  };
  const watcher = gateway.subscribe(
    `subscription ($id: ID!) { statusTransitions(sessionId: $id, after: "${await startCursorOf(gateway, id)}") {
       sequence applied changes } }`,
    { id },
  );
  await watcher.take(1);

  await webhook(30, ENDED);
  await refresh({ ...ENDED, agent_remarks: 'The call was dark.' });
  await refresh({ ...ENDED, agent_remarks: 'The call was dark.' });
  expect(await told()).toEqual([
    'AGENT_ENDED_CALL true STATUS,MEETINGS,REVIEWS',
    'AGENT_ENDED_CALL false MEETINGS,REVIEWS',
  ]);
  expect((await watcher.take(2)).at(-1)).toMatchObject({ sequence: 3, applied: false });

  await webhook(20, { ...QUEUED, agent_remarks: 'A late text.' });
  said.before = () => webhook(40, { status: 'VIDEO_CALL', sub_status: 'USER_ENDED_CALL' });
  await refresh({ ...ENDED, agent_remarks: 'An overtaken text.' });
  expect((await told()).slice(2)).toEqual(['USER_QUEUED false ', 'USER_ENDED_CALL true STATUS,MEETINGS']);
});

test('the first agent remarks of a session give one transition, whether they arrive with the end of the call, late, or after a newer webhook', async () => {
  const entries = async (gateway: Gateway, id: string) =>
    (
      await gateway.graphql(
        `query ($id: ID!) { session(id: $id) { transitions(first: 20) { nodes { changes } } } }`,
        { id },
      )
    ).data.session.transitions.nodes.filter(({ changes }: any) => changes.includes('REVIEWS')).length;

  const together = await asked('together.1');
  await together.refresh({ ...ENDED, agent_remarks: 'The call was dark.' });
  expect(await entries(together.gateway, together.id)).toBe(1);

  const late = await asked('late.2');
  await late.webhook(30, QUEUED);
  await late.webhook(20, { status: 'VIDEO_CALL', sub_status: 'USER_ENDED_CALL', agent_remarks: 'Dark.' });
  expect(await entries(late.gateway, late.id)).toBe(1);

  const overtaken = await asked('overtaken.2');
  overtaken.said.before = () => overtaken.webhook(10, QUEUED);
  await overtaken.refresh({ ...ENDED, agent_remarks: 'Dark.' });
  expect(await entries(overtaken.gateway, overtaken.id)).toBe(1);
  expect(await auditOf(overtaken.gateway.databaseUrl).verify()).toMatchObject({ findings: [] });
});

test('a subscription that selects agentRemarks is refused', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('live.awaits-review');

  const refused = gateway
    .subscribe(
      'subscription ($id: ID!) { sessionLive(sessionId: $id) { ... on SessionSnapshot { session { agentRemarks } } } }',
      { id },
    )
    .next();

  await expect(refused).rejects.toThrow('Personal data cannot be selected in subscriptions');
});

test('a poll answer without agent remarks keeps the stored remarks, and an answer with other remarks replaces the stored ones', async () => {
  const { refresh, remarks } = await asked('kept.1');

  await refresh({ ...ENDED, agent_remarks: 'The first call was dark.' });
  expect(await remarks()).toBe('The first call was dark.');
  for (const nothing of [{}, { agent_remarks: '' }, { agent_remarks: null }])
    await refresh({ ...ENDED, ...nothing });
  expect(await remarks()).toBe('The first call was dark.');
  await refresh({ ...ENDED, agent_remarks: 'The second call was bright.' });
  expect(await remarks()).toBe('The second call was bright.');
});

test('if a webhook arrives while the provider answers a refreshSession, the answer adds missing agent remarks but replaces no stored ones', async () => {
  const { refresh, remarks, webhook, said } = await asked('overtaken.1');
  said.before = () => webhook(10, QUEUED);
  await refresh({ ...ENDED, agent_remarks: 'The first call was dark.' });
  expect(await remarks()).toBe('The first call was dark.');

  said.before = () => webhook(20, { ...QUEUED, sub_status: 'AGENT_ASSIGNED_TO_USER' });
  await refresh({ ...ENDED, agent_remarks: 'The second call was bright.' });

  expect(await remarks()).toBe('The first call was dark.');
});

test('a late webhook adds missing agent remarks, but replaces no stored remarks', async () => {
  const { remarks, webhook } = await asked('late.1');
  await webhook(30, QUEUED);

  await webhook(20, { ...ENDED, agent_remarks: 'The first call was dark.' });
  expect(await remarks()).toBe('The first call was dark.');
  await webhook(10, { status: 'VIDEO_CALL', sub_status: 'USER_ENDED_CALL', agent_remarks: 'An older text.' });
  expect(await remarks()).toBe('The first call was dark.');
});

test("agent remarks that were copied to another session's row cannot be decrypted there", async () => {
  const { gateway, id, refresh } = await asked('bound.1');
  await refresh({ ...ENDED, agent_remarks: 'The first call was dark.' });
  await gateway.database.query(
    `update vkyc_session set remarks_at_provider = link, link = remarks_at_provider where verification_id = 'bound.1'`,
  );

  const { data, errors } = await gateway.graphql(
    'query ($id: ID!) { session(id: $id) { agentRemarks link } }',
    {
      id,
    },
  );

  expect(errors).toHaveLength(1);
  expect(JSON.stringify(data ?? {})).not.toContain('dark');
});
