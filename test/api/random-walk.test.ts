import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { SESSION_ACTIONS } from '../../src/domain/session.ts';
import { KNOWN_PAIRS } from '../../src/domain/status.ts';
import { expectSound } from '../harness/acting.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { inMinutes, type Person, person } from '../harness/people.ts';
import { sendTo, startReceiver } from '../harness/receiver.ts';

const STEPS = Number(process.env.WALK_STEPS ?? 200);
const SESSIONS = 30;

/** Mutations to try, each with the action that the session's `availableActions` must contain for it to succeed. */
const TRIES = [
  {
    action: 'SCHEDULE_MEETING',
    run: (who: Person, id: string) =>
      who.act('scheduleMeeting', id, { startsAt: inMinutes(30), reason: 'the call broke off' }),
  },
  { action: 'CANCEL_MEETING', run: (who: Person, id: string) => who.act('cancelMeeting', id) },
  {
    action: 'RECORD_AGENT_REVIEW',
    run: (who: Person, id: string) =>
      who.act('recordAgentReview', id, { decision: 'REJECTED', remarks: 'no' }),
  },
  {
    action: 'RECORD_AGENT_REVIEW',
    run: (who: Person, id: string) =>
      who.act('recordAgentReview', id, { decision: 'UNABLE_TO_VALIDATE', remarks: 'dark' }),
  },
  {
    action: 'RECORD_AGENT_REVIEW',
    run: (who: Person, id: string) =>
      who.act('recordAgentReview', id, {
        ...{ decision: 'REJECTED', reasons: ['FACE_MISMATCH', 'CALL_INCOMPLETE'], callComplete: false },
        customerMessage: 'Visit a branch.',
      }),
  },
  {
    action: 'RECORD_AUDITOR_REVIEW',
    run: (who: Person, id: string) => who.act('recordAuditorReview', id, { decision: 'APPROVED' }),
  },
  {
    action: 'LABEL',
    run: (who: Person, id: string) =>
      who.act('labelSession', id, { metadata: [{ key: 'walk', value: randomUUID() }], addTags: ['walked'] }),
  },
  {
    action: 'NOTIFY',
    run: (who: Person, id: string) => who.act('notifyCustomer', id, { kind: 'RETRY', locale: 'HI' }),
  },
  { action: 'CREATE_SDK_TOKEN', run: (who: Person, id: string) => who.ask('createSdkToken', id) },
  { action: 'REFRESH', run: (who: Person, id: string) => who.ask('refreshSession', id) },
  { action: 'ADD_NOTE', run: (who: Person, id: string) => who.act('addNote', id, { note: 'He called.' }) },
  {
    action: 'ESCALATE',
    run: (who: Person, id: string) => who.act('escalateSession', id, { reason: 'COMPLAINT' }),
  },
  {
    action: 'RESOLVE_ESCALATION',
    run: (who: Person, id: string) => who.act('resolveEscalation', id, { note: 'A power cut.' }),
  },
  {
    action: 'RECORD_AUDITOR_REVIEW',
    run: (who: Person, id: string) =>
      who.act('recordAuditorReview', id, {
        ...{ decision: 'REJECTED', reasons: ['DOCUMENT_DOUBTED'], customerMessage: 'Visit a branch.' },
      }),
  },
  {
    action: 'RESOLVE_DISPUTE',
    run: (who: Person, id: string) =>
      who.act('resolveDispute', id, { resolution: 'KEEP_OURS', note: 'seen' }),
  },
  {
    action: 'RESOLVE_DISPUTE',
    run: async (who: Person, id: string) => {
      const { providerDecision: expectedSubStatus } = await who.query(
        'query ($id: ID!) { result: session(id: $id) { providerDecision } }',
        { id },
      );
      return who.act('resolveDispute', id, {
        resolution: 'ACCEPT_PROVIDER',
        note: 'seen',
        expectedSubStatus,
      });
    },
  },
  {
    action: 'ASSIGN',
    run: (who: Person, id: string) => who.act('assignAgent', id, { agent: 'a AGENT', until: inMinutes(5) }),
  },
  { action: 'ASSIGN', run: (who: Person, id: string) => who.act('assignAgent', id, { agent: 'somebody' }) },
  { action: 'UNASSIGN', run: (who: Person, id: string) => who.act('unassignAgent', id) },
] as const;

/** Refusals of offered actions because of their input: of that person, or of that decision. */
const REFUSED_INPUT: Partial<Record<string, RegExp>> = {
  ASSIGN: /^This person (could not validate the customer|reviewed the session as agent, or accepted)/,
  NOTIFY: /^(The session is (over|disputed)|The customer's link has expired)/,
  RESOLVE_DISPUTE: /^The provider's newest status does not contradict the session any more/,
};

/** Actions that end a session for good, tried less often: otherwise every session would soon have ended. */
const ENDINGS = [
  {
    action: 'CLOSE',
    run: (who: Person, id: string) => who.act('closeSession', id, { outcome: 'FAILED', reason: 'TECHNICAL' }),
  },
  {
    action: 'CLOSE',
    run: (who: Person, id: string) =>
      who.act('closeSession', id, { outcome: 'REJECTED', reason: 'OTHER', note: 'Abroad.' }),
  },
  {
    action: 'REPLACE',
    run: (who: Person, id: string) =>
      who.start({
        verificationId: `walk.${randomUUID()}`,
        user: { phone: '9988776655' },
        replacesSessionId: id,
      }),
  },
] as const;

const IN_REVIEW = ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'];

/** Books without a reason, which is refused while an ended call waits for its review. */
const BOOK_WITHOUT_REASON = {
  action: 'SCHEDULE_MEETING' as const,
  refusedAt: IN_REVIEW as readonly string[],
  run: (who: Person, id: string) => who.act('scheduleMeeting', id, { startsAt: inMinutes(40) }),
};

/**
 * Agent reviews, each with the sub-statuses (how the call ended) for which the gateway refuses it because of its
 * `callComplete`, although `availableActions` contains RECORD_AGENT_REVIEW.
 */
const REVIEWS = [
  { input: { decision: 'APPROVED' }, refusedAt: ['USER_ENDED_CALL'] },
  { input: { decision: 'APPROVED', callComplete: true }, refusedAt: [] },
  {
    input: { decision: 'APPROVED', callComplete: false },
    refusedAt: ['USER_ENDED_CALL', 'AGENT_ENDED_CALL'],
  },
  { input: { decision: 'REJECTED', reasons: ['FACE_MISMATCH'] }, refusedAt: ['USER_ENDED_CALL'] },
].map(({ input, refusedAt }) => ({
  action: 'RECORD_AGENT_REVIEW' as const,
  refusedAt: refusedAt as readonly string[],
  run: (who: Person, id: string) => who.act('recordAgentReview', id, input),
}));

/** Requests of the recording. While the provider has none, it is refused although `availableActions` has the action. */
const RECORDING = {
  action: 'REQUEST_RECORDING' as const,
  mayBeRefused: true,
  run: (who: Person, id: string) => who.ask('requestRecording', id),
};

/** Mutations that may be refused although `availableActions` has their action. */
const STATED = [BOOK_WITHOUT_REASON, ...REVIEWS, RECORDING];

/** Returns the sub-status with which the newest call of a session ended; null if no call has ended. */
async function lastCall(gateway: Gateway, id: string): Promise<string | null> {
  const { rows } = await gateway.database.query(
    `select sub_status from status_transition t
     where session_id = $1 and verdict = 'MOVED' and sub_status = any($2) order by sequence desc limit 1`,
    [Buffer.from(id, 'base64').toString('utf8').split(':').at(-1), IN_REVIEW],
  );
  return rows[0]?.sub_status ?? null;
}

/** Expects `claimNext` to give a person only sessions of the queue that are theirs then, and on which they may act. */
async function expectOwnWork(who: Person, role: string, queue: 'AGENT' | 'AUDITOR', where: string) {
  const claimed = await who.claim(queue);
  const said = `${where}: ${role} ${queue}: ${JSON.stringify(claimed).slice(0, 300)}`;
  if (!['ADMIN', 'AGENT', 'AUDITOR'].includes(role)) expect(claimed.errors, said).toBeDefined();
  else if (role !== 'ADMIN' && role !== queue) expect(claimed.code, said).toBe('INVALID_INPUT');
  else if (claimed.__typename !== 'QueueEmpty') {
    const { session } = claimed;
    expect(session.assignedAgent, said).toBe(`a ${role}`);
    expect(session.statusInfo.waitingOn, said).toBe(queue);
    if (queue === 'AUDITOR') expect(session.availableActions, said).toContain('RECORD_AUDITOR_REVIEW');
    expect(session.availableActions, said).toContain('UNASSIGN');
  }
}

test('the random walk tries every action', () => {
  const tried = new Set([...TRIES, ...STATED, ...ENDINGS].map(({ action }) => action as string));
  expect(tried).toEqual(new Set(Object.keys(SESSION_ACTIONS)));
});

// Invariant 5 of ARCHITECTURE.md
test('with random sessions, roles and actions, exactly the actions in availableActions succeed', {
  timeout: 120_000,
}, async () => {
  const seed = Number(process.env.WALK_SEED ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`random walk of ${STEPS} steps, WALK_SEED=${seed}\n`);
  let state = seed;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  const gateway = await bootGateway({
    environment: sendTo({ core: await startReceiver() }, { events: ['customer.notification_requested'] }),
  });
  const ids = new Map<string, string>();
  for (let index = 0; index < SESSIONS; index += 1) {
    const verificationId = `walk.${index}`;
    ids.set(verificationId, (await gateway.start(verificationId)).id);
  }
  const people: [string, Person][] = [];
  for (const role of ['VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'])
    people.push([role, await person(gateway, `a ${role}`, role)]);
  people.push([
    'CUSTOMER',
    await person(gateway, 'a customer', 'CUSTOMER', ['walk.0', 'walk.1', 'walk.2', 'walk.3']),
  ]);
  const [, admin] = people.find(([role]) => role === 'ADMIN') as [string, Person];
  const settled = () =>
    eventually(async () => {
      const { rows } = await gateway.database.query(
        `select 1 from webhook_inbox where state = 'PENDING' limit 1`,
      );
      return rows.length === 0;
    });
  let second = 0;
  let succeeded = 0;

  for (let step = 0; step < STEPS; step += 1) {
    const verificationId = `walk.${random(SESSIONS)}`;
    const id = ids.get(verificationId) as string;
    const where = `seed ${seed}, step ${step}, ${verificationId}`;
    if (random(3) === 0) {
      // Terminal statuses are drawn less often; otherwise every session would soon have ended.
      const open = KNOWN_PAIRS.filter((info) => !info.terminal || random(20) === 0);
      const { status, subStatus } = open[random(open.length)] as (typeof open)[number];
      second += 1;
      // Meetings at the provider begin in the past or in the future.
      const meeting_schedule =
        subStatus === 'USER_MEETING_SCHEDULED' ? inMinutes(random(120) - 40) : undefined;
      const data = { verification_id: verificationId, status, sub_status: subStatus, meeting_schedule };
      await gateway.webhook({ event_time: new Date(Date.now() + second * 1000).toISOString(), data });
      await settled();
      continue;
    }
    const [role, who] = people[random(people.length)] as [string, Person];
    if (random(12) === 0) {
      await expectOwnWork(who, role, random(2) === 0 ? 'AGENT' : 'AUDITOR', where);
      continue;
    }
    const before = await who.look(id);
    const usual = random(7) === 0 ? STATED : TRIES;
    const tries = random(15) === 0 ? ENDINGS : usual;
    const attempt = tries[random(tries.length)] as (typeof TRIES | typeof STATED | typeof ENDINGS)[number];
    // After a booking, an earlier call may wait for its review: how that call ended decides which review is refused.
    const endedBy = attempt.action === 'RECORD_AGENT_REVIEW' ? await lastCall(gateway, id) : null;
    const result = await attempt.run(who, id);
    const ok = /Success$/.test(result.__typename ?? '');
    if (before?.id === undefined) {
      expect(ok, `${where}: ${role} acted on a session that the role may not see`).toBe(false);
      continue;
    }
    const offered = before.availableActions.includes(attempt.action);
    const said = JSON.stringify(result).slice(0, 300);
    const mayBeRefused = 'mayBeRefused' in attempt && /no recording yet/.test(said);
    if (mayBeRefused || ('refusedAt' in attempt && attempt.refusedAt.includes(endedBy ?? before.subStatus)))
      expect(ok, `${where}: ${said}`).toBe(false);
    else if (!ok && REFUSED_INPUT[attempt.action]?.test(result.message))
      expect(offered, `${where}: ${said}`).toBe(true);
    else
      expect(
        ok,
        `${where}: ${role} ${attempt.action} at ${before.subStatus}, offered ${offered}: ${said}`,
      ).toBe(offered);
    expect(before.blockedActions.map((each: any) => each.action).includes(attempt.action), where).toBe(
      !offered,
    );
    if (ok) succeeded += 1;
  }

  expect(succeeded).toBeGreaterThan(STEPS / 20);
  for (const id of ids.values()) {
    const { version } = await admin.look(id);
    expect(version).toBeGreaterThan(0);
  }
  await expectSound(gateway);
});
