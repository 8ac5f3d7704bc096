/** `npm run audit -- verify` compares each row of the table `archived_session` with the archive file that the row names. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, endedLongAgo, run } from '../harness/archives.ts';
import { bootGateway } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { tamperingWith } from '../harness/tampering.ts';

const ONE = `where verification_id = 'ended.1'`;
const EDITS: [statement: string, finding: string][] = [
  [`update archived_session set session_id = gen_random_uuid() ${ONE}`, 'was removed'],
  [`update archived_session set verification_id = 'another.1' ${ONE}`, 'was edited: verificationId'],
  [
    `update archived_session set user_id = (select user_id from archived_session where verification_id = 'ended.2') ${ONE}`,
    'was edited: userId',
  ],
  [`update archived_session set ended_at = ended_at - interval '9 years' ${ONE}`, 'was edited: endedAt'],
  [`update archived_session set file = 'another.jsonl.gz' ${ONE}`, 'was edited: file'],
  [`delete from archived_session ${ONE}`, 'its row of archived_session was removed'],
  [
    `insert into archived_session select gen_random_uuid(), 'made.up', user_id, ended_at, archived_at, file from archived_session ${ONE}`,
    'missing: archived_session lists the session, but the archive lacks it',
  ],
  [
    `insert into archived_session select s.id, s.verification_id, s.user_id, ended_at, archived_at, 'another.jsonl.gz'
     from archived_session a, vkyc_session s where a.verification_id = 'ended.1'`,
    'listed in archived_session, but still in the database',
  ],
];

test('`npm run audit -- verify --archive` finds edited, removed and inserted rows of the table archived_session', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  await endedLongAgo(gateway, 'ended.1');
  await endedLongAgo(gateway, 'ended.2');
  await gateway.start('alive.1');
  await webhooksSettled(gateway.database);
  const folder = await emptyFolder();
  const heads = join(folder, 'heads.jsonl');
  await run(gateway, 'audit', 'export', '--file', heads);
  const archives = join(folder, 'archives');
  await run(gateway, 'retention', '--to', archives);
  const [file] = (await readdir(archives)) as [string];
  const args = ['audit', 'verify', '--against', heads, '--archive', join(archives, file)] as const;
  const tampering = await tamperingWith(gateway, ['archived_session']);

  expect(await run(gateway, ...args)).toContain(
    `Verified 2 sessions in ${join(archives, file)}; 0 of them have errors.`,
  );
  expect(await run(gateway, 'audit', 'verify')).toContain(`2 sessions are listed as archived in ${file}`);
  for (const [statement, finding] of EDITS)
    await tampering.within([statement], async () => {
      await expect(run(gateway, ...args), statement).rejects.toMatchObject({
        code: 1,
        stdout: expect.stringContaining(finding),
      });
    });
});
