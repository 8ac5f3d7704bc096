import http from 'node:http';
import https from 'node:https';
import { Webhook } from 'standardwebhooks';
import type { MerchantEndpoint, OutgoingMerchantEvent } from '../../domain/merchant-events.ts';
import {
  createPublicAddressLookup,
  getUnbracketedHost,
  isRefusedIpLiteral,
  NonPublicAddressError,
  type ResolveAllAddresses,
} from './public-address.ts';
import { parseRetryAfterMs } from './retry-plan.ts';

/** Time in which an endpoint must answer. */
const ANSWER_TIMEOUT_MS = 15_000;
/** Connections to one endpoint that stay open between deliveries. */
const MAX_SOCKETS = 64;
/** Bytes of an answer that are read so that its connection can be used again; a longer answer closes the connection. */
const MAX_ANSWER_BYTES = 16_384;

/** Result of one attempt to deliver an event. */
export interface AttemptResult {
  readonly accepted: boolean;
  /** Short text without content of the answer, such as `HTTP 500`, `TIMEOUT` or `ECONNRESET`. */
  readonly outcome: string;
  /** Milliseconds for which the endpoint asked to be left alone (`Retry-After`); 0 if it did not ask. */
  readonly retryAfterMs: number;
}

export interface EventSenderOptions {
  /** Hosts that may have private addresses and use plain http. */
  readonly allowedHosts: readonly string[];
  readonly resolve?: ResolveAllAddresses;
  readonly answerTimeoutMs?: number;
}

/** Code of a network or TLS error, which is free of personal data. */
const ERROR_CODE = /^[A-Z][A-Z0-9_]{1,60}$/;

class AnswerTimeout extends Error {
  readonly code = 'TIMEOUT';
}

class SenderStopped extends Error {
  readonly code = STOPPED_OUTCOME;
}

/** Outcome of an attempt that the shutdown of this process ended. */
export const STOPPED_OUTCOME = 'STOPPED';

/** Signs events as Standard Webhooks says, and sends them. Redirects are not followed. */
export class EventSender {
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #answerTimeoutMs: number;
  readonly #agents: { readonly 'http:': http.Agent; readonly 'https:': https.Agent };
  readonly #open = new Set<http.ClientRequest>();

  constructor({ allowedHosts, resolve, answerTimeoutMs = ANSWER_TIMEOUT_MS }: EventSenderOptions) {
    this.#allowedHosts = new Set(allowedHosts);
    this.#answerTimeoutMs = answerTimeoutMs;
    const options = {
      ...{ keepAlive: true, maxSockets: MAX_SOCKETS },
      lookup: createPublicAddressLookup(this.#allowedHosts, resolve),
    };
    this.#agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  }

  /** Sends an event, signed at `now` with each secret of the endpoint. Never rejects. */
  async send(endpoint: MerchantEndpoint, event: OutgoingMerchantEvent, now: Date): Promise<AttemptResult> {
    try {
      const { status, retryAfter } = await this.#post(new URL(endpoint.url), event.body, {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'vkyc-gateway',
        'webhook-id': event.id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
        'webhook-signature': endpoint.secrets
          .map((secret) => new Webhook(secret).sign(event.id, now, event.body))
          .join(' '),
      });
      const accepted = status >= 200 && status < 300;
      return {
        accepted,
        outcome: `HTTP ${status}`,
        retryAfterMs: accepted ? 0 : parseRetryAfterMs(retryAfter, now),
      };
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      const outcome = typeof code === 'string' && ERROR_CODE.test(code) ? code : 'CONNECTION_FAILED';
      return { accepted: false, outcome, retryAfterMs: 0 };
    }
  }

  /** Ends all requests that are under way, and closes the connections. */
  stop(): void {
    for (const request of this.#open) request.destroy(new SenderStopped());
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #post(
    url: URL,
    body: string,
    headers: Record<string, string>,
  ): Promise<{ status: number; retryAfter: string | undefined }> {
    const host = getUnbracketedHost(url);
    if (isRefusedIpLiteral(host, this.#allowedHosts)) return Promise.reject(new NonPublicAddressError());
    const isPlain = url.protocol === 'http:';
    // The settings refuse such a URL; this check holds for every caller.
    if (isPlain && !this.#allowedHosts.has(host)) return Promise.reject(new NonPublicAddressError());
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } };
      const request = isPlain
        ? http.request(url, { ...options, agent: this.#agents['http:'] })
        : https.request(url, { ...options, agent: this.#agents['https:'] });
      this.#open.add(request);
      // The timer covers the connection and the whole answer: `timeout` of Node would begin again with each byte.
      const timer = setTimeout(() => request.destroy(new AnswerTimeout()), this.#answerTimeoutMs);
      request.on('error', reject);
      request.on('close', () => {
        clearTimeout(timer);
        this.#open.delete(request);
      });
      request.on('response', (response) => {
        let received = 0;
        response.on('data', (chunk: Buffer) => {
          received += chunk.length;
          if (received > MAX_ANSWER_BYTES) request.destroy();
        });
        response.on('error', () => {});
        resolve({
          status: response.statusCode as number,
          retryAfter: response.headers['retry-after'],
        });
      });
      request.end(body);
    });
  }
}
