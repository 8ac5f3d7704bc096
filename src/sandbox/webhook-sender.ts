import { setTimeout as sleep } from 'node:timers/promises';
import { sign } from '../provider/signature.ts';
import type { SigningSecret } from './credentials.ts';

/** Who answers with a no, such as 401, is asked this often; who does not answer, or with a 5xx, for ever. */
const MOST_REFUSALS = 5;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;
const TIMEOUT_MS = 10_000;
/** How many webhooks are on their way at once. */
const MOST_AT_ONCE = 32;

const NOBODYS_SECRET = 'nobody-has-this-secret';

export interface Webhook {
  readonly verificationId: string;
  /** The exact text, JSON or not. */
  readonly text: string;
  /** How often it is sent, each time until it is taken. */
  readonly copies: number;
  readonly wellSigned: boolean;
  /** Called once it needs no more attempts. */
  readonly onSettled: () => void;
}

/**
 * Sends signed webhooks, and repeats each until it is answered with a 2xx: those of one verification one after
 * another, different verifications side by side. Without an address they wait for one.
 */
export class WebhookSender {
  readonly #secret: SigningSecret;
  readonly #stop = new AbortController();
  /** The last delivery of each verification. */
  readonly #lines = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #free = MOST_AT_ONCE;
  #address: string | null = null;

  constructor(secret: SigningSecret) {
    this.#secret = secret;
  }

  get address(): string | null {
    return this.#address;
  }

  /** Where webhooks go; the provider's dashboard has a field for it. */
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

  /** What has not been taken by now is not sent any more. */
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
      if (status !== null && status < 500 && attempt >= MOST_REFUSALS) return;
      const pause = Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS);
      await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** The status of the answer; null for none. */
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
          'x-webhook-signature': sign(wellSigned ? this.#secret.current : NOBODYS_SECRET, timestamp, body),
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

  /** Waits for an address, and for one of the places on the way. */
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
