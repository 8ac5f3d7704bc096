/** Receivers of merchant webhooks: real HTTP servers, whose answers a test chooses. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { vi } from 'vitest';
import type { EventBody } from '../../src/services/outgoing/event-body.ts';
import { atTheEnd } from './gateway.ts';

/** Delivery as a receiver got it. */
export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: EventBody;
}

/** Answers a delivery: with a status, or by itself. */
export type Behaviour = (delivery: Received, response: ServerResponse) => number | undefined;

export interface Receiver {
  readonly url: string;
  /** All deliveries, also those that were not accepted. */
  readonly received: Received[];
  /** Deliveries that were answered with 200, the first of each id. */
  readonly accepted: Received[];
  /** Changes how the next deliveries are answered. */
  answer(behaviour: Behaviour): void;
}

export const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
export const OLD_SECRET = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;

export const hang: Behaviour = () => undefined;
export const reset: Behaviour = (_delivery, { socket }) => {
  socket?.resetAndDestroy();
  return undefined;
};

/** Starts a receiver that answers 200. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const accepted: Received[] = [];
  const known = new Set<string>();
  let behave: Behaviour = () => 200;
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const id = String(request.headers['webhook-id']);
    const delivery = { id, headers: request.headers, text, body: JSON.parse(text) };
    received.push(delivery);
    const status = behave(delivery, response);
    if (status === undefined) return;
    if (status === 200 && !known.has(id)) {
      known.add(id);
      accepted.push(delivery);
    }
    response.writeHead(status).end('{}');
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atTheEnd(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    accepted,
    answer(behaviour) {
      behave = behaviour;
    },
  };
}

/** Returns the settings that make a gateway send all events to these receivers. */
export const sendTo = (receivers: Readonly<Record<string, Receiver>>, endpoint: object = {}) => ({
  WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
  WEBHOOK_ENDPOINTS: JSON.stringify(
    Object.entries(receivers).map(([name, { url }]) => ({
      ...{ name, url, secrets: [SECRET], events: ['*'] },
      ...endpoint,
    })),
  ),
});

/**
 * Verifies a delivery with the library of Standard Webhooks, which throws if the signature is wrong, as it would have at
 * the time of the signature. The test may have moved the clock of the gateway.
 */
export function verify({ text, headers }: Received, secret = SECRET): unknown {
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Number(headers['webhook-timestamp']) * 1_000);
  try {
    return new Webhook(secret).verify(text, headers as Record<string, string>);
  } finally {
    clock.mockRestore();
  }
}

/** Returns the sequences of a session's accepted events of one type, in the order in which they arrived. */
export const sequencesOf = (
  { accepted }: Receiver,
  verificationId: string,
  type: EventBody['type'] = 'session.transitioned',
): number[] =>
  accepted
    .filter(({ body }) => body.type === type && body.data.session.verificationId === verificationId)
    .map(({ body }) => body.data.sequence);
