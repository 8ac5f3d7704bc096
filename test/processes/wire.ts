/** HTTP proxy between a gateway and the provider. It can kill the gateway before or after a provider call. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atTheEnd } from '../harness/gateway.ts';

/** BEFORE: the provider has not received the call. AFTER: the provider has answered, but the answer is held back. */
export type Moment = 'BEFORE' | 'AFTER';

export interface Wire {
  /** Base URL of the provider by way of this proxy: value for `CASHFREE_BASE_URL` of a gateway. */
  readonly baseUrl: string;
  /**
   * Runs `kill` at the next provider call such as `POST /vkyc`, and leaves that call without an answer.
   * Resolves when `kill` has ended.
   */
  cutAt(moment: Moment, call: string, kill: () => Promise<unknown>): Promise<void>;
}

const PREFIX = '/verification';

export async function startWire(providerUrl: string): Promise<Wire> {
  let cut: ((moment: Moment, call: string) => Promise<boolean>) | null = null;

  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const path = url.slice(PREFIX.length);
    const call = `${method} ${path.split('?')[0]}`;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length > 0 ? Buffer.concat(chunks) : null;

    if (await cut?.('BEFORE', call)) return;
    const passedOn = Object.entries(headers).filter(
      ([name]) => name.startsWith('x-') || name === 'content-type',
    );
    const answer = await fetch(`${providerUrl}${path}`, {
      method,
      headers: passedOn as [string, string][],
      body,
    });
    const text = await answer.text();
    if (await cut?.('AFTER', call)) return;
    const retryAfter = answer.headers.get('retry-after');
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      ...(retryAfter ? { 'retry-after': retryAfter } : {}),
    });
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atTheEnd(async () => {
    server.closeAllConnections();
    server.close();
  });

  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PREFIX}`,
    cutAt: (wantedMoment, wantedCall, kill) =>
      new Promise((resolve, reject) => {
        cut = async (moment, call) => {
          if (moment !== wantedMoment || call !== wantedCall) return false;
          cut = null;
          await kill().then(() => resolve(), reject);
          return true;
        };
      }),
  };
}
