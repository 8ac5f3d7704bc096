import { expect, test } from 'vitest';
import { auditOf } from '../harness/audit.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { type Person, person } from '../harness/people.ts';
import { againstScript, logOf, looked, MINUTE, sessionOf } from './polled.ts';

const WATCH = `subscription ($sessionId: ID, $after: String) {
  statusTransitions(sessionId: $sessionId, after: $after) {
    sequence subStatus source actor applied rawStatus occurredAt
    session { meetings(first: 5) { nodes { status } } }
  }
}`;
const USER = { user: { userId: 'asha', phone: '9988776655' } };
const GRACE = 15 * MINUTE;
/** Longer than the pause between two polls of a session that has not changed for hours. */
const LONGEST_PAUSE = 6 * 60 * MINUTE;

/** State of the scripted provider, which decides its answers; tests change it. */
interface Present {
  status: string;
  subStatus: string;
  meetingAt: string | null;
  /** Whether the provider fails every poll. */
  away: boolean;
  /** The provider sends its answer to a poll only after this promise has resolved. */
  held: Promise<unknown>;
  /** Number of polls that reached the provider. */
  asked: number;
}

async function scripted(options: Parameters<typeof againstScript>[1] = {}) {
  const present: Present = {
    status: 'RECEIVED',
    subStatus: 'LINK_GENERATED',
    meetingAt: null,
    away: false,
    held: Promise.resolve(),
    asked: 0,
  };
  const { gateway, clock, provider } = await againstScript(({ method, path, body }) => {
    if (method === 'GET') present.asked += 1;
    if (method === 'GET' && present.away) return null;
    const id = new URLSearchParams(path.split('?')[1]).get('verification_id');
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: id, user_id: 'asha' };
    const { status, subStatus: sub_status, meetingAt: meeting_schedule } = present;
    const { held } = present;
    return {
      body: JSON.stringify({ ...sent, status, sub_status, meeting_schedule }),
      before: () => (method === 'GET' ? held : Promise.resolve()),
    };
  }, options);
  const operator = await person(gateway, 'olga', 'OPERATOR');
  const now = () => clock.now().getTime();
  return { gateway, clock, provider, present, operator, now };
}

/** Sends a webhook whose event happened now, by the gateway's clock. */
async function report(
  gateway: Gateway,
  now: () => number,
  verificationId: string,
  [status, sub_status]: readonly [string, string],
  meeting_schedule?: string,
) {
  const code = await gateway.webhook({
    event_time: new Date(now()).toISOString(),
    data: { verification_id: verificationId, status, sub_status, meeting_schedule },
  });
  expect(code).toBe(200);
}

const startsIn = (now: () => number, ms: number) => new Date(now() + ms).toISOString();

/** Waits until the gateway has polled the provider again and no poll is due. */
async function polledOnce(gateway: Gateway, present: Present) {
  const before = present.asked;
  await eventually(async () => present.asked > before);
  await looked(gateway);
}

const isMissed = async (operator: Person, id: string) =>
  (await operator.look(id)).subStatus === 'USER_MISSED_MEETING';

test('a meeting booked in the gateway becomes MISSED once its grace period is over and the provider reports no call; the transition has the source CLOCK and is streamed', async () => {
  const { gateway, clock, present, operator, now } = await scripted();
  const session = await gateway.start('missed.1', USER);
  const watcher = gateway.subscribe(WATCH, { sessionId: session.id, after: session.startCursor });
  await operator.act('scheduleMeeting', session.id, { startsAt: startsIn(now, 10 * MINUTE) });
  await watcher.take(2);

  clock.forward(10 * MINUTE + GRACE - 20_000);
  await polledOnce(gateway, present);
  expect(await operator.look(session.id)).toMatchObject({
    subStatus: 'USER_MEETING_SCHEDULED',
    meeting: { status: 'SCHEDULED' },
  });
  clock.forward(22_000);

  const frame = await watcher.next();
  expect(frame).toEqual({
    sequence: 3,
    subStatus: 'USER_MISSED_MEETING',
    source: 'CLOCK',
    actor: null,
    applied: true,
    rawStatus: null,
    occurredAt: null,
    session: { meetings: { nodes: [{ status: 'MISSED' }] } },
  });
  const missed = await operator.look(session.id);
  expect(missed).toMatchObject({
    status: 'VIDEO_CALL',
    meeting: null,
    statusInfo: { waitingOn: 'CUSTOMER', terminal: false },
  });
  expect(missed.availableActions).toContain('SCHEDULE_MEETING');
  expect(missed.availableActions).not.toContain('CANCEL_MEETING');
  expect(await auditOf(gateway.databaseUrl).findingOf(session.id)).toBeNull();
  // Later polls, which repeat the same answer, record nothing.
  clock.forward(30 * MINUTE);
  await polledOnce(gateway, present);
  expect(await logOf(gateway, 'missed.1')).toHaveLength(3);
});

test('a meeting that the customer booked at the provider becomes MISSED after its grace period too', async () => {
  const { gateway, clock, present, operator, now } = await scripted();
  const { id } = await gateway.start('missed.2', USER);
  const booking = ['PRE_VIDEO_CALL', 'USER_MEETING_SCHEDULED'] as const;
  const startsAt = startsIn(now, 5 * MINUTE);
  Object.assign(present, { status: booking[0], subStatus: booking[1], meetingAt: startsAt });
  await report(gateway, now, 'missed.2', booking, startsAt);
  await eventually(async () => (await operator.look(id)).meeting);

  clock.forward(5 * MINUTE + GRACE + 2_000);
  await eventually(() => isMissed(operator, id));

  expect((await operator.look(id)).meetings.nodes).toMatchObject([{ status: 'MISSED', source: 'WEBHOOK' }]);
  expect((await logOf(gateway, 'missed.2')).slice(1)).toEqual([
    'WEBHOOK USER_MEETING_SCHEDULED',
    'CLOCK USER_MISSED_MEETING',
  ]);
});

test('MEETING_GRACE_MINUTES sets the time from the start of a meeting until it becomes MISSED', async () => {
  const { gateway, clock, provider, operator, now } = await scripted({ polling: false });
  const patient = await bootGateway({
    clock,
    database: gateway.databaseUrl,
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'sandbox',
      MEETING_GRACE_MINUTES: '60',
    },
  });
  const asking = await person(patient, 'olga', 'OPERATOR');
  const { id } = await gateway.start('grace.1', USER);
  await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, MINUTE) });

  clock.forward(60 * MINUTE);
  expect(await asking.ask('refreshSession', id)).toMatchObject({ changed: false });
  clock.forward(2 * MINUTE);

  expect(await asking.ask('refreshSession', id)).toMatchObject({
    changed: true,
    session: { subStatus: 'USER_MISSED_MEETING' },
  });
});

test('a meeting stays SCHEDULED while the provider cannot be reached, and becomes MISSED when the provider answers again', async () => {
  const { gateway, clock, present, operator, now } = await scripted();
  const { id } = await gateway.start('away.1', USER);
  await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, MINUTE) });
  await looked(gateway);

  present.away = true;
  clock.forward(MINUTE + GRACE + 2_000);
  await polledOnce(gateway, present);
  clock.forward(60 * MINUTE);
  await polledOnce(gateway, present);
  expect(await operator.look(id)).toMatchObject({
    subStatus: 'USER_MEETING_SCHEDULED',
    meeting: { status: 'SCHEDULED' },
  });
  expect(await logOf(gateway, 'away.1')).toHaveLength(2);

  present.away = false;
  clock.forward(60 * MINUTE);
  await eventually(() => isMissed(operator, id));
  expect(await logOf(gateway, 'away.1')).toHaveLength(3);
});

test("a poll's answer that arrives after the meeting was moved marks neither the old nor the new meeting as MISSED", async () => {
  const { gateway, clock, present, operator, now } = await scripted();
  const { id } = await gateway.start('moved.1', USER);
  await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, MINUTE) });
  await looked(gateway);
  const before = present.asked;
  let letGo = () => {};
  present.held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  clock.forward(MINUTE + GRACE + 2_000);
  await eventually(async () => present.asked > before);

  expect(await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, 30 * MINUTE) })).toMatchObject({
    __typename: 'ScheduleMeetingSuccess',
  });
  letGo();
  await looked(gateway);

  const moved = await operator.look(id);
  expect(moved).toMatchObject({ subStatus: 'USER_MEETING_SCHEDULED', meeting: { status: 'SCHEDULED' } });
  expect(moved.meetings.nodes.map((each: any) => each.status)).toEqual(['SCHEDULED', 'RESCHEDULED']);
  expect(await logOf(gateway, 'moved.1')).not.toContain('CLOCK USER_MISSED_MEETING');
});

test('a meeting does not become MISSED if the provider reports after the grace period that the customer waits in the queue', async () => {
  const { gateway, clock, present, operator, now } = await scripted();
  const { id } = await gateway.start('queued.1', USER);
  await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, MINUTE) });
  await looked(gateway);

  Object.assign(present, { status: 'PRE_VIDEO_CALL', subStatus: 'SCHEDULED_USER_QUEUED' });
  clock.forward(MINUTE + GRACE + 2_000);
  await eventually(async () => (await operator.look(id)).subStatus === 'SCHEDULED_USER_QUEUED');

  await looked(gateway);
  expect(await logOf(gateway, 'queued.1')).not.toContain('CLOCK USER_MISSED_MEETING');
});

test('if a customer joins after the grace period, the webhook moves the session to the call, even if it arrives late', async () => {
  const { gateway, clock, present, operator, now } = await scripted();
  const joined = ['VIDEO_CALL', 'USER_ACCEPTED_MEETING'] as const;
  for (const [verificationId, aheadMs] of [
    ['late.1', 2_000],
    // The event happened before the clock marked the meeting, but its webhook was delayed.
    ['late.2', -3 * MINUTE],
  ] as const) {
    Object.assign(present, { status: 'RECEIVED', subStatus: 'LINK_GENERATED' });
    const { id } = await gateway.start(verificationId, USER);
    await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, MINUTE) });
    clock.forward(MINUTE + GRACE + 2_000);
    await eventually(() => isMissed(operator, id));

    Object.assign(present, { status: joined[0], subStatus: joined[1] });
    await report(gateway, () => now() + aheadMs, verificationId, joined);

    await eventually(async () => (await operator.look(id)).subStatus === 'USER_ACCEPTED_MEETING');
    clock.forward(10 * MINUTE);
    await polledOnce(gateway, present);
    expect(await operator.look(id)).toMatchObject({ subStatus: 'USER_ACCEPTED_MEETING', disputed: false });
  }
});

test('a booking at the provider after a missed meeting is recorded, even if only a poll finds it', async () => {
  const { gateway, clock, present, operator, now } = await scripted();
  const { id } = await gateway.start('again.1', USER);
  const booking = ['PRE_VIDEO_CALL', 'USER_MEETING_SCHEDULED'] as const;
  Object.assign(present, {
    status: booking[0],
    subStatus: booking[1],
    meetingAt: startsIn(now, 5 * MINUTE),
  });
  await report(gateway, now, 'again.1', booking, present.meetingAt as string);
  clock.forward(5 * MINUTE + GRACE + 2_000);
  await eventually(() => isMissed(operator, id));

  present.meetingAt = startsIn(now, 60 * MINUTE);
  clock.forward(20 * MINUTE);
  await eventually(async () => (await operator.look(id)).subStatus === 'USER_MEETING_SCHEDULED');

  const { meeting, meetings } = await operator.look(id);
  expect(meeting).toMatchObject({ startsAt: present.meetingAt, source: 'POLL' });
  expect(meetings.nodes.map((each: any) => each.status)).toEqual(['SCHEDULED', 'MISSED']);
  clock.forward(60 * MINUTE + GRACE);
  await eventually(() => isMissed(operator, id));
});

test('two replicas that poll the same sessions record each missed meeting once', {
  timeout: 60_000,
}, async () => {
  const { gateway, clock, provider, operator, now } = await scripted();
  const count = 5;
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const started = await gateway.start(`twice.${index}`, USER);
    ids.push(started.id);
  }
  await bootGateway({
    clock,
    polling: true,
    database: gateway.databaseUrl,
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'secret',
      PROVIDER_CALLS_PER_MINUTE: '6000',
    },
  });
  const startsAt = startsIn(now, MINUTE);
  await Promise.all(ids.map((id) => operator.act('scheduleMeeting', id, { startsAt })));

  clock.forward(MINUTE + GRACE + 2_000);
  // Staff ask the provider too, at the same time as both reconcilers.
  await Promise.all(
    ids.flatMap((id) => [operator.ask('refreshSession', id), operator.ask('refreshSession', id)]),
  );
  for (const id of ids) await eventually(() => isMissed(operator, id));
  await looked(gateway);

  const { rows } = await gateway.database.query(
    `select session_id, count(*)::int as times from status_transition where source = 'CLOCK' group by 1`,
  );
  expect(rows).toHaveLength(count);
  expect(rows.every((row) => row.times === 1)).toBe(true);
  const { ended } = (
    await gateway.database.query(`select count(*)::int as ended from meeting where status = 'MISSED'`)
  ).rows[0];
  expect(ended).toBe(count);
});

test('refreshSession after the grace period records the missed meeting before it answers, and returns changed: true', async () => {
  const { gateway, clock, operator, now } = await scripted({ polling: false });
  const { id } = await gateway.start('refreshed.1', USER);
  await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, MINUTE) });
  clock.forward(MINUTE + GRACE - 30_000);
  expect(await operator.ask('refreshSession', id)).toMatchObject({ changed: false });
  clock.forward(32_000);

  expect(await operator.ask('refreshSession', id)).toMatchObject({
    changed: true,
    session: { subStatus: 'USER_MISSED_MEETING' },
  });
  expect(await operator.ask('refreshSession', id)).toMatchObject({ changed: false });
  expect(await sessionOf(gateway, 'refreshed.1')).toMatchObject({
    transitions: { nodes: [{}, { source: 'MUTATION' }, { source: 'CLOCK', applied: true }] },
  });
});

/** Books the ended meetings again, as the last release leaves them: there, the end of a session does not end its meeting. */
async function leaveMeetingsBooked({ database }: Gateway): Promise<void> {
  await database.query(`update meeting set status = 'SCHEDULED'`);
  await database.query(
    'update vkyc_session s set meeting_at = (select starts_at from meeting m where m.session_id = s.id)',
  );
}

/** Returns what the clock recorded in all sessions, as the verdict and sub-status of each transition. */
const clockEntries = async ({ database }: Gateway): Promise<string[]> => {
  const { rows } = await database.query(
    `select verdict || ' ' || sub_status as entry from status_transition where source = 'CLOCK' order by recorded_at`,
  );
  return rows.map(({ entry }) => entry);
};

test('a meeting whose time passes while the provider reports other steps before the call becomes MISSED, and the session keeps its status', {
  // If a poll was under way when the clock was set, the next one comes some seconds later.
  timeout: 60_000,
}, async () => {
  const { gateway, clock, present, operator, now } = await scripted();
  const session = await gateway.start('step.1', USER);
  await operator.act('scheduleMeeting', session.id, { startsAt: startsIn(now, 10 * MINUTE) });
  const queued = ['PRE_VIDEO_CALL', 'USER_QUEUED'] as const;
  Object.assign(present, { status: queued[0], subStatus: queued[1] });
  await report(gateway, now, 'step.1', queued);
  await eventually(async () => (await operator.look(session.id)).subStatus === 'USER_QUEUED');
  const watcher = gateway.subscribe(WATCH, { sessionId: session.id, after: session.startCursor });
  await watcher.take(3);
  // A poll that is under way would move the next one behind the time to which the clock is set.
  await looked(gateway);

  clock.forward(10 * MINUTE + GRACE - 20_000);
  await polledOnce(gateway, present);
  expect((await operator.look(session.id)).meeting).toMatchObject({ status: 'SCHEDULED' });
  clock.forward(LONGEST_PAUSE);

  expect(await watcher.next()).toMatchObject({
    sequence: 4,
    subStatus: 'USER_QUEUED',
    source: 'CLOCK',
    actor: null,
    applied: false,
    session: { meetings: { nodes: [{ status: 'MISSED' }] } },
  });
  expect(await operator.look(session.id)).toMatchObject({ subStatus: 'USER_QUEUED', meeting: null });
  expect(await auditOf(gateway.databaseUrl).findingOf(session.id)).toBeNull();
  await looked(gateway);
  clock.forward(LONGEST_PAUSE);
  await polledOnce(gateway, present);
  expect(await clockEntries(gateway)).toEqual(['DETAILS USER_QUEUED']);
});

test('a meeting that the last release left booked in an ended session becomes CANCELLED when its time has passed, once although two replicas run', async () => {
  const { gateway, clock, provider, operator, now } = await scripted();
  const { id } = await gateway.start('over.1', USER);
  await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, 10 * MINUTE) });
  await report(gateway, now, 'over.1', ['EXPIRED', 'VKYC_EXPIRED']);
  await eventually(async () => (await operator.look(id)).subStatus === 'VKYC_EXPIRED');
  await leaveMeetingsBooked(gateway);
  const other = await bootGateway({
    clock,
    polling: true,
    database: gateway.databaseUrl,
    environment: {
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'secret',
      PROVIDER_CALLS_PER_MINUTE: '6000',
    },
  });
  expect((await operator.look(id)).meeting).toMatchObject({ status: 'SCHEDULED' });

  clock.forward(10 * MINUTE + GRACE + 2_000);
  await eventually(async () => (await operator.look(id)).meeting === null);
  clock.forward(2 * MINUTE);
  await looked(gateway);
  await looked(other);

  expect((await operator.look(id)).meetings.nodes).toMatchObject([
    { status: 'CANCELLED', cancelledBy: null, source: 'MUTATION' },
  ]);
  expect(await clockEntries(gateway)).toEqual(['DETAILS VKYC_EXPIRED']);
  expect(await auditOf(gateway.databaseUrl).findingOf(id)).toBeNull();
});

test('a session whose passed meeting cannot be ended does not keep the meetings of other sessions booked', async () => {
  const { gateway, clock, operator, now } = await scripted();
  const ids: string[] = [];
  for (const [verificationId, minutes] of [
    ['broken.1', 5],
    ['sound.1', 10],
  ] as const) {
    const { id } = await gateway.start(verificationId, USER);
    await operator.act('scheduleMeeting', id, { startsAt: startsIn(now, minutes * MINUTE) });
    await report(gateway, now, verificationId, ['EXPIRED', 'VKYC_EXPIRED']);
    await eventually(async () => (await operator.look(id)).subStatus === 'VKYC_EXPIRED');
    ids.push(id);
  }
  await leaveMeetingsBooked(gateway);
  await gateway.database.query(`
    create function fail_broken() returns trigger language plpgsql as $$ begin
      if new.session_id = (select id from vkyc_session where verification_id = 'broken.1') then raise 'broken'; end if;
      return new;
    end $$;
    create trigger fail_broken before insert on status_transition for each row execute function fail_broken()`);

  clock.forward(10 * MINUTE + GRACE + 2_000);
  await eventually(async () => (await operator.look(ids[1] as string)).meeting === null);

  expect((await operator.look(ids[0] as string)).meeting).toMatchObject({ status: 'SCHEDULED' });
  await gateway.database.query('drop trigger fail_broken on status_transition');
  clock.forward(2 * MINUTE);
  await eventually(async () => (await operator.look(ids[0] as string)).meeting === null);
});
