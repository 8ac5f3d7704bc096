/** The gateway answers HTTP clients of other languages that run with their default settings. */
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { signWebhook } from '../../src/provider/signature.ts';
import { bootGateway } from '../harness/gateway.ts';

const run = promisify(execFile);
const gateway = await bootGateway();
const JSON_TYPE = ['Content-Type', 'application/json'];
const OPERATION = JSON.stringify({ query: '{ viewer { id } }' });
const ASKS = fileURLToPath(new URL('Ask.java', import.meta.url));

const has = (program: string, ...args: string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  );
const [hasJava, hasCurl] = await Promise.all([has('java', '-version'), has('curl', '--version')]);
if (!hasJava)
  process.stdout.write('No JDK found: the tests of its HttpClient are SKIPPED. Install Java 17 or later.\n');
if (!hasCurl) process.stdout.write('curl is not installed: its tests are SKIPPED.\n');

const askByJava = async (path: string, body: string, headers: readonly string[]) =>
  (await run('java', [ASKS, `${gateway.url}${path}`, body, ...headers])).stdout.trim().split('\n');

test.skipIf(!hasJava)(
  "an operation from the JDK's HttpClient, which offers h2c (HTTP/2 without TLS), is answered",
  async () => {
    const answers = await askByJava('/graphql', OPERATION, JSON_TYPE);

    expect(answers).toHaveLength(2);
    for (const answer of answers) expect(answer).toMatch(/^200 .*"id":"developer"/);
  },
);

test.skipIf(!hasJava)("a signed webhook from the JDK's HttpClient is accepted", async () => {
  const body = JSON.stringify({ data: { verification_id: 'java.1' } });
  const timestamp = String(Date.now());
  const signature = signWebhook('sandbox', timestamp, Buffer.from(body));

  const answers = await askByJava('/webhooks/cashfree', body, [
    ...JSON_TYPE,
    ...['x-webhook-timestamp', timestamp, 'x-webhook-signature', signature],
  ]);

  expect(answers).toEqual(['200 {"received":true}', '200 {"received":true}']);
});

test('a hundred concurrent small chunked requests (.NET sends JSON in chunks) are all answered', async () => {
  const send = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
      const sending = request(`${gateway.url}/graphql`, { method: 'POST', headers, agent: false });
      sending.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      sending.write(OPERATION.slice(0, 10));
      sending.end(OPERATION.slice(10));
    });

  const statuses = await Promise.all(Array.from({ length: 100 }, send));

  expect(new Set(statuses)).toEqual(new Set([200]));
});

test.skipIf(!hasCurl)(
  'curl is answered with and without an HTTP/2 offer; with --http2-prior-knowledge it reports an HTTP/2 error',
  async () => {
    const args = ['-sS', '-H', 'content-type: application/json', '-d', OPERATION, `${gateway.url}/graphql`];

    for (const version of ['--http1.1', '--http2'])
      expect((await run('curl', [version, ...args])).stdout).toContain('"id":"developer"');
    const refused = run('curl', ['--http2-prior-knowledge', ...args]);
    await expect(refused).rejects.toMatchObject({ code: 16, stderr: expect.stringContaining('HTTP2') });
  },
);
