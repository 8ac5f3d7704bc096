import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { eventually } from '../harness/gateway.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { againstScript, looked, MINUTE, sessionOf, webhookOf } from '../reconciling/polled.ts';

const HOUR = 60 * MINUTE;
const MEETING = `mutation ($input: ScheduleMeetingInput!) {
  scheduleMeeting(input: $input) {
    __typename
    ... on MutationError { code }
  }
}`;

/**
 * Boots a gateway with a movable clock and one session. The test sets the status pair that the provider
 * reports for the session.
 */
async function bootWithClock(id: string) {
  let polls = 0;
  let present = ['RECEIVED', 'LINK_GENERATED'];
  const { gateway, clock } = await againstScript(({ method, path, body }) => {
    if (method === 'GET' && path.includes(id)) polls += 1;
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: id, user_id: 'asha' };
    return { body: JSON.stringify({ ...sent, status: present[0], sub_status: present[1] }) };
  });
  const session = await gateway.start(id, { user: { userId: 'asha', phone: '9988776655' } });
  const book = async (startsAt: Date) => {
    const input = { sessionId: session.id, startsAt: startsAt.toISOString(), idempotencyKey: randomUUID() };
    return (await gateway.graphql(MEETING, { input })).data.scheduleMeeting;
  };
  return {
    gateway,
    clock,
    session,
    book,
    polls: () => polls,
    becomes(status: string, subStatus: string) {
      present = [status, subStatus];
    },
  };
}

test("jumps of the gateway’s clock do not change the order of a session's webhooks, and subscribers get each transition once", async () => {
  const id = 'clock.order';
  const { gateway, clock, session } = await bootWithClock(id);
  const live = gateway.subscribe(
    'subscription ($id: ID!, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence subStatus applied } }',
    { id: session.id, after: session.startCursor },
  );
  const webhook = (subStatus: string, second: number) =>
    gateway.webhook(webhookOf(id, 'PRE_VIDEO_CALL', subStatus, second));
  const news = [
    ['AADHAAR_VERIFICATION_SUCCESS', 10, 0],
    ['USER_IP_VERIFICATION_SUCCESSFUL', 20, HOUR],
    ['USER_DEVICE_CHECK_SUCCESS', 30, -2 * HOUR],
    ['USER_LOCATION_VERIFICATION_SUCCESS', 25, HOUR],
    ['USER_QUEUED', 40, 0],
  ] as const;
  await live.next();

  const frames = [];
  for (const [subStatus, second, jump] of news) {
    clock.forward(jump);
    expect(await webhook(subStatus, second)).toBe(200);
    frames.push(await live.next());
  }

  // The provider's event times decide the order of updates, not the gateway's clock.
  expect(frames).toEqual(
    news.map(([subStatus, second], index) => ({
      sequence: index + 2,
      subStatus,
      applied: second !== 25,
    })),
  );
  expect((await sessionOf(gateway, id)).subStatus).toBe('USER_QUEUED');
  await expectFolds(gateway.database);
  await expectFeedOfLog(gateway.database);
});

test('scheduleMeeting requires a time in the future of the current clock; a booked meeting stays booked when the clock jumps back', async () => {
  const { gateway, clock, book } = await bootWithClock('clock.meeting');
  const inHalfAnHour = new Date(Date.now() + 30 * MINUTE);

  clock.forward(HOUR);
  expect((await book(inHalfAnHour)).__typename).toBe('ActionNotAllowedError');
  clock.forward(-HOUR);
  expect(await book(inHalfAnHour)).toEqual({ __typename: 'ScheduleMeetingSuccess' });
  clock.forward(-HOUR);

  const { rows } = await gateway.database.query('select status, starts_at from meeting');
  expect(rows).toEqual([{ status: 'SCHEDULED', starts_at: inHalfAnHour }]);
});

test("if the gateway's clock jumps ahead, a session is polled once; if the clock jumps back, a webhook schedules the next poll again", async () => {
  const id = 'clock.polls';
  const { gateway, clock, polls, becomes } = await bootWithClock(id);

  clock.forward(HOUR);
  await eventually(async () => polls() === 1);
  for (let look = 0; look < 3; look += 1) await looked(gateway);
  expect(polls()).toBe(1);

  clock.forward(-HOUR);
  becomes('PRE_VIDEO_CALL', 'USER_QUEUED');
  expect(await gateway.webhook(webhookOf(id, 'PRE_VIDEO_CALL', 'USER_DEVICE_CHECK_SUCCESS', 30))).toBe(200);
  await eventually(async () => (await sessionOf(gateway, id)).subStatus === 'USER_DEVICE_CHECK_SUCCESS');
  const { rows } = await gateway.database.query('select next_poll_at from vkyc_session');
  expect(rows[0].next_poll_at.getTime()).toBeLessThan(clock.now().getTime() + 15 * MINUTE);
  clock.forward(15 * MINUTE);
  await eventually(async () => (await sessionOf(gateway, id)).subStatus === 'USER_QUEUED');
});

test("whether a token has expired is decided by the gateway's current clock, also after the clock jumps ahead and back", async () => {
  const { gateway, clock } = await bootWithClock('clock.token');
  const authorization = `Bearer ${await gateway.token({ sub: 'vera', roles: ['VIEWER'] })}`;
  const isGood = async () =>
    (await gateway.graphql('{ viewer { id } }', {}, { authorization })).errors === undefined;

  expect(await isGood()).toBe(true);
  clock.forward(24 * HOUR);
  expect(await isGood()).toBe(false);
  clock.forward(-25 * HOUR);
  expect(await isGood()).toBe(true);
});
