import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/ports.ts';
import { expectSound, logOf, report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { movableClock, stillClock } from '../harness/clock.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { type Person, person } from '../harness/people.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const INDIA = 5.5 * 60 * MINUTE;
/** Today's date in India. */
const TODAY = Math.floor((Date.now() + INDIA) / DAY);

/** Returns a time in India, some days after today. */
const at = (time: string, days = 1): string =>
  new Date(Date.parse(`1970-01-01T${time}:00Z`) + (TODAY + days) * DAY - INDIA).toISOString();
const dateOf = (days: number): string => new Date((TODAY + days) * DAY).toISOString().slice(0, 10);

const HOURS = { MEETING_HOURS: 'Mon-Sun 09:00-12:00', MEETING_CAPACITY: '1' };
/** Boots a gateway with a calendar. */
const bootCalendar = (environment: Record<string, string> = {}, clock?: Clock) =>
  bootGateway({ ...(clock ? { clock } : {}), environment: { ...HOURS, ...environment } });

const SLOTS = `query ($from: DateTime!, $to: DateTime!) {
  result: meetingSlots(from: $from, to: $to) { startsAt endsAt available capacity booked free } }`;
const slots = (who: Person, from: string, to: string): Promise<any> => who.query(SLOTS, { from, to });
/** Returns the number of booked meetings of each slot of a morning. */
const bookedIn = async (who: Person, days = 1): Promise<number[]> =>
  (await slots(who, at('09:00', days), at('12:00', days))).map((slot: any) => slot.booked);

const book = (who: Person, { id }: { id: string }, startsAt: string, more: object = {}): Promise<any> =>
  who.act('scheduleMeeting', id, { startsAt, ...more });
const startsOf = (refused: any): string[] => refused.nextFreeSlots.map((slot: any) => slot.startsAt);

describe('scheduleMeeting with a calendar', () => {
  test('refuses times outside the working hours, on holidays and between slots, with the next free slots', async () => {
    const gateway = await bootCalendar({ HOLIDAYS: dateOf(2) });
    const session = await gateway.start('hours.1');
    const { olga } = await staffOf(gateway);

    for (const [startsAt, reason, next] of [
      [at('08:30'), 'OUTSIDE_WORKING_HOURS', at('09:00')],
      [at('11:45'), 'OUTSIDE_WORKING_HOURS', at('09:00', 3)],
      [at('12:00'), 'OUTSIDE_WORKING_HOURS', at('09:00', 3)],
      [at('10:00', 2), 'HOLIDAY', at('09:00', 3)],
      [at('10:10'), 'NOT_A_SLOT_START', at('10:30')],
      [new Date(Date.parse(at('10:00')) + 1).toISOString(), 'NOT_A_SLOT_START', at('10:30')],
    ]) {
      const refused = await book(olga, session, startsAt as string);
      expect(refused, startsAt).toMatchObject({
        __typename: 'TimeUnavailableError',
        code: 'TIME_UNAVAILABLE',
        retryable: false,
        reason,
        session: { id: session.id, version: 1 },
      });
      expect(refused.nextFreeSlots[0], startsAt).toEqual({
        startsAt: next,
        endsAt: new Date(Date.parse(next as string) + 30 * MINUTE).toISOString(),
        ...{ available: true, capacity: 1, booked: 0, free: 1 },
      });
    }
    expect(await logOf(gateway, 'hours.1')).toHaveLength(1);

    const refused = await book(olga, session, at('10:10'));
    expect(startsOf(refused)).toEqual([
      at('10:30'),
      at('11:00'),
      at('11:30'),
      at('09:00', 3),
      at('09:30', 3),
    ]);
    expect(await book(olga, session, startsOf(refused)[0] as string)).toMatchObject({
      __typename: 'ScheduleMeetingSuccess',
      meeting: { startsAt: at('10:30'), status: 'SCHEDULED' },
    });
  });

  test('refuses a slot whose places are taken, and books it again after the meeting was moved or cancelled', async () => {
    const gateway = await bootCalendar({ MEETING_CAPACITY: '2' });
    const { olga, ravi } = await staffOf(gateway);
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => gateway.start(`full.${name}`)));
    if (!a || !b || !c) throw new Error('no session');
    const ten = at('10:00');
    await book(olga, a, ten);
    await book(ravi, b, ten);

    const refused = await book(olga, c, ten);
    expect(refused).toMatchObject({
      __typename: 'TimeUnavailableError',
      reason: 'SLOT_FULL',
      message: 'All places at this time are taken: choose another time.',
    });
    expect(startsOf(refused)[0]).toBe(at('10:30'));
    // A client that does not know the new kind of refusal.
    const known = await olga.query(
      'mutation ($input: ScheduleMeetingInput!) { result: scheduleMeeting(input: $input) { ... on MutationError { code message retryable } } }',
      { input: { sessionId: c.id, startsAt: ten, idempotencyKey: randomUUID() } },
    );
    expect(known).toEqual({ code: 'TIME_UNAVAILABLE', message: refused.message, retryable: false });
    expect(await slots(ravi, ten, at('10:30'))).toEqual([
      { startsAt: ten, endsAt: at('10:30'), available: false, capacity: 2, booked: 2, free: 0 },
    ]);

    // The meeting of A moves away, and its place is free.
    await book(olga, a, at('11:00'));
    expect(await book(olga, c, ten)).toMatchObject({ __typename: 'ScheduleMeetingSuccess' });
    expect(await book(olga, a, ten)).toMatchObject({ reason: 'SLOT_FULL' });
    await olga.act('cancelMeeting', b.id);
    expect(await book(olga, a, ten)).toMatchObject({ __typename: 'ScheduleMeetingSuccess' });
    expect(await bookedIn(olga)).toEqual([0, 0, 2, 0, 0, 0]);
    await expectSound(gateway);
  });

  test('changes nothing if the meeting is moved to the time that it has', async () => {
    const clock = movableClock();
    const gateway = await bootCalendar({}, clock);
    const { olga, ravi } = await staffOf(gateway);
    const session = await gateway.start('same.1');
    const first = await book(olga, session, at('10:00'), { reason: 'agreed by phone' });
    const before = { log: await logOf(gateway, 'same.1'), rows: await rowsOf(gateway) };
    clock.forward(MINUTE);

    const key = { idempotencyKey: randomUUID(), expectedVersion: 2 };
    const again = await book(ravi, session, at('10:00'), { ...key, reason: 'the same again' });

    expect(again).toMatchObject({
      __typename: 'ScheduleMeetingSuccess',
      replayed: true,
      meeting: { id: first.meeting.id, startsAt: at('10:00'), status: 'SCHEDULED' },
      session: { version: 2, meetings: { nodes: [{ reason: 'agreed by phone', scheduledBy: 'olga' }] } },
    });
    expect(await logOf(gateway, 'same.1')).toEqual(before.log);
    expect(await rowsOf(gateway)).toEqual(before.rows);
    expect(await book(ravi, session, at('10:00'), { expectedVersion: 1 })).toMatchObject({
      code: 'VERSION_CONFLICT',
    });

    // The retry of that call does not move the meeting back after somebody else moved it.
    await book(olga, session, at('11:00'));
    expect(await book(ravi, session, at('10:00'), { ...key, reason: 'the same again' })).toMatchObject({
      replayed: true,
      session: { version: 3, meeting: { startsAt: at('11:00') } },
    });
    expect(await bookedIn(olga)).toEqual([0, 0, 0, 0, 1, 0]);
  });

  test('books a full slot again for the session whose meeting takes the place', async () => {
    const gateway = await bootCalendar();
    const { olga } = await staffOf(gateway);
    const session = await gateway.start('own.1');
    const first = await book(olga, session, at('10:00'));
    // The customer comes to the waiting room before the meeting, which stays booked.
    await report(gateway, 'own.1', 'USER_DEVICE_CHECK_SUCCESS');
    await settled(gateway);
    expect(await olga.look(session.id)).toMatchObject({ meeting: { id: first.meeting.id } });

    const again = await book(olga, session, at('10:00'));

    expect(again).toMatchObject({
      replayed: false,
      session: { subStatus: 'USER_MEETING_SCHEDULED', meetings: { nodes: [{ status: 'SCHEDULED' }, {}] } },
    });
    expect(await bookedIn(olga)).toEqual([0, 0, 1, 0, 0, 0]);
  });

  test('takes one place however often a call is repeated, also after its answer was lost', async () => {
    const gateway = await bootCalendar({ MEETING_CAPACITY: '2' });
    const { olga } = await staffOf(gateway);
    const [a, b] = await Promise.all([gateway.start('retry.a'), gateway.start('retry.b')]);
    const call = { idempotencyKey: randomUUID() };

    const answers = await Promise.all(Array.from({ length: 10 }, () => book(olga, a, at('10:00'), call)));

    expect(new Set(answers.map(({ meeting }) => meeting.id)).size).toBe(1);
    expect(await bookedIn(olga)).toEqual([0, 0, 1, 0, 0, 0]);
    expect(await book(olga, b, at('10:00'))).toMatchObject({ __typename: 'ScheduleMeetingSuccess' });
    // A full slot does not refuse the retry of a call that booked it.
    expect(await book(olga, a, at('10:00'), call)).toMatchObject({ replayed: true });
  });

  test('never books more meetings than the capacity, whichever replica is asked', async () => {
    const calendar = { ...HOURS, MEETING_CAPACITY: '3' };
    const one = await bootCalendar(calendar);
    const sandbox = {
      CASHFREE_BASE_URL: one.sandboxUrl,
      CASHFREE_CLIENT_ID: 'sandbox',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    };
    const two = await bootGateway({ database: one.databaseUrl, environment: { ...calendar, ...sandbox } });
    const olga = await person(one, 'olga', 'OPERATOR');
    const ravi = await person(two, 'ravi', 'OPERATOR');
    const sessions = await Promise.all(
      Array.from({ length: 30 }, (_, index) => one.start(`replicas.${index}`)),
    );

    const answers = await Promise.all(
      sessions.map((session, index) => book(index % 2 ? olga : ravi, session, at('10:00', 2))),
    );

    const results = answers.map((answer) => answer.__typename).toSorted();
    expect(results).toEqual([
      ...Array(3).fill('ScheduleMeetingSuccess'),
      ...Array(27).fill('TimeUnavailableError'),
    ]);
    expect(await bookedIn(ravi, 2)).toEqual([0, 0, 3, 0, 0, 0]);
    await expectSound(one);
  });

  test('offers only slots before the link of the customer expires, and if there are none after the wanted time, the next ones from now on', async () => {
    const gateway = await bootCalendar({ HOLIDAYS: dateOf(0) });
    const { olga } = await staffOf(gateway);
    const session = await gateway.start('link.1');
    await gateway.database.query('update vkyc_session set link_expires_at = $1', [at('11:00', 2)]);

    expect(startsOf(await book(olga, session, at('08:30', 2)))).toEqual([
      at('09:00', 2),
      at('09:30', 2),
      at('10:00', 2),
      at('10:30', 2),
    ]);
    expect(startsOf(await book(olga, session, at('10:40', 2)))).toEqual([
      at('09:00'),
      at('09:30'),
      at('10:00'),
      at('10:30'),
      at('11:00'),
    ]);
    expect(await book(olga, session, at('11:00', 2))).toMatchObject({ code: 'ACTION_NOT_ALLOWED' });
  });

  test('offers nothing if no slot is free within 31 days', async () => {
    const holidays = Array.from({ length: 40 }, (_, index) => dateOf(index)).join();
    const gateway = await bootCalendar({ HOLIDAYS: holidays });
    const { olga } = await staffOf(gateway);
    const session = await gateway.start('never.1');

    expect(await book(olga, session, at('10:00'))).toMatchObject({ reason: 'HOLIDAY', nextFreeSlots: [] });
  });

  test('lets a customer book a free slot, without telling how many places there are', async () => {
    const gateway = await bootCalendar({ MEETING_CAPACITY: '2' });
    const mine = await gateway.start('customer.1');
    const other = await gateway.start('customer.2');
    const third = await gateway.start('customer.3');
    const { olga } = await staffOf(gateway);
    const asha = await person(gateway, 'asha', 'CUSTOMER', ['customer.1']);
    const hidden = { capacity: null, booked: null, free: null };
    await book(olga, other, at('10:00'));
    await book(olga, third, at('10:00'));

    const refused = await book(asha, mine, at('10:00'));

    expect(refused).toMatchObject({ reason: 'SLOT_FULL' });
    expect(refused.nextFreeSlots[0]).toEqual({
      ...{ startsAt: at('10:30'), endsAt: at('11:00'), available: true },
      ...hidden,
    });
    expect(await slots(asha, at('09:30'), at('10:30'))).toEqual([
      { startsAt: at('09:30'), endsAt: at('10:00'), available: true, ...hidden },
      { startsAt: at('10:00'), endsAt: at('10:30'), available: false, ...hidden },
    ]);
    expect(await book(asha, mine, at('10:30'))).toMatchObject({ __typename: 'ScheduleMeetingSuccess' });
    expect(await book(asha, other, at('11:00'))).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('follows the wall clock of another time zone when clocks change there', async () => {
    // On 2027-03-28 at 01:00 UTC, clocks in London are set forward.
    const clock = stillClock(new Date('2027-03-20T10:00Z'));
    const gateway = await bootCalendar({ MEETING_TIME_ZONE: 'Europe/London' }, clock);
    const session = await gateway.start('london.1');
    const { olga } = await staffOf(gateway);
    const first = async (day: string) =>
      (await slots(olga, `${day}T00:00:00Z`, `${day}T23:00:00Z`))[0].startsAt;

    expect(await first('2027-03-27')).toBe('2027-03-27T09:00:00.000Z');
    expect(await first('2027-03-28')).toBe('2027-03-28T08:00:00.000Z');
    expect(await book(olga, session, '2027-03-27T08:00:00Z')).toMatchObject({
      reason: 'OUTSIDE_WORKING_HOURS',
    });
    expect(await book(olga, session, '2027-03-28T08:00:00Z')).toMatchObject({
      __typename: 'ScheduleMeetingSuccess',
    });
  });

  test('without MEETING_HOURS any time can be booked, and there are no slots', async () => {
    const gateway = await bootGateway();
    const [a, b] = await Promise.all([gateway.start('any.a'), gateway.start('any.b')]);
    const { olga } = await staffOf(gateway);
    const odd = new Date(Date.parse(at('03:00', 2)) + 1).toISOString();

    for (const session of [a, b])
      expect(await book(olga, session, odd)).toMatchObject({
        __typename: 'ScheduleMeetingSuccess',
        meeting: { startsAt: odd },
      });
    const days = { from: at('00:00'), to: at('00:00', 2) };
    expect(await gateway.graphql(SLOTS, days)).toMatchObject({ data: { result: null } });
  });
});

/** Returns the numbers of rows that a booking writes. */
async function rowsOf({ database }: Gateway): Promise<object> {
  const { rows } = await database.query(
    `select (select count(*) from meeting) as meetings, (select count(*) from status_transition) as transitions,
       (select count(*) from annotation) as annotations, (select count(*) from audit_entry) as entries,
       (select max(updated_at) from vkyc_session) as updated`,
  );
  return rows[0];
}

let seconds = 0;
/** Reports that the customer booked a meeting at the provider. */
async function bookAtProvider(gateway: Gateway, verificationId: string, startsAt: string): Promise<void> {
  seconds += 1;
  const status = await gateway.webhook({
    event_time: new Date(Date.now() + seconds * 1_000).toISOString(),
    data: {
      verification_id: verificationId,
      status: 'PRE_VIDEO_CALL',
      sub_status: 'USER_MEETING_SCHEDULED',
      meeting_schedule: startsAt,
    },
  });
  expect(status).toBe(200);
  await settled(gateway);
}

describe('places of the calendar', () => {
  test('meetings that customers book at the provider take places, and are never refused', async () => {
    const gateway = await bootCalendar();
    const { olga } = await staffOf(gateway);
    const mine = await gateway.start('theirs.0');
    for (const name of ['theirs.1', 'theirs.2', 'theirs.3']) await gateway.start(name);
    await book(olga, mine, at('11:30'));

    // At the times of the provider: two in a full slot, and one that takes a place in two slots.
    await bookAtProvider(gateway, 'theirs.1', at('11:30'));
    await bookAtProvider(gateway, 'theirs.2', at('11:30'));
    await bookAtProvider(gateway, 'theirs.3', at('09:10'));

    expect(await slots(olga, at('09:00'), at('12:00'))).toMatchObject([
      { startsAt: at('09:00'), booked: 1, free: 0, available: false },
      { startsAt: at('09:30'), booked: 1, free: 0, available: false },
      { startsAt: at('10:00'), booked: 0, free: 1, available: true },
      { booked: 0 },
      { booked: 0 },
      { startsAt: at('11:30'), capacity: 1, booked: 3, free: 0, available: false },
    ]);
    const refused = await book(olga, mine, at('09:30'));
    expect(refused).toMatchObject({ reason: 'SLOT_FULL' });
    expect(startsOf(refused)[0]).toBe(at('10:00'));
  });

  test.each([
    ['the provider reports the end of the session', ['VKYC_EXPIRED']],
    ['the provider reports that the agent approved', ['AGENT_APPROVED']],
    ['the provider reports that the agent rejected', ['AGENT_REJECTED']],
    ['the provider reports that the meeting was cancelled', ['USER_MEETING_CANCELLED']],
    ['the provider reports that the customer declined', ['USER_REJECTED_MEETING']],
    ['the call takes place earlier', ['USER_ACCEPTED_MEETING']],
  ] as const)('a place is free again after %s', async (_what, steps) => {
    const gateway = await bootCalendar();
    const { olga } = await staffOf(gateway);
    const session = await gateway.start('ended.1');
    await book(olga, session, at('10:00'));
    expect(await bookedIn(olga)).toEqual([0, 0, 1, 0, 0, 0]);

    for (const step of steps) {
      await report(gateway, 'ended.1', step);
      await settled(gateway);
    }

    expect(await bookedIn(olga)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await olga.look(session.id)).toMatchObject({ subStatus: steps.at(-1), meeting: null });
    const changes = await olga.query(
      'query ($id: ID!) { result: session(id: $id) { transitions(last: 1) { nodes { changes } } } }',
      { id: session.id },
    );
    expect(changes.transitions.nodes[0].changes).toContain('MEETINGS');
    await expectSound(gateway);
  });

  test.each(['closed', 'replaced'])('a place is free again after its session was %s', async (how) => {
    const gateway = await bootCalendar();
    const { olga } = await staffOf(gateway);
    const { id } = await sessionAt(gateway, 'ended.2', 'USER_MISSED_MEETING');
    await book(olga, { id }, at('10:00'));
    const user = { phone: '9988776655', name: 'Asha Rao' };

    const ended =
      how === 'closed'
        ? await olga.act('closeSession', id, { outcome: 'FAILED', reason: 'TECHNICAL' })
        : await olga.start({ verificationId: 'ended.new', user, replacesSessionId: id });

    expect(ended.__typename).toMatch(/Success$/);
    expect(await bookedIn(olga)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('an agent who decides at the provider does not cancel a meeting that the customer booked there', async () => {
    const gateway = await bootCalendar();
    const { olga } = await staffOf(gateway);
    const session = await gateway.start('kept.1');
    await bookAtProvider(gateway, 'kept.1', at('10:00'));

    await report(gateway, 'kept.1', 'AGENT_REJECTED');
    await settled(gateway);

    expect(await olga.look(session.id)).toMatchObject({
      subStatus: 'AGENT_REJECTED',
      meeting: { startsAt: at('10:00'), status: 'SCHEDULED' },
    });
    expect(await bookedIn(olga)).toEqual([0, 0, 1, 0, 0, 0]);
  });
});

describe('meetingSlots', () => {
  test('returns past slots as not available, and refuses ranges that are reversed, too long, or have too many slots', async () => {
    const clock = stillClock(new Date(at('10:10')));
    const gateway = await bootCalendar(
      { MEETING_HOURS: 'Mon-Sun 00:00-24:00', MEETING_SLOT_MINUTES: '5' },
      clock,
    );
    const { viewer } = await staffOf(gateway);

    expect(
      (await slots(viewer, at('10:00'), at('10:25'))).map((slot: any) => [slot.startsAt, slot.available]),
    ).toEqual([
      [at('10:00'), false],
      [at('10:05'), false],
      [at('10:10'), false],
      [at('10:15'), true],
      [at('10:20'), true],
    ]);
    expect(await slots(viewer, at('10:00'), at('10:00'))).toEqual([]);
    for (const [from, to, message] of [
      [at('10:05'), at('10:00'), '`from` must not be after `to`.'],
      [at('00:00', 0), at('00:05', 31), '`from` and `to` must be at most 31 days apart.'],
      [
        at('00:00', 0),
        at('00:00', 31),
        'There are more than 1500 slots from `from` to `to`: ask for a shorter time.',
      ],
    ])
      expect(await slots(viewer, from as string, to as string)).toMatchObject({
        errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }],
      });
    for (const year of ['0001', '9999'])
      expect(await slots(viewer, `${year}-01-01T00:00:00Z`, `${year}-01-02T00:00:00Z`)).toBeInstanceOf(Array);
  });

  test('costs as much as the slots that it may return', async () => {
    const gateway = await bootCalendar();
    const { viewer } = await staffOf(gateway);
    const all = `meetingSlots(from: "${at('00:00')}", to: "${at('00:00', 2)}") { startsAt endsAt available capacity booked free }`;
    const times = (count: number) =>
      viewer.query(
        `{ result: viewer { id } ${Array.from({ length: count }, (_, n) => `s${n}: ${all}`).join(' ')} }`,
      );

    expect(await times(11)).toEqual({ id: 'vera' });
    expect(await times(12)).toMatchObject({ errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }] });
  });
});

describe('meetings', () => {
  const LIST = `query ($from: DateTime, $to: DateTime, $first: Int, $after: String, $filter: MeetingFilter) {
    result: meetings(from: $from, to: $to, first: $first, after: $after, filter: $filter) {
      nodes { id startsAt status source scheduledBy reason session { verificationId user { phone } } }
      pageInfo { hasNextPage endCursor } totalCount } }`;
  const list = (who: Person, given: object = {}): Promise<any> => who.query(LIST, { first: 10, ...given });
  const shownBy = async (who: Person, given: object = {}): Promise<string[]> =>
    (await list(who, given)).nodes.map((node: any) => node.session.verificationId);

  test('lists the meetings of all sessions by time, in pages, by status, and to a customer only their own', async () => {
    const gateway = await bootGateway();
    const { olga, viewer } = await staffOf(gateway);
    const asha = await person(gateway, 'asha', 'CUSTOMER', ['list.2', 'list.4', 'list.none']);
    const nobody = await person(gateway, 'ben', 'CUSTOMER', []);
    // Two at the same time, and times that are not in the order of the bookings.
    const times = ['11:00', '09:00', '10:00', '09:00', '12:00'].map((time) => at(time, 2));
    const sessions = [];
    for (const [index, startsAt] of times.entries()) {
      const session = await gateway.start(`list.${index + 1}`);
      sessions.push(session);
      await book(olga, session, startsAt, { reason: `reason ${index + 1}` });
    }
    await olga.act('cancelMeeting', sessions[2]?.id as string);
    await book(olga, sessions[4] as { id: string }, at('13:00', 2));

    const all = await list(olga);
    expect(all.nodes.map((node: any) => [node.startsAt, node.status])).toEqual([
      [at('09:00', 2), 'SCHEDULED'],
      [at('09:00', 2), 'SCHEDULED'],
      [at('10:00', 2), 'CANCELLED'],
      [at('11:00', 2), 'SCHEDULED'],
      [at('12:00', 2), 'RESCHEDULED'],
      [at('13:00', 2), 'SCHEDULED'],
    ]);
    // The count is that of all pages.
    const booked = { first: 1, filter: { status: ['SCHEDULED'] } };
    expect(all.totalCount).toBe(6);
    expect((await list(olga, { ...booked, from: at('10:00', 2), to: at('13:00', 2) })).totalCount).toBe(1);
    for (const [who, count] of [
      [olga, 4],
      [asha, 2],
      [nobody, 0],
    ] as const)
      expect((await list(who, booked)).totalCount).toBe(count);
    expect(all.nodes[3]).toMatchObject({
      source: 'MUTATION',
      scheduledBy: 'olga',
      reason: 'reason 1',
      session: { verificationId: 'list.1', user: { phone: '9988776655' } },
    });
    expect(await shownBy(olga, { filter: { status: ['CANCELLED', 'RESCHEDULED', 'CANCELLED'] } })).toEqual([
      'list.3',
      'list.5',
    ]);
    expect(await shownBy(olga, { filter: { status: [] } })).toEqual([]);
    expect(await shownBy(olga, { from: at('10:00', 2), to: at('12:00', 2) })).toEqual(['list.3', 'list.1']);
    expect(await shownBy(olga, { to: at('09:00', 2) })).toEqual([]);
    // A role without personal data.
    const [seen] = (await list(viewer)).nodes;
    expect(seen.session.user.phone).toBe('••••••6655');

    const paged: string[] = [];
    let after: string | null = null;
    do {
      const page: any = await list(olga, { first: 1, after, filter: { status: ['SCHEDULED', 'CANCELLED'] } });
      paged.push(...page.nodes.map((node: any) => node.id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(paged).toEqual(
      all.nodes.filter(({ status }: any) => status !== 'RESCHEDULED').map(({ id }: any) => id),
    );

    // Another customer's meetings are not shown, whatever the filter, and neither are words of staff.
    const own = await list(asha);
    expect(own.nodes.map((node: any) => node.session.verificationId)).toEqual(['list.2', 'list.4']);
    expect(own.nodes).toMatchObject([{ reason: null, scheduledBy: null }, { reason: null }]);
    const first = await list(asha, { first: 1, filter: { status: ['SCHEDULED'] } });
    expect(first).toMatchObject({ nodes: { length: 1 }, pageInfo: { hasNextPage: true } });
    expect(await shownBy(asha, { first: 5, after: first.pageInfo.endCursor })).toHaveLength(1);
    expect(await shownBy(asha, { from: at('12:30', 2) })).toEqual([]);
    expect(await shownBy(nobody)).toEqual([]);
  });

  test('refuses a list without a page size, a reversed range, and cursors of other lists', async () => {
    const gateway = await bootGateway();
    const { olga } = await staffOf(gateway);
    await gateway.start('bad.1');
    const { pageInfo } = await olga.query('{ result: sessions(first: 1) { pageInfo { endCursor } } }');

    for (const [given, message] of [
      [{ first: null }, 'The page size is missing: pass `first` or `last`.'],
      [{ first: 0 }, '`first` must be 1 to 100, not 0.'],
      [{ first: 101 }, '`first` must be 1 to 100, not 101.'],
      [{ from: at('10:00'), to: at('09:00') }, '`from` must not be after `to`.'],
      ...[pageInfo.endCursor, 'x', ''].map((after) => [
        { after },
        'The cursor was not issued for this list in this order: pass a cursor exactly as you received it.',
      ]),
    ] as [object, string][])
      expect(await list(olga, given), message).toMatchObject({
        errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }],
      });
  });
});
