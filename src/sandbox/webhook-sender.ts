import { sign } from '../provider/signature.ts';

const MOST_ATTEMPTS = 12;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

/** Sends signed webhooks, and repeats each until it is answered with a 2xx. */
export class WebhookSender {
  readonly #secret: string;
  readonly #retries = new Set<NodeJS.Timeout>();
  readonly #stop = new AbortController();
  /** One after another, so that without faults they arrive in order. */
  #line: Promise<void> = Promise.resolve();
  #url: string | null = null;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Where webhooks go; the provider's dashboard has a field for it. */
  deliverTo(url: string): void {
    this.#url = url;
  }

  send(body: unknown): void {
    const bytes = Buffer.from(JSON.stringify(body));
    this.#line = this.#line.then(() => this.#attempt(bytes, 1));
  }

  stop(): void {
    this.#stop.abort();
    for (const retry of this.#retries) clearTimeout(retry);
  }

  async #attempt(body: Buffer, attempt: number): Promise<void> {
    if (!this.#url || this.#stop.signal.aborted) return;
    const timestamp = String(Date.now());
    const response = await fetch(this.#url, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: {
        'content-type': 'application/json',
        'x-webhook-timestamp': timestamp,
        'x-webhook-signature': sign(this.#secret, timestamp, body),
        'x-webhook-attempt': String(attempt),
        'x-webhook-version': '2025-01-01',
      },
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(10_000)]),
    }).catch(() => null);
    await response?.arrayBuffer().catch(() => null);
    if (response?.ok || attempt >= MOST_ATTEMPTS || this.#stop.signal.aborted) return;
    const retry = setTimeout(
      () => {
        this.#retries.delete(retry);
        void this.#attempt(body, attempt + 1);
      },
      Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS),
    );
    this.#retries.add(retry);
  }
}
