/** Rotation of data keys while several replicas run: a replica that lacks the key of stored data is not ready. */
import { expect, test } from 'vitest';
import { createCommandRunner } from '../harness/command.ts';
import { AUDIT_KEYS, bootGateway, DATA_KEYS, eventually, type Gateway } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';

const NEXT = `next:${Buffer.alloc(32, 9).toString('base64')}`;
const BOTH = `${DATA_KEYS},${NEXT}`;
const PHONES = '{ sessions(first: 9) { nodes { user { phone } } } }';
const START = `mutation ($input: StartSessionInput!) { startSession(input: $input) {
  __typename ... on StartSessionSuccess { replayed } ... on MutationError { code message } } }`;
const INPUT = { input: { verificationId: 'keys.1', user: { phone: '7012345671' } } };

const runCommand = createCommandRunner();

const rotate = ({ databaseUrl }: Gateway, keys: string) =>
  runCommand('rotate', [], {
    PATH: process.env.PATH ?? '',
    DATABASE_URL: databaseUrl,
    DATA_KEYS: keys,
    AUDIT_KEYS,
  });

const boot = (database: string, keys: string) => bootGateway({ database, environment: { DATA_KEYS: keys } });

const readiness = async ({ url }: Gateway) => {
  const answer = await fetch(`${url}/readyz`);
  return { status: answer.status, text: await answer.text() };
};

/** Waits until /readyz of the replica answers with this status: the gateway caches the answer for a second. */
const becomes = (gateway: Gateway, status: number) =>
  eventually(async () => (await readiness(gateway)).status === status);

async function firstReplica(): Promise<Gateway> {
  const gateway = await bootGateway();
  await gateway.graphql(START, INPUT);
  await webhooksSettled(gateway.database);
  return gateway;
}

test('if keys are rotated in the documented order, every replica can decrypt every value at every step', {
  timeout: 60_000,
}, async () => {
  let gateway = await firstReplica();
  const database = gateway.databaseUrl;
  for (const keys of [BOTH, `${NEXT},${DATA_KEYS}`]) {
    const next = await boot(database, keys);
    expect((await next.graphql(PHONES)).data.sessions.nodes).toHaveLength(1);
    expect((await gateway.graphql(PHONES)).data.sessions.nodes).toHaveLength(1);
    await gateway.stop();
    gateway = next;
  }
  expect((await rotate(gateway, `${NEXT},${DATA_KEYS}`)).stdout).toContain(
    'No value is encrypted with test any more',
  );
  await gateway.stop();

  const last = await boot(database, NEXT);
  await becomes(last, 200);
  expect((await last.graphql(PHONES)).data.sessions.nodes).toEqual([{ user: { phone: '7012345671' } }]);
  const again = (await last.graphql(START, INPUT)).data.startSession;
  expect(again).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  expect(again.message).toContain('too long ago to compare');
  expect(again.message).not.toContain('another input');
});

test('npm run rotate refuses to run and changes no value while a running replica lacks the new key', {
  timeout: 60_000,
}, async () => {
  const gateway = await firstReplica();
  const other = await boot(gateway.databaseUrl, BOTH);

  await expect(rotate(gateway, `${NEXT},${DATA_KEYS}`)).rejects.toThrow(
    '1 of 2 running replicas lack the key "next"',
  );
  for (const replica of [gateway, other]) {
    expect((await replica.graphql(PHONES)).errors).toBeUndefined();
    await becomes(replica, 200);
  }

  await gateway.stop();
  expect((await rotate(gateway, `${NEXT},${DATA_KEYS}`)).stdout).toContain('No value is encrypted with test');
  expect((await other.graphql(PHONES)).errors).toBeUndefined();
});

test('a replica that cannot decrypt a value is not ready, and a client that asks for the value gets SERVICE_UNAVAILABLE', {
  timeout: 60_000,
}, async () => {
  const gateway = await firstReplica();
  await becomes(gateway, 200);
  // Simulates a rotation by the last release, which did not check the running replicas.
  await gateway.database.query('delete from replica');
  await rotate(gateway, `${NEXT},${DATA_KEYS}`);

  const { errors } = await gateway.graphql(PHONES);

  expect(errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE');
  expect(errors?.[0]?.message).not.toContain('next');
  await becomes(gateway, 503);
  expect((await readiness(gateway)).text).toContain(
    'lack the key \\"next\\", with which stored data was encrypted',
  );
});

test('a replica refuses to start if it lacks a key with which stored values are encrypted', {
  timeout: 60_000,
}, async () => {
  const gateway = await firstReplica();
  const database = gateway.databaseUrl;
  await expect(boot(database, NEXT)).rejects.toThrow(
    /the key "test" is missing; \d+ stored values are encrypted with it/,
  );
  await gateway.stop();
  await expect(boot(database, NEXT)).rejects.toThrow(/vkyc_user\.personal/);

  const both = await boot(database, `${NEXT},${DATA_KEYS}`);
  await rotate(both, `${NEXT},${DATA_KEYS}`);
  await expect(boot(database, DATA_KEYS)).rejects.toThrow('the key "next" is missing');
  await both.stop();
  const last = await boot(database, NEXT);
  expect((await last.graphql(PHONES)).errors).toBeUndefined();
});
