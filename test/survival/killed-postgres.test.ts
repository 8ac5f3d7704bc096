import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { atTheEnd, eventually, untilReady } from '../harness/gateway.ts';
import { startGatewayProcess } from '../harness/process.ts';

test('an embedded PostgreSQL that was killed is restarted by the gateway, which becomes ready again and still has its sessions', {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-killed-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  const gateway = await startGatewayProcess({ DATA_DIR: folder });
  atTheEnd(async () => {
    if (gateway.child.exitCode === null) await gateway.end('SIGTERM');
  });
  const input = { verificationId: 'kept.1', user: { phone: '9988776655' } };
  await gateway.graphql(
    'mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename } }',
    { input },
  );

  const [pid] = (await readFile(join(folder, 'postgres/postmaster.pid'), 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGKILL');
  await eventually(async () => gateway.output.some((line) => line.includes('restarted it')));
  await untilReady(gateway);

  const { session } = await gateway.graphql(
    '{ session: sessionByVerificationId(verificationId: "kept.1") { verificationId } }',
  );
  expect(session).toEqual({ verificationId: 'kept.1' });
  expect(await gateway.end('SIGTERM')).toBe(0);
});
