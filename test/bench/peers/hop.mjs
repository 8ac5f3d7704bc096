/** From a webhook to its frame with nothing between: it is committed, and a string goes to every bare socket. */
import { WebSocketServer } from 'ws';
import { serve } from './common/serve.mjs';
import { keep, readSigned } from './common/webhook.mjs';

/** As the gateway's frames are, for whoever looks into them. */
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
