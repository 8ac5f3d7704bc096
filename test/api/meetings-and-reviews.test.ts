import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { bootGateway, eventually, type Gateway, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { inMinutes, type Person, person } from '../harness/people.ts';

const WATCH = `subscription ($sessionId: ID, $after: String) {
  statusTransitions(sessionId: $sessionId, after: $after) { sequence subStatus source actor applied }
}`;

/** Returns the same time, written with India's offset (+05:30) in place of `Z`. */
const inIndia = (time: string): string =>
  new Date(Date.parse(time) + 5.5 * 3_600_000).toISOString().replace('Z', '+05:30');

async function staff(gateway: Gateway) {
  const [operator, agent, auditor] = await Promise.all([
    person(gateway, 'olga', 'OPERATOR'),
    person(gateway, 'ravi', 'AGENT'),
    person(gateway, 'uma', 'AUDITOR'),
  ]);
  return { operator, agent, auditor };
}

/** Starts a session and ends its call, so that the agent can review it. */
async function afterTheCall(gateway: Gateway, verificationId: string, viewer: Person) {
  const session = await gateway.start(verificationId);
  await gateway.advance(verificationId, STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () => (await viewer.look(session.id)).subStatus === 'AGENT_ENDED_CALL');
  return session;
}

test('a session goes through meetings and both reviews, and a subscriber gets each of its transitions in order', async () => {
  const gateway = await bootGateway();
  const { operator, agent, auditor } = await staff(gateway);
  const session = await gateway.start('story.awaits-review');
  const watcher = gateway.subscribe(WATCH, { sessionId: session.id, after: session.startCursor });

  const startsAt = inMinutes(20);
  const booked = await operator.act('scheduleMeeting', session.id, {
    startsAt: inIndia(startsAt),
    expectedVersion: 1,
  });
  expect(booked).toMatchObject({
    __typename: 'ScheduleMeetingSuccess',
    replayed: false,
    meeting: { status: 'SCHEDULED', startsAt },
    session: { subStatus: 'USER_MEETING_SCHEDULED', version: 2 },
  });
  const moved = await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30) });
  const cancelled = await operator.act('cancelMeeting', session.id, { reason: 'The customer asked.' });
  expect(cancelled).toMatchObject({
    meeting: { id: moved.meeting.id, status: 'CANCELLED', cancelReason: 'The customer asked.' },
    session: { meeting: null },
  });
  await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(60) });
  await gateway.advance('story.awaits-review', STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () =>
    (await agent.look(session.id)).availableActions.includes('RECORD_AGENT_REVIEW'),
  );
  const approved = await agent.act('recordAgentReview', session.id, { decision: 'APPROVED' });
  const final = await auditor.act('recordAuditorReview', session.id, {
    decision: 'APPROVED',
    remarks: 'All in order.',
  });

  expect(approved).toMatchObject({
    __typename: 'RecordReviewSuccess',
    session: { subStatus: 'AGENT_APPROVED', statusInfo: { waitingOn: 'AUDITOR' } },
  });
  expect(final.session).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    disputed: false,
    reviews: [
      { stage: 'AGENT', decision: 'APPROVED', reviewer: 'ravi', source: 'MUTATION' },
      { stage: 'AUDITOR', decision: 'APPROVED', reviewer: 'uma', remarks: 'All in order.' },
    ],
  });
  expect(final.session.meetings.nodes.map((each: any) => [each.status, each.source])).toEqual([
    ['COMPLETED', 'WEBHOOK'],
    ['RESCHEDULED', 'MUTATION'],
    ['CANCELLED', 'MUTATION'],
    ['RESCHEDULED', 'MUTATION'],
  ]);
  const seen = await watcher.take(final.session.version);
  expect(seen.map((each) => each.sequence)).toEqual(seen.map((_, index) => index + 1));
  expect(
    seen
      .slice(1)
      .filter((each) => each.source === 'MUTATION')
      .map((each) => [each.subStatus, each.actor]),
  ).toEqual([
    ['USER_MEETING_SCHEDULED', 'olga'],
    ['USER_MEETING_SCHEDULED', 'olga'],
    ['USER_MEETING_CANCELLED', 'olga'],
    ['USER_MEETING_SCHEDULED', 'olga'],
    ['AGENT_APPROVED', 'ravi'],
    ['AUDITOR_APPROVED', 'uma'],
  ]);
});

test('if two agents review a session at the same time, one succeeds and the other gets VERSION_CONFLICT with the new state', async () => {
  const gateway = await bootGateway();
  const { agent } = await staff(gateway);
  const other = await person(gateway, 'meera', 'AGENT');
  const { id } = await afterTheCall(gateway, 'race.awaits-review', agent);
  const { version } = await agent.look(id);

  const results = await Promise.all([
    agent.act('recordAgentReview', id, { decision: 'APPROVED', expectedVersion: version }),
    other.act('recordAgentReview', id, {
      decision: 'REJECTED',
      remarks: 'Blurred.',
      expectedVersion: version,
    }),
  ]);

  const lost = results.find((each) => each.__typename !== 'RecordReviewSuccess');
  const won = results.find((each) => each.__typename === 'RecordReviewSuccess');
  expect(lost).toMatchObject({
    __typename: 'ConflictError',
    code: 'VERSION_CONFLICT',
    currentSession: { subStatus: won.session.subStatus, version: version + 1 },
  });
});

test('four eyes: an ADMIN who reviewed a session as the agent may not review the same session as the auditor', async () => {
  const gateway = await bootGateway();
  const { auditor } = await staff(gateway);
  const admin = await person(gateway, 'root', 'ADMIN');
  const { id } = await afterTheCall(gateway, 'four-eyes.awaits-review', admin);
  await admin.act('recordAgentReview', id, { decision: 'APPROVED' });

  expect(await admin.act('recordAuditorReview', id, { decision: 'APPROVED' })).toMatchObject({
    __typename: 'ActionNotAllowedError',
    action: 'RECORD_AUDITOR_REVIEW',
    message: expect.stringContaining('another person must audit it'),
  });
  expect(
    await auditor.act('recordAuditorReview', id, { decision: 'REJECTED', remarks: 'Not convinced.' }),
  ).toMatchObject({
    session: { subStatus: 'AUDITOR_REJECTED', statusInfo: { terminal: true } },
  });
});

test('four eyes: the reviewing agent may not audit in any other role or combination of roles', async () => {
  const gateway = await bootGateway();
  const { auditor } = await staff(gateway);
  const asAgent = await person(gateway, 'alice', 'AGENT');
  const { id } = await afterTheCall(gateway, 'two-roles.awaits-review', asAgent);
  await asAgent.act('recordAgentReview', id, { decision: 'APPROVED' });

  for (const role of ['AUDITOR', 'ADMIN', 'AGENT AUDITOR', 'AUDITOR ADMIN']) {
    const again = await person(gateway, 'alice', role.split(' '));
    expect((await again.look(id)).availableActions, role).not.toContain('RECORD_AUDITOR_REVIEW');
    expect(await again.act('recordAuditorReview', id, { decision: 'APPROVED' }), role).toMatchObject({
      code: 'ACTION_NOT_ALLOWED',
      message: expect.stringContaining('another person must audit it'),
    });
  }
  expect(await auditor.act('recordAuditorReview', id, { decision: 'APPROVED' })).toMatchObject({
    __typename: 'RecordReviewSuccess',
  });
});

test('a repeated approval by the provider does not hide which agent approved in the gateway (four eyes)', async () => {
  const gateway = await bootGateway({ environment: { AUDIT_UNKNOWN_AGENTS: '1' } });
  const { auditor } = await staff(gateway);
  const both = await person(gateway, 'alice', 'ADMIN');
  const { id } = await afterTheCall(gateway, 'hidden.awaits-review', both);
  await both.act('recordAgentReview', id, { decision: 'APPROVED' });
  await gateway.webhook({
    event_time: new Date(Date.now() + 120_000).toISOString(),
    data: { verification_id: 'hidden.awaits-review', status: 'AGENT_REVIEWED', sub_status: 'AGENT_APPROVED' },
  });
  await eventually(async () => (await both.look(id)).reviews.length === 2);

  expect(await both.act('recordAuditorReview', id, { decision: 'APPROVED' })).toMatchObject({
    code: 'ACTION_NOT_ALLOWED',
  });
  expect(await auditor.act('recordAuditorReview', id, { decision: 'APPROVED' })).toMatchObject({
    session: { subStatus: 'AUDITOR_APPROVED' },
  });
});

test('an approval by an unknown agent at the provider may be audited in the gateway only with AUDIT_UNKNOWN_AGENTS', async () => {
  const outcome = async (environment: Record<string, string>) => {
    const gateway = await bootGateway({ environment });
    const { auditor } = await staff(gateway);
    const { id } = await gateway.start('theirs.happy-path');
    await gateway.advance('theirs.happy-path', 12);
    await eventually(async () => (await auditor.look(id)).subStatus === 'AGENT_APPROVED');
    return auditor.act('recordAuditorReview', id, { decision: 'APPROVED' });
  };

  expect(await outcome({})).toMatchObject({
    code: 'ACTION_NOT_ALLOWED',
    message: expect.stringContaining('unknown to the gateway'),
  });
  expect(await outcome({ AUDIT_UNKNOWN_AGENTS: '1' })).toMatchObject({ __typename: 'RecordReviewSuccess' });
});

test('after the agent review UNABLE_TO_VALIDATE, the agent may review again only after another call', async () => {
  const gateway = await bootGateway();
  const { agent } = await staff(gateway);
  const { id } = await afterTheCall(gateway, 'unable.awaits-review', agent);
  await agent.act('recordAgentReview', id, { decision: 'UNABLE_TO_VALIDATE', remarks: 'Too dark.' });

  expect(await agent.act('recordAgentReview', id, { decision: 'APPROVED' })).toMatchObject({
    code: 'ACTION_NOT_ALLOWED',
    message: expect.stringContaining('Another call'),
    session: { subStatus: 'AGENT_UNABLE_TO_VALIDATE' },
  });
  const again = {
    event_time: new Date(Date.now() + 120_000).toISOString(),
    data: { verification_id: 'unable.awaits-review', status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' },
  };
  await gateway.webhook(again);
  await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
  expect(await agent.act('recordAgentReview', id, { decision: 'APPROVED' })).toMatchObject({
    session: { subStatus: 'AGENT_APPROVED' },
  });
});

test('if the provider rejects after an approval in the gateway, the session is disputed and subscribers are told', async () => {
  const gateway = await bootGateway();
  const { agent, auditor } = await staff(gateway);
  const session = await afterTheCall(gateway, 'dispute.awaits-review', agent);
  await agent.act('recordAgentReview', session.id, { decision: 'APPROVED' });
  const { session: approved } = await auditor.act('recordAuditorReview', session.id, {
    decision: 'APPROVED',
  });
  const watcher = gateway.subscribe(WATCH, { sessionId: session.id, after: session.startCursor });
  await watcher.take(approved.version);

  await gateway.webhook({
    event_time: new Date(Date.now() + 120_000).toISOString(),
    data: {
      verification_id: 'dispute.awaits-review',
      status: 'AUDITOR_REVIEWED',
      sub_status: 'AUDITOR_REJECTED',
    },
  });

  expect(await watcher.next()).toMatchObject({
    subStatus: 'AUDITOR_REJECTED',
    source: 'WEBHOOK',
    applied: false,
  });
  expect(await auditor.look(session.id)).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    disputed: true,
    statusInfo: { waitingOn: 'MERCHANT' },
  });
});

test('an expired session can be replaced by only one new session, and the two link to each other', async () => {
  const gateway = await bootGateway();
  const { operator } = await staff(gateway);
  const old = await gateway.start('old.1');
  const replace = (id: string) =>
    gateway.graphql(
      `mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename
        ... on StartSessionSuccess { session { id replaces { id } } } ... on InvalidInputError { problems { path message } } } }`,
      { input: { verificationId: id, user: { phone: '9988776655' }, replacesSessionId: old.id } },
    );
  await gateway.webhook({
    event_time: new Date(Date.now() + 120_000).toISOString(),
    data: { verification_id: 'old.1', status: 'EXPIRED', sub_status: 'VKYC_EXPIRED' },
  });
  await eventually(async () => (await operator.look(old.id)).subStatus === 'VKYC_EXPIRED');

  const results = (await Promise.all(['new.1', 'new.2', 'new.3'].map(replace))).map(
    (each) => each.data.startSession,
  );

  const started = results.filter((each) => each.__typename === 'StartSessionSuccess');
  expect(started).toHaveLength(1);
  expect(started[0].session.replaces).toEqual({ id: old.id });
  expect((await operator.look(old.id)).replacedBy).toEqual({ id: started[0].session.id });
});

test('a repeated idempotency key returns the first result on any replica, and is a conflict if the input differs', async () => {
  const one = await bootGateway();
  const two = await bootGateway({
    database: one.databaseUrl,
    environment: {
      CASHFREE_BASE_URL: one.sandboxUrl,
      CASHFREE_CLIENT_ID: 'sandbox',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    },
  });
  const here = await person(one, 'olga', 'OPERATOR');
  const there = await person(two, 'olga', 'OPERATOR');
  const { id } = await one.start('idempotent.1');
  const call = { startsAt: inMinutes(30), idempotencyKey: randomUUID(), expectedVersion: 1 };

  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => (index % 2 ? here : there).act('scheduleMeeting', id, call)),
  );

  expect(new Set(results.map((each) => each.meeting?.id)).size).toBe(1);
  expect(results.filter((each) => each.replayed)).toHaveLength(49);
  expect((await here.look(id)).meetings.nodes).toHaveLength(1);
  expect(await here.act('scheduleMeeting', id, { ...call, startsAt: inMinutes(31) })).toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
  const stranger = await person(one, 'oscar', 'OPERATOR');
  expect(await stranger.act('scheduleMeeting', id, call)).toMatchObject({ code: 'VERSION_CONFLICT' });
});

test('meetings and reviews reported by webhooks are recorded with their source, and without remarks', async () => {
  const gateway = await bootGateway();
  const { agent } = await staff(gateway);
  const customer = await person(gateway, 'asha', 'CUSTOMER', ['theirs.happy-path']);
  const { id } = await gateway.start('theirs.happy-path');
  await gateway.advance('theirs.happy-path', 7);
  await eventually(async () => (await agent.look(id)).meeting);
  expect(await agent.look(id)).toMatchObject({
    meeting: { status: 'SCHEDULED', source: 'WEBHOOK', scheduledBy: null },
  });

  await gateway.advance('theirs.happy-path', 6);
  await eventually(async () => (await agent.look(id)).subStatus === 'AUDITOR_APPROVED');
  expect((await agent.look(id)).reviews).toMatchObject([
    { stage: 'AGENT', decision: 'APPROVED', source: 'WEBHOOK', reviewer: null, remarks: null },
    { stage: 'AUDITOR', decision: 'APPROVED', source: 'WEBHOOK', reviewer: null, remarks: null },
  ]);
  expect((await customer.look(id)).reviews[0].remarks).toBeNull();
});

test('a meeting that the customer misses becomes MISSED, and another meeting may be booked', async () => {
  const gateway = await bootGateway();
  const { operator } = await staff(gateway);
  const { id } = await gateway.start('missed.1');
  await operator.act('scheduleMeeting', id, { startsAt: inMinutes(5) });

  await gateway.webhook({
    event_time: new Date(Date.now() + 600_000).toISOString(),
    data: { verification_id: 'missed.1', status: 'VIDEO_CALL', sub_status: 'USER_MISSED_MEETING' },
  });
  await eventually(async () => (await operator.look(id)).subStatus === 'USER_MISSED_MEETING');

  expect(await operator.look(id)).toMatchObject({
    meeting: null,
    meetings: { nodes: [{ status: 'MISSED' }] },
  });
  expect(await operator.act('scheduleMeeting', id, { startsAt: inMinutes(30) })).toMatchObject({
    session: { subStatus: 'USER_MEETING_SCHEDULED' },
  });
});

test('refreshSession records a status that no webhook reported, and says whether anything changed', async () => {
  const gateway = await bootGateway({ environment: { SANDBOX_WEBHOOKS: 'documented' } });
  const { agent, operator } = await staff(gateway);
  const { id } = await gateway.start('quiet.happy-path');
  await gateway.advance('quiet.happy-path', 2);
  await eventually(async () => (await agent.look(id)).subStatus === 'AADHAAR_VERIFICATION_SUCCESS');

  expect(await operator.ask('refreshSession', id)).toMatchObject({
    changed: true,
    session: { subStatus: 'USER_IP_VERIFICATION_SUCCESSFUL' },
  });
  expect(await operator.ask('refreshSession', id)).toMatchObject({ changed: false });
  await gateway.advance('quiet.happy-path', 10);
  await eventually(async () => (await agent.look(id)).subStatus === 'AGENT_ENDED_CALL');
  const refreshed = await operator.ask('refreshSession', id);
  expect(refreshed.session).toMatchObject({
    subStatus: 'AGENT_APPROVED',
    reviews: [{ stage: 'AGENT', source: 'POLL', remarks: "The sandbox's agent says: AGENT_APPROVED." }],
  });
});

test('recordings and SDK tokens come from the provider if the action is allowed; asking for a recording before the call has ended is refused', async () => {
  const gateway = await bootGateway();
  const { agent, operator } = await staff(gateway);
  const { id } = await gateway.start('recorded.awaits-review');

  expect(await agent.ask('requestRecording', id)).toMatchObject({
    code: 'ACTION_NOT_ALLOWED',
    action: 'REQUEST_RECORDING',
  });
  expect(await operator.ask('createSdkToken', id)).toMatchObject({
    __typename: 'CreateSdkTokenSuccess',
    token: expect.any(String),
  });
  await gateway.advance('recorded.awaits-review', STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () => (await agent.look(id)).subStatus === 'AGENT_ENDED_CALL');
  const { recording } = await agent.ask('requestRecording', id);

  expect(recording.url).toContain('https://');
  expect(new Date(recording.expiresAt).getTime()).toBeGreaterThan(Date.now());
  expect(gateway.logs.some((line) => line.includes('recording requested') && line.includes('ravi'))).toBe(
    true,
  );
  expect(gateway.logs.join('')).not.toContain(recording.url);
});

test('the session row has the time of the booked meeting: rescheduling changes the time, cancelling clears it', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('met.1');
  const operator = await person(gateway, 'an operator', 'OPERATOR');
  const kept = async () => {
    const { rows } = await gateway.database.query('select meeting_at from vkyc_session');
    return rows[0].meeting_at?.toISOString() ?? null;
  };
  const [first, second] = [inMinutes(30), inMinutes(60)];

  await operator.act('scheduleMeeting', id, { startsAt: first });
  expect(await kept()).toBe(first);
  await operator.act('scheduleMeeting', id, { startsAt: second });
  expect(await kept()).toBe(second);
  await operator.act('cancelMeeting', id);
  expect(await kept()).toBeNull();
});
