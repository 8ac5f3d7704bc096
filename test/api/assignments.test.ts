/** Stories of assignments: who works on a session, and for how long. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SessionAction } from '../../src/domain/session.ts';
import {
  expectSound,
  listed,
  logOf,
  report,
  sessionAt,
  settled,
  staffOf,
  twoGateways,
} from '../harness/acting.ts';
import { movableClock } from '../harness/clock.ts';
import { bootGateway, eventually, type Gateway, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { expectFolds } from '../harness/log.ts';
import { inMinutes, type Person, person } from '../harness/people.ts';
import { seedQueue } from '../harness/queue.ts';
import { sendTo, startReceiver } from '../harness/receiver.ts';

const MINUTE = 60_000;
const LIVE = `subscription ($id: ID!) { sessionLive(sessionId: $id) {
  __typename ... on StatusTransition { sequence applied changes reason actor source session { version assignedAgent } } } }`;
const HISTORY = `query ($id: ID!) { result: session(id: $id) {
  assignedAgent assignedUntil assignments { agent claimed takenOverFrom assignedBy unassignedBy } } }`;
const ANOTHERS =
  'The session is assigned to another person, who works on it: only that person, an operator or an administrator may do this.';

type Work = (who: Person, id: string, now: Date) => Promise<any>;

/** How the assignee performs each action, in this order; a text says why the action renews no lease. */
const WORK: Readonly<Record<SessionAction, Work | string>> = {
  REFRESH: (who, id) => who.ask('refreshSession', id),
  REQUEST_RECORDING: (who, id) => who.ask('requestRecording', id),
  CREATE_SDK_TOKEN: (who, id) => who.ask('createSdkToken', id),
  ADD_NOTE: (who, id) => who.act('addNote', id, { note: 'The picture is dark.' }),
  LABEL: (who, id) => who.act('labelSession', id, { addTags: ['vip'] }),
  NOTIFY: (who, id) => who.act('notifyCustomer', id, { kind: 'RETRY' }),
  ESCALATE: (who, id) => who.act('escalateSession', id, { reason: 'TECHNICAL' }),
  RESOLVE_ESCALATION: (who, id) => who.act('resolveEscalation', id, { note: 'Better light.' }),
  SCHEDULE_MEETING: (who, id, now) =>
    who.act('scheduleMeeting', id, {
      startsAt: new Date(now.getTime() + 30 * MINUTE).toISOString(),
      reason: 'The picture was dark.',
    }),
  CANCEL_MEETING: (who, id) => who.act('cancelMeeting', id),
  ASSIGN: 'it sets the end of the assignment itself',
  UNASSIGN: 'it ends the assignment',
  RECORD_AGENT_REVIEW: 'it ends the assignment',
  RECORD_AUDITOR_REVIEW: 'it ends the assignment',
  CLOSE: 'it ends the assignment',
  REPLACE: 'it ends the assignment',
  RESOLVE_DISPUTE: 'the review before the dispute has ended the assignment',
};

async function floor(environment: Record<string, string> = {}) {
  const clock = movableClock();
  const gateway = await bootGateway({
    clock,
    environment: { ...sendTo({ core: await startReceiver() }), ...environment },
  });
  return { gateway, clock, ...(await staffOf(gateway)), meera: await person(gateway, 'meera', 'AGENT') };
}

describe('assignAgent', () => {
  test('an assignment is in the log, the audit chain and the history, is streamed once, and lasts until the review', async () => {
    const { gateway, olga, ravi } = await floor();
    const { id } = await sessionAt(gateway, 'assigned.1', 'AGENT_ENDED_CALL');
    const screen = gateway.subscribe(LIVE, { id });
    await screen.take(2);

    const assigned = await olga.act('assignAgent', id, { agent: 'ravi' });

    expect(assigned).toMatchObject({
      ...{ __typename: 'AssignAgentSuccess', replayed: false },
      assignment: { agent: 'ravi', claimed: false, assignedBy: 'olga', unassignedBy: null },
      session: { assignedAgent: 'ravi', assignedUntil: null, version: 2, subStatus: 'AGENT_ENDED_CALL' },
    });
    expect((await screen.take(1))[0]).toEqual({
      ...{ __typename: 'StatusTransition', sequence: 3, applied: false, changes: ['ASSIGNMENT'] },
      ...{ reason: 'It records who works on the session; the status did not change.', actor: 'olga' },
      ...{ source: 'MUTATION', session: { version: 2, assignedAgent: 'ravi' } },
    });
    const reviewed = await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
    expect(reviewed.__typename).toBe('RecordReviewSuccess');
    expect(await ravi.query(HISTORY, { id })).toMatchObject({
      assignedAgent: null,
      assignments: [{ agent: 'ravi', assignedBy: 'olga', claimed: false }],
    });
    await expectSound(gateway);
  });

  test('while a session is assigned, other agents and auditors can neither review nor close it; its agent and managers can', async () => {
    const { gateway, olga, meera, uma } = await floor();
    const { id } = await sessionAt(gateway, 'assigned.1', 'AGENT_ENDED_CALL');
    await olga.act('assignAgent', id, { agent: 'ravi' });

    const refused = await meera.act('recordAgentReview', id, { decision: 'APPROVED' });
    expect(refused).toMatchObject({
      __typename: 'ActionNotAllowedError',
      action: 'RECORD_AGENT_REVIEW',
      message: ANOTHERS,
    });
    expect(refused.session.blockedActions).toContainEqual({
      action: 'RECORD_AGENT_REVIEW',
      reason: ANOTHERS,
    });
    const close = { outcome: 'FAILED', reason: 'TECHNICAL' };
    for (const who of [meera, uma]) expect((await who.act('closeSession', id, close)).message).toBe(ANOTHERS);
    expect((await meera.act('assignAgent', id, { agent: 'meera' })).message).toBe(ANOTHERS);
    expect((await meera.act('unassignAgent', id)).message).toBe(ANOTHERS);
    expect((await meera.act('addNote', id, { note: 'He called me.' })).__typename).toBe('AddNoteSuccess');
    expect((await olga.act('closeSession', id, close)).__typename).toBe('CloseSessionSuccess');
  });

  test('an agent hands the session on, and a manager takes it away; unassignAgent names who ended the assignment', async () => {
    const { gateway, olga, ravi, meera } = await floor();
    const { id } = await sessionAt(gateway, 'assigned.1', 'USER_QUEUED');
    expect((await ravi.act('unassignAgent', id)).message).toBe('The session is not assigned.');
    await ravi.act('assignAgent', id, { agent: 'ravi' });
    await ravi.act('assignAgent', id, { agent: 'meera' });
    const ended = await olga.act('unassignAgent', id);

    expect(ended).toMatchObject({
      ...{ __typename: 'UnassignAgentSuccess', session: { assignedAgent: null } },
      assignment: { agent: 'meera', assignedBy: 'ravi', unassignedBy: 'olga' },
    });
    expect((await meera.query(HISTORY, { id })).assignments).toMatchObject([
      { agent: 'ravi', assignedBy: 'ravi', unassignedBy: null },
      { agent: 'meera', assignedBy: 'ravi', unassignedBy: 'olga' },
    ]);
    expect(await logOf(gateway, 'assigned.1')).toEqual([
      expect.stringMatching(/^MOVED MUTATION LINK_GENERATED/),
      'MOVED WEBHOOK USER_QUEUED -',
      ...['ravi', 'ravi'].map((actor) => `ASSIGNED MUTATION USER_QUEUED ${actor}`),
      'UNASSIGNED MUTATION USER_QUEUED olga',
    ]);
    await expectSound(gateway);
  });

  test('an agent who could not validate the customer does not get the session again, and no agent audits their own approval', async () => {
    const { gateway, olga, ravi, meera } = await floor();
    const { id } = await sessionAt(gateway, 'assigned.1', 'AGENT_ENDED_CALL');
    await ravi.act('recordAgentReview', id, {
      decision: 'UNABLE_TO_VALIDATE',
      reasons: ['AUDIO_OR_VIDEO_POOR'],
    });
    expect((await olga.act('assignAgent', id, { agent: 'ravi' })).message).toBe(
      'This person could not validate the customer: another agent must take the session.',
    );
    expect((await olga.act('assignAgent', id, { agent: 'meera' })).__typename).toBe('AssignAgentSuccess');
    await report(gateway, 'assigned.1', 'AGENT_ENDED_CALL');
    await settled(gateway);
    expect((await ravi.claim('AGENT')).__typename).toBe('QueueEmpty');
    await meera.act('recordAgentReview', id, { decision: 'APPROVED' });
    expect((await olga.act('assignAgent', id, { agent: 'meera' })).message).toBe(
      'This person reviewed the session as agent, or accepted its approval: another person must audit it (four-eyes rule).',
    );
    expect((await olga.act('assignAgent', id, { agent: 'uma' })).session.assignedAgent).toBe('uma');
  });

  test('an assignment with `until` ends by itself, and `until` in the past or an agent that no token can name is refused', async () => {
    const { gateway, clock, olga } = await floor();
    const { id } = await sessionAt(gateway, 'assigned.1', 'USER_QUEUED');
    expect(await olga.act('assignAgent', id, { agent: ' ravi', until: inMinutes(5) })).toMatchObject({
      problems: [{ path: ['agent'] }],
    });
    expect((await olga.act('assignAgent', id, { agent: 'ravi', until: inMinutes(-1) })).message).toMatch(
      /in the past/,
    );
    await olga.act('assignAgent', id, { agent: 'ravi', until: inMinutes(5) });
    expect(await listed(olga, { assignedTo: 'ravi' })).toEqual(['assigned.1']);
    expect(await listed(olga, { assigned: false })).toEqual([]);

    clock.forward(6 * MINUTE);

    expect(await listed(olga, { assignedTo: 'ravi' })).toEqual([]);
    expect(await listed(olga, { assigned: false })).toEqual(['assigned.1']);
    expect(await olga.query(HISTORY, { id })).toMatchObject({ assignedAgent: null, assignedUntil: null });
    await expectSound(gateway);
  });

  test('a review that a replica of the last release records, which does not know assignments, ends one all the same', async () => {
    const { gateway, olga } = await floor();
    const { id } = await sessionAt(gateway, 'assigned.1', 'AGENT_ENDED_CALL');
    await olga.act('assignAgent', id, { agent: 'ravi' });
    const assignee = async (change: string) => {
      const { rows } = await gateway.database.query(
        `update vkyc_session set last_sequence = last_sequence + 1, ${change} returning assigned_agent`,
      );
      return rows[0].assigned_agent;
    };
    expect(await assignee('escalated = true')).toBe('ravi');
    expect(await assignee(`version = version + 1, sub_status = 'USER_ENDED_CALL'`)).toBe('ravi');
    const reviewed = `status = 'AGENT_REVIEWED', sub_status = 'AGENT_APPROVED'`;
    expect(await assignee(`version = version + 1, ${reviewed}`)).toBe(null);
  });

  test('assignments are repeated by their key, customers see nothing of them, and viewers may not assign', async () => {
    const { gateway, olga, viewer } = await floor();
    const { id } = await sessionAt(gateway, 'assigned.1', 'USER_QUEUED');
    const idempotencyKey = randomUUID();
    const calls = await Promise.all(
      Array.from({ length: 20 }, () => olga.act('assignAgent', id, { agent: 'ravi', idempotencyKey })),
    );
    expect(calls.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(calls.map(({ assignment }) => assignment.id)).size).toBe(1);
    const customer = await person(gateway, 'asha', 'CUSTOMER', ['assigned.1']);
    expect(await customer.query(HISTORY, { id })).toEqual({
      assignedAgent: null,
      assignedUntil: null,
      assignments: null,
    });
    const filtered = await customer.query(
      '{ result: sessions(first: 1, filter: { assignedTo: "ravi" }) { nodes { id } } }',
    );
    expect(filtered.errors[0].message).toBe('The filter `assignedTo` is only for staff: leave it out.');
    const log = await customer.query(
      'query ($id: ID!) { result: session(id: $id) { transitions(last: 1) { nodes { changes reason } } } }',
      { id },
    );
    expect(log.transitions.nodes).toEqual([{ changes: [], reason: 'It changed nothing that you can see.' }]);
    for (const who of [customer, viewer])
      expect((await who.act('assignAgent', id, { agent: 'ravi' })).errors[0].extensions.code).toBe(
        'FORBIDDEN',
      );
  });
});

describe('claimNext', () => {
  const inQueue = async (gateway: Gateway, ...ids: string[]) => {
    for (const id of ids) await sessionAt(gateway, id, 'AGENT_ENDED_CALL');
  };

  // Invariant 20 of ARCHITECTURE.md
  test('claimNext gives the session that has waited longest, escalated ones first, and each to one person only', async () => {
    const { gateway, olga, ravi, meera } = await floor();
    await inQueue(gateway, 'queue.1', 'queue.2', 'queue.3');
    const { id } = await sessionAt(gateway, 'queue.4', 'USER_QUEUED');
    await olga.act('escalateSession', id, { reason: 'COMPLAINT' });
    await sessionAt(gateway, 'queue.in-call', 'USER_ACCEPTED_MEETING');

    const sita = await person(gateway, 'sita', 'AGENT');
    const claims = [await ravi.claim('AGENT'), await meera.claim('AGENT'), await sita.claim('AGENT')];

    expect(claims.map(({ session }) => [session.verificationId, session.assignedAgent])).toEqual([
      ['queue.4', 'ravi'],
      ['queue.1', 'meera'],
      ['queue.2', 'sita'],
    ]);
    expect(claims[0]).toMatchObject({
      ...{ __typename: 'ClaimNextSuccess', replayed: false },
      assignment: { agent: 'ravi', claimed: true, takenOverFrom: null, assignedBy: 'ravi' },
    });
    const minutes = (Date.parse(claims[0].session.assignedUntil) - Date.now()) / MINUTE;
    expect(minutes).toBeGreaterThan(19);
    expect(minutes).toBeLessThan(21);
    expect(await listed(olga, { assignedTo: 'meera' })).toEqual(['queue.1']);
    await expectSound(gateway);
  });

  test('40 agents who ask two replicas at once get 40 different sessions, those that have waited longest', async () => {
    const [one, two] = await twoGateways();
    await seedQueue(one.database, 100, 10);
    const agents = await Promise.all(
      Array.from({ length: 40 }, (_, index) => person(index % 2 ? one : two, `agent ${index}`, 'AGENT')),
    );
    const claims = await Promise.all(agents.map((agent) => agent.claim('AGENT')));

    const given = claims.map(({ session }) => Number(session.verificationId.split('.')[1]));
    expect(new Set(given).size).toBe(40);
    // 10 are escalated; calls at the same time may pass each other by a few places.
    expect(given.filter((number) => number % 10 === 0)).toHaveLength(10);
    expect(Math.max(...given.filter((number) => number % 10 !== 0))).toBeLessThanOrEqual(50);
    await expectFolds(one.database);
  });

  test('a person who has a session of the queue gets it again, also by 20 calls at once, until it is reviewed or given back', async () => {
    const { gateway, olga, ravi } = await floor();
    await inQueue(gateway, 'queue.1', 'queue.2', 'queue.3');
    const claims = await Promise.all(Array.from({ length: 20 }, () => ravi.claim('AGENT')));
    expect(new Set(claims.map(({ session }) => session.verificationId))).toEqual(new Set(['queue.1']));
    expect(claims.filter(({ replayed }) => !replayed)).toHaveLength(1);

    await ravi.act('recordAgentReview', claims[0].session.id, { decision: 'APPROVED' });
    const second = await ravi.claim('AGENT');
    expect(second.session.verificationId).toBe('queue.2');
    await ravi.act('unassignAgent', second.session.id);
    const { id } = (await olga.query(
      '{ result: sessionByVerificationId(verificationId: "queue.3") { id } }',
    )) as any;
    await olga.act('assignAgent', id, { agent: 'ravi' });
    expect(await ravi.claim('AGENT')).toMatchObject({
      replayed: true,
      assignment: { assignedBy: 'olga', claimed: false },
      session: { verificationId: 'queue.3', assignedUntil: null },
    });
    await expectSound(gateway);
  });

  test('the same key returns the same session, even after its review, and another queue with that key is refused', async () => {
    const { gateway } = await floor();
    await inQueue(gateway, 'queue.1', 'queue.2');
    const both = await person(gateway, 'both', ['AGENT', 'AUDITOR']);
    const claimed = await both.claim('AGENT', 'key');
    await both.act('recordAgentReview', claimed.session.id, {
      decision: 'REJECTED',
      reasons: ['FACE_MISMATCH'],
    });
    expect(await both.claim('AGENT', 'key')).toMatchObject({
      replayed: true,
      assignment: { id: claimed.assignment.id },
      session: { verificationId: 'queue.1', subStatus: 'AGENT_REJECTED' },
    });
    expect(await both.claim('AUDITOR', 'key')).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    expect((await both.claim('AGENT', 'another')).session.verificationId).toBe('queue.2');
  });

  test('an auditor gets approvals of other people only, and only who has the role of a queue may take from it', async () => {
    const { gateway, ravi, uma, olga } = await floor();
    await inQueue(gateway, 'queue.1', 'queue.2');
    const both = await person(gateway, 'both', ['AGENT', 'AUDITOR']);
    for (const who of [both, ravi]) {
      const { session } = await who.claim('AGENT');
      await who.act('recordAgentReview', session.id, { decision: 'APPROVED' });
    }
    // An agent whom the gateway does not know approved at the provider: nobody may audit that here.
    await sessionAt(gateway, 'queue.unknown', 'AGENT_APPROVED');

    expect((await both.claim('AUDITOR')).session.verificationId).toBe('queue.2');
    expect((await uma.claim('AUDITOR')).session.verificationId).toBe('queue.1');
    const dev = await person(gateway, 'dev', 'AUDITOR');
    expect(await dev.claim('AUDITOR')).toEqual({ __typename: 'QueueEmpty', queue: 'AUDITOR' });
    expect(await ravi.claim('AUDITOR')).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['queue'], message: 'needs one of the roles AUDITOR, ADMIN' }],
    });
    expect((await olga.claim('AGENT')).errors[0].extensions.code).toBe('FORBIDDEN');
    await expectSound(gateway);
  });

  test('the work of an agent who is gone comes back when the lease ends, and the next claim records who had it', async () => {
    const { gateway, clock, ravi, meera, olga } = await floor({ CLAIM_LEASE_MINUTES: '10' });
    await inQueue(gateway, 'queue.1');
    const { session } = await ravi.claim('AGENT');
    expect((await meera.claim('AGENT')).__typename).toBe('QueueEmpty');
    clock.forward(9 * MINUTE);
    expect((await meera.claim('AGENT')).__typename).toBe('QueueEmpty');
    clock.forward(2 * MINUTE);
    expect(await listed(olga, { assignedTo: 'ravi' })).toEqual([]);

    expect(await meera.claim('AGENT')).toMatchObject({
      assignment: { agent: 'meera', takenOverFrom: 'ravi' },
      session: { verificationId: 'queue.1', assignedAgent: 'meera' },
    });
    expect((await ravi.act('recordAgentReview', session.id, { decision: 'APPROVED' })).message).toBe(
      ANOTHERS,
    );
    await expectSound(gateway);
  });

  test('who works on a session keeps it: actions on it and claimNext renew the lease', async () => {
    const { gateway, clock, ravi, meera } = await floor({ CLAIM_LEASE_MINUTES: '10' });
    await inQueue(gateway, 'queue.1');
    const { session } = await ravi.claim('AGENT');
    const steps = [
      () => ravi.act('addNote', session.id, { note: 'The picture is dark.' }),
      () => ravi.claim('AGENT'),
      () => ravi.act('escalateSession', session.id, { reason: 'TECHNICAL' }),
    ];
    for (const step of steps) {
      clock.forward(8 * MINUTE);
      expect((await meera.claim('AGENT')).__typename).toBe('QueueEmpty');
      expect((await step()).__typename).toMatch(/Success$/);
    }
    clock.forward(8 * MINUTE);
    expect((await meera.claim('AGENT')).__typename).toBe('QueueEmpty');
    await meera.act('addNote', session.id, { note: 'Not mine.' });
    clock.forward(11 * MINUTE);
    expect((await meera.claim('AGENT')).session.verificationId).toBe('queue.1');
    await expectSound(gateway);
  });

  test('every action of the assignee renews the lease, also those that only ask the provider; the same action of another person does not', async () => {
    const { gateway, clock, meera } = await floor({ CLAIM_LEASE_MINUTES: '10' });
    const ada = await person(gateway, 'ada', ['AGENT', 'ADMIN']);
    await gateway.start('lease.awaits-review');
    await gateway.advance('lease.awaits-review', STEPS_TO_THE_END_OF_THE_CALL);
    const claimed = await eventually(async () => {
      const claim = await ada.claim('AGENT');
      return claim.session?.subStatus === 'AGENT_ENDED_CALL' ? claim : null;
    });
    const { id } = claimed.session;
    const leasedUntil = async () => Date.parse((await ada.query(HISTORY, { id })).assignedUntil);

    for (const [action, perform] of Object.entries(WORK)) {
      if (typeof perform === 'string') continue;
      clock.forward(8 * MINUTE);
      const before = await leasedUntil();
      const done = await perform(ada, id, clock.now());
      expect(done.__typename, `${action}: ${done.message}`).toMatch(/Success$/);
      expect(await leasedUntil(), action).toBeGreaterThanOrEqual(before + 8 * MINUTE);
    }

    clock.forward(8 * MINUTE);
    const before = await leasedUntil();
    for (const perform of [WORK.REFRESH, WORK.REQUEST_RECORDING, WORK.ADD_NOTE])
      expect((await (perform as Work)(meera, id, clock.now())).__typename).toMatch(/Success$/);
    expect(await leasedUntil()).toBe(before);
    await expectSound(gateway);
  });

  test('clients that never assign are not refused anything', async () => {
    const { gateway, ravi, uma } = await floor();
    const { id } = await sessionAt(gateway, 'queue.1', 'AGENT_ENDED_CALL');
    await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
    const audited = await uma.act('recordAuditorReview', id, { decision: 'APPROVED' });
    expect(audited.session.subStatus).toBe('AUDITOR_APPROVED');
  });
});
