/** Audit chains of the log of personal-data reads, with several processes, failing statements, and lost rows. */
import { expect, test } from 'vitest';
import { auditOf } from '../harness/audit.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';

const PHONES = '{ sessions(first: 9) { nodes { user { phone } } } }';

const readAtOnce = (gateway: Gateway, count: number) =>
  Promise.all(Array.from({ length: count }, () => gateway.graphql(PHONES)));

const countOf = async ({ database }: Gateway, table: string): Promise<number> =>
  (await database.query(`select count(*)::int as count from ${table}`)).rows[0].count;

test('concurrent reads of personal data on two replicas are all recorded, in at most 8 audit chains, all of which verify', async () => {
  const [one] = [await bootGateway({ bothWays: false })];
  const two = await bootGateway({ database: one.databaseUrl, bothWays: false });
  await one.start('read.1');

  const answers = (await Promise.all([readAtOnce(one, 40), readAtOnce(two, 40), readAtOnce(one, 1)])).flat();

  for (const { data } of answers) expect(data.sessions.nodes[0].user.phone).toBe('9988776655');
  expect(await countOf(one, 'personal_data_read')).toBe(81);
  expect(await countOf(one, 'read_chain')).toBeLessThanOrEqual(8);
  const audit = auditOf(one.databaseUrl);
  expect(await audit.findingsOfReads(await audit.exportedReads())).toEqual([]);
});

test('a response with personal data is withheld if its read cannot be recorded, and later reads begin a new chain', async () => {
  const gateway = await bootGateway({ bothWays: false });
  await gateway.start('read.1');
  await gateway.graphql(PHONES);
  await gateway.database.query(
    'alter table personal_data_read add constraint nobody check (false) not valid',
  );
  expect((await gateway.graphql(PHONES)).errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE');
  await gateway.database.query('alter table personal_data_read drop constraint nobody');

  expect((await gateway.graphql(PHONES)).errors).toBeUndefined();

  expect(await countOf(gateway, 'personal_data_read')).toBe(2);
  expect(await countOf(gateway, 'read_chain')).toBe(2);
  expect(await auditOf(gateway.databaseUrl).findingsOfReads()).toEqual([]);
});

test('after a failover that lost recorded reads, the next read begins a new chain, and an export reveals the loss', async () => {
  const gateway = await bootGateway({ bothWays: false });
  await gateway.start('read.1');
  for (let count = 0; count < 3; count += 1) await gateway.graphql(PHONES);
  const audit = auditOf(gateway.databaseUrl);
  const exported = await audit.exportedReads();
  await gateway.database.query(
    'delete from personal_data_read where id > (select min(id) from personal_data_read)',
  );

  expect((await gateway.graphql(PHONES)).errors).toBeUndefined();

  expect(await countOf(gateway, 'personal_data_read')).toBe(2);
  expect(await audit.findingsOfReads()).toEqual([]);
  expect(await audit.findingsOfReads(exported)).toEqual([
    '2: cut off: the export lists entries of this chain up to 3',
  ]);
});

test('the next chain shows the audit that a chain of reads was removed; an export shows the removal of reads without a chain', async () => {
  const first = await bootGateway({ bothWays: false });
  await first.start('read.1');
  await first.graphql(PHONES);
  // Inserts a read as the last release recorded it: without a chain.
  await first.database.query(
    `insert into personal_data_read (at, viewer, operations, fields, subjects) values (now(), 'olga', '{a}', '{b}', '{c}')`,
  );
  const second = await bootGateway({ database: first.databaseUrl, bothWays: false });
  await second.graphql(PHONES);
  const audit = auditOf(first.databaseUrl);
  const exported = await audit.exportedReads();
  expect(await audit.findingsOfReads(exported)).toEqual([]);

  await first.database.query('delete from personal_data_read where chain_id is null');
  expect(await audit.findingsOfReads(exported)).toEqual(['0: 1 reads of an earlier release were removed']);
  const oldest = 'select id from read_chain order by started_at limit 1';
  await first.database.query(`delete from personal_data_read where chain_id = (${oldest})`);
  expect(await audit.findingsOfReads()).toEqual(['1: removed: the chain has no reads']);
  await first.database.query(`delete from read_chain where id = (${oldest})`);
  expect(await audit.findingsOfReads()).toEqual([
    expect.stringMatching(/^0: removed: chain .* began after it/),
  ]);
});
