import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

const gateway = await bootGateway();
const PATHS = ['/graphql', '/graphql/stream'];
const QUERY = '{ viewer { id } }';
const MUTATION = 'mutation { refreshSession(sessionId: "x") { __typename } }';

async function send(path: string, init: RequestInit) {
  const response = await fetch(`${gateway.url}${path}`, init);
  const text = await response.text();
  return { status: response.status, code: JSON.parse(text).errors?.[0].extensions.code, text };
}

const post = (path: string, type: string, body: string) =>
  send(path, { method: 'POST', headers: { 'content-type': type }, body });

for (const path of PATHS) {
  test(`${path}: a batch (array) of operations is refused, even if it has a single operation`, async () => {
    for (const batch of [[], [{ query: QUERY }], [{ query: QUERY }, { query: QUERY }]])
      expect(await post(path, 'application/json', JSON.stringify(batch))).toMatchObject({
        status: 400,
        code: 'BAD_REQUEST',
        text: expect.stringContaining('one operation per request'),
      });
  });

  test(`${path}: content types that other sites can send without a preflight get 415 (CSRF)`, async () => {
    const json = JSON.stringify({ query: QUERY });
    for (const [type, body] of [
      ['text/plain', json],
      ['application/x-www-form-urlencoded', `query=${encodeURIComponent(QUERY)}`],
      [
        'multipart/form-data; boundary=x',
        `--x\r\ncontent-disposition: form-data; name="query"\r\n\r\n${QUERY}\r\n--x--`,
      ],
    ] as const)
      expect(await post(path, type, body)).toMatchObject({ status: 415, code: 'BAD_REQUEST' });
  });

  test(`${path}: a mutation by GET is refused with 405`, async () => {
    const { status } = await send(`${path}?query=${encodeURIComponent(MUTATION)}`, {});
    expect(status).toBe(405);
  });

  test(`${path}: a body of more than 256 kB is refused with 413`, async () => {
    const body = JSON.stringify({ query: `#${'x'.repeat(256 * 1024)}\n${QUERY}` });
    expect((await post(path, 'application/json', body)).status).toBe(413);
  });
}
