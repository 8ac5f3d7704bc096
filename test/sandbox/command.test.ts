import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import { freshFolder, startReceiver } from './harness.ts';

/** Starts the built sandbox command as a process with these settings. */
function run(environment: Record<string, string>) {
  const env = { PATH: process.env.PATH ?? '', SANDBOX_PORT: '0', ...environment };
  const child = spawn('node', ['.build/commands/sandbox.js'], { env });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(String(chunk)));
  const ended = once(child, 'close');
  atTheEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    said: () => said.join(''),
    listening: () =>
      eventually(async () =>
        said
          .join('')
          .match(/listens at\s+(\S+)[\s\S]*faults at\s+(\S+)/)
          ?.slice(1, 3),
      ),
    end: async (signal: NodeJS.Signals) => {
      child.kill(signal);
      return (await ended)[0];
    },
  };
}

const call = async (url: string, body: object) => {
  const headers = {
    'content-type': 'application/json',
    'x-client-id': 'sandbox',
    'x-client-secret': 'sandbox',
  };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.status;
};

test('the sandbox command runs without a gateway, prints its URLs, continues journeys after SIGKILL, and stops cleanly', async () => {
  const DATA_DIR = await freshFolder();
  const receiver = await startReceiver();
  const settings = { DATA_DIR, SANDBOX_SPEED: '20', SANDBOX_WEBHOOK_URL: receiver.url };
  const first = run(settings);
  const [baseUrl, controlUrl] = (await first.listening()) as [string, string];
  expect(await call(`${baseUrl}/user`, { user_id: 'asha', phone: '9988776655' })).toBe(200);
  expect(await call(`${baseUrl}/vkyc`, { verification_id: 'a.happy-path', user_id: 'asha' })).toBe(200);
  const overview = await (await fetch(controlUrl)).json();
  await first.end('SIGKILL');

  const second = run(settings);
  await second.listening();
  await eventually(async () => new Set(receiver.received.map(({ subStatus }) => subStatus)).size === 14);

  expect(overview).toMatchObject({ settings: { speed: 20 }, webhook_url: receiver.url });
  expect(first.said()).toContain('x-client-id: sandbox, x-client-secret: sandbox');
  expect(await second.end('SIGTERM')).toBe(0);
});

test('the sandbox command refuses to start with invalid settings and reports all of them', async () => {
  const { said, child } = run({ HOST: '0.0.0.0', SANDBOX_SPEED: 'fast', SANDBOX_CALLS_PER_MINUTE: '0' });

  await once(child, 'close');

  expect(child.exitCode).toBe(1);
  for (const name of ['HOST: must be a loopback address', 'SANDBOX_SPEED', 'SANDBOX_CALLS_PER_MINUTE'])
    expect(said()).toContain(name);
});
