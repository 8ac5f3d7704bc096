import { expect, test } from 'vitest';
import { eventually } from '../harness/gateway.ts';
import { bootSandbox, NOON, SetClock } from './harness.ts';

const SPEED = 4;

test('if SANDBOX_SPEED is set, steps and meetings happen exactly at their planned time divided by the speed', async () => {
  const clock = new SetClock();
  const client = await bootSandbox({ speed: SPEED, clock });
  await client.start('fast.happy-path');

  // At speed 1 the meeting is booked 8 s after the start and takes place 2 s after that.
  clock.forward(8 / SPEED - 0.001);
  const before = await client.look('fast.happy-path');
  clock.forward(0.001);
  const booked = await client.look('fast.happy-path');
  clock.forward(2 / SPEED - 0.001);
  const waiting = await client.look('fast.happy-path');
  clock.forward(0.001);
  const begun = await client.look('fast.happy-path');

  expect(before.sub_status).toBe('NO_AGENT_FOUND');
  expect(booked).toMatchObject({
    sub_status: 'USER_MEETING_SCHEDULED',
    meeting_schedule: new Date(NOON.getTime() + (10 / SPEED) * 1000).toISOString(),
  });
  expect(waiting.sub_status).toBe('USER_MEETING_SCHEDULED');
  expect([begun.sub_status, begun.meeting_schedule]).toEqual([
    'SCHEDULED_USER_QUEUED',
    clock.now().toISOString(),
  ]);
});

test('the sandbox lists webhooks of several verifications in order of time, even after a long clock jump', async () => {
  const clock = new SetClock();
  const client = await bootSandbox({ speed: 1, clock });
  for (let index = 0; index < 10; index += 1) {
    await client.start(`${index}.random`);
    clock.forward(0.3);
  }
  clock.forward(3600);

  const events = JSON.parse(await client.events()) as { body: { event_time: string } }[];

  const times = events.map(({ body }) => body.event_time);
  expect(events.length).toBeGreaterThan(50);
  expect(times).toEqual(times.toSorted());
});

test('without SANDBOX_SPEED no step happens by itself, and webhooks have the planned times of the journey as event times', async () => {
  const clock = new SetClock();
  const client = await bootSandbox({ clock });
  await client.start('still.awaits-review');
  clock.forward(86_400);

  expect((await client.look('still.awaits-review')).sub_status).toBe('LINK_GENERATED');
  expect(await client.advance('still.awaits-review', 2)).toBe(2);
  const events = JSON.parse(await client.events()) as { body: { event_time: string } }[];
  expect(events.map(({ body }) => body.event_time)).toEqual([
    '2026-03-02T12:00:00Z',
    '2026-03-02T12:00:01Z',
    '2026-03-02T12:00:02Z',
  ]);
});

test('a sandbox step made by POST /advance happens immediately, and the journey continues from that time at its own pace', async () => {
  const clock = new SetClock();
  const client = await bootSandbox({ speed: 1, clock });
  await client.start('hurried.proxy-detected');
  clock.forward(3);
  await client.advance('hurried.proxy-detected');

  const { body } = await client.control('GET', '/verifications/hurried.proxy-detected');

  expect([body.sub_status, body.since]).toEqual([
    'USER_IP_VERIFICATION_SUCCESSFUL',
    clock.now().toISOString(),
  ]);
  clock.forward(1);
  expect((await client.look('hurried.proxy-detected')).sub_status).toBe('USER_LOCATION_VERIFICATION_SUCCESS');
});

test('advancing a sandbox verification by more steps than remain stops at the end of the journey', async () => {
  const client = await bootSandbox();
  await client.start('short.link-expires');

  expect(await client.advance('short.link-expires', 5)).toBe(1);
  expect(await client.advance('short.link-expires', 5)).toBe(0);
});

test('with a real clock a journey of the sandbox reaches its end by itself', async () => {
  const client = await bootSandbox({ speed: 500, clock: { now: () => new Date() } });
  await client.start('walking.happy-path');

  const end = await eventually(async () => {
    const answer = await client.look('walking.happy-path');
    return answer.sub_status === 'AUDITOR_APPROVED' && answer;
  });

  expect(end.auditor_remarks).toContain('AUDITOR_APPROVED');
});
