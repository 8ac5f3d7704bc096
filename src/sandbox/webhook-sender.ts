import { setTimeout as sleep } from 'node:timers/promises';
import { signWebhook } from '../provider/signature.ts';
import type { WebhookSigningSecret } from './credentials.ts';

/**
 * Number of attempts after which a webhook that the receiver refuses, for example with 401, is given up.
 * Timeouts and 5xx are retried for ever.
 */
const MAX_REFUSALS = 5;
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 10_000;
const TIMEOUT_MS = 10_000;
const MAX_CONCURRENT_REQUESTS = 32;

const NOBODYS_SECRET = 'nobody-has-this-secret';

export interface Webhook {
  readonly verificationId: string;
  /** Exact text to send, which may be invalid JSON. */
  readonly text: string;
  /** Number of times that the webhook is sent. Each copy is retried until it is accepted. */
  readonly copies: number;
  readonly wellSigned: boolean;
  /** Called when the webhook needs no more attempts. */
  readonly onSettled: () => void;
}

/**
 * Sends signed webhooks, and retries each until the receiver answers 2xx or has refused it too often.
 * Webhooks of one verification are sent one after another, those of different verifications concurrently.
 * Webhooks wait until a URL is set.
 */
export class WebhookSender {
  readonly #secret: WebhookSigningSecret;
  readonly #stop = new AbortController();
  /** Queue of each verification, as the promise of its last delivery. */
  readonly #lines = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #free = MAX_CONCURRENT_REQUESTS;
  #address: string | null = null;

  constructor(secret: WebhookSigningSecret) {
    this.#secret = secret;
  }

  get address(): string | null {
    return this.#address;
  }

  /** Sets the URL of the receiver. At the real provider, this is a field of the dashboard. */
  deliverTo(url: string): void {
    this.#address = url;
    this.#admit();
  }

  send(webhook: Webhook): void {
    const { verificationId } = webhook;
    const before = this.#lines.get(verificationId) ?? Promise.resolve();
    const line = before
      .then(() => this.#deliver(webhook))
      .then(() => {
        if (this.#lines.get(verificationId) === line) this.#lines.delete(verificationId);
      });
    this.#lines.set(verificationId, line);
  }

  /** Stops sending. Webhooks that were not accepted yet are dropped. */
  stop(): void {
    this.#stop.abort();
    for (const go of this.#waiting.splice(0)) go();
  }

  async #deliver(webhook: Webhook): Promise<void> {
    for (let copy = 0; copy < webhook.copies; copy += 1) await this.#untilTaken(webhook);
    if (!this.#stopped) webhook.onSettled();
  }

  async #untilTaken(webhook: Webhook): Promise<void> {
    for (let attempt = 1; !this.#stopped; attempt += 1) {
      const status = await this.#attempt(webhook, attempt);
      if (status !== null && status < 300) return;
      if (status !== null && status < 500 && attempt >= MAX_REFUSALS) return;
      const pause = Math.min(MIN_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS);
      await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** Makes one attempt. Returns the HTTP status, or null if there was no response. */
  async #attempt({ text, wellSigned }: Webhook, attempt: number): Promise<number | null> {
    await this.#turn();
    try {
      if (this.#stopped || !this.#address) return null;
      const body = Buffer.from(text);
      const timestamp = String(Date.now());
      const response = await fetch(this.#address, {
        method: 'POST',
        body: text,
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          'x-webhook-timestamp': timestamp,
          'x-webhook-signature': signWebhook(
            wellSigned ? this.#secret.current : NOBODYS_SECRET,
            timestamp,
            body,
          ),
          'x-webhook-attempt': String(attempt),
          'x-webhook-version': '2025-01-01',
        },
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return null;
    } finally {
      this.#free += 1;
      this.#admit();
    }
  }

  /** Waits for a URL, and for a free slot among the concurrent requests. */
  #turn(): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push(() => {
        this.#free -= 1;
        go();
      });
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#waiting.length > 0 && ((this.#address && this.#free > 0) || this.#stopped))
      this.#waiting.shift()?.();
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }
}
