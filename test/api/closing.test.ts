import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  expectSound,
  listed,
  logOf,
  NAME,
  PHONE,
  report,
  sessionAt,
  settled,
  staffOf,
  twentyTimes,
  twoGateways,
  WATCH,
} from '../harness/acting.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';

const NOTE = 'Asha Rao called from 9988776655 and withdrew.';
const closing = { outcome: 'FAILED', reason: 'CUSTOMER_WITHDREW', note: NOTE };

test('closeSession with the outcome REJECTED ends a session, cancels its booked meeting, and streams the transition without the note', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id, startCursor } = await sessionAt(gateway, 'abroad.1', 'USER_LOCATION_OUTSIDE_INDIA');
  await olga.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
  await report(gateway, 'abroad.1', 'USER_LOCATION_OUTSIDE_INDIA');
  await settled(gateway);
  const watcher = gateway.subscribe(WATCH, { sessionId: id, after: startCursor });
  const { statusInfo } = await olga.query(
    'query ($id: ID!) { result: session(id: $id) { statusInfo { recommendedAction } } }',
    { id },
  );
  expect(statusInfo.recommendedAction).toMatch(
    /^Reject the customer, or ask the customer to try again from inside India\.$/,
  );
  const before = await olga.look(id);
  expect(before.availableActions).toContain('CLOSE');

  const closed = await olga.act('closeSession', id, {
    outcome: 'REJECTED',
    reason: 'CUSTOMER_OUTSIDE_INDIA',
    note: NOTE,
    expectedVersion: before.version,
  });

  expect(closed).toMatchObject({
    __typename: 'CloseSessionSuccess',
    replayed: false,
    closure: { outcome: 'REJECTED', reason: 'CUSTOMER_OUTSIDE_INDIA', note: NOTE, closedBy: 'olga' },
    session: {
      status: 'REJECTED',
      subStatus: 'REJECTED_BY_MERCHANT',
      meeting: null,
      statusInfo: { waitingOn: 'NOBODY', terminal: true },
      meetings: { nodes: [{ status: 'CANCELLED', cancelledBy: 'olga' }] },
    },
  });
  expect(closed.session.availableActions).not.toContain('CLOSE');
  const frames = await watcher.take(5);
  expect(frames.at(-1)).toMatchObject({
    subStatus: 'REJECTED_BY_MERCHANT',
    source: 'MUTATION',
    actor: 'olga',
    applied: true,
  });
  expect(JSON.stringify(frames)).not.toMatch(new RegExp(`${PHONE}|${NAME}|withdrew`));
  expect(gateway.logs.join('')).not.toContain('withdrew');
  await expectSound(gateway);
});

test.each([
  ['an open session', ['USER_REJECTED_MEETING'], 'FAILED_BY_MERCHANT', 'MOVED'],
  [
    'a session that the agent rejected',
    ['AGENT_ENDED_CALL', 'AGENT_REJECTED'],
    'FAILED_BY_MERCHANT',
    'MOVED',
  ],
  ['an expired session', ['VKYC_EXPIRED'], 'VKYC_EXPIRED', 'ENDED'],
  ['a session without balance', ['INSUFFICIENT_BALANCE'], 'INSUFFICIENT_BALANCE', 'ENDED'],
] as const)('%s can be closed, and then waits on nobody', async (_what, steps, subStatus, verdict) => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'closed.1', ...steps);
  await gateway.start('closed.2');
  expect((await olga.look(id)).availableActions).toContain('CLOSE');

  const closed = await olga.act('closeSession', id, closing);

  expect(closed.session).toMatchObject({ subStatus, statusInfo: { waitingOn: 'NOBODY' } });
  expect(closed.session.availableActions).not.toContain('CLOSE');
  expect((await logOf(gateway, 'closed.1')).at(-1)).toBe(`${verdict} MUTATION FAILED_BY_MERCHANT olga`);
  expect(await listed(olga, { waitingOn: ['MERCHANT'] })).toEqual([]);
  expect(await listed(olga, { closed: true })).toEqual(['closed.1']);
  expect(await listed(olga, { closed: false })).toEqual(['closed.2']);
  await expectSound(gateway);
});

test.each([
  ['over', ['AGENT_APPROVED', 'AUDITOR_APPROVED'], 'The session is over.'],
  ['disputed', ['AUDITOR_REJECTED', 'AUDITOR_APPROVED'], 'resolve the dispute first'],
] as const)(
  'a session that is %s cannot be closed, and the refusal says why',
  async (_what, steps, reason) => {
    const gateway = await bootGateway();
    const { olga } = await staffOf(gateway);
    const { id } = await sessionAt(gateway, 'over.1', ...steps);
    const { blockedActions, version } = await olga.look(id);

    const refused = await olga.act('closeSession', id, closing);

    expect(blockedActions).toContainEqual({ action: 'CLOSE', reason: expect.stringContaining(reason) });
    expect(refused).toMatchObject({
      action: 'CLOSE',
      message: expect.stringContaining(reason),
      session: { version },
    });
  },
);

test('a closed session cannot be closed again; a call with the first idempotency key returns the first closure, or a conflict if its input differs', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await gateway.start('again.1');
  const call = { ...closing, idempotencyKey: randomUUID() };
  const first = await olga.act('closeSession', id, call);

  expect(await olga.act('closeSession', id, call)).toMatchObject({
    replayed: true,
    closure: { id: first.closure.id },
  });
  expect(await olga.act('closeSession', id, { ...call, outcome: 'REJECTED' })).toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
  expect((await olga.act('closeSession', id, closing)).message).toBe('The session is closed already.');
  expect(await logOf(gateway, 'again.1')).toHaveLength(2);
});

test('closeSession reports each wrong field under its path, and refuses the reason OTHER without a note', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await gateway.start('bad.1');
  const pathsOf = async (input: object) => {
    const { problems } = await olga.act('closeSession', id, { ...closing, ...input });
    return problems.map((each: { path: string[] }) => each.path.join('.'));
  };

  expect(await pathsOf({ reason: 'OTHER', note: null })).toEqual(['note']);
  expect(await pathsOf({ reason: 'OTHER', note: ' \u200b ' })).toEqual(['note']);
  expect(await pathsOf({ note: 'x'.repeat(2001) })).toEqual(['note']);
  expect(await pathsOf({ expectedVersion: 0 })).toEqual(['expectedVersion']);
  expect(await pathsOf({ idempotencyKey: '' })).toEqual(['idempotencyKey']);
  expect((await olga.act('closeSession', id, { ...closing, expectedVersion: 9 })).code).toBe(
    'VERSION_CONFLICT',
  );
  expect((await olga.look(id)).subStatus).toBe('LINK_GENERATED');
});

test('operators, agents, auditors and admins may close a session; viewers and customers may not', async () => {
  const gateway = await bootGateway();
  const { olga, ravi, uma, viewer } = await staffOf(gateway);
  const root = await person(gateway, 'root', 'ADMIN');
  const customer = await person(gateway, 'asha', 'CUSTOMER', ['by.customer']);
  for (const [name, who] of Object.entries({ olga, ravi, uma, root })) {
    const { id } = await gateway.start(`by.${name}`);
    expect((await who.act('closeSession', id, closing)).closure.closedBy).toBe(name);
  }
  const { id } = await gateway.start('by.customer');

  for (const who of [viewer, customer]) {
    expect((await who.look(id)).availableActions).not.toContain('CLOSE');
    expect((await who.act('closeSession', id, closing)).errors[0].extensions.code).toBe('FORBIDDEN');
  }
  const closure = 'query ($id: ID!) { result: session(id: $id) { closure { note closedBy } } }';
  await olga.act('closeSession', id, closing);
  expect((await customer.query(closure, { id })).closure).toBeNull();
  expect((await olga.query(closure, { id })).closure).toEqual({ note: NOTE, closedBy: 'olga' });
});

test('of 20 concurrent calls of closeSession on two gateways, one takes effect', async () => {
  const [one, two] = await twoGateways();
  const [here, there] = [await person(one, 'olga', 'OPERATOR'), await person(two, 'olga', 'OPERATOR')];
  const { id } = await one.start('race.1');

  const results = await twentyTimes(here, there, (who) => who.act('closeSession', id, closing));
  const { id: other } = await one.start('race.2');
  const call = { ...closing, idempotencyKey: randomUUID() };
  const same = await twentyTimes(here, there, (who) => who.act('closeSession', other, call));

  expect(results.filter((each) => each.__typename === 'CloseSessionSuccess')).toHaveLength(1);
  expect(results.filter((each) => each.message === 'The session is closed already.')).toHaveLength(19);
  expect(same.filter((each) => !each.replayed)).toHaveLength(1);
  expect(new Set(same.map((each) => each.closure.id)).size).toBe(1);
  expect(await logOf(one, 'race.1')).toHaveLength(2);
  await expectSound(one);
});

test('later provider updates of a closed session are recorded, and an approval makes it disputed', async () => {
  const gateway = await bootGateway();
  const { olga, uma } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'later.1', 'AGENT_ENDED_CALL');
  await olga.act('closeSession', id, closing);

  await report(gateway, 'later.1', 'AGENT_APPROVED');
  await settled(gateway);
  expect(await olga.look(id)).toMatchObject({ subStatus: 'FAILED_BY_MERCHANT', disputed: false });
  await report(gateway, 'later.1', 'AUDITOR_APPROVED');
  await settled(gateway);

  expect(await uma.look(id)).toMatchObject({
    subStatus: 'FAILED_BY_MERCHANT',
    disputed: true,
    statusInfo: { waitingOn: 'MERCHANT' },
    availableActions: expect.arrayContaining(['RESOLVE_DISPUTE']),
  });
  expect((await logOf(gateway, 'later.1')).slice(-3)).toEqual([
    'MOVED MUTATION FAILED_BY_MERCHANT olga',
    'ENDED WEBHOOK AGENT_APPROVED -',
    'DISPUTED WEBHOOK AUDITOR_APPROVED -',
  ]);
  await expectSound(gateway);
});

test('staff who must judge how a session ended can watch the call of a session that was closed, replaced or disputed', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const { olga, ravi, uma, dev } = await staffOf(gateway);
  const afterTheCall = async (verificationId: string) => {
    const { id } = await gateway.start(verificationId);
    await gateway.advance(verificationId, 8);
    await eventually(async () => (await olga.look(id)).subStatus === 'AGENT_ENDED_CALL');
    return id;
  };
  const [closed, replaced, disputed] = await Promise.all([
    afterTheCall('closed.late-approval'),
    afterTheCall('replaced.late-approval'),
    afterTheCall('disputed.late-approval'),
  ]);
  const { id: early } = await gateway.start('call.never');

  await ravi.act('closeSession', closed, closing);
  await olga.act('closeSession', early, closing);
  await olga.start({ verificationId: 'call.again', user: { phone: PHONE }, replacesSessionId: replaced });
  await olga.act('closeSession', disputed, closing);
  await gateway.advance('disputed.late-approval', 2);
  await eventually(async () => (await olga.look(disputed)).disputed);

  for (const id of [closed, replaced, disputed]) {
    expect((await uma.look(id)).availableActions).toContain('REQUEST_RECORDING');
    expect((await dev.ask('requestRecording', id)).recording.url).toMatch(/^https?:/);
  }
  expect((await uma.look(early)).blockedActions).toContainEqual({
    action: 'REQUEST_RECORDING',
    reason: 'The recording exists only after a call has ended.',
  });
  expect((await uma.ask('requestRecording', early)).action).toBe('REQUEST_RECORDING');
});

test('the call of a session that was closed before it can be watched once the approval of the provider disputes the closing', async () => {
  const gateway = await bootGateway();
  const { olga, uma } = await staffOf(gateway);
  const { id } = await gateway.start('afterwards.late-approval');
  await olga.act('closeSession', id, closing);
  await gateway.advance('afterwards.late-approval', 10);
  await eventually(async () => (await uma.look(id)).disputed);

  expect((await uma.look(id)).availableActions).toContain('REQUEST_RECORDING');
  expect((await uma.ask('requestRecording', id)).recording.url).toMatch(/^https?:/);
});
