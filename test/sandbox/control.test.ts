import { request } from 'node:http';
import { expect, test } from 'vitest';
import { bootSandbox, type Client } from './harness.ts';

/** Returns the status of a request with headers that `fetch` would not send, such as Host. */
const statusFor = (client: Client, path: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(client.sandbox.baseUrl);
    request({ hostname, port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

test("the overview of the sandbox's control API lists scenarios with the status pairs they reach, faults, templates and settings", async () => {
  const client = await bootSandbox({ seed: 'shown' });

  const { body } = await client.control('GET');

  expect(body.scenarios.names['link-expires']).toEqual({
    description: expect.any(String),
    reaches: ['RECEIVED/LINK_GENERATED', 'EXPIRED/VKYC_EXPIRED'],
  });
  expect(body.scenarios.names.random.reaches).toContain('FAILED/TECHNICAL_ERROR');
  expect(Object.keys(body.faults.names)).toHaveLength(14);
  expect(body.templates.user).toHaveProperty('vkyc_user_call_only_template');
  expect(body.settings).toMatchObject({ seed: 'shown', speed: null, webhooks: 'every-status' });
  expect(body.webhook_url).toBeNull();
});

test("every path that the overview of the sandbox's control API lists answers with 200", async () => {
  const client = await bootSandbox();
  await client.start('path.happy-path');
  const { body } = await client.control('GET');
  const bodies: Record<string, unknown> = {
    'POST /_sandbox/webhook-url': { url: 'http://127.0.0.1:1/' },
    'PUT /_sandbox/faults': { drop: {} },
  };

  for (const call of Object.keys(body.paths)) {
    const [method, path] = call.replace('/_sandbox', '').replace(':id', 'path.happy-path').split(' ') as [
      string,
      string,
    ];
    expect([call, (await client.control(method, path, bodies[call])).status]).toEqual([call, 200]);
  }
});

test("the sandbox's control API shows the current step and the remaining steps of a verification", async () => {
  const client = await bootSandbox();
  await client.start('shown.happy-path');
  await client.advance('shown.happy-path', 12);

  const one = await client.control('GET', '/verifications/shown.happy-path');
  const all = await client.control('GET', '/verifications');

  expect(one.body).toEqual({
    verification_id: 'shown.happy-path',
    status: 'AGENT_REVIEWED',
    sub_status: 'AGENT_APPROVED',
    since: '2026-03-02T12:00:15.250Z',
    remaining_steps: [{ sub_status: 'AUDITOR_APPROVED', at: '2026-03-02T12:00:16.250Z' }],
  });
  expect(all.body).toEqual([one.body]);
  expect((await client.control('GET', '/verifications/nobody')).status).toBe(404);
});

test("the sandbox's control API refuses a foreign Host (DNS rebinding) and a foreign Origin with 403", async () => {
  const client = await bootSandbox();

  expect(await statusFor(client, '/_sandbox', { host: 'localhost:4010' })).toBe(200);
  expect(await statusFor(client, '/_sandbox', { host: 'rebound.example.com' })).toBe(403);
  expect(await statusFor(client, '/_sandbox/events', { host: 'rebound.example.com' })).toBe(403);
  expect(await statusFor(client, '/_sandbox', { origin: 'https://example.com' })).toBe(403);
});

test("the sandbox's control API refuses invalid input with a message that names the field", async () => {
  const client = await bootSandbox();
  await client.start('odd.happy-path');

  const steps = await client.control('POST', '/verifications/odd.happy-path/advance', { steps: 0 });
  const url = await client.control('POST', '/webhook-url', { url: 'file:///etc/passwd' });

  expect(steps).toMatchObject({ status: 400, body: { message: expect.stringContaining('steps') } });
  expect(url).toMatchObject({ status: 400, body: { message: expect.stringContaining('url') } });
});
