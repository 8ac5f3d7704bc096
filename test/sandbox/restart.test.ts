import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../harness/gateway.ts';
import { bootSandbox, freshFolder, SetClock, startReceiver } from './harness.ts';

test('a restart of the sandbox keeps users and verifications, and their journeys continue by the clock', async () => {
  const journalFile = join(await freshFolder(), 'made', 'sandbox.jsonl');
  const clock = new SetClock();
  const first = await bootSandbox({ journalFile, clock, speed: 1, seed: 'first' });
  const started = await first.start('away.happy-path');
  await first.start('second.random');
  await first.call('PATCH', '/user', { user_id: started.user_id, name: 'Asha Rao' });
  clock.forward(3);
  await first.advance('away.happy-path', 2);
  const before = await first.look('away.happy-path');
  await first.sandbox.stop();

  const again = await bootSandbox({ journalFile, clock, speed: 50, seed: 'another' });
  const after = await again.look('away.happy-path');
  const user = await again.call('GET', `/user?user_reference_id=${started.user_reference_id}`);
  const next = await again.start('third.random');
  clock.forward(1);
  const later = await again.look('away.happy-path');

  expect(before.sub_status).toBe('USER_DEVICE_CHECK_SUCCESS');
  expect(after).toEqual(before);
  expect(user.body).toMatchObject({ user_id: started.user_id, name: 'Asha Rao', phone: '9988776655' });
  expect([next.reference_id, next.user_reference_id]).toEqual([
    started.reference_id + 2,
    started.user_reference_id + 2,
  ]);
  // The journey has made only one step: it keeps the speed and seed with which it was started, not those of
  // the restarted sandbox.
  expect(later.sub_status).toBe('USER_QUEUED');
  expect((await stat(journalFile)).mode & 0o077).toBe(0);
});

test('after a restart the sandbox sends the webhooks of steps that fell into its downtime, and does not send delivered webhooks again', async () => {
  const journalFile = join(await freshFolder(), 'sandbox.jsonl');
  const clock = new SetClock();
  const receiver = await startReceiver();
  const subStatuses = () => receiver.received.map(({ subStatus }) => subStatus);
  const first = await bootSandbox({ journalFile, clock, speed: 1 });
  first.sandbox.deliverTo(receiver.url);
  await first.start('away.happy-path');
  clock.forward(2);
  await first.look('away.happy-path');
  await eventually(async () => (await readFile(journalFile, 'utf8')).match(/SETTLED/g)?.length === 2);
  await first.sandbox.stop();

  clock.forward(3600);
  const again = await bootSandbox({ journalFile, clock, speed: 1 });
  again.sandbox.deliverTo(receiver.url);
  await eventually(async () => subStatuses().includes('AUDITOR_APPROVED'));

  expect(subStatuses()).toHaveLength(14);
  expect(new Set(subStatuses()).size).toBe(14);
  expect(subStatuses().slice(0, 3)).toEqual([
    'LINK_GENERATED',
    'AADHAAR_VERIFICATION_SUCCESS',
    'USER_IP_VERIFICATION_SUCCESSFUL',
  ]);
});

test('a webhook that the sandbox could not deliver before its shutdown is sent after the restart', async () => {
  const journalFile = join(await freshFolder(), 'sandbox.jsonl');
  const away = await bootSandbox({ journalFile });
  away.sandbox.deliverTo('http://127.0.0.1:1/nobody');
  await away.start('untaken.awaits-review');
  await away.sandbox.stop();
  const receiver = await startReceiver();

  const again = await bootSandbox({ journalFile });
  again.sandbox.deliverTo(receiver.url);

  await eventually(async () => receiver.received.length === 1);
  expect(receiver.received[0]?.subStatus).toBe('LINK_GENERATED');
});

test("a last line of the sandbox's journal that a crash truncated is ignored and does not damage the next entry", async () => {
  const journalFile = join(await freshFolder(), 'sandbox.jsonl');
  const first = await bootSandbox({ journalFile });
  await first.start('torn.awaits-review');
  await first.sandbox.stop();
  await appendFile(journalFile, '{"kind":"ADVANCED","verification_id":"torn.awai');

  const second = await bootSandbox({ journalFile });
  await second.advance('torn.awaits-review');
  await second.sandbox.stop();
  const third = await bootSandbox({ journalFile });

  expect((await third.look('torn.awaits-review')).sub_status).toBe('AADHAAR_VERIFICATION_SUCCESS');
});

test('the sandbox refuses to start with a journal that is damaged before its last line, and names the line', async () => {
  const journalFile = join(await freshFolder(), 'sandbox.jsonl');
  await writeFile(journalFile, 'not an entry\n{"kind":"SETTLED","verification_id":"a","position":0}\n');

  await expect(bootSandbox({ journalFile })).rejects.toThrow(`damaged at ${journalFile}:1`);
});
