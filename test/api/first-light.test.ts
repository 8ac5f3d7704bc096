import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

const WATCH = `subscription ($sessionId: ID, $after: String) {
  statusTransitions(sessionId: $sessionId, after: $after) { sequence status subStatus applied source cursor session { id } }
}`;

const HAPPY_PATH = [
  'LINK_GENERATED',
  'AADHAAR_VERIFICATION_SUCCESS',
  'USER_IP_VERIFICATION_SUCCESSFUL',
  'USER_LOCATION_VERIFICATION_SUCCESS',
  'USER_DEVICE_CHECK_SUCCESS',
  'USER_QUEUED',
  'NO_AGENT_FOUND',
  'USER_MEETING_SCHEDULED',
  'SCHEDULED_USER_QUEUED',
  'AGENT_ASSIGNED_TO_USER',
  'USER_ACCEPTED_MEETING',
  'AGENT_ENDED_CALL',
  'AGENT_APPROVED',
  'AUDITOR_APPROVED',
];

test('a session moves from LINK_GENERATED to AUDITOR_APPROVED, and a subscriber gets every transition once and in order', async () => {
  const gateway = await bootGateway();
  const session = await gateway.start('story.happy-path.1');

  const watcher = gateway.subscribe(WATCH, { sessionId: session.id, after: session.startCursor });
  await gateway.advance('story.happy-path.1', 13);
  const seen = await watcher.take(14);

  expect(seen.map((each) => each.subStatus)).toEqual(HAPPY_PATH);
  expect(seen.map((each) => each.sequence)).toEqual(HAPPY_PATH.map((_, index) => index + 1));
  expect(seen.every((each) => each.applied && each.session.id === session.id)).toBe(true);
  // The first transition may come from the response to the start, or from a webhook that overtook this response.
  expect(seen.slice(1).map((each) => each.source)).toEqual(Array(13).fill('WEBHOOK'));
  const { data } = await gateway.graphql(
    `query ($id: ID!) { session(id: $id) { status subStatus version statusInfo { terminal waitingOn } } }`,
    { id: session.id },
  );
  expect(data.session).toEqual({
    status: 'AUDITOR_REVIEWED',
    subStatus: 'AUDITOR_APPROVED',
    version: 14,
    statusInfo: { terminal: true, waitingOn: 'NOBODY' },
  });
});

test('the sandbox advances a session through its scenario without manual steps, as time passes', async () => {
  const gateway = await bootGateway({ environment: { SANDBOX_SPEED: '200' } });
  const session = await gateway.start('story.awaits-review.1');

  const seen = await gateway.subscribe(WATCH, { sessionId: session.id, after: session.startCursor }).take(12);

  expect(seen.map((each) => each.subStatus)).toEqual(HAPPY_PATH.slice(0, 12));
});

test('a subscriber that reconnects with its last cursor misses and repeats no transition', async () => {
  const gateway = await bootGateway();
  const session = await gateway.start('story.happy-path.2');
  const before = gateway.subscribe(WATCH, { sessionId: session.id, after: session.startCursor });
  await gateway.advance('story.happy-path.2', 5);
  const first = await before.take(6);
  await before.stop();

  await gateway.advance('story.happy-path.2', 4);
  const after = gateway.subscribe(WATCH, { sessionId: session.id, after: first.at(-1).cursor });
  await gateway.advance('story.happy-path.2', 4);
  const second = await after.take(8);

  expect([...first, ...second].map((each) => each.sequence)).toEqual(
    Array.from({ length: 14 }, (_, index) => index + 1),
  );
});

test('a subscription to all sessions resumes after a cursor of one session, of a query or of another subscription', async () => {
  const gateway = await bootGateway();
  const empty = await gateway.graphql('{ feedCursor }');
  const one = await gateway.start('one.awaits-review');
  const two = await gateway.start('two.awaits-review', { user: { phone: '9988776644' } });
  await gateway.advance('one.awaits-review', 1);

  const fromTheStart = await gateway.subscribe(WATCH, { after: empty.data.feedCursor }).take(3);
  const afterOnesFirst = await gateway.subscribe(WATCH, { after: fromTheStart[0].cursor }).take(2);
  const fromTwosStart = await gateway.subscribe(WATCH, { after: two.startCursor }).take(2);

  expect(fromTheStart.map((each) => [each.session.id, each.sequence])).toEqual([
    [one.id, 1],
    [two.id, 1],
    [one.id, 2],
  ]);
  expect(afterOnesFirst).toEqual(fromTheStart.slice(1));
  expect(fromTwosStart).toEqual(fromTheStart.slice(1));
});

test('a subscription that begins after the feedCursor of a query misses no transition since that query', async () => {
  const gateway = await bootGateway();
  await gateway.start('gap.happy-path');
  const { data } = await gateway.graphql('{ feedCursor sessions(first: 10) { nodes { subStatus } } }');

  await gateway.advance('gap.happy-path', 2);
  const seen = await gateway.subscribe(WATCH, { after: data.feedCursor }).take(2);

  expect(seen.map((each) => each.subStatus)).toEqual(HAPPY_PATH.slice(1, 3));
});

test('a subscription refuses a cursor of another session, a forged cursor and an expired cursor, and says why', async () => {
  const gateway = await bootGateway();
  const one = await gateway.start('one.awaits-review');
  const two = await gateway.start('two.awaits-review', { user: { phone: '9988776644' } });
  const refusal = (variables: Record<string, unknown>) =>
    gateway
      .subscribe(WATCH, variables)
      .next()
      .catch((error) => error);

  expect(await refusal({ sessionId: one.id, after: two.startCursor })).toMatchObject({
    message: expect.stringContaining('another session'),
    extensions: { code: 'BAD_USER_INPUT' },
  });
  expect(await refusal({ after: `${one.startCursor.slice(0, -2)}AA` })).toMatchObject({
    message: expect.stringContaining('cursor was not issued by this gateway'),
  });
  await gateway.database.query('update log_identity set epoch = epoch + 1');
  const restored = await bootGateway({ database: gateway.databaseUrl });
  const expired = await restored
    .subscribe(WATCH, { after: one.startCursor })
    .next()
    .catch((error) => error);
  expect(expired.extensions).toMatchObject({ code: 'CURSOR_EXPIRED' });
});
