/** Test helpers: a sandbox without a gateway, a clock that tests move, and a receiver of webhooks. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type RunningSandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { atTheEnd } from '../harness/gateway.ts';

type Options = Partial<Parameters<typeof startSandbox>[0]>;

export const NOON = new Date('2026-03-02T12:00:00.250Z');

/** Clock that stands still until `forward` moves it. */
export class SetClock {
  #now = NOON.getTime();
  now = () => new Date(this.#now);
  forward(seconds: number): void {
    this.#now += seconds * 1000;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: any;
}

export class Client {
  constructor(readonly sandbox: RunningSandbox) {}

  call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const credentials = { 'x-client-id': 'sandbox', 'x-client-secret': 'sandbox' };
    return this.#fetch(`${this.sandbox.baseUrl}${path}`, method, body, { ...credentials, ...headers });
  }

  control(method: string, path = '', body?: unknown): Promise<Answer> {
    return this.#fetch(String(new URL(`/_sandbox${path}`, this.sandbox.baseUrl)), method, body, {});
  }

  /** Creates a user and starts a verification for that user; expects success and returns the answer. */
  async start(verification_id: string, more: object = {}): Promise<any> {
    const user = await this.call('POST', '/user', { phone: '9988776655' });
    const { user_id } = user.body;
    const answer = await this.call('POST', '/vkyc', { verification_id, user_id, ...more });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  }

  async look(verificationId: string): Promise<any> {
    return (await this.call('GET', `/vkyc?verification_id=${verificationId}`)).body;
  }

  async advance(verificationId: string, steps = 1): Promise<number> {
    return (await this.control('POST', `/verifications/${verificationId}/advance`, { steps })).body.steps;
  }

  /**
   * Advances a verification step by step to the end of its journey. Returns every status pair that it had.
   */
  async walk(verificationId: string): Promise<string[]> {
    const pairs: string[] = [];
    do {
      const { status, sub_status } = await this.look(verificationId);
      pairs.push(`${status} ${sub_status}`);
    } while ((await this.advance(verificationId)) === 1);
    return pairs;
  }

  /** Returns the list of webhooks that the sandbox keeps, as the JSON text of the response. */
  async events(): Promise<string> {
    return (await this.control('GET', '/events')).text;
  }

  async #fetch(url: string, method: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(url, {
      method,
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: jsonOr(text) };
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Boots a sandbox that stops when the test ends. By default its clock stands still, so that only `advance`
 * makes steps.
 */
export async function bootSandbox(options: Options = {}): Promise<Client> {
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    clock: new SetClock(),
    webhooks: 'every-status',
    speed: null,
    ...options,
  });
  atTheEnd(sandbox.stop);
  return new Client(sandbox);
}

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Sub-status in the body; null if the body is not JSON or has none. */
  readonly subStatus: string | null;
  readonly verificationId: string | null;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
}

/** Starts an HTTP server that records webhooks and answers each with the status that `answer` returns. */
export async function startReceiver(answer: (webhook: Received) => number = () => 200): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const data = (jsonOr(text) as any)?.data ?? {};
    const webhook = {
      headers: request.headers,
      text,
      subStatus: data.sub_status ?? null,
      verificationId: data.verification_id ?? null,
    };
    received.push(webhook);
    response.writeHead(answer(webhook)).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atTheEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`, received };
}

/** Creates a temporary folder that is removed after the test. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-sandbox-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
