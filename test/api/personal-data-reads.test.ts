/** Each response with personal data is recorded (who saw which fields of whom) before it is sent, on every transport. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { TRANSPORTS } from '../harness/transports.ts';

const PAGE = '{ sessions(first: 10) { nodes { link user { phone name email } } } }';

const readsOf = async ({ database }: Gateway) =>
  (await database.query('select viewer, operations, fields, subjects from personal_data_read order by id'))
    .rows;

const idsOf = async ({ database }: Gateway, table: string): Promise<string[]> =>
  (await database.query(`select id from ${table} order by id`)).rows.map(({ id }) => `${table}:${id}`);

test('each response with personal data is recorded as one read with viewer, fields and subjects, on every transport', async () => {
  const gateway = await bootGateway();
  await gateway.start('read.1');
  await gateway.start('read.2', { user: { phone: '9988776644' } });
  const authorization = `Bearer ${await gateway.token({ sub: 'olga', roles: ['OPERATOR'] })}`;

  for (const send of Object.values(TRANSPORTS)) {
    const { data } = await send(gateway, { query: PAGE }, authorization);
    expect(data.sessions.nodes[0].user.phone).toBe('9988776644');
  }

  const reads = await readsOf(gateway);
  expect(reads).toHaveLength(Object.keys(TRANSPORTS).length);
  for (const read of reads) {
    expect(read).toMatchObject({ viewer: 'olga', operations: ['Query.sessions'] });
    // `VkycUser.email` is selected but not recorded, because the value is null for each user.
    expect(read.fields.sort()).toEqual(['VkycSession.link', 'VkycUser.name', 'VkycUser.phone']);
    const subjects = [...(await idsOf(gateway, 'vkyc_session')), ...(await idsOf(gateway, 'vkyc_user'))];
    expect(read.subjects.sort()).toEqual(subjects.sort());
  }
});

test('a mutation that returns personal data is recorded as a read of the data; a response with masked or no personal data is not', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('read.awaits-review');
  const admin = await person(gateway, 'asha', 'ADMIN');
  await admin.act('scheduleMeeting', id, { startsAt: new Date(Date.now() + 3_600_000).toISOString() });
  const [session] = await idsOf(gateway, 'vkyc_session');
  const token = `mutation { createSdkToken(sessionId: "${id}") { ... on CreateSdkTokenSuccess { token } } }`;
  const cancel = `mutation { cancelMeeting(input: { idempotencyKey: "c", sessionId: "${id}", reason: "Ill." }) {
    ... on CancelMeetingSuccess { meeting { cancelReason } } } }`;
  const before = (await readsOf(gateway)).length;

  const viewer = { authorization: `Bearer ${await gateway.token({ sub: 'vera', roles: ['VIEWER'] })}` };
  const masked = await gateway.graphql(PAGE, {}, viewer);
  await gateway.graphql(`{ session(id: "${id}") { verificationId status user { userId } } }`);
  await gateway.graphql(token);
  await gateway.graphql(cancel);

  expect(masked.data.sessions.nodes[0].user.phone).toBe('••••••6655');
  expect((await readsOf(gateway)).slice(before)).toEqual([
    {
      viewer: 'developer',
      operations: ['Mutation.createSdkToken'],
      fields: ['CreateSdkTokenSuccess.token'],
      subjects: [session],
    },
    {
      viewer: 'developer',
      operations: ['Mutation.cancelMeeting'],
      fields: ['Meeting.cancelReason'],
      subjects: [session],
    },
  ]);
});

test('the SQL query in OPERATIONS.md finds the viewers of a person’s data, and uses an index', async () => {
  const gateway = await bootGateway();
  await gateway.start('whose.1', { user: { userId: 'u-whose', phone: '9988776644' } });
  await gateway.start('another.1', { user: { userId: 'u-other', phone: '9988776633' } });
  const as = async (sub: string, role: string) => ({
    authorization: `Bearer ${await gateway.token({ sub, roles: [role] })}`,
  });
  const one = (verificationId: string, fields: string) =>
    `{ sessionByVerificationId(verificationId: "${verificationId}") { ${fields} } }`;
  await gateway.graphql(one('whose.1', 'user { phone }'), {}, await as('olga', 'OPERATOR'));
  await gateway.graphql(one('whose.1', 'link'), {}, await as('ravi', 'AGENT'));
  await gateway.graphql(one('another.1', 'link user { phone }'), {}, await as('uma', 'AUDITOR'));
  await gateway.graphql(one('whose.1', 'user { userId }'), {}, await as('vera', 'VIEWER'));
  await gateway.database.query(
    `insert into personal_data_read (at, viewer, operations, fields, subjects)
     select now(), 'bulk', '{Query.sessions}', '{VkycUser.phone}',
       array(select 'vkyc_user:' || gen_random_uuid() from generate_series(1, 20) where n > 0)
     from generate_series(1, 5000) n`,
  );
  await gateway.database.query('vacuum analyze personal_data_read');
  const page = await readFile(new URL('../../OPERATIONS.md', import.meta.url), 'utf8');
  const [, asked = ''] = page.match(/```sql\n(.*?)```/s) ?? [];
  const query = asked.replaceAll('their userId', 'u-whose');

  const { rows } = await gateway.database.query(query);
  const { rows: plan } = await gateway.database.query(`explain ${query}`);

  expect(rows.map(({ viewer, fields }) => [viewer, fields])).toEqual([
    ['olga', ['VkycUser.phone']],
    ['ravi', ['VkycSession.link']],
  ]);
  expect(JSON.stringify(plan)).toContain('personal_data_read_subjects');
});

// Invariant 12 of ARCHITECTURE.md
test('a response with personal data is withheld if its read cannot be recorded; other responses are sent', async () => {
  const gateway = await bootGateway();
  await gateway.start('read.lost');
  await gateway.database.query(
    'alter table personal_data_read add constraint nobody_reads check (viewer is null) not valid',
  );

  for (const send of Object.values(TRANSPORTS)) {
    const { data, errors, text } = await send(gateway, { query: PAGE });
    expect(data).toBeNull();
    expect(errors[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE');
    expect(text).not.toContain('9988776655');
    expect(text).not.toMatch(/personal_data_read|nobody_reads/);
  }

  const { data } = await gateway.graphql('{ sessions(first: 10) { nodes { verificationId } } }');
  expect(data.sessions.nodes).toEqual([{ verificationId: 'read.lost' }]);
});
