/** Certificates of receivers of merchant webhooks: of an authority that Node.js knows, or that it is told to trust. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { atTheEnd, eventually, freshDatabase } from '../harness/gateway.ts';
import { startGatewayProcess } from '../harness/process.ts';
import { SECRET } from '../harness/receiver.ts';

const ENDPOINTS = '{ merchantEndpoints { name state failingSince pending } }';
const DELIVERIES = '{ webhookDeliveries(first: 1) { nodes { state attempts outcome webhookId } } }';
const START = `mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename } }`;

/** Starts an https receiver whose certificate for `localhost` is signed by itself. */
async function startSecureReceiver() {
  const folder = mkdtempSync(join(tmpdir(), 'vkyc-receiver-'));
  atTheEnd(async () => rmSync(folder, { recursive: true, force: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  );
  const ids: string[] = [];
  const files = { key: readFileSync(key), cert: readFileSync(certificate) };
  const server = createServer(files, (request, response) => {
    ids.push(String(request.headers['webhook-id']));
    request.resume();
    response.end();
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  atTheEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://localhost:${(server.address() as AddressInfo).port}/`, ids, certificate };
}

test('a receiver whose certificate is of an unknown authority gets nothing, and the outcome says why; with NODE_EXTRA_CA_CERTS it gets its events', async () => {
  const { url, ids, certificate } = await startSecureReceiver();
  const settings = {
    DATABASE_URL: await freshDatabase(),
    WEBHOOK_ALLOWED_HOSTS: 'localhost',
    WEBHOOK_ENDPOINTS: JSON.stringify([{ name: 'core', url, secrets: [SECRET], events: ['*'] }]),
  };
  const strict = await startGatewayProcess(settings);
  await strict.graphql(START, {
    input: { verificationId: 'tls.1', user: { phone: '9988776655', name: 'Asha Rao' } },
  });

  const refused = await eventually(async () => {
    const [node] = (await strict.graphql(DELIVERIES)).webhookDeliveries.nodes;
    return node?.outcome && node;
  });
  expect(refused).toMatchObject({ state: 'PENDING', outcome: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const { merchantEndpoints } = await strict.graphql(ENDPOINTS);
  expect(merchantEndpoints).toMatchObject([{ state: 'FAILING', failingSince: expect.any(String) }]);
  expect(ids).toEqual([]);
  await strict.end('SIGTERM');

  const trusting = await startGatewayProcess({ ...settings, NODE_EXTRA_CA_CERTS: certificate });
  atTheEnd(async () => void (await trusting.end('SIGTERM')));
  await eventually(async () => ids.includes(refused.webhookId));
  const accepted = await eventually(async () => {
    const [node] = (await trusting.graphql(DELIVERIES)).webhookDeliveries.nodes;
    return node.state === 'DONE' && node;
  });
  expect(accepted).toMatchObject({ outcome: 'HTTP 200', webhookId: refused.webhookId });
});
