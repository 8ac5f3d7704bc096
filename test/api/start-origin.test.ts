/**
 * What only the start request says (`START_COLUMNS`): a session that is recorded later than its start has all of it,
 * because no poll or webhook can bring it back.
 */
import { expect, test } from 'vitest';
import { START_COLUMNS } from '../../src/db/sessions/origin.ts';
import { setFaults } from '../harness/faults.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { forgetStart } from '../harness/loss.ts';
import { webhooksTaken } from '../harness/rows.ts';
import { asha, start } from './starting.ts';

/** Input with a value for each column but `replacesId`. A new column needs a value here. */
const INPUT = {
  user: asha,
  userTemplate: 'vkyc_user_template_v1',
  agentTemplate: 'vkyc_agent_template_v1',
  languages: ['hi', 'en-IN'],
};

/** Returns the values of `START_COLUMNS` in the rows of a start and of its session. */
async function originsOf({ database }: Gateway, verificationId: string) {
  const names = START_COLUMNS.map((column) =>
    column.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  const read = async (table: string) => {
    const sql = `select ${names.join(', ')} from ${table} where verification_id = $1`;
    return (await database.query(sql, [verificationId])).rows[0];
  };
  return { start: await read('start_intent'), session: await read('vkyc_session') };
}

test('if the answer to a start is lost, the session that its first webhook creates has all columns of the start intent', async () => {
  const gateway = await bootGateway();
  const replaced = await start(gateway, { verificationId: 'old.1', user: asha });
  await setFaults(gateway, {
    drop: {},
    'error-504-after': { times: 1, path: 'POST /vkyc' },
    'error-500': { path: 'GET /vkyc' },
  });
  const input = { ...INPUT, verificationId: 'late.happy-path', replacesSessionId: replaced.session.id };
  expect(await start(gateway, input)).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  expect((await originsOf(gateway, 'late.happy-path')).session).toBeUndefined();
  await setFaults(gateway, null);

  await gateway.advance('late.happy-path', 2);
  await eventually(async () => (await originsOf(gateway, 'late.happy-path')).session);
  await webhooksTaken(gateway.database, 'late.happy-path', 2);

  const origins = await originsOf(gateway, 'late.happy-path');
  expect(Object.entries(origins.start).filter(([, value]) => value === null)).toEqual([]);
  expect(origins.session).toEqual(origins.start);
});

test('if the caller of a lost start repeats it, the session that a webhook has created gets all columns of the start intent', async () => {
  const gateway = await bootGateway({ polling: true });
  const input = { ...INPUT, verificationId: 'lost.happy-path' };
  await start(gateway, input);
  await webhooksTaken(gateway.database, 'lost.happy-path', 1);
  await forgetStart(gateway, 'lost.happy-path');
  await gateway.advance('lost.happy-path', 2);
  await eventually(async () => (await originsOf(gateway, 'lost.happy-path')).session);

  expect(await start(gateway, input)).toMatchObject({ replayed: true });

  const origins = await originsOf(gateway, 'lost.happy-path');
  const missing = Object.entries(origins.start).filter(([, value]) => value === null);
  expect(missing).toEqual([['replaces_id', null]]);
  expect(origins.session).toEqual(origins.start);
});
