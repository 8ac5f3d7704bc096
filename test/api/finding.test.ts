/** How staff find a session or a person: by part of an id, by times, by phone. */
import { expect, test } from 'vitest';
import { report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { bootGateway, DATA_KEYS, type Gateway } from '../harness/gateway.ts';
import { emptyDatabase } from '../harness/old-database.ts';
import { inMinutes, person } from '../harness/people.ts';

const LIST = `query ($filter: SessionFilter, $orderBy: SessionOrder, $first: Int, $last: Int, $after: String, $before: String) {
  result: sessions(first: $first, last: $last, after: $after, before: $before, filter: $filter, orderBy: $orderBy) {
    totalCount nodes { verificationId referenceId linkExpiresAt } pageInfo { hasNextPage endCursor startCursor } } }`;
const USERS =
  'query ($phone: String!) { result: users(phone: $phone) { userId phone sessions(first: 5) { nodes { verificationId } } } }';

async function finding(gateway: Gateway) {
  const { olga, ravi, viewer } = await staffOf(gateway);
  const list = (variables: object) => olga.query(LIST, { first: 100, ...variables });
  const found = async (filter: object, orderBy?: object): Promise<string[]> =>
    (await list({ filter, orderBy })).nodes.map(({ verificationId }: any) => verificationId);
  return { olga, ravi, viewer, list, found };
}

test('search finds a session by any part of its verification id or reference id, in upper or lower case', async () => {
  const gateway = await bootGateway();
  const { found, list } = await finding(gateway);
  for (const id of ['Loan_2026.A-17', 'loan_2027.a-18', 'card-5', 'loanx2026']) await gateway.start(id);
  const { nodes } = await list({ filter: { search: 'CARD' } });

  expect((await found({ search: 'N_2026' })).toSorted()).toEqual(['Loan_2026.A-17']);
  expect((await found({ search: 'LOAN' })).toSorted()).toEqual([
    'Loan_2026.A-17',
    'loan_2027.a-18',
    'loanx2026',
  ]);
  expect(await found({ search: '.a-1', waitingOn: ['AGENT'] })).toEqual([]);
  expect(await found({ search: nodes[0].referenceId.slice(0, 5) })).toContain('card-5');
  expect(await found({ search: '%%%' })).toEqual([]);
  expect(await found({ search: 'card-5 ' })).toEqual([]);
});

test('search finds sessions of the last release, which writes no terms, and no longer those that were deleted', async () => {
  const gateway = await bootGateway();
  const { found } = await finding(gateway);
  await gateway.start('old.writer');
  await gateway.database.query(
    `update vkyc_session set reference_id = 'REF-9981' where verification_id = 'old.writer'`,
  );
  expect(await found({ search: 'ref-998' })).toEqual(['old.writer']);

  const { rows } = await gateway.database.query('select count(*)::int as count from session_term');
  expect(rows[0].count).toBe(3);
});

test('a search of fewer than 3 or more than 50 characters is refused, and says what to do', async () => {
  const gateway = await bootGateway();
  const { list } = await finding(gateway);
  const refusal = async (search: string) => (await list({ filter: { search } })).errors[0];

  expect(await refusal('ab')).toMatchObject({
    message: '`search` must have at least 3 characters: type more, or filter by `verificationIdPrefix`.',
    extensions: { code: 'BAD_USER_INPUT' },
  });
  expect((await refusal('')).message).toContain('at least 3 characters');
  expect((await refusal('x'.repeat(51))).message).toBe('`search` must have at most 50 characters.');
  expect((await refusal('ab\u0000c')).extensions.code).toBe('BAD_USER_INPUT');
});

test('search finds an id in any case if the locale of the database has other rules for upper and lower case than JavaScript', async () => {
  const { url } = await emptyDatabase(`template template0 locale_provider icu icu_locale 'tr-TR'`);
  const gateway = await bootGateway({ database: url });
  const { found } = await finding(gateway);
  await gateway.start('LOAN-ID-7');

  expect(await found({ search: 'LOAN-ID' })).toEqual(['LOAN-ID-7']);
  expect(await found({ search: 'loan-id' })).toEqual(['LOAN-ID-7']);
});

test('a customer finds only their own sessions by search', async () => {
  const gateway = await bootGateway();
  await gateway.start('mine.1');
  await gateway.start('mine.2');
  const customer = await person(gateway, 'asha', 'CUSTOMER', ['mine.1']);
  const { nodes, totalCount } = await customer.query(LIST, { first: 10, filter: { search: 'mine' } });
  expect(nodes.map(({ verificationId }: any) => verificationId)).toEqual(['mine.1']);
  expect(totalCount).toBe(1);
});

test('the order STATUS_SINCE lists the sessions that have not ended, the longest waiting first, and pages without gaps', async () => {
  const gateway = await bootGateway();
  const { found, list } = await finding(gateway);
  await sessionAt(gateway, 'waits.ended', 'AGENT_ENDED_CALL', 'AGENT_APPROVED', 'AUDITOR_APPROVED');
  for (const id of ['waits.1', 'waits.2', 'waits.3']) await gateway.start(id);
  await report(gateway, 'waits.1', 'USER_QUEUED');
  await settled(gateway);
  const orderBy = { field: 'STATUS_SINCE', direction: 'ASC' };

  expect(await found({}, orderBy)).toEqual(['waits.2', 'waits.3', 'waits.1']);
  expect(await found({}, { ...orderBy, direction: 'DESC' })).toEqual(['waits.1', 'waits.3', 'waits.2']);
  const first = await list({ first: 2, orderBy });
  const rest = await list({ first: 2, after: first.pageInfo.endCursor, orderBy });
  expect([first.totalCount, first.pageInfo.hasNextPage]).toEqual([3, true]);
  expect(rest.nodes.map(({ verificationId }: any) => verificationId)).toEqual(['waits.1']);
  expect(
    (await list({ after: first.pageInfo.endCursor, orderBy: { field: 'MEETING_AT', direction: 'ASC' } }))
      .errors[0].message,
  ).toContain('not issued for this list in this order');
});

test('meetingFrom, meetingTo and the order MEETING_AT list the sessions with a booked meeting by its start', async () => {
  const gateway = await bootGateway();
  const { olga, found } = await finding(gateway);
  for (const [index, minutes] of [90, 30, 60].entries()) {
    const { id } = await sessionAt(gateway, `meets.${index}`, 'USER_DEVICE_CHECK_SUCCESS');
    await olga.act('scheduleMeeting', id, { startsAt: inMinutes(minutes) });
  }
  await gateway.start('meets.not');
  const orderBy = { field: 'MEETING_AT', direction: 'ASC' };

  expect(await found({}, orderBy)).toEqual(['meets.1', 'meets.2', 'meets.0']);
  expect(await found({ meetingFrom: inMinutes(45), meetingTo: inMinutes(75) })).toEqual(['meets.2']);
  expect(await found({ meetingTo: inMinutes(45) }, orderBy)).toEqual(['meets.1']);
});

test('linkExpiresBefore lists the sessions that have not ended and whose link expires before the time', async () => {
  const gateway = await bootGateway();
  const { list, found } = await finding(gateway);
  await gateway.start('link.open');
  await sessionAt(gateway, 'link.ended', 'AGENT_ENDED_CALL', 'AGENT_APPROVED', 'AUDITOR_APPROVED');
  const { nodes } = await list({ filter: { search: 'link.open' } });
  const expires = Date.parse(nodes[0].linkExpiresAt);

  expect(await found({ linkExpiresBefore: new Date(expires + 60_000).toISOString() })).toEqual(['link.open']);
  expect(await found({ linkExpiresBefore: new Date(expires).toISOString() })).toEqual([]);
});

test('users finds the people with a phone number, also after the data key was rotated, for roles that may read it', async () => {
  const gateway = await bootGateway();
  const { olga, viewer } = await finding(gateway);
  await gateway.start('phone.1', { user: { phone: '9876501234', userId: 'first' } });
  await gateway.start('phone.2', { user: { phone: '9876501234', userId: 'second' } });
  const customer = await person(gateway, 'asha', 'CUSTOMER', ['phone.1']);

  const people = await olga.query(USERS, { phone: '9876501234' });
  expect(people.map(({ userId, phone }: any) => [userId, phone])).toEqual([
    ['second', '9876501234'],
    ['first', '9876501234'],
  ]);
  expect(people[1].sessions.nodes).toEqual([{ verificationId: 'phone.1' }]);
  expect(await olga.query(USERS, { phone: '9876501235' })).toEqual([]);
  expect((await olga.query(USERS, { phone: '98765' })).errors[0]).toMatchObject({
    message: '`phone` must be 10 digits, without country code.',
    extensions: { code: 'BAD_USER_INPUT' },
  });
  for (const who of [viewer, customer])
    expect((await who.query(USERS, { phone: '9876501234' })).errors[0].extensions.code).toBe('FORBIDDEN');

  const rotated = await bootGateway({
    database: gateway.databaseUrl,
    environment: { DATA_KEYS: `new:${Buffer.alloc(32, 9).toString('base64')},${DATA_KEYS}` },
  });
  const after = await (await person(rotated, 'olga', 'OPERATOR')).query(USERS, { phone: '9876501234' });
  expect(after.map(({ userId }: any) => userId)).toEqual(['second', 'first']);
});

test('a look-up of people by phone is recorded as a read of the phone of each person found, also if it selects no personal data, and each look-up costs 100 points', async () => {
  const gateway = await bootGateway({ environment: { RATE_LIMIT_COST_PER_MINUTE: '1000' } });
  const olga = await person(gateway, 'olga', 'OPERATOR');
  await gateway.start('phone.1', { user: { phone: '9876501234', userId: 'first' } });
  const lookUp = (phone: string) =>
    olga.query('query ($phone: String!) { result: users(phone: $phone) { id } }', { phone });

  expect(await lookUp('9876501234')).toHaveLength(1);
  expect(await lookUp('9876501235')).toEqual([]);

  const { rows: users } = await gateway.database.query('select id from vkyc_user');
  const { rows } = await gateway.database.query(
    `select operations, fields, subjects from personal_data_read where viewer = 'olga'`,
  );
  expect(rows).toEqual([
    { operations: ['Query.users'], fields: ['VkycUser.phone'], subjects: [`vkyc_user:${users[0].id}`] },
  ]);
  for (let number = 0; number < 8; number += 1) expect(await lookUp(`98765012${40 + number}`)).toEqual([]);
  expect((await lookUp('9876501299')).errors[0].extensions.code).toBe('RATE_LIMITED');
});
