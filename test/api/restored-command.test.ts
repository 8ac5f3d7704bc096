/** `npm run restored` reports what a restore, or the promotion of a lagging standby, has lost. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCommandRunner } from '../harness/command.ts';
import { AUDIT_KEYS, atTheEnd, bootGateway, DATA_KEYS, type Gateway } from '../harness/gateway.ts';
import { forgetStart, rememberSession } from '../harness/loss.ts';
import { webhooksTaken } from '../harness/rows.ts';

const runCommand = createCommandRunner();

function run(gateway: Gateway, command: string, ...args: string[]): Promise<string> {
  const env = {
    ...{ PATH: process.env.PATH ?? '', DATABASE_URL: gateway.databaseUrl, DATA_KEYS, AUDIT_KEYS },
    CASHFREE_BASE_URL: gateway.sandboxUrl,
    CASHFREE_CLIENT_ID: 'sandbox',
    CASHFREE_CLIENT_SECRET: 'sandbox',
    PROVIDER_CALLS_PER_MINUTE: '100',
  };
  return runCommand(command, args, env).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => Promise.reject(new Error(stderr || stdout)),
  );
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-restored-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const keyOf = async ({ database }: Gateway, verificationId: string): Promise<string> =>
  (await database.query('select id from vkyc_session where verification_id = $1', [verificationId])).rows[0]
    .id;

test('after a loss, npm run restored lists sessions that are missing, lack their newest entries, or continued differently; npm run adopt records the missing ones', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  for (const id of ['intact', 'behind', 'forked', 'missing']) await gateway.start(`${id}.happy-path`);
  const goBack = [];
  for (const id of ['behind', 'forked']) {
    await webhooksTaken(gateway.database, `${id}.happy-path`, 1);
    goBack.push(await rememberSession(gateway, `${id}.happy-path`));
    await gateway.advance(`${id}.happy-path`, 2);
    await webhooksTaken(gateway.database, `${id}.happy-path`, 3);
  }
  const [behind, forked, missing] = await Promise.all(
    ['behind', 'forked', 'missing'].map((id) => keyOf(gateway, `${id}.happy-path`)),
  );
  const folder = await emptyFolder();
  const [heads, lost] = [join(folder, 'heads'), join(folder, 'lost')];
  await run(gateway, 'audit', 'export', '--file', heads);
  for (const back of goBack) await back();
  await forgetStart(gateway, 'missing.happy-path');
  await gateway.advance('forked.happy-path', 2);
  await webhooksTaken(gateway.database, 'forked.happy-path', 5);
  // Postpones all polls, so that polls that are due afterwards were made due by the command.
  await gateway.database.query(`update vkyc_session set next_poll_at = now() + interval '1 hour'`);

  const told = await run(gateway, 'restored', '--against', heads, '--missing-to', lost);

  expect(told.split('\n')).toEqual(
    expect.arrayContaining([
      expect.stringMatching(
        /will poll the provider for 3 sessions and 0 open starts, which takes at least 1 min at 70 polls/,
      ),
      expect.stringMatching(/^Webhooks: 0 are queued and 0 wait/),
      `BEHIND    behind.happy-path  session ${behind}  lost audit entries 3 to 4, or more`,
      `REPLACED  forked.happy-path  session ${forked}  entry 4 differs from the exported one: the session continued after the loss`,
      `MISSING   missing.happy-path  session ${missing}  lost the whole session: 2 audit entries or more`,
      expect.stringMatching(
        /^Of 4 sessions in the export of .*, 1 are missing, 1 lost their newest audit entries, 1 also lost entries/,
      ),
    ]),
  );
  expect(await readFile(lost, 'utf8')).toBe('missing.happy-path\n');
  const { rows } = await gateway.database.query(
    `select from vkyc_session where next_poll_at < now() + interval '10 s'`,
  );
  expect(rows).toHaveLength(3);
  expect(await run(gateway, 'adopt', '--file', lost)).toContain('1 ADOPTED');
});

test('npm run restored reports losses only with an export (--against), and expires cursors only with --expire-cursors', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('kept.1');
  const follow =
    'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence } }';

  expect(await run(gateway, 'restored')).toContain('To list what was lost, pass --against F');
  const { databaseUrl: database } = gateway;
  const kept = await bootGateway({ database });
  expect(await kept.subscribe(follow, { id, after: startCursor }).next()).toEqual({ sequence: 1 });
  expect(await run(gateway, 'restored', '--expire-cursors')).toContain(
    'now has epoch 2, which expires every cursor. Restart every gateway',
  );

  const restarted = await bootGateway({ database });
  await expect(restarted.subscribe(follow, { id, after: startCursor }).next()).rejects.toMatchObject({
    extensions: { code: 'CURSOR_EXPIRED' },
  });
});

test('npm run restored refuses invalid arguments and a database of an earlier release', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  await expect(run(gateway, 'restored', '--missing-to', 'm')).rejects.toThrow(
    'npm run restored -- --against F',
  );
  await gateway.database.query('update drizzle.__drizzle_migrations set created_at = 1');

  await expect(run(gateway, 'restored')).rejects.toThrow(
    'start a gateway of this release first, which migrates it',
  );
});
