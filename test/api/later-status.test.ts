/** During a rolling deploy a later release may store statuses that this release does not know. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { generateStatusPairsMigration, parsePairsFromMigrations } from '../../src/gate/status-pairs.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { webhooksTaken } from '../harness/rows.ts';

const SESSION = `query ($id: String!) { sessionByVerificationId(verificationId: $id) {
  id status subStatus statusInfo { status subStatus } availableActions
  transitions(first: 9) { nodes { sequence status subStatus statusInfo { subStatus } } } } }`;

const sessionOf = async (gateway: Gateway, id: string) => {
  const { data, errors } = await gateway.graphql(SESSION, { id });
  expect(errors).toBeUndefined();
  return data.sessionByVerificationId;
};

/** Lets the database store one more status pair (USER_WAVED), like the migration of a later release. */
async function migrateAsLater({ database }: Gateway): Promise<void> {
  const files = (await readdir('migrations')).filter((name) => name.endsWith('.sql')).sort();
  const migrations = await Promise.all(files.map((name) => readFile(`migrations/${name}`, 'utf8')));
  await database.query(
    generateStatusPairsMigration([...parsePairsFromMigrations(migrations), 'VIDEO_CALL/USER_WAVED']),
  );
}

test('a status stored by a later release is shown as UNRECOGNIZED, is not overwritten by a poll, and later updates are recorded', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('later.happy-path');
  await webhooksTaken(gateway.database, 'later.happy-path', 1);
  await migrateAsLater(gateway);
  const frames = gateway.subscribe(
    'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence subStatus statusInfo { status } } }',
    { id, after: startCursor },
  );
  await gateway.database.query(
    `update status_transition set status = 'VIDEO_CALL', sub_status = 'USER_WAVED'`,
  );
  await gateway.database.query(`update vkyc_session set status = 'VIDEO_CALL', sub_status = 'USER_WAVED'`);

  expect(await sessionOf(gateway, 'later.happy-path')).toMatchObject({
    ...{ status: 'VIDEO_CALL', subStatus: 'UNRECOGNIZED' },
    statusInfo: { status: 'VIDEO_CALL', subStatus: 'UNRECOGNIZED' },
    transitions: { nodes: [{ subStatus: 'UNRECOGNIZED', statusInfo: { subStatus: 'UNRECOGNIZED' } }] },
  });
  const { data, errors } = await gateway.graphql(
    '{ sessions(first: 9) { nodes { subStatus } } sessionStats { byStatus { status subStatus count } } }',
  );
  expect(errors).toBeUndefined();
  expect(data).toEqual({
    sessions: { nodes: [{ subStatus: 'UNRECOGNIZED' }] },
    sessionStats: { byStatus: [{ status: 'VIDEO_CALL', subStatus: 'UNRECOGNIZED', count: 1 }] },
  });
  // A poll that finds no change does not overwrite the unknown status.
  await gateway.graphql('mutation ($id: ID!) { refreshSession(sessionId: $id) { __typename } }', { id });
  const { rows } = await gateway.database.query('select sub_status from vkyc_session');
  expect(rows).toEqual([{ sub_status: 'USER_WAVED' }]);

  await gateway.advance('later.happy-path');

  await webhooksTaken(gateway.database, 'later.happy-path', 2);
  await eventually(
    async () => (await sessionOf(gateway, 'later.happy-path')).subStatus === 'AADHAAR_VERIFICATION_SUCCESS',
  );
  expect(await frames.take(2)).toMatchObject([
    { sequence: 1 },
    { sequence: 2, subStatus: 'AADHAAR_VERIFICATION_SUCCESS' },
  ]);
  expect((await gateway.database.query(`select from webhook_inbox where state = 'PARKED'`)).rowCount).toBe(0);
});
