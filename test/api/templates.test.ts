/** Templates: the catalogue of user and agent templates, and which of them a start may name. */
import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { against, asha, known, problem, start } from './starting.ts';

const CATALOGUE = '{ userTemplates { id title steps } agentTemplates { id title } }';
const OWN = {
  USER_TEMPLATES: JSON.stringify([
    { id: 'acme_user', title: 'Premium', steps: ['Sign in', 'Video call'] },
    { id: 'vkyc_user_template_v1', title: 'Standard', steps: ['Sign in', 'Aadhaar', 'Video call'] },
  ]),
  AGENT_TEMPLATES: JSON.stringify([{ id: 'acme_agent', title: 'With two questions' }]),
};
const NOT_A_USER_TEMPLATE = 'must be one of these templates: acme_user, vkyc_user_template_v1';
const NOT_AN_AGENT_TEMPLATE = 'must be one of these templates: acme_agent';

test('without a setting, the catalogue has the two user templates and the agent template of the documentation', async () => {
  const gateway = await bootGateway();

  const { data } = await gateway.graphql(CATALOGUE);

  expect(data).toEqual({
    userTemplates: [
      {
        id: 'vkyc_user_template_v1',
        title: 'Aadhaar and video call',
        steps: ['Sign in with a one-time password', 'Offline Aadhaar verification', 'Video call'],
      },
      {
        id: 'vkyc_user_call_only_template',
        title: 'Video call without Aadhaar',
        steps: ['Sign in with a one-time password', 'Video call'],
      },
    ],
    agentTemplates: [{ id: 'vkyc_agent_template_v1', title: 'Default agent template' }],
  });
});

test("a session can be started with every template of the catalogue, and the template's steps say if there is an Aadhaar step", async () => {
  const gateway = await bootGateway();
  const { data } = await gateway.graphql(CATALOGUE);

  for (const [index, { id, steps }] of data.userTemplates.entries()) {
    const verificationId = `catalogue.${index}.happy-path`;
    const session = await gateway.start(verificationId, { userTemplate: id });
    await gateway.advance(verificationId);

    const shown = await gateway.callProvider('GET', `/vkyc?verification_id=${verificationId}`);
    expect(session).toMatchObject({ subStatus: 'LINK_GENERATED' });
    expect(shown.sub_status === 'AADHAAR_VERIFICATION_SUCCESS', id).toBe(
      steps.includes('Offline Aadhaar verification'),
    );
  }
  for (const { id } of data.agentTemplates) await gateway.start(`agent.${id}`, { agentTemplate: id });
});

test('the settings USER_TEMPLATES and AGENT_TEMPLATES replace the whole catalogue, and the sandbox accepts their templates', async () => {
  const gateway = await bootGateway({ environment: OWN });

  const { data } = await gateway.graphql(CATALOGUE);
  const started = await start(gateway, {
    verificationId: 'own.1',
    user: asha,
    userTemplate: 'acme_user',
    agentTemplate: 'acme_agent',
  });

  expect(data).toEqual({
    userTemplates: JSON.parse(OWN.USER_TEMPLATES),
    agentTemplates: JSON.parse(OWN.AGENT_TEMPLATES),
  });
  expect(started).toMatchObject({ __typename: 'StartSessionSuccess' });
});

test('a configured catalogue refuses other templates, each under its own path with the list of templates, before the provider is called', async () => {
  const { gateway, provider } = await against(() => problem(404, 'referenceId_not_found'), {
    environment: OWN,
  });
  const refusalOf = (input: object) => start(gateway, { verificationId: 'own.1', user: asha, ...input });

  const both = await refusalOf({ userTemplate: 'acme_agent', agentTemplate: 'acme_user' });
  const one = await refusalOf({ userTemplate: 'acme_user', agentTemplate: 'vkyc_agent_template_v1' });

  expect(both).toMatchObject({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
    retryable: false,
    message: `The input is invalid: userTemplate ${NOT_A_USER_TEMPLATE}; agentTemplate ${NOT_AN_AGENT_TEMPLATE}.`,
    problems: [
      { path: ['userTemplate'], message: NOT_A_USER_TEMPLATE },
      { path: ['agentTemplate'], message: NOT_AN_AGENT_TEMPLATE },
    ],
  });
  expect(one.problems).toEqual([{ path: ['agentTemplate'], message: NOT_AN_AGENT_TEMPLATE }]);
  // The gateway asks the provider only whether it has the verification: a failover may have lost the gateway's own row.
  expect(new Set(provider.calls)).toEqual(new Set(['GET /vkyc']));
  expect((await gateway.database.query('select from vkyc_user')).rowCount).toBe(0);
});

test('an unknown template is reported together with all other problems of the input', async () => {
  const gateway = await bootGateway({ environment: OWN });

  const { problems } = await start(gateway, {
    verificationId: 'has a space',
    user: { phone: '1' },
    userTemplate: 'nonsense',
    agentTemplate: '\u200b',
  });

  expect(problems.map(({ path }: { path: string[] }) => path.join('.'))).toEqual([
    'verificationId',
    'user.phone',
    'userTemplate',
    'agentTemplate',
  ]);
});

test('after a refused template, the corrected input may use the same verification id', async () => {
  const gateway = await bootGateway({ environment: OWN });
  const input = { verificationId: 'own.1', user: asha };

  const refused = await start(gateway, { ...input, userTemplate: 'nonsense' });
  const again = await start(gateway, { ...input, userTemplate: 'nonsense' });
  const corrected = await start(gateway, { ...input, userTemplate: 'acme_user' });

  expect([refused.code, again.code]).toEqual(['INVALID_INPUT', 'INVALID_INPUT']);
  expect(corrected).toMatchObject({ __typename: 'StartSessionSuccess', replayed: false });
});

test('if only one of USER_TEMPLATES and AGENT_TEMPLATES is set, only templates of that kind are limited to the catalogue', async () => {
  const { AGENT_TEMPLATES } = OWN;
  const gateway = await bootGateway({ environment: { AGENT_TEMPLATES } });
  const started = (verificationId: string, input: object) =>
    start(gateway, { verificationId, user: asha, ...input });

  expect(await started('open.1', { userTemplate: 'vkyc_standard_template' })).toMatchObject({
    __typename: 'StartSessionSuccess',
  });
  expect(await started('open.2', { agentTemplate: 'vkyc_agent_template_v1' })).toMatchObject({
    problems: [{ path: ['agentTemplate'], message: NOT_AN_AGENT_TEMPLATE }],
  });
});

test('without a setting, a template that the catalogue lacks is passed to the provider, as in the last release', async () => {
  const sent: Record<string, unknown>[] = [];
  const { gateway } = await against(({ path, body }) => {
    if (path.startsWith('/user')) return known(JSON.parse(body).user_id);
    sent.push(JSON.parse(body));
    return { body: JSON.stringify({ ...sent[0], status: 'RECEIVED', sub_status: 'LINK_GENERATED' }) };
  });

  const started = await start(gateway, {
    verificationId: 'account.1',
    user: asha,
    userTemplate: 'from_our_account_manager',
    agentTemplate: 'another one',
  });

  expect(started).toMatchObject({ __typename: 'StartSessionSuccess' });
  expect(sent).toMatchObject([{ user_template: 'from_our_account_manager', agent_template: 'another one' }]);
});

test('a repeated start succeeds although its template has been removed from the catalogue', async () => {
  const before = await bootGateway();
  const input = { verificationId: 'removed.1', user: asha, userTemplate: 'vkyc_user_call_only_template' };
  const first = await start(before, input);
  const after = await bootGateway({ environment: OWN, database: before.databaseUrl });

  const again = await start(after, input);
  const fresh = await start(after, { ...input, verificationId: 'removed.2' });

  expect(again).toMatchObject({ replayed: true, session: { id: first.session.id } });
  expect(fresh.problems).toEqual([{ path: ['userTemplate'], message: NOT_A_USER_TEMPLATE }]);
});
