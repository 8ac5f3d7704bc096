/** `npm run adopt` records sessions again if a restore or failover removed their start from the gateway's database. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCommandRunner } from '../harness/command.ts';
import { setFaults } from '../harness/faults.ts';
import { AUDIT_KEYS, atTheEnd, bootGateway, DATA_KEYS, type Gateway } from '../harness/gateway.ts';
import { forgetStart } from '../harness/loss.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { asha, start } from './starting.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const runCommand = createCommandRunner();

async function adopt({ databaseUrl, sandboxUrl }: Gateway, ...args: string[]): Promise<Ended> {
  const env = {
    ...{ PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl, DATA_KEYS, AUDIT_KEYS },
    CASHFREE_BASE_URL: sandboxUrl,
    CASHFREE_CLIENT_ID: 'sandbox',
    CASHFREE_CLIENT_SECRET: 'sandbox',
  };
  return runCommand('adopt', args, env).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-adopt-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'ids.txt');
  await writeFile(file, text);
  return file;
}

const subStatusOf = async (gateway: Gateway, id: string) => {
  const { data } = await gateway.graphql(
    'query ($id: String!) { sessionByVerificationId(verificationId: $id) { subStatus } }',
    { id },
  );
  return data.sessionByVerificationId?.subStatus;
};

test('npm run adopt records sessions that the database lost, streams their transitions, and prints a result per id', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const given = { verificationId: 'given.1', user: { ...asha, userId: 'asha' } };
  await start(gateway, given);
  await gateway.start('known.1');
  await start(gateway, { verificationId: 'chosen.1', user: asha });
  await webhooksSettled(gateway.database);
  for (const id of ['given.1', 'chosen.1']) await forgetStart(gateway, id);
  const feed = gateway.subscribe(
    'subscription { feed { __typename ... on StatusTransition { source session { verificationId } } } }',
  );
  await feed.next();
  const nextTransition = async () => {
    for (;;) {
      const frame = await feed.next();
      if (frame.__typename !== 'Heartbeat') return frame;
    }
  };
  const file = await fileOf(
    '\uFEFFgiven.1\r\n\r\n# not this: chosen.1\r\nknown.1\r\nnowhere.1\r\nknown.1\r\n',
  );

  const first = await adopt(gateway, '--file', file, '--verification-id', 'chosen.1');

  expect(first.stdout.split('\n')).toEqual([
    'chosen.1  adopted: the session is now recorded in the gateway',
    'given.1  adopted: the session is now recorded in the gateway',
    'known.1  already known: nothing was changed',
    'nowhere.1  not found: the provider does not know this verification id',
    'Checked 4 verification ids: 2 ADOPTED, 1 KNOWN, 1 NOT_AT_PROVIDER.',
    '',
  ]);
  expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('4 of 4') });
  for (const verificationId of ['chosen.1', 'given.1'])
    expect(await nextTransition()).toEqual({
      ...{ __typename: 'StatusTransition', source: 'POLL' },
      session: { verificationId },
    });
  expect(await adopt(gateway, '--verification-id', 'given.1', '--verification-id', 'chosen.1')).toMatchObject(
    {
      code: 0,
      stdout: expect.stringContaining('2 verification ids: 2 KNOWN.'),
    },
  );
  const chosen = { verificationId: 'chosen.1', user: asha };
  expect(await start(gateway, { ...chosen, user: { ...asha, name: 'A. Rao' } })).toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
  expect(await start(gateway, chosen)).toMatchObject({ replayed: true });
  expect(await start(gateway, given)).toMatchObject({ code: 'VERIFICATION_ID_TAKEN' });
});

test('npm run adopt completes a stored start only if the verification at the provider belongs to the user of the start', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  await start(gateway, { verificationId: 'own.1', user: asha });
  await webhooksSettled(gateway.database);
  await forgetStart(gateway, 'own.1', 'INTENT_STAYS');
  await gateway.database.query(`update start_intent set user_id = null where verification_id = 'own.1'`);
  await gateway.callProvider('POST', '/user', { user_id: 'ravi', phone: '9000000000' });
  await setFaults(gateway, { 'error-504-before': { path: 'POST /vkyc' } });
  await start(gateway, { verificationId: 'others.1', user: asha });
  await setFaults(gateway, null);
  await gateway.callProvider('POST', '/vkyc', { verification_id: 'others.1', user_id: 'ravi' });

  const ended = await adopt(gateway, '--verification-id', 'own.1', '--verification-id', 'others.1');

  expect(ended.stdout).toContain('1 ADOPTED, 1 OTHER_USER');
  expect(await subStatusOf(gateway, 'own.1')).toBe('LINK_GENERATED');
  expect(await subStatusOf(gateway, 'others.1')).toBeUndefined();
  expect(await start(gateway, { verificationId: 'own.1', user: asha })).toMatchObject({
    session: { user: asha },
  });
});

test('npm run adopt exits with 1 if the provider does not answer, and names an invalid argument or line of a file', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  await setFaults(gateway, { 'error-500': { path: 'GET /vkyc' } });

  expect(await adopt(gateway, '--verification-id', 'any.1')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      'any.1  not answered: the provider could not be reached; run the command again',
    ),
  });
  expect((await adopt(gateway)).stderr).toContain('npm run adopt -- --verification-id ID');
  expect((await adopt(gateway, '--verification-id', 'a b')).stderr).toContain('--verification-id must be');
  const file = await fileOf('good.1\nnot good\n');
  expect((await adopt(gateway, '--file', file)).stderr).toContain('line 2 is not a verification id');
});
