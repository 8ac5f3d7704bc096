import { expect, onTestFinished, test } from 'vitest';
import { ProviderFailure } from '../../src/domain/errors.ts';
import { PROVIDER_PAIRS } from '../../src/domain/status.ts';
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
import { movableClock } from '../harness/clock.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { against, known, problem } from './starting.ts';

const user = { phone: PHONE };

const replacedEntries = async ({ database }: Gateway, verificationId: string): Promise<number> => {
  const { rows } = await database.query(
    `select count(*)::int as count from status_transition t join vkyc_session s on s.id = t.session_id
     where s.verification_id = $1 and t.sub_status = 'REPLACED'`,
    [verificationId],
  );
  return rows[0].count;
};

test('a session that is replaced before its call ends as REPLACED, waits on nobody and offers no action, and its meeting is cancelled', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const old = await gateway.start('old.1');
  await olga.act('scheduleMeeting', old.id, { startsAt: inMinutes(30) });
  const watcher = gateway.subscribe(WATCH, { sessionId: old.id, after: old.startCursor });
  expect((await olga.look(old.id)).availableActions).toContain('REPLACE');

  const input = { verificationId: 'new.1', user, replacesSessionId: old.id };
  const started = await olga.start(input);
  const again = await olga.start(input);

  expect(started).toMatchObject({
    __typename: 'StartSessionSuccess',
    replayed: false,
    session: { replaces: { id: old.id }, subStatus: 'LINK_GENERATED' },
  });
  expect(again).toMatchObject({ replayed: true, session: { id: started.session.id } });
  expect(await olga.look(old.id)).toMatchObject({
    status: 'FAILED',
    subStatus: 'REPLACED',
    version: 3,
    availableActions: [],
    statusInfo: { waitingOn: 'NOBODY', terminal: true },
    meeting: null,
    meetings: { nodes: [{ status: 'CANCELLED', cancelledBy: 'olga' }] },
    replacedBy: { id: started.session.id },
  });
  const frames = await watcher.take(3);
  expect(frames[2]).toEqual({
    sequence: 3,
    status: 'FAILED',
    subStatus: 'REPLACED',
    source: 'MUTATION',
    actor: 'olga',
    applied: true,
    reason: null,
  });
  expect(JSON.stringify(frames)).not.toMatch(new RegExp(`${PHONE}|${NAME}`));
  expect(await logOf(gateway, 'old.1')).toEqual([
    'MOVED MUTATION LINK_GENERATED developer',
    'MOVED MUTATION USER_MEETING_SCHEDULED olga',
    'MOVED MUTATION REPLACED olga',
  ]);
  const { rows } = await gateway.database.query(
    `select user_id, next_poll_at, meeting_at from vkyc_session order by verification_id desc`,
  );
  expect(rows[0]).toMatchObject({ next_poll_at: null, meeting_at: null });
  expect(rows[0].user_id).toBe(rows[1].user_id);
  await expectSound(gateway);
});

test('a session can be replaced in every status except approvals, and an ended session keeps its outcome', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);

  const replaceAt = async ({ subStatus, terminal }: (typeof PROVIDER_PAIRS)[number]) => {
    const id = `from.${subStatus}`;
    const old = await sessionAt(gateway, id, subStatus as never);
    const offered = (await olga.look(old.id)).availableActions.includes('REPLACE');
    const started = await olga.start({ verificationId: `to.${subStatus}`, user, replacesSessionId: old.id });

    const approved = ['AGENT_APPROVED', 'AUDITOR_APPROVED'].includes(subStatus);
    expect([subStatus, offered]).toEqual([subStatus, !approved]);
    const after = await olga.look(old.id);
    if (approved) {
      expect(started.problems[0]).toMatchObject({
        path: ['replacesSessionId'],
        message: expect.stringContaining('an approved session cannot be replaced'),
      });
      expect(after.subStatus).toBe(subStatus);
      return;
    }
    expect(started.__typename).toBe('StartSessionSuccess');
    expect(after).toMatchObject({
      subStatus: terminal ? subStatus : 'REPLACED',
      disputed: false,
      availableActions: expect.not.arrayContaining(['REPLACE', 'CLOSE', 'REFRESH', 'ADD_NOTE']),
      statusInfo: { waitingOn: 'NOBODY' },
    });
    expect((await logOf(gateway, id)).at(-1)).toBe(`${terminal ? 'ENDED' : 'MOVED'} MUTATION REPLACED olga`);
  };

  await Promise.all(PROVIDER_PAIRS.map(replaceAt));
  await expectSound(gateway);
});

test('replaced sessions no longer wait on the merchant, and the filter `replaced` finds them', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const expired = await sessionAt(gateway, 'list.1', 'VKYC_EXPIRED');
  await sessionAt(gateway, 'list.2', 'VKYC_EXPIRED');
  expect(await listed(olga, { waitingOn: ['MERCHANT'] })).toEqual(['list.1', 'list.2']);

  await olga.start({ verificationId: 'list.3', user, replacesSessionId: expired.id });

  expect(await listed(olga, { waitingOn: ['MERCHANT'] })).toEqual(['list.2']);
  expect(await listed(olga, { replaced: true })).toEqual(['list.1']);
  expect(await listed(olga, { replaced: false })).toEqual(['list.2', 'list.3']);
});

test('a session of another person, a disputed and a replaced session cannot be replaced, and the provider is not called', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const old = await gateway.start('asha.1', { user: { userId: 'asha', phone: PHONE } });
  const start = (verificationId: string, input: object) =>
    olga.start({ verificationId, replacesSessionId: old.id, ...input });
  const refusedWith = (said: any, message: string) =>
    expect(said.problems).toEqual([
      { path: ['replacesSessionId'], message: expect.stringContaining(message) },
    ]);

  const other = "another person's session: pass that person's user.userId or user.phone";
  refusedWith(await start('other.1', { user: { phone: '9988776600' } }), other);
  refusedWith(await start('other.2', { user: { userId: 'ravi', phone: PHONE } }), other);
  const { rows } = await gateway.database.query('select from start_intent where verification_id like $1', [
    'other.%',
  ]);
  expect(rows).toEqual([]);
  expect(await gateway.callProvider('GET', '/user?user_id=ravi')).toMatchObject({ type: 'not_found_error' });
  expect(await gateway.callProvider('GET', '/vkyc?verification_id=other.1')).toMatchObject({
    type: 'not_found_error',
  });

  await report(gateway, 'asha.1', 'AUDITOR_REJECTED');
  await report(gateway, 'asha.1', 'AUDITOR_APPROVED');
  await settled(gateway);
  refusedWith(await start('other.3', { user: { userId: 'asha' } }), 'resolve the dispute first');
  const { uma } = await staffOf(gateway);
  await uma.act('resolveDispute', old.id, { resolution: 'KEEP_OURS', note: 'The papers were forged.' });
  const done = await start('own.1', { user: { userId: 'asha' } });
  expect(done.session.user.userId).toBe('asha');
  refusedWith(await start('own.2', { user: { userId: 'asha' } }), 'Another session replaces this one');
  await expectSound(gateway);
});

test('a session that the last release replaced, without recording that on it, offers no other replacement and refuses one', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const old = await sessionAt(gateway, 'last.1', 'TECHNICAL_ERROR');
  await gateway.start('last.2');
  // The last release wrote only this.
  await gateway.database.query(
    `update vkyc_session set replaces_id = (select id from vkyc_session where verification_id = 'last.1')
     where verification_id = 'last.2'`,
  );

  const seen = await olga.look(old.id);
  const refused = await olga.start({ verificationId: 'last.3', user, replacesSessionId: old.id });

  expect(seen.replacedBy).not.toBeNull();
  expect(seen.blockedActions).toContainEqual({
    action: 'REPLACE',
    reason: 'Another session replaces this one: act on that session.',
  });
  expect(seen.availableActions).toContain('CLOSE');
  expect(refused.problems[0].message).toContain('Another session replaces this one');
});

test('customers, viewers, agents and auditors cannot replace a session', async () => {
  const gateway = await bootGateway();
  const { ravi, uma, viewer, olga } = await staffOf(gateway);
  const customer = await person(gateway, 'asha', 'CUSTOMER', ['roles.1', 'roles.2']);
  const old = await gateway.start('roles.1');

  for (const who of [ravi, uma, viewer, customer]) {
    expect((await who.look(old.id)).availableActions).not.toContain('REPLACE');
    const { errors } = await who.start({ verificationId: 'roles.2', user, replacesSessionId: old.id });
    expect(errors[0].extensions.code).toBe('FORBIDDEN');
  }
  expect((await olga.look(old.id)).subStatus).toBe('LINK_GENERATED');
});

test('a start that the provider refuses, or has no balance for, does not replace the session, and a later start can', async () => {
  let mode: 'REFUSED' | 'NO_BALANCE' | 'STATUS' | 'OK' = 'OK';
  const { gateway } = await against(({ method, path, body }) => {
    if (path.startsWith('/user')) return known(method === 'POST' ? JSON.parse(body).user_id : 'asha');
    if (method === 'GET') return problem(404, 'verification_not_found');
    const { verification_id, user_id } = JSON.parse(body);
    if (mode === 'REFUSED') return problem(400, 'verification_id_value_invalid');
    if (mode === 'NO_BALANCE') return problem(422, 'insufficient_balance');
    const pair =
      mode === 'STATUS'
        ? { status: 'REJECTED', sub_status: 'INSUFFICIENT_BALANCE' }
        : { status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
    return { body: JSON.stringify({ verification_id, user_id, ...pair }) };
  });
  const { olga } = await staffOf(gateway);
  const asha = { userId: 'asha' };
  const { session: old } = await olga.start({ verificationId: 'kept.1', user: asha });
  const start = (verificationId: string) =>
    olga.start({ verificationId, user: asha, replacesSessionId: old.id });

  mode = 'REFUSED';
  expect((await start('kept.2')).__typename).not.toBe('StartSessionSuccess');
  mode = 'NO_BALANCE';
  expect((await start('kept.3')).session).toMatchObject({
    subStatus: 'INSUFFICIENT_BALANCE',
    replaces: null,
  });
  mode = 'STATUS';
  expect((await start('kept.4')).session).toMatchObject({
    subStatus: 'INSUFFICIENT_BALANCE',
    replaces: null,
  });
  expect(await olga.look(old.id)).toMatchObject({ subStatus: 'LINK_GENERATED', replacedBy: null });
  mode = 'OK';
  expect((await start('kept.5')).session.replaces).toEqual({ id: old.id });

  expect(await olga.look(old.id)).toMatchObject({ subStatus: 'REPLACED' });
  await expectSound(gateway);
});

/** Boots a gateway whose provider receives starts, but whose answers are lost while `lost.answers` is true. */
async function withLostAnswers(options: Parameters<typeof bootGateway>[0] = {}) {
  const lost = { answers: false };
  const unlessLost = <Answer>(answer: Answer): Answer => {
    if (lost.answers) throw new ProviderFailure('UNAVAILABLE', 'no answer');
    return answer;
  };
  const gateway = await bootGateway({
    ...options,
    provider: (calls) => ({
      ...calls,
      startVerification: async (asked) => unlessLost(await calls.startVerification(asked)),
      findVerification: async (id) => unlessLost(await calls.findVerification(id)),
    }),
  });
  return { gateway, lost };
}

test('if the answer to a start is lost, the webhook of the new session ends the old one, and the retry returns the new session', async () => {
  const { gateway, lost } = await withLostAnswers();
  const { olga } = await staffOf(gateway);
  const asha = { userId: 'asha', phone: PHONE };
  const { session: old } = await olga.start({ verificationId: 'old.1', user: asha });
  const input = { verificationId: 'new.1', user: asha, replacesSessionId: old.id };
  lost.answers = true;
  expect((await olga.start(input)).code).toBe('PROVIDER_UNAVAILABLE');
  expect((await olga.look(old.id)).subStatus).toBe('LINK_GENERATED');

  const pair = { status: 'PRE_VIDEO_CALL', sub_status: 'AADHAAR_VERIFICATION_SUCCESS' };
  const data = { verification_id: 'new.1', user_id: 'asha', ...pair };
  await gateway.webhook({ event_type: 'X', event_time: new Date().toISOString(), data });
  await eventually(async () => (await olga.look(old.id)).subStatus === 'REPLACED');
  lost.answers = false;
  const retried = await olga.start(input);

  expect(retried).toMatchObject({ __typename: 'StartSessionSuccess', session: { replaces: { id: old.id } } });
  expect((await logOf(gateway, 'old.1')).at(-1)).toBe('MOVED MUTATION REPLACED olga');
  expect(await replacedEntries(gateway, 'old.1')).toBe(1);
  await expectSound(gateway);
});

test('if a start whose answer was lost is not repeated, a poll finds the new session and ends the old one', async () => {
  const clock = movableClock();
  const { gateway, lost } = await withLostAnswers({ polling: true, clock });
  const { olga } = await staffOf(gateway);
  const old = await gateway.start('old.1');
  lost.answers = true;
  expect(await olga.start({ verificationId: 'new.1', user, replacesSessionId: old.id })).toMatchObject({
    code: 'PROVIDER_UNAVAILABLE',
  });
  lost.answers = false;

  clock.forward(60_000);
  await eventually(async () => (await olga.look(old.id)).subStatus === 'REPLACED');

  expect((await logOf(gateway, 'old.1')).at(-1)).toBe('MOVED MUTATION REPLACED olga');
  expect((await olga.look(old.id)).replacedBy).not.toBeNull();
  await expectSound(gateway);
});

test('if the old session is approved while the start is under way, both are recorded and the old session is disputed', async () => {
  let duringTheStart: () => Promise<void> = async () => {};
  const gateway = await bootGateway({
    provider: (calls) => ({
      ...calls,
      startVerification: async (asked) => {
        const answer = await calls.startVerification(asked);
        await duringTheStart();
        return answer;
      },
    }),
  });
  const { olga, uma } = await staffOf(gateway);
  const old = await sessionAt(gateway, 'slow.1', 'AGENT_ENDED_CALL');
  duringTheStart = async () => {
    await report(gateway, 'slow.1', 'AUDITOR_APPROVED');
    await settled(gateway);
  };

  const started = await olga.start({ verificationId: 'slow.2', user, replacesSessionId: old.id });

  expect(started.session).toMatchObject({ subStatus: 'LINK_GENERATED', replaces: { id: old.id } });
  expect(await uma.look(old.id)).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    disputed: true,
    statusInfo: { waitingOn: 'MERCHANT' },
    availableActions: ['REQUEST_RECORDING', 'RESOLVE_DISPUTE'],
  });
  const decided = await uma.act('resolveDispute', old.id, {
    resolution: 'ACCEPT_PROVIDER',
    expectedSubStatus: 'AUDITOR_APPROVED',
    note: 'Approved.',
  });
  expect(decided.session).toMatchObject({ subStatus: 'AUDITOR_APPROVED', disputed: false });
  await expectSound(gateway);
});

test('an approval that arrives after the replacement makes the replaced session disputed', async () => {
  const gateway = await bootGateway();
  const { olga, uma } = await staffOf(gateway);
  const old = await sessionAt(gateway, 'after.1', 'AGENT_ENDED_CALL');
  await olga.start({ verificationId: 'after.2', user, replacesSessionId: old.id });

  await report(gateway, 'after.1', 'AGENT_APPROVED');
  await settled(gateway);
  expect(await olga.look(old.id)).toMatchObject({ subStatus: 'REPLACED', disputed: false });
  await report(gateway, 'after.1', 'AUDITOR_APPROVED');
  await settled(gateway);

  expect(await uma.look(old.id)).toMatchObject({
    subStatus: 'REPLACED',
    disputed: true,
    availableActions: ['REQUEST_RECORDING', 'RESOLVE_DISPUTE'],
    statusInfo: { waitingOn: 'MERCHANT' },
  });
  await expectSound(gateway);
});

test('of 20 concurrent starts on two gateways, one replaces the session; 20 repetitions of that start return its session', async () => {
  const [one, two] = await twoGateways();
  const [here, there] = [await person(one, 'olga', 'OPERATOR'), await person(two, 'olga', 'OPERATOR')];
  const [old, other] = [await one.start('race.1'), await one.start('race.2')];

  const different = await twentyTimes(here, there, (who, index) =>
    who.start({ verificationId: `race.new.${index}`, user, replacesSessionId: old.id }),
  );
  const same = await twentyTimes(here, there, (who) =>
    who.start({ verificationId: 'race.same', user, replacesSessionId: other.id }),
  );

  const won = different.filter((each) => each.__typename === 'StartSessionSuccess');
  expect(won).toHaveLength(1);
  for (const each of different)
    if (each !== won[0]) expect(each.problems[0].path).toEqual(['replacesSessionId']);
  expect(new Set(same.map((each) => each.session.id)).size).toBe(1);
  expect(same.filter((each) => !each.replayed)).toHaveLength(1);
  expect(await replacedEntries(one, 'race.1')).toBe(1);
  expect(await replacedEntries(one, 'race.2')).toBe(1);
  await expectSound(one);
});

test('concurrent replacements and webhooks of the old and new sessions cause no deadlock, and each session is replaced once', {
  timeout: 120_000,
}, async () => {
  const [one, two] = await twoGateways();
  const [here, there] = [await person(one, 'olga', 'OPERATOR'), await person(two, 'olga', 'OPERATOR')];
  const numbers = Array.from({ length: 6 }, (_, index) => index);
  // Covers both lock orders: the new verification id sorts before the old one for even numbers, after it for odd.
  const oldOf = (index: number) => `${index % 2 ? 'a' : 'z'}.${index}.old`;
  const newOf = (index: number) => `m.${index}.new`;
  const olds = await Promise.all(numbers.map((index) => one.start(oldOf(index))));

  const replace = (verificationId: string, replacesSessionId: string | undefined) =>
    [here, there].map((who) => who.start({ verificationId, user, replacesSessionId }));

  const [first] = await Promise.all([
    Promise.all(numbers.flatMap((index) => replace(newOf(index), olds[index]?.id))),
    ...numbers.flatMap((index) => [
      report(one, oldOf(index), 'USER_QUEUED'),
      report(two, newOf(index), 'USER_QUEUED'),
      report(two, oldOf(index), 'NO_AGENT_FOUND'),
      report(one, newOf(index), 'NO_AGENT_FOUND'),
    ]),
  ]);
  // Replaces each new session by a third one, while webhooks of all three sessions arrive.
  const [second] = await Promise.all([
    Promise.all(
      numbers.flatMap((index) =>
        replace(`${index % 2 ? 'z' : 'a'}.${index}.next`, first[2 * index].session.id),
      ),
    ),
    ...numbers.flatMap((index) => [
      report(one, newOf(index), 'AGENT_ASSIGNED_TO_USER'),
      report(two, `${index % 2 ? 'z' : 'a'}.${index}.next`, 'USER_QUEUED'),
      report(two, oldOf(index), 'USER_QUEUED'),
    ]),
  ]);

  expect([...first, ...second].filter((each) => each.__typename !== 'StartSessionSuccess')).toEqual([]);
  for (const index of numbers) {
    expect(await replacedEntries(one, oldOf(index))).toBe(1);
    expect(await replacedEntries(one, newOf(index))).toBe(1);
  }
  const { rows } = await one.database.query(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  );
  expect(rows).toEqual([{ deadlocks: 0 }]);
  expect(one.logs.concat(two.logs).filter((line) => /deadlock/.test(line))).toEqual([]);
  await expectSound(one);
});

test('a repeated start waits for the row lock of the session that is first in lock order, and holds no other lock while it waits', async () => {
  const { gateway, lost } = await withLostAnswers();
  const { olga } = await staffOf(gateway);
  const asha = { userId: 'asha', phone: PHONE };
  const { session: old } = await olga.start({ verificationId: 'a.old', user: asha });
  const input = { verificationId: 'b.new', user: asha, replacesSessionId: old.id };
  lost.answers = true;
  await olga.start(input);
  const other = await gateway.database.connect();
  onTestFinished(async () => other.release(true));
  const lock = (verificationId: string) =>
    other.query('select from vkyc_session where verification_id = $1 for update', [verificationId]);
  const waiting = () =>
    eventually(async () => {
      const { rows } = await gateway.database.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });

  // To create the new session, the webhook needs the row lock of the old one, so it stays queued until the commit.
  await other.query('begin');
  await lock('a.old');
  const data = {
    verification_id: 'b.new',
    user_id: 'asha',
    status: 'PRE_VIDEO_CALL',
    sub_status: 'USER_QUEUED',
  };
  expect(await gateway.webhook({ event_type: 'X', event_time: new Date().toISOString(), data })).toBe(200);
  await report(gateway, 'a.old', 'USER_QUEUED');
  await other.query('commit');
  await eventually(async () => (await olga.look(old.id)).replacedBy !== null);

  // While the retry waits for the row lock of a.old, another transaction can lock b.new: the retry does not hold it.
  lost.answers = false;
  await other.query('begin');
  await lock('a.old');
  const retried = olga.start(input);
  await waiting();
  await other.query(`set local lock_timeout = '5s'`);
  await lock('b.new');
  await other.query('commit');

  expect(await retried).toMatchObject({
    __typename: 'StartSessionSuccess',
    session: { replaces: { id: old.id } },
  });
  expect(await replacedEntries(gateway, 'a.old')).toBe(1);
  await expectSound(gateway);
});
