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
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';

const NOTE = 'Asha Rao showed her passport at the branch.';

const DECISION = 'query ($id: ID!) { result: session(id: $id) { providerDecision } }';

/** Starts a session that uma approved in the gateway, and that the provider's auditor then rejected. */
async function disputed(gateway: Gateway, verificationId: string) {
  const { ravi, uma } = await staffOf(gateway);
  const session = await sessionAt(gateway, verificationId, 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', session.id, { decision: 'APPROVED' });
  await uma.act('recordAuditorReview', session.id, { decision: 'APPROVED' });
  await report(gateway, verificationId, 'AUDITOR_REJECTED');
  await settled(gateway);
  return session;
}

test.each([
  ['KEEP_OURS', 'AUDITOR_APPROVED', false],
  ['ACCEPT_PROVIDER', 'AUDITOR_REJECTED', true],
])(
  'the resolution %s of a dispute leaves the session in %s, waiting on nobody, and is streamed to subscribers',
  async (resolution, subStatus, agrees) => {
    const gateway = await bootGateway();
    const { dev } = await staffOf(gateway);
    const { id, startCursor } = await disputed(gateway, 'story.1');
    const watcher = gateway.subscribe(WATCH, { sessionId: id, after: startCursor });
    const before = await dev.look(id);
    expect(before).toMatchObject({ disputed: true, subStatus: 'AUDITOR_APPROVED' });
    expect(before.availableActions).toContain('RESOLVE_DISPUTE');
    expect(await listed(dev, { waitingOn: ['MERCHANT'] })).toEqual(['story.1']);
    expect(await listed(dev, { disputed: true })).toEqual(['story.1']);

    const decided = await dev.act('resolveDispute', id, {
      resolution,
      note: NOTE,
      expectedVersion: before.version,
    });

    expect(decided).toMatchObject({
      __typename: 'ResolveDisputeSuccess',
      resolution: { resolution, note: NOTE, resolvedBy: 'dev' },
      session: { subStatus, disputed: false, statusInfo: { waitingOn: 'NOBODY', terminal: true } },
    });
    expect(decided.session.availableActions).not.toContain('RESOLVE_DISPUTE');
    const { providerAgrees, providerSubStatus } = await dev.query(
      'query ($id: ID!) { result: session(id: $id) { providerAgrees providerSubStatus } }',
      { id },
    );
    expect([providerAgrees, providerSubStatus]).toEqual([agrees, 'AUDITOR_REJECTED']);
    const frames = await watcher.take(6);
    expect(frames.at(-1)).toMatchObject({ subStatus, source: 'MUTATION', actor: 'dev', applied: true });
    expect(JSON.stringify(frames)).not.toMatch(new RegExp(`${PHONE}|${NAME}|passport`));
    expect((await logOf(gateway, 'story.1')).at(-1)).toBe(`RESOLVED MUTATION ${subStatus} dev`);
    expect(await listed(dev, { waitingOn: ['MERCHANT'] })).toEqual([]);
    expect(await listed(dev, { disputed: true })).toEqual([]);
    await expectSound(gateway);
  },
);

test('the agent and the auditor who reviewed a session may not resolve its dispute, in any role; another auditor or admin may', async () => {
  const gateway = await bootGateway();
  const { uma, olga, viewer } = await staffOf(gateway);
  const agent = await person(gateway, 'ravi', ['AGENT', 'AUDITOR', 'ADMIN']);
  const root = await person(gateway, 'root', 'ADMIN');
  const { id } = await disputed(gateway, 'eyes.1');
  const resolving = { resolution: 'KEEP_OURS', note: NOTE };

  for (const who of [uma, agent]) {
    const { blockedActions } = await who.look(id);
    expect(blockedActions).toContainEqual({
      action: 'RESOLVE_DISPUTE',
      reason: expect.stringContaining('four-eyes rule'),
    });
    expect((await who.act('resolveDispute', id, resolving)).message).toContain('four-eyes rule');
  }
  for (const who of [olga, viewer])
    expect((await who.act('resolveDispute', id, resolving)).errors[0].extensions.code).toBe('FORBIDDEN');
  expect((await root.act('resolveDispute', id, resolving)).session.disputed).toBe(false);
  await expectSound(gateway);
});

test('the person who closed a session may not resolve the dispute about the closing', async () => {
  const gateway = await bootGateway();
  const { uma, dev } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'closer.1', 'AGENT_ENDED_CALL');
  await uma.act('closeSession', id, { outcome: 'REJECTED', reason: 'SUSPECTED_FRAUD' });
  await report(gateway, 'closer.1', 'AUDITOR_APPROVED');
  await settled(gateway);

  const refused = await uma.act('resolveDispute', id, { resolution: 'KEEP_OURS', note: NOTE });
  const decided = await dev.act('resolveDispute', id, {
    resolution: 'ACCEPT_PROVIDER',
    note: NOTE,
    expectedSubStatus: 'AUDITOR_APPROVED',
  });

  expect(refused.message).toContain('four-eyes rule');
  // A closed session waits on nobody, before and after the dispute is resolved.
  expect(decided.session).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    disputed: false,
    statusInfo: { waitingOn: 'NOBODY' },
  });
  await expectSound(gateway);
});

test('resolveDispute is refused for a session that is not disputed, and needs a note', async () => {
  const gateway = await bootGateway();
  const { dev } = await staffOf(gateway);
  const { id } = await gateway.start('calm.1');
  const act = (input: object) =>
    dev.act('resolveDispute', id, { resolution: 'KEEP_OURS', note: NOTE, ...input });

  expect((await act({})).message).toBe('The session is not disputed.');
  expect((await act({ note: '  ' })).problems).toEqual([{ path: ['note'], message: expect.any(String) }]);
  expect((await act({ note: 'x'.repeat(2001) })).problems[0].path).toEqual(['note']);
  expect((await act({ resolution: 'BOTH' })).errors[0].extensions.code).toBe('BAD_USER_INPUT');
});

test('a dispute between an approval by the provider and a late webhook that rejects can be resolved for either of the two decisions', async () => {
  const gateway = await bootGateway();
  const { dev } = await staffOf(gateway);
  const since = Date.now();
  const late = async (verificationId: string) => {
    const session = await gateway.start(verificationId);
    const decided = (subStatus: string, seconds: number) =>
      gateway.webhook({
        event_type: 'X',
        event_time: new Date(since + seconds * 1_000).toISOString(),
        data: { verification_id: verificationId, status: 'AUDITOR_REVIEWED', sub_status: subStatus },
      });
    await decided('AUDITOR_APPROVED', 20);
    await settled(gateway);
    await decided('AUDITOR_REJECTED', 10);
    await settled(gateway);
    return session.id;
  };
  const [kept, accepted] = [await late('late.1'), await late('late.2')];
  expect((await logOf(gateway, 'late.1')).at(-1)).toBe('DISPUTED_LATE WEBHOOK AUDITOR_REJECTED -');

  const ours = await dev.act('resolveDispute', kept, { resolution: 'KEEP_OURS', note: NOTE });
  const theirs = await dev.act('resolveDispute', accepted, { resolution: 'ACCEPT_PROVIDER', note: NOTE });

  expect(ours.session).toMatchObject({ subStatus: 'AUDITOR_APPROVED', disputed: false });
  expect(theirs.session).toMatchObject({ subStatus: 'AUDITOR_REJECTED', disputed: false });
  await expectSound(gateway);
});

test('staff read to which status accepting the decision of the provider would lead, until the provider withdraws it', async () => {
  const gateway = await bootGateway();
  const { ravi, uma, viewer } = await staffOf(gateway);
  const query = 'query ($id: ID!) { result: session(id: $id) { disputed providerDecision } }';
  const expectAt = async (id: string, subStatus: string | null) => {
    for (const who of [uma, viewer])
      expect((await who.query(query, { id })).providerDecision).toBe(subStatus);
  };
  const { id } = await sessionAt(gateway, 'read.1', 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', id, { decision: 'REJECTED', reasons: ['FACE_MISMATCH'] });
  await expectAt(id, null);
  await report(gateway, 'read.1', 'AGENT_UNABLE_TO_VALIDATE');
  await settled(gateway);
  await expectAt(id, 'AGENT_UNABLE_TO_VALIDATE');
  await report(gateway, 'read.1', 'AUDITOR_APPROVED');
  await settled(gateway);
  await expectAt(id, 'AUDITOR_APPROVED');
  const late = await gateway.start('read.2');
  for (const [sub_status, seconds] of [
    ['AUDITOR_REJECTED', 20],
    ['AUDITOR_APPROVED', 10],
  ] as const) {
    const event_time = new Date(Date.now() + seconds * 1_000).toISOString();
    const data = { verification_id: 'read.2', status: 'AUDITOR_REVIEWED', sub_status };
    await gateway.webhook({ event_type: 'X', event_time, data });
    await settled(gateway);
  }
  await expectAt(late.id, 'AUDITOR_APPROVED');

  const resolved = await uma.act('resolveDispute', late.id, {
    resolution: 'ACCEPT_PROVIDER',
    note: NOTE,
    expectedSubStatus: 'AUDITOR_APPROVED',
  });

  expect(resolved.session).toMatchObject({ subStatus: 'AUDITOR_APPROVED', disputed: false });
  await expectAt(late.id, null);
  const customer = await person(gateway, 'asha', 'CUSTOMER', ['read.1']);
  expect(await customer.query(query, { id })).toEqual({ disputed: true, providerDecision: null });
});

test("after a dispute is resolved, a webhook that repeats the provider's decision changes nothing, and one with another decision makes the session disputed again", async () => {
  const gateway = await bootGateway();
  const { dev } = await staffOf(gateway);
  const { id } = await disputed(gateway, 'then.1');
  await dev.act('resolveDispute', id, { resolution: 'ACCEPT_PROVIDER', note: NOTE });

  await report(gateway, 'then.1', 'AUDITOR_REJECTED');
  await settled(gateway);
  expect(await dev.look(id)).toMatchObject({ subStatus: 'AUDITOR_REJECTED', disputed: false });
  await report(gateway, 'then.1', 'AUDITOR_APPROVED');
  await settled(gateway);

  expect(await dev.look(id)).toMatchObject({ subStatus: 'AUDITOR_REJECTED', disputed: true });
  await expectSound(gateway);
});

test('of 20 concurrent resolutions on two gateways, one takes effect; 20 with one idempotency key all return the same resolution', async () => {
  const [one, two] = await twoGateways();
  const [here, there] = [await person(one, 'dev', 'AUDITOR'), await person(two, 'dev', 'AUDITOR')];
  const { id } = await disputed(one, 'race.1');
  const { id: other } = await disputed(one, 'race.2');
  const resolving = { resolution: 'KEEP_OURS', note: NOTE };
  const call = { ...resolving, idempotencyKey: randomUUID() };

  const results = await twentyTimes(here, there, (who) => who.act('resolveDispute', id, resolving));
  const same = await twentyTimes(here, there, (who) => who.act('resolveDispute', other, call));

  expect(results.filter((each) => each.__typename === 'ResolveDisputeSuccess')).toHaveLength(1);
  expect(results.filter((each) => each.message === 'The session is not disputed.')).toHaveLength(19);
  expect(same.filter((each) => !each.replayed)).toHaveLength(1);
  expect(new Set(same.map((each) => each.resolution.id)).size).toBe(1);
  expect((await logOf(one, 'race.1')).filter((line) => line.startsWith('RESOLVED'))).toHaveLength(1);
  await expectSound(one);
});

test.each(['AUDITOR_REJECTED', 'AGENT_REJECTED', 'VKYC_EXPIRED'] as const)(
  'a disputed approval that the provider has withdrawn by reporting %s cannot be accepted; the dispute can be resolved with KEEP_OURS',
  async (later) => {
    const gateway = await bootGateway();
    const { olga, dev } = await staffOf(gateway);
    const { id } = await sessionAt(gateway, 'withdrawn.1', 'AGENT_ENDED_CALL');
    await olga.act('closeSession', id, { outcome: 'REJECTED', reason: 'SUSPECTED_FRAUD' });
    await report(gateway, 'withdrawn.1', 'AUDITOR_APPROVED');
    await settled(gateway);
    await report(gateway, 'withdrawn.1', later);
    await settled(gateway);

    expect(await dev.query(DECISION, { id })).toEqual({ providerDecision: null });
    const refused = await dev.act('resolveDispute', id, { resolution: 'ACCEPT_PROVIDER', note: NOTE });
    const kept = await dev.act('resolveDispute', id, { resolution: 'KEEP_OURS', note: NOTE });

    expect(refused).toMatchObject({
      action: 'RESOLVE_DISPUTE',
      message: expect.stringContaining('KEEP_OURS'),
      session: { subStatus: 'REJECTED_BY_MERCHANT', disputed: true },
    });
    expect(kept.session).toMatchObject({
      subStatus: 'REJECTED_BY_MERCHANT',
      disputed: false,
      statusInfo: { waitingOn: 'NOBODY' },
    });
    await expectSound(gateway);
  },
);

test("resolveDispute with ACCEPT_PROVIDER is refused if the provider's decision is no longer expectedSubStatus, although the version is unchanged", async () => {
  const gateway = await bootGateway();
  const { ravi, uma } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'grown.1', 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', id, { decision: 'REJECTED', reasons: ['FACE_MISMATCH'] });
  await report(gateway, 'grown.1', 'AGENT_UNABLE_TO_VALIDATE');
  await settled(gateway);
  const { version } = await uma.look(id);
  await report(gateway, 'grown.1', 'AUDITOR_APPROVED');
  await settled(gateway);
  const accept = (expectedSubStatus: string) =>
    uma.act('resolveDispute', id, {
      resolution: 'ACCEPT_PROVIDER',
      note: NOTE,
      expectedVersion: version,
      expectedSubStatus,
    });

  expect(await accept('AGENT_UNABLE_TO_VALIDATE')).toMatchObject({
    code: 'VERSION_CONFLICT',
    message: expect.stringContaining('AUDITOR_APPROVED'),
    currentSession: { subStatus: 'AGENT_REJECTED', disputed: true, version },
  });
  expect((await accept('AUDITOR_APPROVED')).session).toMatchObject({ subStatus: 'AUDITOR_APPROVED' });
  await expectSound(gateway);
});

test('an approval of the provider is accepted only if its sub-status is named, so that a rejection that became an approval is not accepted unseen', async () => {
  const gateway = await bootGateway();
  const { ravi, uma } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'blind.1', 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', id, { decision: 'REJECTED', reasons: ['FACE_MISMATCH'] });
  expect(await uma.query(DECISION, { id })).toEqual({ providerDecision: null });
  await report(gateway, 'blind.1', 'AGENT_UNABLE_TO_VALIDATE');
  await settled(gateway);
  expect(await uma.query(DECISION, { id })).toEqual({ providerDecision: 'AGENT_UNABLE_TO_VALIDATE' });
  const { version } = await uma.look(id);
  await report(gateway, 'blind.1', 'AUDITOR_APPROVED');
  await settled(gateway);
  const accept = (more: object) =>
    uma.act('resolveDispute', id, {
      resolution: 'ACCEPT_PROVIDER',
      note: NOTE,
      expectedVersion: version,
      ...more,
    });

  expect(await accept({})).toMatchObject({
    code: 'INVALID_INPUT',
    problems: [{ path: ['expectedSubStatus'], message: expect.stringContaining('must be AUDITOR_APPROVED') }],
  });
  expect((await accept({ expectedSubStatus: null })).problems[0].path).toEqual(['expectedSubStatus']);
  expect(await uma.look(id)).toMatchObject({ subStatus: 'AGENT_REJECTED', disputed: true });

  const { providerDecision } = await uma.query(DECISION, { id });
  const accepted = await accept({ expectedSubStatus: providerDecision });

  expect(accepted.session).toMatchObject({ subStatus: 'AUDITOR_APPROVED', disputed: false });
  await expectSound(gateway);
});

test('an approval that a late webhook reports is shown as the decision of the provider, and is not accepted without its name', async () => {
  const gateway = await bootGateway();
  const { dev } = await staffOf(gateway);
  const { id } = await gateway.start('late.approval');
  const since = Date.now();
  for (const [subStatus, seconds] of [
    ['AUDITOR_REJECTED', 20],
    ['AUDITOR_APPROVED', 10],
  ] as const) {
    await gateway.webhook({
      event_type: 'X',
      event_time: new Date(since + seconds * 1_000).toISOString(),
      data: { verification_id: 'late.approval', status: 'AUDITOR_REVIEWED', sub_status: subStatus },
    });
    await settled(gateway);
  }
  const accepting = { resolution: 'ACCEPT_PROVIDER', note: NOTE };

  const refused = await dev.act('resolveDispute', id, accepting);
  const { providerDecision } = await dev.query(DECISION, { id });
  const accepted = await dev.act('resolveDispute', id, { ...accepting, expectedSubStatus: providerDecision });

  expect(refused.problems[0].path).toEqual(['expectedSubStatus']);
  expect(providerDecision).toBe('AUDITOR_APPROVED');
  expect(accepted.session).toMatchObject({ subStatus: 'AUDITOR_APPROVED', disputed: false });
  await expectSound(gateway);
});

test("the auditor who accepted an agent's approval by deciding a dispute cannot audit that approval; another auditor can", async () => {
  const gateway = await bootGateway({ environment: { AUDIT_UNKNOWN_AGENTS: '1' } });
  const { ravi, uma, dev } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'accepted.1', 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', id, { decision: 'REJECTED', reasons: ['FACE_MISMATCH'] });
  await report(gateway, 'accepted.1', 'AGENT_APPROVED');
  await settled(gateway);
  const accepted = await uma.act('resolveDispute', id, {
    resolution: 'ACCEPT_PROVIDER',
    note: NOTE,
    expectedSubStatus: 'AGENT_APPROVED',
  });
  expect(accepted.session.subStatus).toBe('AGENT_APPROVED');
  expect(accepted.session.availableActions).not.toContain('RECORD_AUDITOR_REVIEW');

  const refused = await uma.act('recordAuditorReview', id, { decision: 'APPROVED' });
  const audited = await dev.act('recordAuditorReview', id, { decision: 'APPROVED' });

  expect(refused.message).toContain('four-eyes rule');
  expect(audited.session.subStatus).toBe('AUDITOR_APPROVED');
  await expectSound(gateway);
});

test('the person who replaced a session may not resolve the dispute about that session', async () => {
  const gateway = await bootGateway();
  const { dev } = await staffOf(gateway);
  const root = await person(gateway, 'root', 'ADMIN');
  const { id } = await sessionAt(gateway, 'replacer.1', 'AGENT_ENDED_CALL');
  await root.start({ verificationId: 'replacer.2', user: { phone: PHONE }, replacesSessionId: id });
  await report(gateway, 'replacer.1', 'AUDITOR_APPROVED');
  await settled(gateway);
  const accepting = { resolution: 'ACCEPT_PROVIDER', note: NOTE, expectedSubStatus: 'AUDITOR_APPROVED' };

  const { availableActions } = await root.look(id);
  const refused = await root.act('resolveDispute', id, accepting);
  const decided = await dev.act('resolveDispute', id, accepting);

  expect(availableActions).not.toContain('RESOLVE_DISPUTE');
  expect(refused.message).toContain('four-eyes rule');
  expect(decided.session).toMatchObject({ subStatus: 'AUDITOR_APPROVED', disputed: false });
  await expectSound(gateway);
});

test("an approval that the provider's agent contradicts cannot be audited before the dispute is resolved, although the version that the auditor read is unchanged", async () => {
  const gateway = await bootGateway();
  const { ravi, uma, dev } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'contested.1', 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
  const { version, availableActions } = await uma.look(id);
  expect(availableActions).toContain('RECORD_AUDITOR_REVIEW');
  await report(gateway, 'contested.1', 'AGENT_REJECTED');
  await settled(gateway);
  const approve = (expectedVersion: number) =>
    uma.act('recordAuditorReview', id, { decision: 'APPROVED', expectedVersion });

  expect(await approve(version)).toMatchObject({
    action: 'RECORD_AUDITOR_REVIEW',
    message: 'The session is disputed: resolve the dispute first.',
    session: { subStatus: 'AGENT_APPROVED', disputed: true, version },
  });
  const kept = await dev.act('resolveDispute', id, { resolution: 'KEEP_OURS', note: NOTE });

  expect((await approve(kept.session.version)).session.subStatus).toBe('AUDITOR_APPROVED');
  await expectSound(gateway);
});

test.each(['the provider repeats it', 'another person keeps it in a second dispute'])(
  "the auditor who accepted an agent's approval by deciding a dispute can neither audit it nor decide the next dispute about it, also after %s",
  async (event) => {
    const gateway = await bootGateway({ environment: { AUDIT_UNKNOWN_AGENTS: '1' } });
    const { ravi, uma, dev } = await staffOf(gateway);
    const { id } = await sessionAt(gateway, 'accepted.2', 'AGENT_ENDED_CALL');
    await ravi.act('recordAgentReview', id, { decision: 'REJECTED', reasons: ['FACE_MISMATCH'] });
    await report(gateway, 'accepted.2', 'AGENT_APPROVED');
    await settled(gateway);
    const accepting = { resolution: 'ACCEPT_PROVIDER', expectedSubStatus: 'AGENT_APPROVED' };
    await uma.act('resolveDispute', id, { ...accepting, note: NOTE });
    if (event === 'the provider repeats it') {
      await report(gateway, 'accepted.2', 'AGENT_APPROVED');
      await settled(gateway);
    } else {
      await report(gateway, 'accepted.2', 'AGENT_REJECTED');
      await settled(gateway);
      const keeping = { resolution: 'KEEP_OURS', note: NOTE };
      expect((await uma.act('resolveDispute', id, keeping)).message).toContain('four-eyes rule');
      expect((await dev.act('resolveDispute', id, keeping)).session.disputed).toBe(false);
    }

    const { availableActions } = await uma.look(id);
    const refused = await uma.act('recordAuditorReview', id, { decision: 'APPROVED' });
    const audited = await dev.act('recordAuditorReview', id, { decision: 'APPROVED' });

    expect(availableActions).not.toContain('RECORD_AUDITOR_REVIEW');
    expect(refused.message).toContain('four-eyes rule');
    expect(audited.session.subStatus).toBe('AUDITOR_APPROVED');
    await expectSound(gateway);
  },
);
