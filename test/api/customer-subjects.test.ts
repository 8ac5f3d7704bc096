/** A customer's `sub` (token claim) may identify the person, so the gateway stores a pseudonym in its place. */
import { expect, test } from 'vitest';
import { run } from '../harness/archives.ts';
import { auditOf, signAgain } from '../harness/audit.ts';
import { AUDIT_KEYS, bootGateway, type Gateway } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { everyRow } from '../harness/rows.ts';

const SUB = 'asha.rao@example.com';
const NEXT_KEY = `next:${Buffer.alloc(32, 5).toString('base64')}`;
const MEETINGS = `query ($id: ID!) { session(id: $id) {
  meetings(first: 9) { nodes { scheduledBy cancelledBy cancelReason } }
  transitions(first: 9) { nodes { actor } } } }`;

async function seenBy(gateway: Gateway, id: string, sub: string, role: string) {
  const token = await gateway.token({ sub, roles: [role], verification_ids: ['own.1'] });
  const { data } = await gateway.graphql(MEETINGS, { id }, { authorization: `Bearer ${token}` });
  return {
    meeting: data.session.meetings.nodes[0],
    actors: data.session.transitions.nodes.map(({ actor }: { actor: string | null }) => actor),
  };
}

const BOOKED = { idempotencyKey: 'once', startsAt: inMinutes(30) };

async function bookAndCancel(gateway: Gateway): Promise<string> {
  const { id } = await gateway.start('own.1', { user: { phone: '7012345671' } });
  const customer = await person(gateway, SUB, 'CUSTOMER', ['own.1']);
  const booked = await customer.act('scheduleMeeting', id, BOOKED);
  expect(booked).toMatchObject({ __typename: 'ScheduleMeetingSuccess', replayed: false });
  const cancelled = await customer.act('cancelMeeting', id, { reason: 'I am ill.' });
  expect(cancelled.meeting.cancelReason).toBe('I am ill.');
  return id;
}

test('actions of a customer are recorded under a pseudonym; the customer still sees their own sub and texts', async () => {
  const gateway = await bootGateway();
  const id = await bookAndCancel(gateway);

  expect(await everyRow(gateway.database)).not.toContain(SUB);
  expect(gateway.logs.join('')).not.toContain(SUB);
  const own = { scheduledBy: SUB, cancelledBy: SUB, cancelReason: 'I am ill.' };
  expect((await seenBy(gateway, id, SUB, 'CUSTOMER')).meeting).toEqual(own);
  const other = { scheduledBy: null, cancelledBy: null, cancelReason: null };
  expect((await seenBy(gateway, id, 'another', 'CUSTOMER')).meeting).toEqual(other);
  const pseudonym = expect.stringMatching(/^customer:[0-9a-f]{32}$/);
  const { meeting, actors } = await seenBy(gateway, id, 'olga', 'OPERATOR');
  expect(meeting).toEqual({ ...own, scheduledBy: pseudonym, cancelledBy: pseudonym });
  expect(actors.slice(-2)).toEqual([pseudonym, pseudonym]);
  expect(actors.at(-1)).toBe(meeting.cancelledBy);
  const customer = await person(gateway, SUB, 'CUSTOMER', ['own.1']);
  expect(await customer.act('scheduleMeeting', id, BOOKED)).toMatchObject({ replayed: true });
});

test('the gateway recognises a customer by a pseudonym made with an earlier audit key, and by a plain sub that the last release stored', async () => {
  const before = await bootGateway();
  const id = await bookAndCancel(before);
  await before.stop();
  const environment = { AUDIT_KEYS: `${NEXT_KEY},${AUDIT_KEYS}` };
  const gateway = await bootGateway({ database: before.databaseUrl, environment });
  const customer = await person(gateway, SUB, 'CUSTOMER', ['own.1']);

  expect(await customer.act('scheduleMeeting', id, BOOKED)).toMatchObject({ replayed: true });
  expect((await seenBy(gateway, id, SUB, 'CUSTOMER')).meeting.cancelReason).toBe('I am ill.');

  await gateway.database.query(`update idempotency_key set caller = '${SUB}'`);
  await gateway.database.query(`update meeting set scheduled_by = '${SUB}', cancelled_by = '${SUB}'`);
  expect(await customer.act('scheduleMeeting', id, BOOKED)).toMatchObject({ replayed: true });
  expect((await seenBy(gateway, id, SUB, 'CUSTOMER')).meeting.cancelReason).toBe('I am ill.');
});

test('`npm run erase -- --subject` replaces a plain sub in rows of the last release, and earlier audit exports still verify', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  await bookAndCancel(gateway);
  const { rows } = await gateway.database.query(
    `select session_id as id, actor from status_transition where actor like 'customer:%' limit 1`,
  );
  const [{ id, actor }] = rows;
  await gateway.database.query(`update meeting set scheduled_by = '${SUB}', cancelled_by = '${SUB}'`);
  await gateway.database.query(`update status_transition set actor = '${SUB}' where actor = $1`, [actor]);
  await gateway.database.query(`update idempotency_key set caller = '${SUB}' where caller = $1`, [actor]);
  await gateway.database.query(
    `insert into personal_data_read (at, viewer, operations, fields, subjects) values (now(), '${SUB}', '{a}', '{b}', '{c}')`,
  );
  await signAgain(gateway, id, (content) => content.replaceAll(actor, SUB));
  const audit = auditOf(gateway.databaseUrl);
  const heads = await audit.exported();
  expect((await audit.verify(heads)).findings).toEqual([]);

  expect(await run(gateway, 'erase', '--subject', SUB, '--dry-run')).toContain(
    'Would replace the subject by customer:',
  );
  expect(await everyRow(gateway.database)).toContain(SUB);
  const told = await run(gateway, 'erase', '--subject', SUB, '--by', 'the officer');

  expect(told).toContain(
    `Replaced the subject by ${actor} in the logs, meetings and chains of 1 sessions and in 1 reads, and deleted 2`,
  );
  expect(await everyRow(gateway.database)).not.toContain(SUB);
  expect((await audit.verify(heads)).findings).toEqual([]);
  await gateway.database.query(`update audit_entry set hash = sha256(hash) where number = 2`);
  expect((await audit.verify(heads)).findings).toHaveLength(1);
  await expect(run(gateway, 'erase', '--subject', 'developer')).rejects.toThrow(
    'names of staff who did so must be kept',
  );
});
