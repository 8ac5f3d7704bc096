import { isUnionType } from 'graphql';
import { expect, test } from 'vitest';
import { getSchema } from '../../src/graphql/schema.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { startScriptedProvider } from '../harness/provider.ts';
import { sendTo, startReceiver } from '../harness/receiver.ts';

const NOBODYS = Buffer.from('VkycSession:01a20a00-207c-77e4-bbd3-8de9fa006fe3').toString('base64url');
const IN_THE_FUTURE = () => new Date(Date.now() + 120_000).toISOString();

type AnnotatingAction =
  | 'closeSession'
  | 'addNote'
  | 'escalateSession'
  | 'resolveEscalation'
  | 'resolveDispute'
  | 'assignAgent'
  | 'notifyCustomer';

const LONG_NOTE = { note: 'x'.repeat(2001) };
const TOO_LONG: Record<AnnotatingAction, object> = {
  closeSession: LONG_NOTE,
  addNote: LONG_NOTE,
  escalateSession: LONG_NOTE,
  resolveEscalation: LONG_NOTE,
  resolveDispute: LONG_NOTE,
  assignAgent: { agent: 'x'.repeat(201) },
  notifyCustomer: { text: 'x'.repeat(501) },
};

/** Boots a gateway whose provider starts sessions but fails status calls and SDK tokens with 503. */
async function againstADeafProvider(): Promise<Gateway> {
  const provider = await startScriptedProvider(({ path, body, method }) => {
    if (method === 'GET' || path === '/oauth/token') return { status: 503, body: '' };
    const sent = JSON.parse(body);
    if (path === '/user') return { body: JSON.stringify(sent) };
    return {
      body: JSON.stringify({
        ...sent,
        reference_id: 7,
        status: 'VIDEO_CALL',
        sub_status: 'AGENT_ENDED_CALL',
      }),
    };
  });
  return bootGateway({
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'sandbox',
      CASHFREE_APP_ID: 'app',
    },
  });
}

test('every error type of every mutation can be provoked, and has a message and the right value of `retryable`', async () => {
  const gateway = await bootGateway({ environment: sendTo({ core: await startReceiver() }) });
  const admin = await person(gateway, 'root', 'ADMIN');
  const { id } = await gateway.start('refused.1');
  const over = await gateway.start('over.1');
  await gateway.webhook({
    event_time: IN_THE_FUTURE(),
    data: { verification_id: 'over.1', status: 'EXPIRED', sub_status: 'VKYC_EXPIRED' },
  });
  await eventually(async () => (await admin.look(over.id)).statusInfo.terminal);
  const replaced = await gateway.start('replaced.1');
  await gateway.database.query(
    `update vkyc_session set replaced = true where verification_id = 'replaced.1'`,
  );
  const refusalsOf = async (action: AnnotatingAction, input: object, blocked: string) => [
    await admin.act(action, id, { ...input, ...TOO_LONG[action] }),
    await admin.act(action, NOBODYS, input),
    await admin.act(action, blocked, input),
    await admin.act(action, id, { ...input, expectedVersion: 99 }),
  ];
  const claimedKey = 'claimed';
  const { id: waiting } = await gateway.start('waiting.1');
  await gateway.webhook({
    event_time: IN_THE_FUTURE(),
    data: { verification_id: 'waiting.1', status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' },
  });
  await eventually(async () => (await admin.look(waiting)).subStatus === 'AGENT_ENDED_CALL');
  expect((await admin.claim('AGENT', claimedKey)).session.id).toBe(waiting);
  const deaf = await againstADeafProvider();
  const unheard = await person(deaf, 'root', 'ADMIN');
  const elsewhere = await deaf.start('deaf.1');
  const startsAt = inMinutes(30);
  const withCalendar = await bootGateway({
    database: gateway.databaseUrl,
    environment: { MEETING_HOURS: 'Mon-Sun 00:00-24:00', MEETING_CAPACITY: '1' },
  });
  const atWorkingHours = await person(withCalendar, 'root', 'ADMIN');
  const approve = { decision: 'APPROVED' };
  const start = async (input: object) =>
    (
      await gateway.graphql(
        'mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename ... on MutationError { code message retryable } } }',
        { input },
      )
    ).data.startSession;
  const replay = async (input: object) =>
    (
      await gateway.graphql(
        'mutation ($input: ReplayWebhooksInput!) { replayWebhooks(input: $input) { __typename ... on MutationError { code message retryable } } }',
        { input },
      )
    ).data.replayWebhooks;
  const user = { phone: '9988776655' };

  const reached: Record<string, any[]> = {
    StartSessionResult: [
      await start({ verificationId: 'a b', user }),
      await start({ verificationId: 'refused.1', user }),
      (
        await deaf.graphql(
          'mutation { startSession(input: { verificationId: "x", user: { userId: "unknown" } }) { __typename ... on MutationError { code message retryable } } }',
        )
      ).data.startSession,
    ],
    ScheduleMeetingResult: [
      await admin.act('scheduleMeeting', 'nonsense', { startsAt }),
      await admin.act('scheduleMeeting', NOBODYS, { startsAt }),
      await admin.act('scheduleMeeting', id, { startsAt: '2001-01-01T00:00:00Z' }),
      await admin.act('scheduleMeeting', id, { startsAt, expectedVersion: 99 }),
      await atWorkingHours.act('scheduleMeeting', id, { startsAt }),
    ],
    CancelMeetingResult: [
      await admin.act('cancelMeeting', id, { reason: 'x'.repeat(501) }),
      await admin.act('cancelMeeting', NOBODYS),
      await admin.act('cancelMeeting', id),
      await admin.act('cancelMeeting', id, { expectedVersion: 99 }),
    ],
    RecordReviewResult: [
      await admin.act('recordAgentReview', id, { decision: 'REJECTED' }),
      await admin.act('recordAuditorReview', NOBODYS, approve),
      await admin.act('recordAgentReview', id, approve),
      await admin.act('recordAuditorReview', id, { ...approve, expectedVersion: 99 }),
    ],
    CloseSessionResult: await refusalsOf(
      'closeSession',
      { outcome: 'FAILED', reason: 'TECHNICAL' },
      replaced.id,
    ),
    AddNoteResult: await refusalsOf('addNote', { note: 'He called.' }, replaced.id),
    NotifyCustomerResult: await refusalsOf('notifyCustomer', { kind: 'LINK' }, replaced.id),
    LabelSessionResult: [
      await admin.act('labelSession', id, { addTags: [''] }),
      await admin.act('labelSession', NOBODYS, { addTags: ['vip'] }),
      await admin.act('labelSession', replaced.id, { addTags: ['vip'] }),
      await admin.act('labelSession', id, { addTags: ['vip'], expectedVersion: 99 }),
    ],
    EscalateSessionResult: await refusalsOf('escalateSession', { reason: 'TECHNICAL' }, replaced.id),
    ResolveEscalationResult: await refusalsOf('resolveEscalation', { note: 'It was a cable.' }, id),
    ResolveDisputeResult: await refusalsOf('resolveDispute', { resolution: 'KEEP_OURS', note: 'Seen.' }, id),
    AssignAgentResult: await refusalsOf('assignAgent', { agent: 'ravi' }, replaced.id),
    UnassignAgentResult: [
      await admin.act('unassignAgent', id, { idempotencyKey: '' }),
      await admin.act('unassignAgent', NOBODYS),
      await admin.act('unassignAgent', id),
      await admin.act('unassignAgent', id, { expectedVersion: 99 }),
    ],
    ReplayWebhooksResult: [await replay({}), await replay({ endpoint: 'nowhere', state: 'PARKED' })],
    ClaimNextResult: [await admin.claim('AGENT', ''), await admin.claim('AUDITOR', claimedKey)],
    RefreshSessionResult: [
      await admin.ask('refreshSession', NOBODYS),
      await admin.ask('refreshSession', over.id),
      await unheard.ask('refreshSession', elsewhere.id),
    ],
    RequestRecordingResult: [
      await admin.ask('requestRecording', NOBODYS),
      await admin.ask('requestRecording', id),
      await unheard.ask('requestRecording', elsewhere.id),
    ],
    CreateSdkTokenResult: [
      await admin.ask('createSdkToken', NOBODYS),
      await admin.ask('createSdkToken', over.id),
      await unheard.ask('createSdkToken', elsewhere.id),
    ],
  };

  expect(
    await admin.act('recordAgentReview', 'nonsense', { decision: 'REJECTED', idempotencyKey: '' }),
  ).toMatchObject({
    problems: [{ path: ['sessionId'] }, { path: ['idempotencyKey'] }, { path: ['remarks'] }],
  });

  const unions = Object.values(getSchema().getTypeMap())
    .filter(isUnionType)
    .filter((type) => type.name.endsWith('Result'));
  expect(Object.keys(reached).toSorted()).toEqual(unions.map((union) => union.name).toSorted());
  for (const union of unions) {
    const refusals = union
      .getTypes()
      .map((type) => type.name)
      .filter((name) => name.endsWith('Error'));
    const answers = reached[union.name] ?? [];
    expect(answers.map((answer) => answer.__typename).toSorted(), union.name).toEqual(refusals.toSorted());
    for (const { code, message, retryable } of answers) {
      expect(message, union.name).toMatch(/[.…]$/);
      expect(retryable).toBe(code === 'PROVIDER_UNAVAILABLE');
    }
  }
});
