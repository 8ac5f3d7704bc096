import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { browserTest } from '../harness/browser.ts';
import { openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway } from '../harness/gateway.ts';

const EXPORT = 'Export as CSV';

browserTest('an operator saves the list with its filters and its order as a CSV file', async () => {
  const gateway = await bootGateway();
  for (const name of ['pune.1', 'pune.2', 'delhi.1']) await gateway.start(name);
  const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=oldest&id=pune' });
  await window.live();
  const saving = window.page.waitForEvent('download');

  await window.button(EXPORT).click();

  const file = await saving;
  expect(file.suggestedFilename()).toMatch(/^sessions-\d{4}-\d\d-\d\d\.csv$/);
  const [header = '', ...lines] = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  expect(header).toContain('verificationId,referenceId,userId,name,phone,email,status');
  expect(lines.map((line) => line.split(',')[0])).toEqual(['pune.1', 'pune.2']);
  expect(lines[0]).toContain('Asha Rao,9988776655');
  await window.page.getByText('Sessions exported: 2', { exact: true }).waitFor();
  expect(new URL(window.page.url()).search).toBe('?order=oldest&id=pune');
  expect(await faultsOf(window, 'after an export')).toEqual([]);
  expect(window.complaints).toEqual([]);
});

browserTest('a long export shows how far it is and can be cancelled; nothing is saved then', async () => {
  const gateway = await bootGateway({ environment: { RATE_LIMIT_COST_PER_MINUTE: '5000' } });
  await gateway.start('many');
  await gateway.database.query(
    `insert into vkyc_session
     select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(), 'verification_id', 'many-' || n))).*
     from vkyc_session s, generate_series(1, 5000) n`,
  );
  const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=newest' });
  await window.live();
  let saved = 0;
  window.page.on('download', () => {
    saved += 1;
  });
  await window.button(EXPORT).click();
  await window.page.getByText(/^Exported so far: [1-9],?\d+$/).waitFor();

  await window.button('Cancel export').click();

  await window.button(EXPORT).waitFor();
  await expect.poll(() => window.page.getByText('Exported so far').count(), PATIENTLY).toBe(0);
  expect(saved).toBe(0);
});

browserTest('an export that breaks off says so, and saves no part of the file', async () => {
  const gateway = await bootGateway();
  await gateway.start('many');
  await gateway.database.query(
    `insert into vkyc_session
     select (jsonb_populate_record(s, jsonb_build_object(
       'id', gen_random_uuid(), 'verification_id', 'many-' || n, 'created_at', s.created_at - n * interval '1 second'))).*
     from vkyc_session s, generate_series(1, 400) n`,
  );
  await gateway.database.query(
    `insert into vkyc_user (id, user_id, personal, created_at) values (gen_random_uuid(), 'broken', 'x', now())`,
  );
  await gateway.database.query(
    `update vkyc_session set user_id = (select id from vkyc_user where user_id = 'broken') where verification_id = 'many-350'`,
  );
  const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=newest' });
  await window.live();
  let saved = 0;
  window.page.on('download', () => {
    saved += 1;
  });

  await window.button(EXPORT).click();

  await window.page
    .getByRole('alert')
    .filter({ hasText: 'The connection was lost before the end of the file' })
    .waitFor();
  await window.button(EXPORT).waitFor();
  expect(saved).toBe(0);
});
