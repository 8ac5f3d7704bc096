import { once } from 'node:events';
import { createServer } from 'node:http';
import { listensAt } from './setting.mjs';

/**
 * Starts a JSON server on plain node:http. Resolves with the server once it listens. If `answer` throws, the response
 * is a 500.
 */
export async function serve(answer) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [status, content] = await answer(request, Buffer.concat(chunks)).then(
      (found) => [200, found],
      (error) => [500, { errors: [{ message: String(error) }] }],
    );
    const text = JSON.stringify(content);
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  listensAt(server.address().port);
  return server;
}
