/**
 * WebSocket server on plain `ws`, with which the fan-out of the gateway is compared: it executes nothing, and sends the
 * same prepared strings to every client.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { answerOrders } from '../harness/orders.ts';
import { eachInTurn } from './each-in-turn.ts';

const subscribed = new Set<WebSocket>();

/**
 * Answers only the graphql-transport-ws messages that the bench's subscribers send, which it recognizes by a
 * substring.
 */
function answer(client: WebSocket, message: string): void {
  if (message.includes('"connection_init"')) client.send('{"type":"connection_ack"}');
  if (message.includes('"subscribe"')) subscribed.add(client);
  if (message.includes('"ping"')) client.send('{"type":"pong"}');
}

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  handleProtocols: () => 'graphql-transport-ws',
});
server.on('connection', (client) => {
  client.on('message', (message) => answer(client, String(message)));
  client.on('close', () => subscribed.delete(client));
});

const listening = once(server, 'listening');

answerOrders({
  async port() {
    await listening;
    return (server.address() as AddressInfo).port;
  },
  burst: (frames: string[]) =>
    eachInTurn(frames, (frame) => {
      for (const client of subscribed) client.send(frame);
    }),
});
