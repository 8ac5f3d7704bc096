/** Stories of deadlines: how long a session may stay in a state, and who is told when it is overdue. */
import { describe, expect, test } from 'vitest';
import { expectSound, listed, report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { movableClock } from '../harness/clock.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';

const MINUTE = 60_000;
const DUE = 'query ($id: ID!) { result: session(id: $id) { statusSince dueAt overdue } }';
const DEADLINES = { DEADLINES: 'AGENT=30,AUDITOR=240,USER_QUEUED=10' };
const PASSED = '... on DeadlinePassed { cursor previousCursor dueAt session { verificationId overdue } }';
const BEAT = '... on Heartbeat { cursor previousCursor }';
const LIVE = `subscription ($id: ID!) { sessionLive(sessionId: $id) { __typename ... on SessionSnapshot { cursor } ${BEAT}
  ... on StatusTransition { cursor previousCursor sequence } ${PASSED} } }`;
const FEED = `subscription ($after: String, $filter: TransitionFilter) { feed(after: $after, filter: $filter) { __typename ${BEAT}
  ... on StatusTransition { cursor previousCursor sequence } ${PASSED} } }`;

async function floor(environment: Record<string, string> = DEADLINES) {
  const clock = movableClock();
  const gateway = await bootGateway({ clock, environment });
  return { gateway, clock, ...(await staffOf(gateway)) };
}

/** Returns the next frame that is no heartbeat. */
async function nextNews(stream: { next(): Promise<any> }): Promise<any> {
  for (;;) {
    const frame = await stream.next();
    if (frame.__typename !== 'Heartbeat') return frame;
  }
}

const minutesAllowed = ({ statusSince, dueAt }: { statusSince: string; dueAt: string | null }) =>
  dueAt && (Date.parse(dueAt) - Date.parse(statusSince)) / MINUTE;

describe('dueAt and overdue', () => {
  test('the time of the step takes precedence over that of the party, and moves on with each transition', async () => {
    const { gateway, olga } = await floor();
    const { id } = await sessionAt(gateway, 'due.1');
    expect(await olga.query(DUE, { id })).toMatchObject({ dueAt: null, overdue: false });
    for (const [step, minutes] of [
      ['USER_QUEUED', 10],
      ['SCHEDULED_USER_QUEUED', 30],
      ['AGENT_APPROVED', 240],
      ['AUDITOR_REJECTED', null],
    ] as const) {
      await report(gateway, 'due.1', step);
      await settled(gateway);
      expect(minutesAllowed(await olga.query(DUE, { id })), step).toBe(minutes);
    }
    await expectSound(gateway);
  });

  test('a session becomes overdue by the clock alone, and lists show the longest overdue first', async () => {
    const { gateway, clock, olga } = await floor();
    await sessionAt(gateway, 'due.agent', 'AGENT_ENDED_CALL');
    await sessionAt(gateway, 'due.queued', 'USER_QUEUED');
    await sessionAt(gateway, 'due.never');
    expect(await listed(olga, { overdue: true })).toEqual([]);
    clock.forward(11 * MINUTE);
    expect(await listed(olga, { overdue: true })).toEqual(['due.queued']);
    clock.forward(20 * MINUTE);
    expect(await listed(olga, { overdue: true })).toEqual(['due.agent', 'due.queued']);
    expect(await listed(olga, { overdue: false })).toEqual(['due.never']);

    const page = `query ($after: String) { result: sessions(first: 1, after: $after, orderBy: { field: DUE_AT, direction: ASC }) {
      totalCount nodes { verificationId overdue } pageInfo { hasNextPage endCursor } } }`;
    const first = await olga.query(page);
    const second = await olga.query(page, { after: first.pageInfo.endCursor });
    // The list, and its count, leave out sessions without a deadline.
    expect(first).toMatchObject({ totalCount: 2, nodes: [{ verificationId: 'due.queued', overdue: true }] });
    expect(second).toMatchObject({
      nodes: [{ verificationId: 'due.agent', overdue: true }],
      pageInfo: { hasNextPage: false },
    });
  });

  test('customers see no deadlines, and may neither filter nor sort by them', async () => {
    const { gateway } = await floor();
    const { id } = await sessionAt(gateway, 'due.1', 'USER_QUEUED');
    const customer = await person(gateway, 'asha', 'CUSTOMER', ['due.1']);
    expect(await customer.query(DUE, { id })).toMatchObject({ dueAt: null, overdue: null });
    for (const args of ['filter: { overdue: true }', 'orderBy: { field: DUE_AT, direction: ASC }']) {
      const { errors } = await customer.query(`{ result: sessions(first: 1, ${args}) { nodes { id } } }`);
      expect(errors[0].message, args).toMatch(/is only for staff/);
    }
  });

  test('after a restart with other settings, the deadlines of all open sessions are corrected', async () => {
    const { gateway, olga } = await floor();
    const { id } = await sessionAt(gateway, 'due.1', 'USER_QUEUED');
    await sessionAt(gateway, 'due.2');
    expect(minutesAllowed(await olga.query(DUE, { id }))).toBe(10);
    const restart = async (environment: Record<string, string>, allowed: (number | null)[]) => {
      const next = await bootGateway({ database: gateway.databaseUrl, environment });
      await eventually(async () => {
        const { rows } = await gateway.database.query(
          `select extract(epoch from due_at - status_since)::int / 60 as minutes from vkyc_session order by verification_id`,
        );
        return JSON.stringify(rows.map(({ minutes }) => minutes)) === JSON.stringify(allowed);
      });
      await next.stop();
    };
    await restart({ DEADLINES: 'USER_QUEUED=20,CUSTOMER=60' }, [20, 60]);
    await restart({}, [null, null]);
  });
});

describe('DeadlinePassed', () => {
  test('a screen, a dashboard and the subscribers of another replica are told once, with the cursor that they have', async () => {
    const clock = movableClock();
    const one = await bootGateway({ clock, environment: DEADLINES });
    const two = await bootGateway({ clock, environment: DEADLINES, database: one.databaseUrl });
    const { id } = await sessionAt(one, 'due.1', 'USER_QUEUED');
    const screen = one.subscribe(LIVE, { id });
    const [snapshot] = await screen.take(2);
    const floors = [one, two].map((gateway) => gateway.stream(FEED));
    const greetings = await Promise.all(floors.map((each) => each.next()));
    const others = one.subscribe(FEED, { filter: { subStatus: ['AGENT_ENDED_CALL'] } });
    await others.next();

    clock.forward(11 * MINUTE);

    const told = await nextNews(screen);
    expect(told).toMatchObject({
      ...{ __typename: 'DeadlinePassed', session: { verificationId: 'due.1', overdue: true } },
      ...{ cursor: snapshot.cursor, previousCursor: snapshot.cursor },
    });
    for (const [index, each] of floors.entries()) {
      const { cursor } = greetings[index];
      expect(await nextNews(each)).toMatchObject({ __typename: 'DeadlinePassed', cursor, dueAt: told.dueAt });
    }
    // The next frame of each stream is the next transition, linked to the frame of the deadline.
    await report(one, 'due.1', 'AGENT_ENDED_CALL');
    for (const each of [screen, ...floors])
      expect(await nextNews(each)).toMatchObject({ __typename: 'StatusTransition', sequence: 3 });
    expect(await nextNews(others)).toMatchObject({ __typename: 'StatusTransition', sequence: 3 });
    await expectSound(one);
  });

  test('a client that does not select the type, and a customer, are told nothing', async () => {
    const { gateway, clock } = await floor();
    const { id } = await sessionAt(gateway, 'due.1', 'USER_QUEUED');
    const plain = gateway.subscribe(LIVE.replace(PASSED, ''), { id });
    const token = await gateway.token({ sub: 'asha', roles: ['CUSTOMER'], verification_ids: ['due.1'] });
    const customers = gateway.subscribe(LIVE, { id }, { authorization: `Bearer ${token}` });
    const staff = gateway.subscribe(LIVE, { id });
    for (const each of [plain, customers, staff]) await each.take(2);
    clock.forward(11 * MINUTE);
    expect((await nextNews(staff)).__typename).toBe('DeadlinePassed');
    await report(gateway, 'due.1', 'AGENT_ENDED_CALL');
    for (const each of [plain, customers])
      expect(await nextNews(each)).toMatchObject({ __typename: 'StatusTransition', sequence: 3 });
  });

  test('a session that moves on before its deadline is not told of', async () => {
    const { gateway, clock } = await floor();
    await sessionAt(gateway, 'due.moved', 'USER_QUEUED');
    await sessionAt(gateway, 'due.late', 'USER_QUEUED');
    const dashboard = gateway.stream(FEED);
    await dashboard.next();
    await report(gateway, 'due.moved', 'AGENT_ENDED_CALL');
    expect(await nextNews(dashboard)).toMatchObject({ __typename: 'StatusTransition' });
    clock.forward(11 * MINUTE);
    expect(await nextNews(dashboard)).toMatchObject({ session: { verificationId: 'due.late' } });
  });
});
