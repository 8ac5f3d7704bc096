import { beforeAll, expect, test } from 'vitest';
import { listed, PHONE, report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { type Person, person } from '../harness/people.ts';

const ESCALATE = `mutation ($input: EscalateSessionInput!) { result: escalateSession(input: $input) { __typename } }`;

let gateway: Gateway;
let olga: Person;

beforeAll(async () => {
  gateway = await bootGateway();
  ({ olga } = await staffOf(gateway));
  await gateway.start('plain.1');
  await sessionAt(gateway, 'disputed.1', 'AUDITOR_REJECTED', 'AUDITOR_APPROVED');
  const closed = await gateway.start('closed.1');
  await olga.act('closeSession', closed.id, { outcome: 'FAILED', reason: 'TECHNICAL' });
  const old = await sessionAt(gateway, 'replaced.1', 'VKYC_EXPIRED');
  await olga.start({ verificationId: 'new.1', user: { phone: PHONE }, replacesSessionId: old.id });
  const escalated = await gateway.start('escalated.1');
  const input = { sessionId: escalated.id, reason: 'TECHNICAL', idempotencyKey: 'once' };
  expect((await olga.query(ESCALATE, { input })).__typename).toBe('EscalateSessionSuccess');
});

test.each(['disputed', 'closed', 'replaced', 'escalated'])(
  'the filter %s selects the sessions with that property if true, all others if false, and all sessions if null',
  async (flag) => {
    const all = await listed(olga, { [flag]: null });
    expect(all).toHaveLength(6);
    expect(await listed(olga, { [flag]: true })).toEqual([`${flag}.1`]);
    expect(await listed(olga, { [flag]: false })).toEqual(all.filter((id) => id !== `${flag}.1`));
    expect(await listed(olga, { [flag]: true, status: ['VIDEO_CALL'] })).toEqual([]);
  },
);

test('the filter `escalated` is refused for customers, because it would reveal if their session is escalated', async () => {
  const customer = await person(gateway, 'asha', 'CUSTOMER', ['escalated.1', 'disputed.1', 'plain.1']);
  const ask = (filter: object) =>
    customer.query(
      'query ($filter: SessionFilter) { result: sessions(first: 9, filter: $filter) { totalCount nodes { id } } }',
      { filter },
    );

  for (const escalated of [true, false]) {
    const { errors } = await ask({ escalated });
    expect(errors[0]).toMatchObject({
      message: 'The filter `escalated` is only for staff: leave it out.',
      extensions: { code: 'BAD_USER_INPUT' },
    });
  }
  expect((await ask({ escalated: null })).nodes).toHaveLength(3);
  expect(await listed(customer, { disputed: true })).toEqual(['disputed.1']);
  expect(await listed(customer, { closed: true })).toEqual([]);
});

test('sessionStats counts closed and replaced sessions as ended and not as approved, also after a resolved dispute', async () => {
  const { dev } = await staffOf(gateway);
  const STATS = `query { result: sessionStats { total byStatus { subStatus count } byWaitingOn { waitingOn count }
    funnel { status reached } intervals(count: 1) { started approved ended } } }`;
  const numbers = async () => {
    const { total, byStatus, byWaitingOn, funnel, intervals } = await olga.query(STATS);
    return {
      total,
      status: Object.fromEntries(byStatus.map((each: any) => [each.subStatus, each.count])),
      waiting: Object.fromEntries(byWaitingOn.map((each: any) => [each.waitingOn, each.count])),
      reached: Object.fromEntries(funnel.map((each: any) => [each.status, each.reached])),
      ...intervals[0],
    };
  };
  const open = await sessionAt(gateway, 'moved.1', 'USER_QUEUED');
  await olga.start({ verificationId: 'new.2', user: { phone: PHONE }, replacesSessionId: open.id });

  expect(await numbers()).toMatchObject({
    total: 8,
    started: 8,
    // The disputed, the closed, the expired and then replaced, and the replaced session.
    ended: 4,
    approved: 0,
    status: { AUDITOR_REJECTED: 1, FAILED_BY_MERCHANT: 1, VKYC_EXPIRED: 1, REPLACED: 1, LINK_GENERATED: 4 },
    waiting: { MERCHANT: 1, NOBODY: 3, CUSTOMER: 4 },
    reached: { RECEIVED: 8, FAILED: 2, EXPIRED: 1, AUDITOR_REVIEWED: 1 },
  });

  const [disputed] = (
    await olga.query('{ result: sessions(first: 1, filter: { disputed: true }) { nodes { id } } }')
  ).nodes;
  const accepting = { resolution: 'ACCEPT_PROVIDER', expectedSubStatus: 'AUDITOR_APPROVED' };
  await dev.act('resolveDispute', disputed.id, { ...accepting, note: 'Approved.' });
  await report(gateway, 'moved.1', 'AUDITOR_APPROVED');
  await settled(gateway);
  const [replaced] = (
    await olga.query('{ result: sessions(first: 1, filter: { disputed: true }) { nodes { id } } }')
  ).nodes;
  await dev.act('resolveDispute', replaced.id, { ...accepting, note: 'Approved too.' });

  expect(await numbers()).toMatchObject({
    ended: 4,
    approved: 2,
    waiting: { NOBODY: 4, CUSTOMER: 4 },
    reached: { AUDITOR_REVIEWED: 2, FAILED: 2 },
  });
});
