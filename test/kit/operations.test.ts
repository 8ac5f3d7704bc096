/**
 * Runs every operation of the client kit with the role that an application would use, and at the step of a
 * session at which the application would send it.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { expect, test } from 'vitest';
import { TRANSITION_RULES } from '../../src/domain/session.ts';
import { ALL_PAIRS } from '../../src/domain/status.ts';
import { buildTrustedDocumentManifest } from '../../src/graphql/client-kit.ts';
import { report, settled } from '../harness/acting.ts';
import { bootGateway, eventually, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';
import { sendTo, startReceiver } from '../harness/receiver.ts';

const text = await readFile(new URL('../../schema/operations.graphql', import.meta.url), 'utf8');
const operations = new Map(
  Object.values(buildTrustedDocumentManifest(text)).map((document) => [
    (getOperationAST(parse(document)) as OperationDefinitionNode).name?.value as string,
    document,
  ]),
);

test('every operation of the client kit (schema/operations.graphql) succeeds at some step of a session that ends approved', async () => {
  // Only trusted documents are accepted, as a gateway in production may require: a manifest of the kit's
  // operations lists them.
  const gateway = await bootGateway({
    environment: { TRUSTED_DOCUMENTS: 'only', ...sendTo({ core: await startReceiver() }) },
  });
  const run = new Set<string>();
  const documentOf = (name: string): string => {
    run.add(name);
    return operations.get(name) ?? expect.fail(`${name} is not in schema/operations.graphql`);
  };
  const signedIn = async (sub: string, ...roles: string[]) => {
    const authorization = `Bearer ${await gateway.token({ sub, roles })}`;
    return async (name: string, variables: object = {}) => {
      const { data, errors } = await gateway.graphql(documentOf(name), variables, { authorization });
      expect(errors, name).toBeUndefined();
      return Object.values(data).at(-1) as any;
    };
  };
  const [operator, agent, auditor] = await Promise.all([
    signedIn('olga', 'OPERATOR'),
    signedIn('ravi', 'AGENT'),
    signedIn('uma', 'AUDITOR'),
  ]);
  const acting = (sessionId: string, more: object = {}) => ({
    input: { sessionId, idempotencyKey: randomUUID(), ...more },
  });

  const { session } = await operator('VkycStartSession', {
    input: { verificationId: 'kit.awaits-review', user: { phone: '9988776655', name: 'Asha Rao' } },
  });
  const { id, startCursor } = session;
  const page = gateway.subscribe(documentOf('VkycWatchSession'), { sessionId: id });
  const log = gateway.subscribe(documentOf('VkycWatchTransitions'), { sessionId: id, after: startCursor });
  const floor = gateway.stream(documentOf('VkycWatchFloor'), { after: startCursor });
  expect(await page.next()).toMatchObject({ __typename: 'SessionSnapshot', session: { id, version: 1 } });
  expect(await log.next()).toMatchObject({ sequence: 1, session: { verificationId: 'kit.awaits-review' } });
  expect(await floor.next()).toMatchObject({ sequence: 1, session: { id } });

  const startsAt = inMinutes(20);
  const booked = await operator('VkycScheduleMeeting', acting(id, { startsAt, expectedVersion: 1 }));
  expect(booked).toMatchObject({ meeting: { status: 'SCHEDULED', startsAt }, session: { version: 2 } });
  const calendar = { from: startsAt, to: inMinutes(30), filter: { status: ['SCHEDULED'] } };
  expect(await agent('VkycMeetings', { ...calendar, first: 10 })).toMatchObject({
    nodes: [{ id: booked.meeting.id, startsAt, session: { verificationId: 'kit.awaits-review' } }],
  });
  // Without working hours in the settings, any time can be booked.
  expect(await agent('VkycMeetingSlots', calendar)).toBeNull();
  const cancelled = await operator('VkycCancelMeeting', acting(id, { reason: 'The customer asked.' }));
  expect(cancelled).toMatchObject({ meeting: { status: 'CANCELLED' } });
  expect(await operator('VkycCreateSdkToken', { sessionId: id })).toMatchObject({
    token: expect.any(String),
  });
  await gateway.advance('kit.awaits-review', STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () =>
    (await agent('VkycSession', { id })).availableActions.includes('RECORD_AGENT_REVIEW'),
  );
  expect(await agent('VkycRefreshSession', { sessionId: id })).toMatchObject({ changed: false });
  expect(await agent('VkycRequestRecording', { sessionId: id })).toMatchObject({
    recording: { url: expect.stringContaining('http') },
  });
  const refused = await auditor('VkycRecordAuditorReview', acting(id, { decision: 'APPROVED' }));
  expect(refused).toMatchObject({ code: 'ACTION_NOT_ALLOWED', session: { id } });
  await agent('VkycRecordAgentReview', acting(id, { decision: 'APPROVED' }));
  const final = await auditor('VkycRecordAuditorReview', acting(id, { decision: 'APPROVED' }));
  expect(final).toMatchObject({ session: { statusInfo: { subStatus: 'AUDITOR_APPROVED', terminal: true } } });

  const shown = await operator('VkycSessionByVerificationId', { verificationId: 'kit.awaits-review' });
  expect(shown).toMatchObject({ id, user: { name: 'Asha Rao' }, reviews: [{ stage: 'AGENT' }, {}] });
  expect((await operator('VkycPerson', { id: shown.user.id, first: 10 })).sessions.nodes).toHaveLength(1);
  expect(await operator('VkycCustomerNames', { ids: [id] })).toMatchObject([
    { id, user: { name: 'Asha Rao' } },
  ]);
  const after = shown.meetings.pageInfo.endCursor;
  const olderMeetings = await operator('VkycMoreMeetings', { id, first: 10, after });
  expect(olderMeetings.meetings).toMatchObject({ nodes: [], totalCount: shown.meetings.nodes.length });
  const { nodes: lines } = (await operator('VkycSessionLog', { id, last: 100 })).transitions;
  expect(lines.at(-1)).toMatchObject({ statusInfo: { subStatus: 'AUDITOR_APPROVED' } });
  expect(await log.take(lines.length - 1)).toMatchObject(
    lines.slice(1).map(({ cursor }: { cursor: string }) => ({ cursor })),
  );
  const list = { first: 50, filter: { status: ['AUDITOR_REVIEWED'] } };
  expect((await operator('VkycFloor', list)).nodes).toMatchObject([{ id }]);
  expect(await operator('VkycStats', { from: inMinutes(-60), to: inMinutes(60) })).toMatchObject({
    total: 1,
    byWaitingOn: [{ waitingOn: 'NOBODY', count: 1 }],
    intervals: { length: 24 },
  });
  expect(await operator('VkycFloorCounts')).toEqual({ total: 0, byStatus: [], byWaitingOn: [] });
  expect(await operator('VkycStatusCatalog')).toHaveLength(ALL_PAIRS.length);
  expect(await operator('VkycTransitionRules')).toHaveLength(TRANSITION_RULES.length);
  expect(await operator('VkycTemplates')).toMatchObject([{ id: 'vkyc_agent_template_v1' }]);
  expect(await operator('VkycViewer')).toMatchObject({ id: 'olga', roles: ['OPERATOR'] });

  const other = (
    await operator('VkycStartSession', {
      input: { verificationId: 'kit.disputed', user: { phone: '9988776655', name: 'Asha Rao' } },
    })
  ).session.id;
  const noted = await operator('VkycAddNote', acting(other, { note: 'Call on Monday.' }));
  expect(noted).toMatchObject({ note: { text: 'Call on Monday.', author: 'olga' } });
  const escalated = await operator('VkycEscalateSession', acting(other, { reason: 'COMPLAINT' }));
  expect(escalated).toMatchObject({ escalation: { reason: 'COMPLAINT', resolvedAt: null } });
  const resolved = await agent('VkycResolveEscalation', acting(other, { note: 'She was called.' }));
  expect(resolved).toMatchObject({ escalation: { resolution: 'She was called.', resolvedBy: 'ravi' } });
  const { notes } = await operator('VkycSessionParts', { id: other, notes: true });
  expect(notes).toMatchObject({ nodes: [noted.note], pageInfo: { hasNextPage: false }, totalCount: 1 });
  const more = { id: other, first: 10, after: notes.pageInfo.endCursor };
  expect((await operator('VkycMoreNotes', more)).notes).toMatchObject({ nodes: [], totalCount: 1 });
  const notified = await operator('VkycNotifyCustomer', acting(other, { kind: 'LINK' }));
  expect(notified).toMatchObject({ notification: { state: 'QUEUED' } });
  const labels = { metadata: [{ key: 'branch', value: 'Pune' }], addTags: ['vip'] };
  const labelled = await operator('VkycLabelSession', acting(other, labels));
  expect(labelled).toMatchObject({ session: { metadata: labels.metadata, tags: ['vip'] } });
  expect(await operator('VkycSessionParts', { id: other, labels: true })).toMatchObject({ tags: ['vip'] });
  const assigned = await operator('VkycAssignAgent', acting(other, { agent: 'meera' }));
  expect(assigned).toMatchObject({ assignment: { agent: 'meera' }, session: { assignedAgent: 'meera' } });
  const unassigned = await operator('VkycUnassignAgent', acting(other));
  expect(unassigned).toMatchObject({
    assignment: { unassignedBy: 'olga' },
    session: { assignedAgent: null },
  });
  await report(gateway, 'kit.disputed', 'AGENT_ENDED_CALL');
  await settled(gateway);
  const claimed = await agent('VkycClaimNext', { input: { queue: 'AGENT', idempotencyKey: randomUUID() } });
  expect(claimed).toMatchObject({ assignment: { claimed: true }, session: { assignedAgent: 'ravi' } });
  expect(await operator('VkycRows', { ids: [id, other] })).toMatchObject([
    { id, assignedAgent: null, assignedUntil: null },
    { id: other, assignedAgent: 'ravi', assignedUntil: expect.any(String) },
  ]);
  await report(gateway, 'kit.disputed', 'AGENT_APPROVED');
  await settled(gateway);
  const closed = await agent(
    'VkycCloseSession',
    acting(other, { outcome: 'REJECTED', reason: 'SUSPECTED_FRAUD' }),
  );
  expect(closed).toMatchObject({ closure: { outcome: 'REJECTED', closedBy: 'ravi' } });
  await report(gateway, 'kit.disputed', 'AUDITOR_APPROVED');
  await settled(gateway);
  const decided = await auditor(
    'VkycResolveDispute',
    acting(other, {
      resolution: 'KEEP_OURS',
      note: 'Seen the video.',
      expectedSubStatus: 'REJECTED_BY_MERCHANT',
    }),
  );
  expect(decided).toMatchObject({ resolution: { resolution: 'KEEP_OURS' }, session: { disputed: false } });

  expect([...run].sort()).toEqual([...operations.keys()].sort());
});
