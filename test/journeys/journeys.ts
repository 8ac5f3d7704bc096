/**
 * Runs random journeys (simulated verifications) through a real gateway: the sandbox's webhooks are lost,
 * repeated and reordered while staff act. Returns the delivered webhooks, to compare them with the log.
 */
import type { SandboxWebhookMode } from '../../src/config.ts';
import { createSeededRandom, type SeededRandom } from '../../src/sandbox/seeded-random.ts';
import type { Gateway } from '../harness/gateway.ts';
import { inMinutes, type Person, person } from '../harness/people.ts';

/** Probabilities of the faults in webhook delivery, and of an action by staff. */
const DROPPED = 0.15;
const REPEATED = 0.25;
const DELIVERED_AT_ONCE = 0.5;
const SOMEBODY_ACTS = 0.25;
const MOST_ROUNDS = 60;
const AT_A_TIME = 8;

export interface Webhook {
  readonly event_time: string;
  readonly data: { readonly status: string; readonly sub_status: string };
}

export interface Journey {
  readonly verificationId: string;
  readonly sessionId: string;
  /** Webhooks that the gateway answered with 2xx. */
  readonly delivered: Webhook[];
}

interface Options {
  readonly gateway: Gateway;
  readonly seed: string;
  readonly count: number;
  readonly webhooks: SandboxWebhookMode;
  readonly onProgress: (done: number) => void;
}

export async function travel({ gateway, seed, count, webhooks, onProgress }: Options): Promise<Journey[]> {
  const people = await Promise.all(
    (['OPERATOR', 'AGENT', 'AUDITOR'] as const).map((role) => person(gateway, `a ${role}`, role)),
  );
  const journeys: Journey[] = [];
  let next = 0;
  const traveller = async () => {
    while (next < count) {
      next += 1;
      const random = createSeededRandom(seed, webhooks, next);
      journeys.push(await goThrough(gateway, `${webhooks}.random.${next}`, people, random));
      onProgress(journeys.length);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, traveller));
  return journeys;
}

async function goThrough(
  gateway: Gateway,
  verificationId: string,
  people: readonly Person[],
  random: SeededRandom,
): Promise<Journey> {
  const { id } = await gateway.start(verificationId);
  const journey: Journey = { verificationId, sessionId: id, delivered: [] };
  const withPeople = random.chance(0.5);
  const underWay: Webhook[] = [];
  let made = 0;

  const deliver = async (webhook: Webhook) => {
    // Gives each delivery other bytes, so that the gateway cannot recognise a repeated update by the hash of
    // its body.
    const body = { ...webhook, signature: random.code(8) };
    if ((await gateway.webhook(body)) === 200) journey.delivered.push(webhook);
  };
  const deliverSome = async (part: number) => {
    for (let index = underWay.length - 1; index >= 0; index -= 1) {
      if (!random.chance(part)) continue;
      const at = random.integer(0, underWay.length - 1);
      const [webhook] = underWay.splice(at, 1);
      if (webhook) await deliver(webhook);
    }
  };

  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const moved = await advance(gateway, verificationId, random.integer(1, 3));
    const events = await eventsOf(gateway, verificationId);
    for (const webhook of events.slice(made)) {
      if (random.chance(DROPPED)) continue;
      underWay.push(webhook);
      if (random.chance(REPEATED)) underWay.push(webhook, webhook);
    }
    made = events.length;
    await deliverSome(DELIVERED_AT_ONCE);
    if (withPeople && random.chance(SOMEBODY_ACTS)) await act(people, id, random);
    if (!moved) break;
  }
  while (underWay.length > 0) await deliverSome(1);
  return journey;
}

/** Performs a random action as a random member of staff; the gateway refuses it if the session does not allow it. */
async function act(people: readonly Person[], id: string, random: SeededRandom): Promise<void> {
  const who = people[random.integer(0, people.length - 1)] as Person;
  const tries = [
    () => who.act('scheduleMeeting', id, { startsAt: inMinutes(30) }),
    () => who.act('cancelMeeting', id),
    () => who.act('recordAgentReview', id, { decision: 'APPROVED' }),
    () => who.act('recordAuditorReview', id, { decision: 'APPROVED' }),
    () => who.ask('refreshSession', id),
  ];
  await tries[random.integer(0, tries.length - 1)]?.();
}

async function advance(gateway: Gateway, verificationId: string, steps: number): Promise<boolean> {
  const response = await fetch(
    new URL(`/_sandbox/verifications/${verificationId}/advance`, gateway.sandboxUrl),
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ steps }) },
  );
  return ((await response.json()) as { steps: number }).steps > 0;
}

/**
 * Returns the webhooks that the sandbox has made for a verification, in order. The sandbox itself does not
 * send them.
 */
async function eventsOf(gateway: Gateway, verificationId: string): Promise<Webhook[]> {
  const response = await fetch(
    new URL(`/_sandbox/events?verification_id=${verificationId}`, gateway.sandboxUrl),
  );
  return ((await response.json()) as { body: Webhook }[]).map((event) => event.body);
}
