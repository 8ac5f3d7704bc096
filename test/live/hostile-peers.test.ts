import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { MAX_UNAUTHENTICATED_SOCKETS_PER_ADDRESS } from '../../src/http/unauthenticated-sockets.ts';
import { atTheEnd, bootGateway, DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { startGatewayProcess } from '../harness/process.ts';
import { frameOf, OPCODE, rawWebSocket } from '../harness/raw-peer.ts';

const SECRET = 'a secret of the tests that is long enough';
const WATCH = 'subscription { statusTransitions { sequence } }';

const sign = (sub: string, secondsLeft: number) =>
  new SignJWT({ sub, roles: ['ADMIN'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(Date.now() / 1000) + secondsLeft)
    .sign(new TextEncoder().encode(SECRET));

const closing = frameOf({ opcode: OPCODE.CLOSE, payload: Buffer.from([0x03, 0xe8]) });

test('clients that reset or never close a refused WebSocket upgrade neither crash the gateway nor delay its shutdown', async () => {
  const gateway = await startGatewayProcess({
    DATABASE_URL: await freshDatabase(),
    DATA_KEYS,
    AUTH_SECRET: SECRET,
  });
  const foreign = { Origin: 'https://evil.example.com' };
  for (let round = 0; round < 20; round += 1) {
    const peer = await rawWebSocket(gateway.url, foreign);
    if (round % 2) await peer.hears('403');
    peer.socket.resetAndDestroy();
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  }
  const lingering = await rawWebSocket(gateway.url, foreign);
  await lingering.hears('ALLOWED_ORIGINS');

  expect(await gateway.end('SIGTERM')).toBe(0);
});

test('a client that disconnects while its token is verified releases its own connection slot and no other', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET, CONNECTIONS_PER_CLIENT: '2' } });
  const payload = { authorization: `Bearer ${await sign('mallory', 600)}` };
  const signIn = async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    atTheEnd(async () => socket.terminate());
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
    return Promise.race([once(socket, 'message').then(() => 'in'), once(socket, 'close').then(() => 'out')]);
  };
  const outcomes = [await signIn()];
  for (let round = 0; round < 4; round += 1) {
    const peer = await rawWebSocket(gateway.url);
    await peer.hears('101 ');
    const gone = once(peer.socket, 'end');
    peer.send(Buffer.concat([frameOf({ payload: { type: 'connection_init', payload } }), closing]));
    await gone;
    peer.socket.destroy();
    outcomes.push(await signIn());
  }

  expect(outcomes).toEqual(['in', 'in', 'out', 'out', 'out']);
});

test('one IP address may open only a limited number of WebSockets that have not signed in; further upgrades get 429', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
  const open = () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    atTheEnd(async () => socket.terminate());
    socket.on('error', () => {});
    return Promise.race([
      once(socket, 'open').then(() => ({ status: 101, headers: {} })),
      once(socket, 'unexpected-response').then(([, response]) => ({
        status: response.statusCode as number,
        headers: response.headers as Record<string, string>,
      })),
    ]);
  };

  const outcomes = await Promise.all(
    Array.from({ length: MAX_UNAUTHENTICATED_SOCKETS_PER_ADDRESS + 20 }, open),
  );

  const refused = outcomes.filter(({ status }) => status !== 101);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
  // Waits until the gateway has closed sockets that have not signed in within 3 s, so that the IP address may open
  // another socket.
  await eventually(async () => (await open()).status === 101);
});

test('an operation that is sent after the token of its WebSocket expired is not executed, even if the client keeps the socket open', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
  const peer = await rawWebSocket(gateway.url);
  await peer.hears('101 ');
  const authorization = `Bearer ${await sign('mallory', -29)}`;
  peer.send(frameOf({ payload: { type: 'connection_init', payload: { authorization } } }));
  await peer.hears('Token expired');
  const query =
    'mutation { startSession(input: { verificationId: "late", user: { phone: "9988776655" } }) { __typename } }';
  peer.send(frameOf({ payload: { id: '1', type: 'subscribe', payload: { query } } }));
  peer.send(closing);
  await once(peer.socket, 'end');

  const { rows } = await gateway.database.query(
    'select verification_id from start_intent union select verification_id from vkyc_session',
  );
  expect(rows).toEqual([]);
});

test('an event stream that the client aborts while its token is verified releases its connection slot', async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }];
  let asked = 0;
  let answer = () => {};
  const keyServer = createServer((_request, response) => {
    asked += 1;
    answer = () => void response.end(JSON.stringify({ keys }));
  }).listen(0, '127.0.0.1');
  await once(keyServer, 'listening');
  atTheEnd(async () => void keyServer.close());
  const gateway = await bootGateway({
    environment: {
      AUTH_JWKS_URL: `http://127.0.0.1:${(keyServer.address() as { port: number }).port}/`,
      CONNECTIONS_PER_CLIENT: '1',
    },
  });
  const token = await new SignJWT({ sub: 'asha', roles: ['ADMIN'] })
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setExpirationTime('10m')
    .sign(privateKey);
  const stream = (signal: AbortSignal) =>
    fetch(`${gateway.url}/graphql/stream?query=${encodeURIComponent(WATCH)}`, {
      headers: { authorization: `Bearer ${token}` },
      signal,
    });
  const givingUp = new AbortController();
  const givenUp = stream(givingUp.signal).catch(() => 'given up');
  await eventually(async () => asked > 0);
  givingUp.abort();
  expect(await givenUp).toBe('given up');
  answer();

  const staying = new AbortController();
  atTheEnd(async () => staying.abort());
  const { status } = await eventually(async () => {
    const response = await stream(staying.signal);
    return response.status === 200 ? response : null;
  });
  expect(status).toBe(200);
});
