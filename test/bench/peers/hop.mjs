/** From a webhook to its frame with nothing between: it is committed, and a string goes to every bare socket. */
import { WebSocketServer } from 'ws';
import { serve } from './shared/serve.mjs';
import { keep, readSigned } from './shared/webhook.mjs';

const server = await serve(async (request, body) => {
  const news = readSigned(request, body);
  await keep(body, news);
  const frame = JSON.stringify({ occurredAt: news.eventTime });
  for (const client of sockets.clients) client.send(frame);
  return { received: true };
});

const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
