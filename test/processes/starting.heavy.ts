import pg from 'pg';
import { expect, test } from 'vitest';
import { atTheEnd, DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import {
  type GatewayProcess,
  type SandboxProcess,
  startGatewayProcess,
  startSandboxProcess,
} from '../harness/process.ts';
import { type Moment, startWire, type Wire } from './wire.ts';

const CALLERS = 50;
const START = `mutation ($input: StartSessionInput!) {
  result: startSession(input: $input) {
    ... on StartSessionSuccess { replayed session { id referenceId user { userId } } }
    ... on MutationError { code retryable }
    ... on InvalidInputError { problems { path } }
  }
}`;
const LOG = `query ($id: String!) {
  session: sessionByVerificationId(verificationId: $id) {
    id referenceId user { userId } transitions(first: 10) { nodes { subStatus source } }
  }
}`;

const start = async (gateway: GatewayProcess, verificationId: string, more: object = {}, token?: string) => {
  const input = { verificationId, user: { phone: '9988776655', name: 'Asha Rao' }, ...more };
  return (await gateway.graphql(START, { input }, token)).result;
};

/**
 * Starts a sandbox, and a proxy that can cut calls to the sandbox, and creates a database. Returns all three, and a
 * function that starts gateways which use them.
 */
async function place() {
  const sandbox = await startSandboxProcess();
  const wire = await startWire(sandbox.access.CASHFREE_BASE_URL);
  const DATABASE_URL = await freshDatabase();
  const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  atTheEnd(() => database.end());
  const environment = { ...sandbox.access, CASHFREE_BASE_URL: wire.baseUrl, DATABASE_URL, DATA_KEYS };
  return { sandbox, wire, database, startGateway: () => startGatewayProcess(environment) };
}

/** Starts a session on a gateway and kills the gateway (SIGKILL) before or after a provider call of the start. */
async function startAndKill(
  gateway: GatewayProcess,
  wire: Wire,
  [moment, call]: readonly [Moment, string],
  verificationId: string,
): Promise<void> {
  const killed = wire.cutAt(moment, call, async () => {
    await gateway.end('SIGKILL');
  });
  await expect(start(gateway, verificationId)).rejects.toThrow();
  await killed;
}

/** Returns the verification of this id at the provider, in the form of the gateway's API, or null. */
async function atProvider(sandbox: SandboxProcess, verificationId: string) {
  const all: { verification_id: string }[] = await sandbox.control('GET', '/verifications');
  if (!all.some((each) => each.verification_id === verificationId)) return null;
  const found = await sandbox.call('GET', `/vkyc?verification_id=${verificationId}`);
  return { referenceId: String(found.reference_id), user: { userId: found.user_id } };
}

test('50 callers that retry one startSession on two gateway processes all get the same session, although provider answers are lost', async () => {
  const { sandbox, database, startGateway } = await place();
  const gateways = await Promise.all([startGateway(), startGateway()]);
  await sandbox.control('PUT', '/faults', {
    'error-504-after': { times: 2, path: 'POST /vkyc' },
    'rate-limited': { times: 1, path: 'GET /vkyc' },
  });
  let repetitions = 0;
  const insist = async (gateway: GatewayProcess) => {
    for (;;) {
      const result = await start(gateway, 'many.1');
      if (!result.retryable) return result;
      repetitions += 1;
    }
  };

  const results = await Promise.all(
    Array.from({ length: CALLERS }, (_, index) => insist(gateways[index % 2] as GatewayProcess)),
  );

  const known = await atProvider(sandbox, 'many.1');
  const { session } = await gateways[0].graphql(LOG, { id: 'many.1' });
  expect(session).toMatchObject({
    ...known,
    transitions: { nodes: [{ subStatus: 'LINK_GENERATED', source: 'MUTATION' }] },
  });
  expect(new Set(results.map((each) => each.session?.id ?? each.code))).toEqual(new Set([session.id]));
  expect(results.filter((each) => !each.replayed)).toHaveLength(1);
  expect(repetitions).toBeGreaterThan(0);
  expect(await sandbox.control('GET', '/verifications')).toHaveLength(1);
  expect((await database.query('select from vkyc_session')).rowCount).toBe(1);
});

test('if SIGKILL ends the gateway at any provider call of a start, a retry on a new process gets a session, and the provider has only one verification', {
  timeout: 60_000,
}, async () => {
  const { sandbox, wire, startGateway } = await place();
  const points = [
    ['BEFORE', 'POST /user'],
    ['AFTER', 'POST /user'],
    ['BEFORE', 'POST /vkyc'],
    ['AFTER', 'POST /vkyc'],
  ] as const;
  let gateway = await startGateway();

  for (const [index, point] of points.entries()) {
    const id = `killed.${index}`;
    await startAndKill(gateway, wire, point, id);
    const leftBehind = await atProvider(sandbox, id);
    gateway = await startGateway();

    const repeated = await start(gateway, id);
    const again = await start(gateway, id);

    const where = `killed ${point.join(' ')}`;
    expect(leftBehind !== null, where).toBe(index === points.length - 1);
    expect(repeated, where).toMatchObject({ replayed: false, session: await atProvider(sandbox, id) });
    expect(again, where).toEqual({ ...repeated, replayed: true });
  }
  expect(await sandbox.control('GET', '/verifications')).toHaveLength(points.length);
});

test('a start whose provider answer was lost when its gateway was killed is recovered by polling, without a retry', async () => {
  const { sandbox, wire, database, startGateway } = await place();
  await startAndKill(await startGateway(), wire, ['AFTER', 'POST /vkyc'], 'found.1');
  const second = await startGateway();
  expect((await second.graphql(LOG, { id: 'found.1' })).session).toBeNull();

  // Makes the gateway's lookup of the start at the provider due now. Otherwise the lookup would be due twenty seconds
  // after the gateway sent the start.
  await database.query('update provider_lookup set due_at = now()');
  const found = await eventually(async () => (await second.graphql(LOG, { id: 'found.1' })).session);

  expect(found).toMatchObject({
    ...(await atProvider(sandbox, 'found.1')),
    transitions: { nodes: [{ subStatus: 'LINK_GENERATED', source: 'POLL' }] },
  });
  expect((await start(second, 'found.1')).session.id).toBe(found.id);
  expect(await sandbox.control('GET', '/verifications')).toHaveLength(1);
});

test("startSession refuses a taken verification id, or a phone that differs from the known user's, also after a SIGKILL of all gateways", async () => {
  const { sandbox, database, startGateway } = await place();
  const tokenOf = async (gateway: GatewayProcess, sub: string): Promise<string> => {
    const response = await fetch(`${gateway.url}/dev/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sub, roles: ['OPERATOR'] }),
    });
    return ((await response.json()) as { token: string }).token;
  };
  const user = { userId: 'asha', phone: '9988776655' };
  await sandbox.call('POST', '/user', { user_id: 'ravi', phone: '9000000000' });
  await sandbox.call('POST', '/vkyc', { verification_id: 'elsewhere.1', user_id: 'ravi' });
  const before = await Promise.all([startGateway(), startGateway()]);
  const mine = await start(before[0], 'mine.1', { user }, await tokenOf(before[0], 'one'));
  const expectRefusals = async (gateway: GatewayProcess) => {
    const [one, two] = [await tokenOf(gateway, 'one'), await tokenOf(gateway, 'two')];
    expect(await start(gateway, 'mine.1', { user }, two)).toMatchObject({ code: 'VERIFICATION_ID_TAKEN' });
    expect(await start(gateway, 'elsewhere.1', { user }, one)).toMatchObject({
      code: 'VERIFICATION_ID_TAKEN',
    });
    expect(await start(gateway, 'phone.1', { user: { ...user, phone: '9111111111' } }, one)).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['user', 'phone'] }],
    });
    expect(await start(gateway, 'mine.1', { user }, one)).toEqual({ ...mine, replayed: true });
  };

  for (const gateway of before) await expectRefusals(gateway);
  await Promise.all(before.map((gateway) => gateway.end('SIGKILL')));
  await expectRefusals(await startGateway());

  const all: { verification_id: string }[] = await sandbox.control('GET', '/verifications');
  expect(all.map((each) => each.verification_id)).toEqual(['elsewhere.1', 'mine.1']);
  const { rows } = await database.query('select verification_id from vkyc_session');
  expect(rows).toEqual([{ verification_id: 'mine.1' }]);
});
