/** Statistics over sessions whose status changes at known minutes of a clock that the test controls. */
import { expect, test } from 'vitest';
import { type KnownSubStatus, toStatusPair } from '../../src/domain/status.ts';
import { stillClock } from '../harness/clock.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { accessTo, startSilentProvider } from '../harness/news.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { onStatement } from '../harness/statements.ts';

const MINUTE = 60_000;
const BEGIN = new Date(Math.floor(Date.now() / MINUTE) * MINUTE);
const at = (minute: number): string => new Date(BEGIN.getTime() + minute * MINUTE).toISOString();

/** Boots a gateway whose clock starts at minute 0. Its provider sends no webhooks: the test sends them. */
async function bootStory() {
  const clock = stillClock(BEGIN);
  const provider = await startSilentProvider();
  const gateway = await bootGateway({ environment: accessTo(provider), clock });
  let minuteNow = 0;
  const until = (minute: number) => {
    clock.forward((minute - minuteNow) * MINUTE);
    minuteNow = minute;
  };
  return {
    gateway,
    until,
    async start(minute: number, verificationId: string) {
      until(minute);
      return gateway.start(verificationId);
    },
    /** Sends a webhook with a sub-status at a minute of the clock; `dated` is the minute of its event time. */
    async report(minute: number, verificationId: string, step: KnownSubStatus, dated = minute) {
      until(minute);
      const { status, subStatus } = toStatusPair(step);
      await gateway.webhook({
        event_type: 'VKYC_STATUS',
        event_time: at(dated),
        version: 'v1',
        data: { verification_id: verificationId, status, sub_status: subStatus },
      });
      await webhooksSettled(gateway.database);
    },
  };
}

async function statsOf(
  gateway: Gateway,
  selection: string,
  given = '',
  headers: Record<string, string> = {},
) {
  const { data, errors } = await gateway.graphql(
    `{ sessionStats${given && `(${given})`} { ${selection} } }`,
    {},
    headers,
  );
  return data?.sessionStats ?? { errors };
}

const FUNNEL = 'funnel { status reached medianSecondsToReach medianSecondsSpent }';
const funnelOf = async (gateway: Gateway, given = '') =>
  Object.fromEntries(
    (await statsOf(gateway, FUNNEL, given)).funnel.map(
      ({ status, reached, medianSecondsToReach, medianSecondsSpent }: any) => [
        status,
        [reached, medianSecondsToReach, medianSecondsSpent],
      ],
    ),
  );

test('the funnel reports how many sessions reached each status, and the median seconds until and within the status', async () => {
  const { gateway, start, report } = await bootStory();
  await start(0, 'asha');
  await start(1, 'bala');
  await start(2, 'chitra');
  await report(10, 'asha', 'AADHAAR_VERIFICATION_SUCCESS');
  await report(12, 'bala', 'USER_QUEUED');
  await report(15, 'asha', 'USER_QUEUED');
  await report(20, 'asha', 'USER_ACCEPTED_MEETING');
  await report(25, 'asha', 'USER_QUEUED');
  await report(27, 'bala', 'USER_ACCEPTED_MEETING');

  // Asha returned to PRE_VIDEO_CALL, so only Bala's time in that status is complete and counted.
  expect(await funnelOf(gateway)).toMatchObject({
    RECEIVED: [3, 0, 10.5 * 60],
    PRE_VIDEO_CALL: [2, 10.5 * 60, 15 * 60],
    VIDEO_CALL: [2, 23 * 60, 5 * 60],
    AGENT_REVIEWED: [0, null, null],
  });

  await report(40, 'asha', 'USER_ACCEPTED_MEETING');
  await report(50, 'asha', 'AGENT_APPROVED');
  await report(70, 'asha', 'AUDITOR_APPROVED');

  // Asha spent 10 and 15 minutes in PRE_VIDEO_CALL, and 5 and 10 minutes in VIDEO_CALL.
  expect(await funnelOf(gateway)).toEqual({
    RECEIVED: [3, 0, 10.5 * 60],
    PRE_VIDEO_CALL: [2, 10.5 * 60, 20 * 60],
    VIDEO_CALL: [2, 23 * 60, 15 * 60],
    AGENT_REVIEWED: [1, 50 * 60, 20 * 60],
    AUDITOR_REVIEWED: [1, 70 * 60, null],
    REJECTED: [0, null, null],
    EXPIRED: [0, null, null],
    FAILED: [0, null, null],
    UNRECOGNIZED: [0, null, null],
  });
  expect(await funnelOf(gateway, `from: "${at(1)}", to: "${at(2)}"`)).toMatchObject({
    RECEIVED: [1, 0, 11 * 60],
    PRE_VIDEO_CALL: [1, 11 * 60, 15 * 60],
    VIDEO_CALL: [1, 26 * 60, null],
    AGENT_REVIEWED: [0, null, null],
  });
});

test('statusSince is the time of the last status change; late and contradicting updates do not change it', async () => {
  const { gateway, start, report } = await bootStory();
  const since = async () => {
    const { data } = await gateway.graphql(
      '{ sessionByVerificationId(verificationId: "deepa") { statusSince updatedAt } }',
    );
    return Object.values(data.sessionByVerificationId);
  };

  await start(0, 'deepa');
  expect(await since()).toEqual([at(0), at(0)]);
  await report(5, 'deepa', 'USER_QUEUED');
  expect(await since()).toEqual([at(5), at(5)]);
  await report(8, 'deepa', 'AADHAAR_VERIFICATION_SUCCESS', 3);
  expect(await since()).toEqual([at(5), at(8)]);
  await report(9, 'deepa', 'USER_DEVICE_CHECK_SUCCESS');
  expect(await since()).toEqual([at(9), at(9)]);
  await report(20, 'deepa', 'AUDITOR_APPROVED');
  await report(30, 'deepa', 'AUDITOR_REJECTED');
  expect(await since()).toEqual([at(20), at(30)]);
});

/** Boots a gateway at minute 60: two sessions are queued, and one each is invited, approved, expired and disputed. */
async function bootFloor() {
  const story = await bootStory();
  const { start, report, until } = story;
  await start(0, 'approved');
  await start(0, 'disputed');
  await start(10, 'expired');
  await start(10, 'queued.1');
  await start(20, 'invited');
  await start(29, 'queued.2');
  await report(31, 'approved', 'AUDITOR_APPROVED');
  await report(32, 'disputed', 'AUDITOR_APPROVED');
  await report(33, 'disputed', 'AUDITOR_REJECTED');
  await report(34, 'queued.2', 'USER_QUEUED');
  await report(35, 'queued.1', 'USER_QUEUED');
  await report(36, 'expired', 'VKYC_EXPIRED');
  until(60);
  return story.gateway;
}

const NOW = `total byStatus { subStatus count oldestSince } byWaitingOn { waitingOn count oldestSince }`;

const floor = await bootFloor();

test('sessions are counted by status and by the party that has to act next, each with the oldest statusSince', async () => {
  expect(await statsOf(floor, NOW)).toEqual({
    total: 6,
    byStatus: [
      { subStatus: 'AUDITOR_APPROVED', count: 2, oldestSince: at(31) },
      { subStatus: 'VKYC_EXPIRED', count: 1, oldestSince: at(36) },
      { subStatus: 'USER_QUEUED', count: 2, oldestSince: at(34) },
      { subStatus: 'LINK_GENERATED', count: 1, oldestSince: at(20) },
    ],
    byWaitingOn: [
      { waitingOn: 'CUSTOMER', count: 1, oldestSince: at(20) },
      { waitingOn: 'AGENT', count: 2, oldestSince: at(34) },
      { waitingOn: 'MERCHANT', count: 2, oldestSince: at(32) },
      { waitingOn: 'NOBODY', count: 1, oldestSince: at(31) },
    ],
  });
});

test('statistics with openOnly leave ended sessions out, and the statistics that a customer gets cover only their own sessions', async () => {
  expect(await statsOf(floor, NOW, 'openOnly: true')).toEqual({
    total: 3,
    byStatus: [
      { subStatus: 'USER_QUEUED', count: 2, oldestSince: at(34) },
      { subStatus: 'LINK_GENERATED', count: 1, oldestSince: at(20) },
    ],
    byWaitingOn: [
      { waitingOn: 'CUSTOMER', count: 1, oldestSince: at(20) },
      { waitingOn: 'AGENT', count: 2, oldestSince: at(34) },
    ],
  });

  const claims = { sub: 'x', roles: ['CUSTOMER'], verification_ids: ['queued.1', 'approved', 'not.there'] };
  const own = { authorization: `Bearer ${await floor.token(claims)}` };
  const all = `total byWaitingOn { waitingOn count } ${FUNNEL} intervals(count: 2) { from started approved ended }`;
  const { funnel, ...counts } = await statsOf(floor, all, '', own);
  expect(counts).toEqual({
    total: 2,
    byWaitingOn: [
      { waitingOn: 'AGENT', count: 1 },
      { waitingOn: 'NOBODY', count: 1 },
    ],
    intervals: [
      { from: at(0), started: 2, approved: 1, ended: 1 },
      { from: at(30), started: 0, approved: 0, ended: 0 },
    ],
  });
  expect(funnel[0]).toMatchObject({ status: 'RECEIVED', reached: 2, medianSecondsSpent: 28 * 60 });
});

test('intervals divide a time window: each interval, even an empty one, counts the sessions started within it and how they ended', async () => {
  const intervals = async (given: string, count: string) =>
    (await statsOf(floor, `intervals${count} { from to started approved ended }`, given)).intervals;

  expect(await intervals(`from: "${at(0)}", to: "${at(30)}"`, '(count: 3)')).toEqual([
    { from: at(0), to: at(10), started: 2, approved: 1, ended: 2 },
    { from: at(10), to: at(20), started: 2, approved: 0, ended: 1 },
    { from: at(20), to: at(30), started: 2, approved: 0, ended: 0 },
  ]);
  // Without `from` and `to`, the window lasts from the first counted session until now.
  expect(await intervals('openOnly: true', '(count: 2)')).toEqual([
    { from: at(10), to: at(35), started: 3, approved: 0, ended: 0 },
    { from: at(35), to: at(60), started: 0, approved: 0, ended: 0 },
  ]);
  expect(await intervals(`from: "${at(-10)}", to: "${at(0)}"`, '(count: 1)')).toEqual([
    { from: at(-10), to: at(0), started: 0, approved: 0, ended: 0 },
  ]);
  expect(await intervals('', '')).toHaveLength(24);
  const thirds = await intervals(`from: "${at(0)}", to: "${at(0).replace('.000', '.100')}"`, '(count: 3)');
  expect(thirds.map(({ from, to }: any) => [from, to].map((text) => text.slice(-4, -1)))).toEqual([
    ['000', '033'],
    ['033', '067'],
    ['067', '100'],
  ]);
});

test('statistics of an empty time window have no intervals, and the number of intervals must be 1 to 100', async () => {
  const askedFor = (given: string, count: number) =>
    statsOf(floor, `total intervals(count: ${count}) { started }`, given);

  const always = 'from: "0001-01-01T00:00:00Z", to: "9999-12-31T23:59:59.999Z"';
  const { intervals } = await askedFor(always, 100);
  expect(intervals.map(({ started }: any) => started).filter(Boolean)).toEqual([6]);
  expect((await statsOf(floor, `${NOW} ${FUNNEL}`, always)).total).toBe(6);

  expect(await askedFor(`to: "${at(0)}"`, 5)).toEqual({ total: 0, intervals: [] });
  expect(await askedFor(`from: "${at(20)}", to: "${at(10)}"`, 5)).toEqual({ total: 0, intervals: [] });
  expect((await askedFor('', 100)).intervals).toHaveLength(100);
  for (const count of [0, 101, -1])
    expect((await askedFor('', count)).errors).toMatchObject([
      { message: `\`count\` must be 1 to 100, not ${count}.`, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
});

test('the gateway queries only the selected statistics, and reads counts by one SQL statement without transitions', async () => {
  const gateway = await bootGateway({ database: floor.databaseUrl, bothWays: false });
  const seen: string[] = [];
  onStatement(({ text }) => {
    // Ignores periodic statements of the gateway, which look for due polls and for the end of the feed.
    if (/vkyc_session|status_transition/.test(text) && !/next_poll_at|from feed f/.test(text))
      seen.push(text);
  });
  const statementsOf = async (selection: string, given = ''): Promise<string[]> => {
    seen.length = 0;
    expect(await statsOf(gateway, selection, given)).not.toHaveProperty('errors');
    return [...seen];
  };

  const states = await statementsOf(NOW, 'openOnly: true');
  expect(states).toHaveLength(1);
  expect(states[0]).not.toContain('status_transition');
  expect(await statementsOf('__typename')).toHaveLength(0);
  expect(await statementsOf('funnel { status }')).toHaveLength(1);
  expect(await statementsOf(FUNNEL)).toHaveLength(2);
  expect(await statementsOf('intervals { started }', `from: "${at(0)}"`)).toHaveLength(1);
  expect(await statementsOf('intervals { started }')).toHaveLength(2);
});
