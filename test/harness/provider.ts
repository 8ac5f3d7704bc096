/** Scripted provider for tests: answers calls as the test says, even with broken or endless responses. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atTheEnd } from './gateway.ts';

export interface ScriptedAnswer {
  readonly status?: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
  /** Sends the headers and then one space every 20 ms, without end, instead of the body. */
  readonly dribble?: boolean;
  /** Runs before the response is sent. */
  readonly before?: () => Promise<unknown>;
}

/** Returns the response to a call; null closes the connection without a response. */
export type Script = (call: {
  method: string;
  path: string;
  body: string;
  headers: IncomingHttpHeaders;
}) => ScriptedAnswer | null;

export interface ScriptedProvider {
  readonly baseUrl: string;
  /** Calls so far, as `METHOD /path`. */
  readonly calls: string[];
}

export async function startScriptedProvider(script: Script): Promise<ScriptedProvider> {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    const method = request.method ?? '';
    const path = (request.url ?? '').replace('/verification', '');
    calls.push(`${method} ${path.split('?')[0]}`);
    const answer = script({ method, path, body: await bodyOf(request), headers: request.headers });
    if (!answer) return request.socket.destroy();
    await answer.before?.();
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    if (!answer.dribble) return response.end(answer.body);
    const dribbling = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(dribbling));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atTheEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/verification`, calls };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
