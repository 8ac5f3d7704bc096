import { once } from 'node:events';
import { CloseCode, createClient } from 'graphql-ws';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';

const SECRET = 'a secret of the tests that is long enough';
const WATCH =
  'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence cursor } }';
/** Seconds after its `exp` during which the gateway still accepts a token (allowed clock skew). */
const SKEW_SECONDS = 30;

const sign = (sub: string, secondsLeft: number) =>
  new SignJWT({ sub, roles: ['ADMIN'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(Date.now() / 1000) + secondsLeft)
    .sign(new TextEncoder().encode(SECRET));

/** Opens a plain WebSocket (no graphql-ws client) and sends `connection_init` with this payload. */
async function connect(gateway: Gateway, options: ClientOptions = {}, payload: object = {}) {
  const socket = new WebSocket(
    `${gateway.url.replace('http', 'ws')}/graphql`,
    'graphql-transport-ws',
    options,
  );
  atTheEnd(async () => socket.terminate());
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  const acknowledged = once(socket, 'message').then(([data]) => JSON.parse(String(data)).type as string);
  return { socket, closed, outcome: Promise.race([acknowledged, closed]) };
}

const refusalOf = (gateway: Gateway, headers: Record<string, string>): Promise<string> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers,
    });
    socket.once('open', () => {
      resolve('accepted');
      socket.terminate();
    });
    socket.once('error', (error) => resolve(error.message));
  });

test('a token that expires closes its WebSocket with 4403, and a client that reconnects with a new token resumes and misses nothing', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
  const admin = { authorization: `Bearer ${await sign('admin', 600)}` };
  const { data } = await gateway.graphql(
    'mutation { startSession(input: { verificationId: "token.happy-path", user: { phone: "9988776655" } }) { ... on StartSessionSuccess { session { id startCursor } } } }',
    {},
    admin,
  );
  const { id, startCursor } = data.startSession.session;
  const closes: number[] = [];
  let tokens = 0;
  const variables = { id, after: startCursor };
  const client = createClient({
    url: `${gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 5,
    shouldRetry: () => true,
    retryWait: async () => {},
    connectionParams: async () => {
      tokens += 1;
      // The first token has already expired. Because of the allowed clock skew it is accepted for about two
      // more seconds.
      return { authorization: `Bearer ${await sign('asha', tokens === 1 ? 2 - SKEW_SECONDS : 600)}` };
    },
    on: { closed: (event) => closes.push((event as { code: number }).code) },
  });
  atTheEnd(async () => client.dispose());
  const seen: number[] = [];
  client.subscribe<{ statusTransitions: { sequence: number; cursor: string } }>(
    { query: WATCH, variables },
    {
      next({ data: frame }) {
        if (!frame) return;
        seen.push(frame.statusTransitions.sequence);
        variables.after = frame.statusTransitions.cursor;
      },
      error: () => {},
      complete: () => {},
    },
  );

  await gateway.advance('token.happy-path', 6);
  await eventually(async () => closes.length > 0 && tokens === 2);
  await gateway.advance('token.happy-path', 7);
  await eventually(async () => seen.length >= 14);

  expect(closes).toEqual([CloseCode.Forbidden]);
  expect(seen).toEqual(Array.from({ length: 14 }, (_, index) => index + 1));
});

test('an event stream whose token expires is aborted without a `complete` event, so that the client reconnects', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
  const response = await fetch(`${gateway.url}/graphql/stream`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await sign('asha', 1 - SKEW_SECONDS)}`,
    },
    body: JSON.stringify({ query: WATCH }),
  });

  await expect(response.text()).rejects.toThrow('terminated');
});

test('CONNECTIONS_PER_CLIENT limits the number of WebSockets plus event streams of one viewer, and does not affect other viewers', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET, CONNECTIONS_PER_CLIENT: '3' } });
  const as = async (sub: string) => ({ authorization: `Bearer ${await sign(sub, 600)}` });
  const stream = async (sub: string, signal: AbortSignal | null = null) =>
    fetch(`${gateway.url}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(await as(sub)) },
      body: JSON.stringify({ query: WATCH }),
      signal,
    });
  const leaving = new AbortController();
  atTheEnd(async () => leaving.abort());

  expect((await stream('asha', leaving.signal)).status).toBe(200);
  const one = await connect(gateway, {}, await as('asha'));
  const two = await connect(gateway, {}, await as('asha'));
  expect([await one.outcome, await two.outcome]).toEqual(['connection_ack', 'connection_ack']);
  const tooMany = await connect(gateway, {}, await as('asha'));
  const refused = await stream('asha');

  expect(await tooMany.closed).toBe(1013);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).not.toBeNull();
  expect(await (await connect(gateway, {}, await as('ravi'))).outcome).toBe('connection_ack');
  one.socket.close();
  await one.closed;
  expect(await (await connect(gateway, {}, await as('asha'))).outcome).toBe('connection_ack');
});

test('an operation beyond SUBSCRIPTIONS_PER_SOCKET is refused, and the running operations of the WebSocket continue', async () => {
  const gateway = await bootGateway({ environment: { SUBSCRIPTIONS_PER_SOCKET: '2' } });
  const { socket, outcome } = await connect(gateway);
  await outcome;
  const messages: { id: string; type: string; payload: any }[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  const subscribe = (id: string) =>
    socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: WATCH } }));

  for (const id of ['a', 'b', 'c']) subscribe(id);
  await eventually(async () => messages.length === 1);
  expect(messages).toMatchObject([
    { id: 'c', type: 'error', payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }] },
  ]);
  socket.send(JSON.stringify({ id: 'a', type: 'complete' }));
  subscribe('d');
  await gateway.start('many.happy-path');
  await eventually(async () => messages.length === 3);

  expect(
    messages
      .slice(1)
      .map(({ id, type }) => `${id} ${type}`)
      .toSorted(),
  ).toEqual(['b next', 'd next']);
});

test('a WebSocket message that is too large or breaks the protocol closes its own socket and no other', async () => {
  const gateway = await bootGateway();
  const witness = gateway.subscribe(WATCH);
  const next = witness.next();
  const send = async (data: string | Buffer) => {
    const { socket, closed, outcome } = await connect(gateway);
    await outcome;
    socket.send(data);
    return closed;
  };

  expect(await send(Buffer.alloc(65 * 1024, 'x'))).toBe(1009);
  expect(await send('{')).toBe(CloseCode.BadRequest);
  expect(await send(JSON.stringify({ type: 'subscribe', id: '', payload: {} }))).toBe(CloseCode.BadRequest);
  expect(await send(JSON.stringify({ type: 'connection_init' }))).toBe(
    CloseCode.TooManyInitialisationRequests,
  );
  await gateway.start('witness.happy-path');

  expect((await next).sequence).toBe(1);
});

test("requests from a foreign Origin get 403; the gateway's own origin and ALLOWED_ORIGINS are served", async () => {
  const allowed = 'https://app.example.com';
  const gateway = await bootGateway({
    environment: { AUTH_SECRET: SECRET, ALLOWED_ORIGINS: `${allowed}, https://admin.example.com` },
  });
  const authorization = `Bearer ${await sign('asha', 600)}`;
  const post = (path: string, origin: string) =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization, origin },
      body: JSON.stringify({ query: '{ viewer { id } }' }),
    });

  for (const origin of [
    'https://evil.example.com',
    'https://app.example.com.evil.com',
    'null',
    'http://127.0.0.1:1',
  ]) {
    expect(await refusalOf(gateway, { origin })).toContain('403');
    expect((await post('/graphql', origin)).status).toBe(403);
    expect((await post('/graphql/stream', origin)).status).toBe(403);
  }
  for (const origin of [allowed, gateway.url]) {
    expect(await refusalOf(gateway, { origin })).toBe('accepted');
    expect((await post('/graphql', origin)).status).toBe(200);
    expect(await (await post('/graphql/stream', origin)).text()).toContain('"id":"asha"');
  }
  expect(await refusalOf(gateway, {})).toBe('accepted');
  expect((await post('/graphql', allowed)).headers.get('access-control-allow-origin')).toBe(allowed);
});

test('in development a WebSocket upgrade needs a loopback Host, and a loopback Origin if the request has an Origin', async () => {
  const gateway = await bootGateway();

  expect(await refusalOf(gateway, { origin: 'http://localhost:5173' })).toBe('accepted');
  expect(await refusalOf(gateway, { origin: 'https://evil.example.com' })).toContain('403');
  expect(await refusalOf(gateway, { host: 'rebound.example.com' })).toContain('403');
});

test('an event stream reports errors with the same codes and statuses as the other transports', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
  const authorization = `Bearer ${await sign('asha', 600)}`;
  const post = (body: object) =>
    fetch(`${gateway.url}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify(body),
    }).then((response) => response.text());
  const errorOf = (text: string) => JSON.parse(text.match(/^data: (.*errors.*)$/m)?.[1] ?? '{}').errors[0];

  for (const query of [
    'subscription { nonsense }',
    'subscription {',
    'query A { viewer { id } } query B { viewer { id } }',
  ]) {
    const text = await post({ query });
    expect(text).toContain('event: complete');
    expect(errorOf(text).extensions.code).toMatch(/GRAPHQL_(PARSE|VALIDATION)_FAILED|BAD_REQUEST/);
  }
  expect(errorOf(await post({})).message).toContain('The request has no document');
  expect(errorOf(await post({ query: WATCH, variables: { after: 'nonsense' } })).extensions.code).toBe(
    'BAD_USER_INPUT',
  );
  const unsigned = await fetch(`${gateway.url}/graphql/stream?query=${encodeURIComponent(WATCH)}`);
  expect(unsigned.status).toBe(401);
  expect(await unsigned.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  const mutation = 'mutation { refreshSession(sessionId: "x") { __typename } }';
  const byGet = await fetch(`${gateway.url}/graphql/stream?query=${encodeURIComponent(mutation)}`, {
    headers: { authorization },
  });
  expect(byGet.status).toBe(405);
});

test('a query that is sent to /graphql/stream, the path of event streams, is answered with one event and the end of the stream', async () => {
  const gateway = await bootGateway();
  const query =
    'query ($id: String!) { sessionByVerificationId(verificationId: $id) { verificationId } viewer { id } }';
  const url = new URL(`${gateway.url}/graphql/stream`);
  url.searchParams.set('query', query);
  url.searchParams.set('variables', JSON.stringify({ id: 'nobody' }));

  expect(await (await fetch(url)).text()).toContain(
    'event: next\ndata: {"data":{"sessionByVerificationId":null,"viewer":{"id":"developer"}}}\n\nevent: complete\ndata:\n\n',
  );
});
