/** Generates provider updates (plausible webhooks of many sessions) and sends them. */
import { toStatusPair } from '../../src/domain/status.ts';
import { signWebhook } from '../../src/provider/signature.ts';
import { TRANSITION_WEIGHTS } from '../../src/sandbox/random-journey.ts';
import type { SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { type ScriptedAnswer, type ScriptedProvider, startScriptedProvider } from './provider.ts';

export const CUSTOMER = { user_id: 'customer', phone: '9988776655' };
const EPOCH = Date.parse('2026-03-02T12:00:00Z');

export interface News {
  readonly verificationId: string;
  readonly status: string;
  readonly subStatus: string;
  readonly eventTime: string;
}

/**
 * Starts a provider that starts sessions but reports no status later, so that all updates come by webhook. `whenAsked`
 * is the response to a poll; null closes the connection without a response.
 */
export const startSilentProvider = (whenAsked: ScriptedAnswer | null = null): Promise<ScriptedProvider> =>
  startScriptedProvider(({ method, path, body }) => {
    if (method === 'GET' && path.startsWith('/user')) return { body: JSON.stringify(CUSTOMER) };
    if (method === 'GET') return whenAsked;
    const started = { ...JSON.parse(body), status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
    return { body: JSON.stringify(started) };
  });

/**
 * Starts a provider that accepts every start. When it is polled, it reports the first status of sessions whose
 * verification id matches `remembers`, and 404 for all others. It sends no webhooks; the test sends them.
 */
export const startForgetfulProvider = (remembers: RegExp): Promise<ScriptedProvider> => {
  const started = new Map<string, string>();
  return startScriptedProvider(({ method, path, body }) => {
    if (method === 'GET' && path.startsWith('/user')) return { body: JSON.stringify(CUSTOMER) };
    if (method === 'GET') {
      const known = started.get(new URLSearchParams(path.split('?')[1]).get('verification_id') ?? '');
      return known
        ? { body: known }
        : { status: 404, body: '{"code":"verification_not_found","message":"not found"}' };
    }
    const answer = { ...JSON.parse(body), status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
    if (remembers.test(answer.verification_id)) started.set(answer.verification_id, JSON.stringify(answer));
    return { body: JSON.stringify(answer) };
  });
};

/** Returns the environment that makes a gateway use this provider. */
export const accessTo = (provider: ScriptedProvider): Record<string, string> => ({
  CASHFREE_BASE_URL: provider.baseUrl,
  CASHFREE_CLIENT_ID: 'sandbox',
  CASHFREE_CLIENT_SECRET: 'sandbox',
  PROVIDER_CALLS_PER_MINUTE: '6000',
});

/** Generates plausible updates of a session, with event times that advance, stand still or go back. */
export function newsOf(verificationId: string, random: SeededRandom, count: number): News[] {
  const news = new Map<string, News>();
  let at: string = 'LINK_GENERATED';
  let second = 0;
  while (news.size < count) {
    // Starts another journey after the end of a journey. A real provider would not, but the log must stay correct even
    // so.
    const follows =
      TRANSITION_WEIGHTS[at as keyof typeof TRANSITION_WEIGHTS] ?? TRANSITION_WEIGHTS.LINK_GENERATED;
    at = random.pick(follows as Record<string, number>);
    second += random.integer(-2, 3);
    const { status, subStatus } = toStatusPair(at as Parameters<typeof toStatusPair>[0]);
    const eventTime = new Date(EPOCH + second * 1000).toISOString();
    news.set(`${status} ${subStatus} ${eventTime}`, { verificationId, status, subStatus, eventTime });
  }
  return [...news.values()];
}

const bodyOf = ({ verificationId, status, subStatus, eventTime }: News, label: string): string =>
  JSON.stringify({
    event_type: label,
    event_time: eventTime,
    version: 'v1',
    data: { verification_id: verificationId, user_id: CUSTOMER.user_id, status, sub_status: subStatus },
  });

/**
 * Returns webhook bodies in random order: every update once, and some updates again with the same bytes or with other
 * bytes.
 */
export function burstOf(news: readonly News[], random: SeededRandom): string[] {
  const bodies = news.flatMap((each) => [
    bodyOf(each, 'VKYC_STATUS'),
    ...(random.chance(0.25) ? [bodyOf(each, 'VKYC_STATUS')] : []),
    ...(random.chance(0.1) ? [bodyOf(each, 'VKYC_STATUS_AGAIN')] : []),
  ]);
  for (let last = bodies.length - 1; last > 0; last -= 1) {
    const other = random.integer(0, last);
    [bodies[last], bodies[other]] = [bodies[other] as string, bodies[last] as string];
  }
  return bodies;
}

/** Sends a webhook until it is accepted, as the provider does. `urlOf` is called before every attempt. */
export async function sendUntilTaken(
  body: string,
  urlOf: () => Promise<string>,
  onSend: () => void = () => {},
): Promise<void> {
  for (;;) {
    const url = await urlOf();
    const timestamp = String(Date.now());
    onSend();
    const response = await fetch(`${url}/webhooks/cashfree`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-webhook-timestamp': timestamp,
        'x-webhook-signature': signWebhook('sandbox', timestamp, Buffer.from(body)),
      },
      body,
    }).catch(() => null);
    await response?.arrayBuffer().catch(() => {});
    if (response?.ok) return;
    if (response && response.status < 500) throw new Error(`A webhook was answered ${response.status}`);
  }
}
