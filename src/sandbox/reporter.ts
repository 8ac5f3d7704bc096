import type { SandboxWebhooks } from '../config.ts';
import { documentedEvent } from './documented-events.ts';
import type { Faults, WebhookFault } from './faults.ts';
import { chanceOf } from './random.ts';
import { UNHEARD_OF } from './step.ts';
import type { Verification } from './verification.ts';
import type { Webhook, WebhookSender } from './webhook-sender.ts';

const SECOND_MS = 1000;
/** How long a webhook waits for the next one to overtake it. */
const REORDER_SECONDS = 2;
const DELAY_SECONDS = { from: 1, to: 5 };
/** The newest are kept. */
const MOST_EVENTS = 100_000;

/** A webhook as the sandbox made it. Says nothing of its delivery, so that it depends on no network. */
export interface Event {
  readonly verification_id: string;
  readonly faults: readonly WebhookFault[];
  /** How often it is sent; 0 where it was dropped. */
  readonly copies: number;
  /** The JSON; where that was broken on purpose, the text. */
  readonly body: unknown;
}

interface Options {
  readonly webhooks: SandboxWebhooks;
  readonly seed: string;
  readonly speed: number | null;
  readonly faults: Faults;
  readonly sender: WebhookSender;
  readonly onSettled: (verificationId: string, position: number) => void;
}

/** Makes a webhook of every step that is reported, lets the faults have their way with it, and has it sent. */
export class Reporter {
  readonly #options: Options;
  #events: Event[] = [];
  /** Webhooks that the next one of their verification is to overtake. */
  readonly #overtaken = new Map<string, Webhook>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** In the order in which they came about. */
  events(verificationId?: string): readonly Event[] {
    return verificationId
      ? this.#events.filter((event) => event.verification_id === verificationId)
      : this.#events;
  }

  /** Reports the present step, where that is reported at all. */
  report(verification: Verification): void {
    const { webhooks, seed, faults, onSettled } = this.#options;
    const { id, position } = verification;
    if (webhooks === 'documented' && !documentedEvent(verification.subStatus)) return;
    const hit = faults.ofWebhook(id, position);
    const chance = chanceOf(seed, id, 'webhook', position);
    const { body, text } = written(verification, hit);
    const again = hit.includes('duplicate') ? chance.integer(1, 3) : 0;
    const copies = hit.includes('drop') ? 0 : 1 + again;
    this.#keep({ verification_id: id, faults: hit, copies, body });
    const settle = () => onSettled(id, position);
    const wellSigned = !hit.includes('bad-signature');
    const webhook = { verificationId: id, text, copies, wellSigned, onSettled: settle };
    if (copies === 0) settle();
    else if (hit.includes('delay'))
      this.#later(chance.between(DELAY_SECONDS.from, DELAY_SECONDS.to), () =>
        this.#inOrder(webhook, hit.includes('reorder')),
      );
    else this.#inOrder(webhook, hit.includes('reorder'));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #keep(event: Event): void {
    this.#events.push(event);
    // Not at every event: to shorten a long list takes its time.
    if (this.#events.length > MOST_EVENTS * 1.1) this.#events = this.#events.slice(-MOST_EVENTS);
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

  /** After so many seconds of the sandbox's own speed. */
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

/** The body, and the text that is sent of it; the same unless a fault broke it. */
function written(verification: Verification, hit: readonly WebhookFault[]): { body: unknown; text: string } {
  const body = verification.asWebhook();
  if (hit.includes('unknown-status'))
    Object.assign(body.data, { status: UNHEARD_OF.status, sub_status: UNHEARD_OF.subStatus });
  const json = JSON.stringify(body);
  if (!hit.includes('malformed-json')) return { body, text: json };
  const half = json.slice(0, json.length / 2);
  return { body: half, text: half };
}
