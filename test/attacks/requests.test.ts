/** Requests with a valid operation but a wrong form (method, type, body): every path and transport refuses them. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd, bootGateway } from '../harness/gateway.ts';
import { isClean } from '../harness/transports.ts';
import { tallyOf } from './tally.ts';

const gateway = await bootGateway();
const QUERY = '{ viewer { id } }';
const MUTATION =
  'mutation { startSession(input: { verificationId: "attack", user: { phone: "9988776655" } }) { __typename } }';
const HUGE = `${QUERY}#${'x'.repeat(1024 * 1024)}`;

interface Attack {
  readonly method?: string;
  readonly type?: string;
  readonly search?: string;
  readonly body?: string;
  /** The equivalent message for a WebSocket; null if there is no equivalent. */
  readonly message: object | string | null;
  readonly status: number;
}

const json = (value: unknown) => ({ type: 'application/json', body: JSON.stringify(value) });
const subscribe = (payload: unknown) => ({ id: '1', type: 'subscribe', payload });

const ATTACKS: Record<string, Attack> = {
  batch: {
    ...json(Array(50).fill({ query: MUTATION })),
    message: subscribe([{ query: MUTATION }]),
    status: 400,
  },
  'batch of messages': { ...json([]), message: [subscribe({ query: MUTATION })], status: 400 },
  '1 MB query': { ...json({ query: HUGE }), message: subscribe({ query: HUGE }), status: 413 },
  'mutation by GET': {
    method: 'GET',
    search: `?query=${encodeURIComponent(MUTATION)}`,
    message: null,
    status: 405,
  },
  'a form by POST': {
    type: 'application/x-www-form-urlencoded',
    body: `query=${encodeURIComponent(MUTATION)}`,
    message: `query=${encodeURIComponent(MUTATION)}`,
    status: 415,
  },
  'JSON as text/plain by POST': {
    type: 'text/plain',
    body: JSON.stringify({ query: MUTATION }),
    message: JSON.stringify({ query: MUTATION }),
    status: 415,
  },
  'malformed JSON': {
    type: 'application/json',
    body: '{"query": "mutation {',
    message: '{"type": "subscribe"',
    status: 400,
  },
};

const tally = tallyOf('requests');

async function served() {
  expect((await gateway.graphql(QUERY)).data.viewer.id).toBe('developer');
  const { rows } = await gateway.database.query(
    `select 1 from vkyc_session where verification_id = 'attack'`,
  );
  return rows.length;
}

for (const path of ['/graphql', '/graphql/stream'])
  test.each(Object.entries(ATTACKS))(
    `${path}: a request with a wrong method, content type or body is refused: %s`,
    async (name, attack) => {
      const { method = 'POST', type, search = '', body, status } = attack;
      const response = await fetch(`${gateway.url}${path}${search}`, {
        method,
        // Passes the CSRF check by this header, so that the gateway refuses the request for its form, not for the lack
        // of the header.
        headers: { 'apollo-require-preflight': '1', ...(type ? { 'content-type': type } : {}) },
        body: body ?? null,
      });
      const text = await response.text();

      tally.note(`${path}: ${name}`, response.ok || (await served()) > 0);
      expect(response.status).toBe(status);
      expect(JSON.parse(text).errors[0]).toMatchObject({
        message: expect.any(String),
        extensions: { code: expect.stringMatching(/^BAD_REQUEST$/) },
      });
      expect(isClean(text)).toBe(true);
    },
  );

test.each(Object.entries(ATTACKS).filter(([, { message }]) => message !== null))(
  'WebSocket: a message of a wrong form closes its socket, and the gateway still answers over HTTP: %s',
  async (name, { message }) => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    atTheEnd(async () => socket.terminate());
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    const received: string[] = [];
    await once(socket, 'message');
    socket.on('message', (data) => received.push(String(data)));
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    const [code, reason] = await closed;

    tally.note(`WebSocket: ${name}`, received.length > 0 || (await served()) > 0);
    expect([1009, 4400]).toContain(code);
    expect(isClean(String(reason))).toBe(true);
  },
);

tally.close(Object.keys(ATTACKS).length * 3 - 1);
