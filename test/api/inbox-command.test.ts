import { expect, test } from 'vitest';
import { createCommandRunner } from '../harness/command.ts';
import { bootGateway, DATA_KEYS, eventually, type Gateway } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';

const LOG = `query ($id: String!) {
  sessionByVerificationId(verificationId: $id) {
    status subStatus version transitions(first: 50) { nodes { sequence subStatus applied } }
  }
}`;

const runCommand = createCommandRunner();

/** Runs the inbox command with the environment of an operator while the gateway runs; returns what it prints. */
async function inbox(gateway: Gateway, ...args: string[]): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: gateway.databaseUrl, DATA_KEYS };
  const { stdout } = await runCommand('inbox', args, env);
  return stdout;
}

const sessionOf = async (gateway: Gateway, id: string) =>
  (await gateway.graphql(LOG, { id })).data.sessionByVerificationId;

const news = (verification_id: string, sub_status: string, second: number) => ({
  event_time: new Date(Date.now() + second * 1000).toISOString(),
  data: {
    verification_id,
    status: 'PRE_VIDEO_CALL',
    sub_status,
    vkyc_link: 'https://forms-test.cashfree.com/verification/secret-link',
    name: 'Asha Rao',
  },
});

test('`npm run inbox -- list` shows why a webhook is parked; `-- show` hides personal data unless --reveal is given, which is recorded', async () => {
  const gateway = await bootGateway();
  await gateway.webhook({ test: 'from the dashboard', phone: '9988776655' });
  await gateway.webhook({ ...news('odd.1', 'USER_QUEUED', 1), event_time: 'yesterday' });
  await webhooksSettled(gateway.database);

  const list = await inbox(gateway, 'list', '--state', 'parked');
  expect(list).toMatch(/1 {2}PARKED .* The webhook names no verification id/);
  expect(list).toMatch(/2 {2}PARKED .* odd\.1 .* event_time: is not a time/);

  const shown = await inbox(gateway, 'show', '1', '2');
  expect(shown).toContain('"verification_id": "odd.1"');
  expect(shown).not.toMatch(/9988776655|secret-link|Asha/);
  expect(await inbox(gateway, 'show', '1', '--reveal')).toContain('9988776655');
  const { rows } = await gateway.database.query('select operations, subjects from personal_data_read');
  expect(rows).toEqual([{ operations: ['inbox show'], subjects: ['webhook_inbox:1'] }]);
});

test('`npm run inbox -- show` hides every value of a webhook from a provider that is not configured any more', async () => {
  const gateway = await bootGateway();
  await gateway.webhook(news('gone.1', 'USER_QUEUED', 1));
  await webhooksSettled(gateway.database);
  expect(await inbox(gateway, 'show', '1')).toContain('"verification_id": "gone.1"');
  await gateway.database.query(`update webhook_inbox set provider = 'acme'`);

  expect(await inbox(gateway, 'show', '1')).toContain('"verification_id": "(hidden)"');
});

test('`npm run inbox -- replay` of a parked webhook whose update is already recorded changes no session', async () => {
  const gateway = await bootGateway();
  await gateway.start('replay.1');
  await gateway.webhook(news('replay.1', 'USER_QUEUED', 5));
  await webhooksSettled(gateway.database);
  await gateway.database.query(
    `update webhook_inbox set state = 'PARKED', reason = 'a bug' where id = (select max(id) from webhook_inbox)`,
  );
  const { rows } = await gateway.database.query('select max(id) as id from webhook_inbox');
  const before = await sessionOf(gateway, 'replay.1');

  expect(await inbox(gateway, 'replay', String(rows[0].id))).toContain('DONE');

  expect(await sessionOf(gateway, 'replay.1')).toEqual(before);
});

test('`npm run inbox -- replay` of all webhooks does not reopen an ended session: a newer update is logged but not applied', async () => {
  const gateway = await bootGateway();
  await gateway.start('ended.happy-path');
  await gateway.advance('ended.happy-path', 13);
  await eventually(
    async () => (await sessionOf(gateway, 'ended.happy-path')).subStatus === 'AUDITOR_APPROVED',
  );
  const before = await sessionOf(gateway, 'ended.happy-path');
  // The event time of this webhook is later than that of all others.
  await gateway.webhook(news('ended.happy-path', 'USER_QUEUED', 3600));
  await webhooksSettled(gateway.database);
  const { rows } = await gateway.database.query('select id::text from webhook_inbox order by random()');

  const said = await inbox(gateway, 'replay', ...rows.map((row) => row.id));

  expect(said.match(/DONE/g)).toHaveLength(rows.length);
  const after = await sessionOf(gateway, 'ended.happy-path');
  expect({ ...after, transitions: null }).toEqual({ ...before, transitions: null });
  expect(after.transitions.nodes).toEqual([
    ...before.transitions.nodes,
    { sequence: before.transitions.nodes.length + 1, subStatus: 'USER_QUEUED', applied: false },
  ]);
});

test('40 webhooks of one session that another process queued are processed in one round, without a pause after each', async () => {
  const gateway = await bootGateway();
  await gateway.start('many.1');
  for (let second = 1; second <= 40; second += 1)
    await gateway.webhook(news('many.1', second % 2 ? 'USER_QUEUED' : 'NO_AGENT_FOUND', second));
  await webhooksSettled(gateway.database);
  const { rows } = await gateway.database.query('select id::text from webhook_inbox');

  const said = await inbox(gateway, 'replay', ...rows.map((row) => row.id));

  expect(rows.length).toBeGreaterThanOrEqual(40);
  expect(said).not.toContain('PENDING');
  expect(said.match(/DONE/g)).toHaveLength(rows.length);
});

test('npm run inbox refuses invalid arguments with a message that says what is wrong', async () => {
  const gateway = await bootGateway();
  await expect(inbox(gateway, 'replay')).rejects.toMatchObject({
    stderr: expect.stringContaining('Pass the numeric ids of webhooks'),
  });
  await expect(inbox(gateway, 'show', '12345')).rejects.toMatchObject({
    stderr: 'No webhook has the id 12345. Run npm run inbox -- list to see the ids.\n',
  });
  await expect(inbox(gateway, 'list', '--state', 'lost')).rejects.toMatchObject({
    stderr: expect.stringContaining('PENDING, DONE, WAITING, PARKED'),
  });
});
