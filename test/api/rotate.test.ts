/** `npm run rotate` encrypts stored values with a new data key while a gateway runs. */
import { expect, test } from 'vitest';
import { ROTATABLE_COLUMNS } from '../../src/db/keys/key-rotation.ts';
import { sessionWithHistory } from '../harness/audit.ts';
import { createCommandRunner } from '../harness/command.ts';
import { AUDIT_KEYS, bootGateway, DATA_KEYS, eventually, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { sendTo, startReceiver } from '../harness/receiver.ts';
import { webhooksSettled } from '../harness/rows.ts';

const NEXT = `next:${Buffer.alloc(32, 9).toString('base64')}`;
const SEEN = `{ sessions(first: 50) { nodes {
  verificationId link agentRemarks user { userId phone name email } reviews { remarks customerMessage }
  notes(first: 9) { nodes { text } } meetings(first: 9) { nodes { cancelReason } } } } }`;
const START = `mutation ($input: StartSessionInput!) { startSession(input: $input) {
  __typename ... on StartSessionSuccess { replayed } ... on MutationError { code } } }`;

const runCommand = createCommandRunner();

/** Runs the rotate command on the gateway's database, with these DATA_KEYS. */
function run({ databaseUrl }: Gateway, keys: string) {
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl, DATA_KEYS: keys, AUDIT_KEYS };
  return runCommand('rotate', [], env);
}

const rotate = async (gateway: Gateway, keys: string): Promise<string> => (await run(gateway, keys)).stdout;

/** Counts the values encrypted with a key, by column; an encrypted value begins with the id of its key. */
async function underKey({ database }: Gateway, key: string): Promise<Record<string, number>> {
  const { rows: columns } = await database.query<{ table: string; column: string }>(
    `select table_name as "table", column_name as "column" from information_schema.columns
     where data_type = 'bytea' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const label = Buffer.concat([Buffer.from([key.length]), Buffer.from(key)]);
  const found: Record<string, number> = {};
  for (const { table, column } of columns) {
    const { rows } = await database.query<{ count: number }>(
      `select count(*)::int as count from "${table}" where substring("${column}" from 1 for ${label.length}) = $1`,
      [label],
    );
    if (rows[0]?.count) found[`${table}.${column}`] = rows[0].count;
  }
  return found;
}

test('npm run rotate re-encrypts all values of the old key while the gateway runs; the old key can then be removed', {
  timeout: 60_000,
}, async () => {
  const before = await bootGateway({ environment: sendTo({ core: await startReceiver() }) });
  const historic = await sessionWithHistory(before);
  const id = Buffer.from(`VkycSession:${historic}`).toString('base64url');
  await (await person(before, 'olga', 'OPERATOR')).act('addNote', id, { note: 'Rahul called again.' });
  const notified = await before.start('notified.1');
  await (await person(before, 'olga', 'OPERATOR')).act('notifyCustomer', notified.id, { kind: 'LINK' });
  for (let index = 0; index < 5; index++)
    await before.start(`more.${index}`, { user: { phone: `798765432${index}`, name: `N${index}` } });
  const input = { verificationId: 'more.0', user: { phone: '7987654320', name: 'N0' } };
  await webhooksSettled(before.database);
  const seen = (await before.graphql(SEEN)).data;
  const stored = await underKey(before, 'test');
  expect(Object.keys(stored)).toHaveLength(ROTATABLE_COLUMNS.length + 2);
  await before.stop();

  const database = before.databaseUrl;
  const between = await bootGateway({ database, environment: { DATA_KEYS: `${NEXT},${DATA_KEYS}` } });
  expect((await between.graphql(SEEN)).data).toEqual(seen);
  expect((await between.graphql(START, { input })).data.startSession).toMatchObject({ replayed: true });
  const { stdout: told, stderr: progress } = await run(between, `${NEXT},${DATA_KEYS}`);

  expect(told).toContain('No value is encrypted with test any more. 13 idempotency keys');
  const renewed = Object.entries(stored).filter(([place]) => !place.endsWith('.input_hash'));
  for (const [place, count] of renewed) expect(progress).toContain(`${place}  ${count} of ${count}\n`);
  expect(Object.keys(await underKey(between, 'test')).sort()).toEqual([
    'idempotency_key.input_hash',
    'start_intent.input_hash',
  ]);
  expect((await between.graphql(SEEN)).data).toEqual(seen);
  expect(await rotate(between, `${NEXT},${DATA_KEYS}`)).toContain(
    'No value is encrypted with test any more.',
  );
  await between.stop();

  const after = await bootGateway({ database, environment: { DATA_KEYS: NEXT } });
  expect((await after.graphql(SEEN)).data).toEqual(seen);
  expect((await after.graphql(START, { input })).data.startSession).toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
});

test('npm run rotate skips a locked row, and re-encrypts the row after the lock is released', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway({ environment: { DATA_KEYS: `${DATA_KEYS},${NEXT}` } });
  await gateway.start('held.1');
  await gateway.webhook({ held: 'by nobody' });
  const holder = await gateway.database.connect();
  await holder.query('begin');
  await holder.query(`select from vkyc_session where verification_id = 'held.1' for update`);
  const rotating = rotate(gateway, `${NEXT},${DATA_KEYS}`);
  await eventually(async () => (await underKey(gateway, 'next'))['webhook_inbox.body']);
  expect((await underKey(gateway, 'test'))['vkyc_session.link']).toBe(1);
  await holder.query('commit');
  holder.release();
  expect(await rotating).toContain('No value is encrypted with test any more.');
});
