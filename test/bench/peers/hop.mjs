/**
 * A peer (server that the benchmarks compare with the gateway) with a minimal path from a webhook to its frame: it
 * commits the webhook, and then sends one string to every open WebSocket.
 */
import { WebSocketServer } from 'ws';
import { serve } from './common/serve.mjs';
import { keep, readSigned } from './common/webhook.mjs';

/** Builds a frame of the same shape as the gateway's, since the bench reads `occurredAt` in it. */
const frameOf = ({ eventTime }) =>
  JSON.stringify({ type: 'next', payload: { data: { statusTransitions: { occurredAt: eventTime } } } });

const server = await serve(async (request, body) => {
  const news = readSigned(request, body);
  await keep(body, news);
  const frame = frameOf(news);
  for (const client of sockets.clients) client.send(frame);
  return { received: true };
});

const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
sockets.on('connection', (client) => {
  client.on('message', (message) => {
    if (String(message).includes('"connection_init"')) client.send('{"type":"connection_ack"}');
    if (String(message).includes('"ping"')) client.send('{"type":"pong"}');
  });
});
