import { Socket } from 'node:net';
import { Cashfree } from 'cashfree-verification';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/domain/ports.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';

const VERSION = '2024-12-01';
const REFUSED_TOKEN = { app_id: 'app', product: 'SOMETHING_ELSE' };

/** Hosts that this process tried to connect to. Connections to other machines are blocked. */
let hosts: string[];

/** Makes the SDK ignore proxy settings of the environment, which would redirect its calls. */
const DIRECT = { proxy: false } as const;

beforeEach(async () => {
  hosts = [];
  const connect = Socket.prototype.connect;
  const spy = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (
    this: Socket,
    ...given: any[]
  ) {
    const [target] = given.flat();
    const host = typeof target === 'object' ? target.host : given[1];
    hosts.push(host);
    if (host !== '127.0.0.1') throw new Error(`Blocked a connection to ${host}`);
    return connect.apply(this, given as Parameters<typeof connect>);
  });
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    webhooks: 'every-status',
    speed: null,
  });
  onTestFinished(async () => {
    spy.mockRestore();
    await sandbox.stop();
  });
  Cashfree.basePath = sandbox.baseUrl;
  Cashfree.XClientId = 'sandbox';
  Cashfree.XClientSecret = 'sandbox';
  // Turns off the SDK's error reports to a third-party service.
  Cashfree.XEnableErrorAnalytics = false;
});

/** Returns the status and error with which the SDK rejects a call, or 'not refused'. */
const refusalOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'not refused',
    ({ response }) => [response?.status, response?.data.type, response?.data.code],
  );

const ASHA = { user_id: 'asha', phone: '9988776655', name: 'Asha Rao', email: 'asha@example.com' };
const createUser = () => Cashfree.VrsCreateUser(VERSION, ASHA, undefined, DIRECT);
const initiate = (verification_id: string, more: object = {}) =>
  Cashfree.VrsInitiateVKYC(VERSION, { verification_id, user_id: 'asha', ...more }, undefined, DIRECT);
const getStatus = (verification_id?: string, reference_id?: string) =>
  Cashfree.VrsVkycGetStatus(VERSION, undefined, verification_id, reference_id, DIRECT);
const getUser = (user_reference_id?: string, user_id?: string) =>
  Cashfree.VrsGetUser(VERSION, undefined, user_reference_id, user_id, DIRECT);

test("the provider's SDK creates, finds and updates a user of the sandbox", async () => {
  const created = (await createUser()).data;
  const change = { user_id: 'asha', address: '7, MG Road' };
  const changed = (await Cashfree.VrsUpdateUser(VERSION, change, undefined, DIRECT)).data;

  expect(created).toEqual({ ...ASHA, user_reference_id: expect.any(Number) });
  expect(changed).toEqual({ ...created, address: '7, MG Road' });
  expect((await getUser(undefined, 'asha')).data).toEqual(changed);
  expect((await getUser(String(created.user_reference_id))).data).toEqual(changed);
  expect(new Set(hosts)).toEqual(new Set(['127.0.0.1']));
});

test("the provider's SDK starts a verification, reads its status and gets a token for it", async () => {
  const { user_reference_id } = (await createUser()).data;
  const question = { order: 1, question: 'Which city?', answer: 'Pune' };
  const started = (
    await initiate('sdk.happy-path', {
      notification_types: ['sms'],
      user_template: 'vkyc_user_okyc_template_v1',
      agent_template: 'vkyc_agent_template_v1',
      security_questions: question,
    })
  ).data;
  const found = (await getStatus('sdk.happy-path')).data;
  await fetch(new URL('/_sandbox/verifications/sdk.happy-path/advance', Cashfree.basePath), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ steps: 13 }),
  });
  const atTheEnd = (await getStatus(undefined, String(started.reference_id))).data;
  const token = (
    await Cashfree.VrsVkycGenerateAuthToken(
      VERSION,
      {
        app_id: 'app',
        product: 'VKYC',
        metadata: { vkyc_request_id: String(started.reference_id) },
        authenticated_user: { identifier_type: 'user_id', identifier_value: 'asha' },
      },
      undefined,
      DIRECT,
    )
  ).data;

  const { security_questions, ...core } = started;
  expect(security_questions).toEqual([question]);
  expect(core).toEqual({
    verification_id: 'sdk.happy-path',
    reference_id: expect.any(Number),
    user_id: 'asha',
    user_reference_id,
    status: 'RECEIVED',
    sub_status: 'LINK_GENERATED',
    vkyc_link: expect.stringMatching(/^https:\/\//),
    link_expiry: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
  expect(found).toEqual({
    ...core,
    recording_link: null,
    meeting_schedule: null,
    agent_remarks: null,
    auditor_remarks: null,
  });
  expect(atTheEnd).toEqual({
    ...core,
    status: 'AUDITOR_REVIEWED',
    sub_status: 'AUDITOR_APPROVED',
    recording_link: expect.stringMatching(/^https:\/\//),
    meeting_schedule: expect.stringMatching(/Z$/),
    agent_remarks: expect.any(String),
    auditor_remarks: expect.any(String),
  });
  expect(token).toEqual({ access_token: expect.any(String), expiry: expect.stringMatching(/Z$/) });
  expect(new Set(hosts)).toEqual(new Set(['127.0.0.1']));
});

test("the sandbox refuses wrong calls of the provider's SDK with the provider's own statuses and error codes", async () => {
  await createUser();
  await initiate('sdk.1');

  expect(await refusalOf(createUser())).toEqual([409, 'validation_error', 'user_id_already_exists']);
  expect(await refusalOf(getUser(undefined, 'nobody'))).toEqual([
    404,
    'not_found_error',
    'Resource not found',
  ]);
  expect(await refusalOf(initiate('sdk.1'))).toEqual([
    409,
    'validation_error',
    'verification_id_already_exists',
  ]);
  expect(await refusalOf(initiate('not an id'))).toEqual([
    400,
    'validation_error',
    'verification_id_value_invalid',
  ]);
  expect(await refusalOf(getStatus('unknown.1'))).toEqual([404, 'not_found_error', 'referenceId_not_found']);
  expect(await refusalOf(getStatus())).toEqual([400, 'validation_error', 'invalid_request']);
  const token = Cashfree.VrsVkycGenerateAuthToken(VERSION, REFUSED_TOKEN as any, undefined, DIRECT);
  expect(await refusalOf(token)).toEqual([400, 'validation_error', 'product_value_invalid']);
  Cashfree.XClientSecret = 'not-the-secret';
  expect(await refusalOf(getStatus('sdk.1'))).toEqual([401, 'authentication_error', 'authentication_failed']);
  expect(new Set(hosts)).toEqual(new Set(['127.0.0.1']));
});
