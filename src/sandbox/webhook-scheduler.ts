import type { SandboxWebhookMode } from '../config.ts';
import { findDocumentedEventType } from './documented-events.ts';
import type { FaultSelector, WebhookFault } from './faults.ts';
import { createSeededRandom } from './seeded-random.ts';
import { UNDOCUMENTED_STATUS } from './step.ts';
import type { Verification } from './verification.ts';
import type { Webhook, WebhookSender } from './webhook-sender.ts';

const SECOND_MS = 1000;
/**
 * Time for which a reordered webhook waits for the next webhook of its verification, which then overtakes it.
 */
const REORDER_SECONDS = 2;
const DELAY_SECONDS = { from: 1, to: 5 };
/** Number of newest webhooks that are kept for `GET /_sandbox/events`. */
const MAX_EVENTS = 100_000;

/**
 * Webhook at the time of its creation. The event contains nothing about the delivery of the webhook, so that
 * the same seed always gives the same events.
 */
export interface WebhookRecord {
  readonly verification_id: string;
  readonly faults: readonly WebhookFault[];
  /** Number of times that the webhook is sent; 0 if a fault drops it. */
  readonly copies: number;
  /** Parsed JSON body. If a fault made the body invalid JSON, its text. */
  readonly body: unknown;
}

interface Options {
  readonly webhooks: SandboxWebhookMode;
  readonly seed: string;
  readonly speed: number | null;
  readonly faults: FaultSelector;
  readonly sender: WebhookSender;
  readonly onSettled: (verificationId: string, position: number) => void;
}

/** Creates a webhook for each reported step, injects faults, and schedules the delivery of the webhook. */
export class WebhookScheduler {
  readonly #options: Options;
  #events: WebhookRecord[] = [];
  /**
   * Webhooks that wait until the next webhook of the same verification has overtaken them, by verification
   * id.
   */
  readonly #overtaken = new Map<string, Webhook>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Returns the webhooks of one verification, or of all verifications, in the order of creation. */
  events(verificationId?: string): readonly WebhookRecord[] {
    return verificationId
      ? this.#events.filter((event) => event.verification_id === verificationId)
      : this.#events;
  }

  /** Creates the webhook of the current step, if the step is reported by webhooks. */
  report(verification: Verification): void {
    const { webhooks, seed, faults, onSettled } = this.#options;
    const { id, position } = verification;
    if (verification.isWebhookLost) return;
    if (webhooks === 'documented' && !findDocumentedEventType(verification.subStatus)) return;
    const hit = faults.ofWebhook(id, position);
    const random = createSeededRandom(seed, id, 'webhook', position);
    const { body, text } = written(verification, hit);
    const again = hit.includes('duplicate') ? random.integer(1, 3) : 0;
    const copies = hit.includes('drop') ? 0 : 1 + again;
    this.#keep({ verification_id: id, faults: hit, copies, body });
    const settle = () => onSettled(id, position);
    const wellSigned = !hit.includes('bad-signature');
    const webhook = { verificationId: id, text, copies, wellSigned, onSettled: settle };
    if (copies === 0) settle();
    else if (hit.includes('delay'))
      this.#later(random.between(DELAY_SECONDS.from, DELAY_SECONDS.to), () =>
        this.#inOrder(webhook, hit.includes('reorder')),
      );
    else this.#inOrder(webhook, hit.includes('reorder'));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #keep(event: WebhookRecord): void {
    this.#events.push(event);
    // Truncates the list only from time to time, because each truncation copies it.
    if (this.#events.length > MAX_EVENTS * 1.1) this.#events = this.#events.slice(-MAX_EVENTS);
  }

  #inOrder(webhook: Webhook, isToBeOvertaken: boolean): void {
    const { sender } = this.#options;
    const { verificationId } = webhook;
    const overtaken = this.#overtaken.get(verificationId);
    if (overtaken) {
      this.#overtaken.delete(verificationId);
      sender.send(webhook);
      sender.send(overtaken);
    } else if (isToBeOvertaken) {
      this.#overtaken.set(verificationId, webhook);
      this.#later(REORDER_SECONDS, () => this.#sendIfStillWaiting(webhook));
    } else sender.send(webhook);
  }

  #sendIfStillWaiting(webhook: Webhook): void {
    if (this.#overtaken.get(webhook.verificationId) !== webhook) return;
    this.#overtaken.delete(webhook.verificationId);
    this.#options.sender.send(webhook);
  }

  /** Runs `work` after some seconds, which are shortened by the sandbox's speed. */
  #later(seconds: number, work: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        work();
      },
      (seconds * SECOND_MS) / (this.#options.speed ?? 1),
    );
    this.#timers.add(timer);
  }
}

/**
 * Returns the body of a webhook and the text to send. The text is the body's JSON, unless a fault made it
 * invalid.
 */
function written(verification: Verification, hit: readonly WebhookFault[]): { body: unknown; text: string } {
  const body = verification.asWebhook();
  if (hit.includes('unknown-status'))
    Object.assign(body.data, {
      status: UNDOCUMENTED_STATUS.status,
      sub_status: UNDOCUMENTED_STATUS.subStatus,
    });
  const json = JSON.stringify(body);
  if (!hit.includes('malformed-json')) return { body, text: json };
  const half = json.slice(0, json.length / 2);
  return { body: half, text: half };
}
