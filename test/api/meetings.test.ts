import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auditOf } from '../harness/audit.ts';
import { movableClock } from '../harness/clock.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { inMinutes, type Person, person } from '../harness/people.ts';

const WATCH = `subscription ($sessionId: ID, $after: String) {
  statusTransitions(sessionId: $sessionId, after: $after) {
    sequence subStatus source actor applied
    session { availableActions meetings(first: 5) { nodes { status source scheduledBy } } }
  }
}`;
const MINUTE = 60_000;
const MOVE =
  'The customer booked the meeting at the provider, whose API cannot move it: the customer must move it there.';
const CANCEL =
  'The customer booked the meeting at the provider, whose API cannot cancel it: ask the customer to cancel it there.';
const WAITS = 'The call has ended and waits for its review: only staff may book another meeting now.';
const BOOKED = ['PRE_VIDEO_CALL', 'USER_MEETING_SCHEDULED'] as const;
const REASON = 'the customer Asha Rao asked for another agent';

async function people(gateway: Gateway, verificationId: string) {
  const [operator, agent, auditor, viewer, admin, customer] = await Promise.all([
    person(gateway, 'olga', 'OPERATOR'),
    person(gateway, 'ravi', 'AGENT'),
    person(gateway, 'uma', 'AUDITOR'),
    person(gateway, 'vera', 'VIEWER'),
    person(gateway, 'adam', 'ADMIN'),
    person(gateway, 'asha', 'CUSTOMER', [verificationId]),
  ]);
  return { operator, agent, auditor, viewer, admin, customer };
}

let events = 0;

/** Sends a webhook that is newer than the earlier ones; waits until the session has a new version, and returns it. */
async function report(
  gateway: Gateway,
  looker: Person,
  { id, verificationId }: { readonly id: string; readonly [field: string]: any },
  [status, sub_status]: readonly [string, string],
  meeting_schedule?: string,
) {
  events += 1;
  const { version } = await looker.look(id);
  await gateway.webhook({
    event_time: new Date(Date.now() + 60_000 + events * 1_000).toISOString(),
    data: { verification_id: verificationId, status, sub_status, meeting_schedule },
  });
  return eventually(async () => {
    const session = await looker.look(id);
    return session.version > version && session;
  });
}

const actionsOf = ({ availableActions }: { availableActions: string[] }) => availableActions;
const blockedReason = (session: any, action: string) =>
  session.blockedActions.find((each: any) => each.action === action)?.reason;

test('a meeting that the customer booked at the provider cannot be moved or cancelled in the gateway; the refusal says to do so at the provider', async () => {
  const gateway = await bootGateway();
  const session = await gateway.start('theirs.1');
  const { operator, admin, customer } = await people(gateway, 'theirs.1');
  const startsAt = inMinutes(30);
  const booked = await report(gateway, operator, session, BOOKED, startsAt);
  expect(booked.meeting).toMatchObject({ startsAt, source: 'WEBHOOK', status: 'SCHEDULED' });

  for (const who of [operator, admin, customer]) {
    const seen = await who.look(session.id);
    expect(actionsOf(seen)).not.toContain('SCHEDULE_MEETING');
    expect(actionsOf(seen)).not.toContain('CANCEL_MEETING');
    expect(blockedReason(seen, 'SCHEDULE_MEETING')).toBe(MOVE);
    expect(blockedReason(seen, 'CANCEL_MEETING')).toBe(CANCEL);
    expect(await who.act('scheduleMeeting', session.id, { startsAt: inMinutes(60) })).toMatchObject({
      __typename: 'ActionNotAllowedError',
      code: 'ACTION_NOT_ALLOWED',
      message: MOVE,
    });
    expect(await who.act('cancelMeeting', session.id)).toMatchObject({
      code: 'ACTION_NOT_ALLOWED',
      message: CANCEL,
    });
  }

  expect(await operator.look(session.id)).toMatchObject({
    version: booked.version,
    meeting: { startsAt, status: 'SCHEDULED' },
  });
});

test('a meeting that is booked in the gateway, and then at the provider for the same time, counts as booked at the provider', async () => {
  const gateway = await bootGateway();
  const session = await gateway.start('both.1');
  const { operator } = await people(gateway, 'both.1');
  const startsAt = inMinutes(30);
  await operator.act('scheduleMeeting', session.id, { startsAt });
  expect(actionsOf(await operator.look(session.id))).toContain('CANCEL_MEETING');

  const booked = await report(gateway, operator, session, BOOKED, startsAt);

  expect(booked.meetings.nodes).toMatchObject([
    { startsAt, status: 'SCHEDULED', source: 'WEBHOOK' },
    { startsAt, status: 'RESCHEDULED', source: 'MUTATION' },
  ]);
  expect(await operator.act('cancelMeeting', session.id)).toMatchObject({ message: CANCEL });
});

test('after a meeting at the provider has passed, another can be booked in the gateway, and stays booked if the provider repeats the old time', async () => {
  const clock = movableClock();
  const gateway = await bootGateway({ clock });
  const session = await gateway.start('passed.1');
  const { operator } = await people(gateway, 'passed.1');
  const old = inMinutes(2);
  await report(gateway, operator, session, BOOKED, old);
  clock.forward(4 * MINUTE);

  expect(actionsOf(await operator.look(session.id))).toContain('SCHEDULE_MEETING');
  const startsAt = inMinutes(90);
  expect(await operator.act('scheduleMeeting', session.id, { startsAt })).toMatchObject({
    session: { meeting: { startsAt, source: 'MUTATION' } },
  });
  const repeated = await report(
    gateway,
    operator,
    session,
    ['PRE_VIDEO_CALL', 'USER_DEVICE_CHECK_SUCCESS'],
    old,
  );

  expect(repeated.meeting).toMatchObject({ startsAt, source: 'MUTATION', status: 'SCHEDULED' });
  expect(await operator.act('cancelMeeting', session.id)).toMatchObject({
    __typename: 'CancelMeetingSuccess',
    session: { subStatus: 'USER_MEETING_CANCELLED', meeting: null },
  });
});

test('if a customer cancels a meeting at the provider and books the same time again, the new meeting counts as booked at the provider, and polls are planned for it', async () => {
  const gateway = await bootGateway();
  const session = await gateway.start('rebooked.1');
  const { operator } = await people(gateway, 'rebooked.1');
  const startsAt = inMinutes(200);
  await report(gateway, operator, session, BOOKED, startsAt);
  await report(gateway, operator, session, ['PRE_VIDEO_CALL', 'USER_MEETING_CANCELLED']);
  await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(60) });

  const booked = await report(gateway, operator, session, BOOKED, startsAt);

  expect(booked.meeting).toMatchObject({ startsAt, source: 'WEBHOOK' });
  expect(actionsOf(booked)).not.toContain('CANCEL_MEETING');
  const { rows } = await gateway.database.query('select meeting_at from vkyc_session');
  expect(rows[0].meeting_at.toISOString()).toBe(startsAt);
});

const AGENT_ENDED = ['VIDEO_CALL', 'AGENT_ENDED_CALL'] as const;
const USER_ENDED = ['VIDEO_CALL', 'USER_ENDED_CALL'] as const;

/** Starts a session and reports that its call has ended. */
async function afterCall(gateway: Gateway, verificationId: string, ended: readonly [string, string]) {
  const session = await gateway.start(verificationId);
  const all = await people(gateway, verificationId);
  await report(gateway, all.operator, session, ended);
  return { session, ...all };
}

test('only staff who give a reason can book a meeting while a call waits for its review, and the call can still be reviewed', async () => {
  const gateway = await bootGateway();
  const story = await afterCall(gateway, 'review.1', AGENT_ENDED);
  const { session, operator, agent, auditor, viewer, customer } = story;
  const { id } = session;
  const watcher = gateway.subscribe(WATCH, { sessionId: id, after: session.startCursor });
  const frames: unknown[] = [await watcher.next(), await watcher.next()];
  const startsAt = inMinutes(30);

  // Only staff can book while the call waits for its review.
  const theirs = await customer.look(id);
  expect(actionsOf(theirs)).not.toContain('SCHEDULE_MEETING');
  expect(blockedReason(theirs, 'SCHEDULE_MEETING')).toBe(WAITS);
  expect(await customer.act('scheduleMeeting', id, { startsAt, reason: 'please' })).toMatchObject({
    code: 'ACTION_NOT_ALLOWED',
    message: WAITS,
  });
  expect(await viewer.act('scheduleMeeting', id, { startsAt, reason: 'please' })).toMatchObject({
    errors: [{ extensions: { code: 'FORBIDDEN' } }],
  });
  // Staff must give a reason for the booking.
  expect(actionsOf(await operator.look(id))).toContain('SCHEDULE_MEETING');
  for (const missing of [{}, { reason: null }, { reason: '' }])
    expect(await operator.act('scheduleMeeting', id, { startsAt, ...missing })).toMatchObject({
      __typename: 'InvalidInputError',
      problems: [{ path: ['reason'] }],
    });
  expect(await operator.look(id)).toMatchObject({ subStatus: 'AGENT_ENDED_CALL', meeting: null });

  const call = { startsAt, reason: REASON, idempotencyKey: randomUUID() };
  const booked = await operator.act('scheduleMeeting', id, call);
  expect(booked).toMatchObject({
    __typename: 'ScheduleMeetingSuccess',
    replayed: false,
    session: { subStatus: 'USER_MEETING_SCHEDULED', meetings: { nodes: [{ reason: REASON }] } },
  });
  expect(await operator.act('scheduleMeeting', id, call)).toMatchObject({
    replayed: true,
    meeting: { id: booked.meeting.id },
  });
  expect(await operator.act('scheduleMeeting', id, { ...call, reason: 'another' })).toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
  expect((await customer.look(id)).meetings.nodes).toMatchObject([{ status: 'SCHEDULED', reason: null }]);

  // The review of the call stays possible, with its recording.
  const seen = await agent.look(id);
  expect(actionsOf(seen)).toEqual(expect.arrayContaining(['RECORD_AGENT_REVIEW', 'REQUEST_RECORDING']));
  expect(actionsOf(await operator.look(id))).not.toContain('RECORD_AGENT_REVIEW');
  const reviewed = await agent.act('recordAgentReview', id, { decision: 'APPROVED' });
  expect(reviewed.session).toMatchObject({
    subStatus: 'AGENT_APPROVED',
    meeting: null,
    meetings: { nodes: [{ status: 'CANCELLED', cancelledBy: 'ravi' }] },
  });
  expect(await auditor.act('recordAuditorReview', id, { decision: 'APPROVED' })).toMatchObject({
    session: { subStatus: 'AUDITOR_APPROVED' },
  });

  frames.push(...(await watcher.take(3)));
  expect(frames).toMatchObject([
    { subStatus: 'LINK_GENERATED' },
    { subStatus: 'AGENT_ENDED_CALL', source: 'WEBHOOK' },
    { subStatus: 'USER_MEETING_SCHEDULED', source: 'MUTATION', actor: 'olga' },
    { subStatus: 'AGENT_APPROVED', actor: 'ravi' },
    { subStatus: 'AUDITOR_APPROVED', actor: 'uma' },
  ]);
  expect(JSON.stringify(frames)).not.toContain('Asha Rao');
  expect(gateway.logs.join('')).not.toContain(REASON);
  const { rows } = await gateway.database.query('select kind, code, sequence, text from annotation');
  expect(rows).toMatchObject([{ kind: 'MEETING_REASON', sequence: 3 }]);
  expect(rows[0].text.includes(Buffer.from(REASON))).toBe(false);
  expect(await auditOf(gateway.databaseUrl).findingOf(id)).toBeNull();
});

test('a subscription that selects the reason of a meeting is refused', async () => {
  const gateway = await bootGateway();
  const session = await gateway.start('frames.1');
  const operator = await person(gateway, 'olga', 'OPERATOR');
  await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30), reason: REASON });

  const watcher = gateway.subscribe(
    `subscription ($id: ID!, $after: String) { statusTransitions(sessionId: $id, after: $after) {
      session { meetings(first: 1) { nodes { reason } } } } }`,
    { id: session.id, after: session.startCursor },
  );

  await expect(watcher.next()).rejects.toThrow(/Personal data cannot be selected/);
});

test('after a call that the customer ended and another booking, an approval still needs `callComplete: true`, and the call can be reviewed only once', async () => {
  const gateway = await bootGateway();
  const { session, operator, agent } = await afterCall(gateway, 'incomplete.1', USER_ENDED);
  const { id } = session;
  await operator.act('scheduleMeeting', id, { startsAt: inMinutes(30), reason: 'the call broke off' });

  expect(actionsOf(await agent.look(id))).toContain('RECORD_AGENT_REVIEW');
  expect(await agent.act('recordAgentReview', id, { decision: 'APPROVED' })).toMatchObject({
    code: 'ACTION_NOT_ALLOWED',
    message:
      'The customer ended the call: it can be approved only with your statement that it was complete (`callComplete: true`).',
  });
  expect(
    await agent.act('recordAgentReview', id, { decision: 'UNABLE_TO_VALIDATE', remarks: 'no liveness' }),
  ).toMatchObject({
    session: { subStatus: 'AGENT_UNABLE_TO_VALIDATE', meeting: { status: 'SCHEDULED' } },
  });
  // The call is reviewed now: another booking does not offer its review again.
  await operator.act('scheduleMeeting', id, { startsAt: inMinutes(40) });
  const again = await agent.look(id);
  expect(again.subStatus).toBe('USER_MEETING_SCHEDULED');
  expect(actionsOf(again)).not.toContain('RECORD_AGENT_REVIEW');
  expect(actionsOf(again)).not.toContain('REQUEST_RECORDING');
});

test.each([
  ['cancels the new meeting', ['PRE_VIDEO_CALL', 'USER_MEETING_CANCELLED']],
  ['misses the new meeting', ['VIDEO_CALL', 'USER_MISSED_MEETING']],
  ['declines the new call', ['VIDEO_CALL', 'USER_REJECTED_MEETING']],
] as const)('an ended call can still be reviewed if the customer then %s', async (_what, next) => {
  const gateway = await bootGateway();
  const { session, operator, agent } = await afterCall(gateway, 'still.1', AGENT_ENDED);
  await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30), reason: REASON });

  const after = await report(gateway, agent, session, next);

  expect(after).toMatchObject({ subStatus: next[1], meeting: null });
  expect(actionsOf(after)).toContain('RECORD_AGENT_REVIEW');
  expect(await agent.act('recordAgentReview', session.id, { decision: 'APPROVED' })).toMatchObject({
    session: { subStatus: 'AGENT_APPROVED' },
  });
});

test('a booking at the provider while a call waits for its review is recorded, and the call can still be reviewed', async () => {
  const gateway = await bootGateway();
  const { session, agent } = await afterCall(gateway, 'atprovider.1', AGENT_ENDED);

  const booked = await report(gateway, agent, session, BOOKED, inMinutes(30));
  expect(booked).toMatchObject({ subStatus: 'USER_MEETING_SCHEDULED', meeting: { source: 'WEBHOOK' } });

  expect(actionsOf(booked)).toContain('RECORD_AGENT_REVIEW');
  const reviewed = await agent.act('recordAgentReview', session.id, { decision: 'APPROVED' });
  // The gateway cannot cancel a meeting at the provider, so the review leaves the meeting SCHEDULED.
  expect(reviewed.session).toMatchObject({
    subStatus: 'AGENT_APPROVED',
    meeting: { status: 'SCHEDULED', source: 'WEBHOOK' },
  });
});

test('a session that had no call offers no agent review while its meeting is booked, and none after the meeting was cancelled', async () => {
  const gateway = await bootGateway();
  const session = await gateway.start('nocall.1');
  const { operator, agent } = await people(gateway, 'nocall.1');
  await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30) });

  const refused = 'An agent review is possible only after a call has ended.';
  expect(blockedReason(await agent.look(session.id), 'RECORD_AGENT_REVIEW')).toBe(refused);
  await operator.act('cancelMeeting', session.id);
  expect(blockedReason(await agent.look(session.id), 'RECORD_AGENT_REVIEW')).toBe(refused);
  expect(await agent.act('recordAgentReview', session.id, { decision: 'APPROVED' })).toMatchObject({
    message: refused,
  });
});

test('of 20 concurrent bookings on two replicas while a call waits for its review, one takes effect', async () => {
  const one = await bootGateway();
  const two = await bootGateway({
    database: one.databaseUrl,
    environment: {
      CASHFREE_BASE_URL: one.sandboxUrl,
      CASHFREE_CLIENT_ID: 'sandbox',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    },
  });
  const { session, operator } = await afterCall(one, 'parallel.1', AGENT_ENDED);
  const there = await person(two, 'olga', 'OPERATOR');
  const { version: expectedVersion } = await operator.look(session.id);
  const call = { startsAt: inMinutes(30), reason: REASON, expectedVersion };

  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? operator : there).act('scheduleMeeting', session.id, call),
    ),
  );

  expect(results.filter((each) => each.__typename === 'ScheduleMeetingSuccess')).toHaveLength(1);
  expect(results.filter((each) => each.code === 'VERSION_CONFLICT')).toHaveLength(19);
  const { rows } = await one.database.query(
    'select (select count(*)::int from meeting) as meetings, (select count(*)::int from annotation) as reasons',
  );
  expect(rows).toEqual([{ meetings: 1, reasons: 1 }]);
});

test('a reason that is too long, invisible or not storable is refused under the path `reason`, and changes nothing', async () => {
  const gateway = await bootGateway();
  const { session, operator } = await afterCall(gateway, 'bad.1', AGENT_ENDED);
  const bad = fc.oneof(
    fc.string({ minLength: 501, maxLength: 600, unit: fc.constantFrom('a', 'é', 'क') }),
    fc
      .array(fc.constantFrom(' ', '\t', '\n', '\u200b'), { minLength: 1, maxLength: 20 })
      .map((each) => each.join('')),
    fc.string({ maxLength: 20 }).map((text) => `${text}\0`),
    fc.string({ maxLength: 20 }).map((text) => `${text}\ud800`),
  );

  await fc.assert(
    fc.asyncProperty(bad, async (reason) => {
      const refused = await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30), reason });
      expect(refused).toMatchObject({ __typename: 'InvalidInputError', problems: [{ path: ['reason'] }] });
    }),
    { numRuns: 25 },
  );

  expect(await operator.look(session.id)).toMatchObject({ subStatus: 'AGENT_ENDED_CALL', meeting: null });
});
