/** Generates traffic at the gateways while their database fails over, and records the acknowledged work. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { getStatusInfo, type KnownSubStatus, toStatusPair } from '../../src/domain/status.ts';
import { parseGlobalId, toGlobalId } from '../../src/graphql/node.ts';
import { TRANSITION_WEIGHTS } from '../../src/sandbox/random-journey.ts';
import { createSeededRandom, type SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { pause } from '../chaos/trouble.ts';
import type { StartedSession } from '../chaos/world.ts';
import { CUSTOMER, sendUntilTaken } from '../harness/news.ts';
import { inMinutes } from '../harness/people.ts';
import type { RememberingProvider } from './provider.ts';

/** Work that a gateway acknowledged to a client or the provider. */
export interface Acknowledged {
  /** Webhooks answered with 2xx. */
  readonly webhooks: { readonly verificationId: string; readonly eventTime: string }[];
  /** Database ids of meetings. */
  readonly meetings: string[];
  /** Verification ids of started sessions. */
  readonly starts: string[];
}

export interface Traffic {
  readonly acknowledged: Acknowledged;
  /** Number of errors in answers to mutations, by error code. The traffic retried each of these mutations. */
  readonly errors: ReadonlyMap<string, number>;
  /** Answers that are wrong even if the database has lost data. */
  readonly wrong: string[];
  /** Stops the traffic, and waits for requests in flight. */
  stop(): Promise<void>;
  /** Sends a last webhook for every session, and waits until each is accepted. */
  lastWords(): Promise<void>;
  /** Repeats an acknowledged start; returns the error code, or null if the start succeeds. */
  repeatStart(verificationId: string): Promise<string | null>;
}

interface Options {
  /** URL of the proxy to the gateways. */
  readonly url: string;
  readonly sessions: readonly StartedSession[];
  readonly provider: RememberingProvider;
  readonly seed: string;
  readonly webhooksPerSecond: number;
}

const JOURNEYS = 6;
const STAFF = 3;
const STAFF_PAUSE_MS = 1_200;
const START_PAUSE_MS = 1_500;
const RETRY_MS = 100;
const REPEATED_WEBHOOKS = 0.1;

const BOOK = `mutation ($input: ScheduleMeetingInput!) { result: scheduleMeeting(input: $input) {
  __typename ... on ScheduleMeetingSuccess { meeting { id } } ... on MutationError { code retryable } } }`;
const START = `mutation ($input: StartSessionInput!) { result: startSession(input: $input) {
  __typename ... on StartSessionSuccess { session { verificationId } } ... on MutationError { code retryable } } }`;

/** Starts the traffic, which goes on until `stop` is called. */
export function startTraffic({ url, sessions, provider, seed, webhooksPerSecond }: Options): Traffic {
  const acknowledged: Acknowledged = { webhooks: [], meetings: [], starts: [] };
  const errors = new Map<string, number>();
  const wrong: string[] = [];
  let goesOn = true;
  const random = (actor: string) => createSeededRandom('failover traffic', seed, actor);
  const addError = (code: string) => errors.set(code, (errors.get(code) ?? 0) + 1);

  /** Retries a mutation with the same input until its result is final. */
  const insist = async (query: string, input: object): Promise<any> => {
    for (;;) {
      const { data, errors: faults } = await post(url, query, { input });
      for (const { extensions } of faults) addError(extensions.code);
      const result = data?.result;
      if (result && !result.retryable) return result;
      if (result) addError(result.code);
      await pause(RETRY_MS);
    }
  };

  const send = async (body: string, times: number) => {
    const { data, event_time: eventTime } = JSON.parse(body);
    for (let time = 0; time < times; time += 1)
      await sendUntilTaken(body, async () => {
        await pause(RETRY_MS / 2);
        return url;
      });
    acknowledged.webhooks.push({ verificationId: data.verification_id, eventTime });
  };

  /** Sessions with a webhook in flight: like the real provider, the traffic sends one webhook per session at a time. */
  const busy = new Set<string>();
  const walk = async (own: SeededRandom) => {
    while (goesOn) {
      await pause(own.between(0, (JOURNEYS * 2_000) / webhooksPerSecond));
      const { verificationId } = unevenly(sessions, own);
      if (busy.has(verificationId)) continue;
      busy.add(verificationId);
      const to = stepAfter(provider.subStatusOf(verificationId), own);
      await send(provider.report(verificationId, to), own.chance(REPEATED_WEBHOOKS) ? 2 : 1);
      busy.delete(verificationId);
    }
  };

  const book = async (own: SeededRandom) => {
    while (goesOn) {
      await pause(own.between(0, STAFF_PAUSE_MS * 2));
      const sessionId = toGlobalId('VkycSession', unevenly(sessions, own).id);
      const startsAt = inMinutes(own.integer(30, 600));
      // While an ended call waits for its review, a meeting needs a reason.
      const reason = 'Another call is needed.';
      const result = await insist(BOOK, { sessionId, idempotencyKey: randomUUID(), startsAt, reason });
      if (result.__typename === 'ScheduleMeetingSuccess')
        acknowledged.meetings.push(parseGlobalId(result.meeting.id)?.key as string);
      else if (result.code !== 'ACTION_NOT_ALLOWED') wrong.push(`a meeting was refused: ${result.code}`);
    }
  };

  const startInput = (verificationId: string) => ({ verificationId, user: { phone: CUSTOMER.phone } });
  const start = async (own: SeededRandom) => {
    for (let number = 1; goesOn; number += 1) {
      await pause(own.between(0, START_PAUSE_MS * 2));
      const verificationId = `later.${number}`;
      const result = await insist(START, startInput(verificationId));
      if (result.__typename !== 'StartSessionSuccess') {
        wrong.push(`the start of ${verificationId} was refused: ${result.code}`);
        continue;
      }
      acknowledged.starts.push(verificationId);
      await send(provider.report(verificationId, 'AADHAAR_VERIFICATION_SUCCESS'), 1);
    }
  };

  const actors = (count: number, name: string, act: (own: SeededRandom) => Promise<void>) =>
    Array.from({ length: count }, (_, index) => act(random(`${name} ${index}`)));
  const over = Promise.all([
    ...actors(JOURNEYS, 'journey', walk),
    ...actors(STAFF, 'staff', book),
    ...actors(1, 'starter', start),
  ]);
  return {
    acknowledged,
    errors,
    wrong,
    async stop() {
      goesOn = false;
      await over;
    },
    async lastWords() {
      const own = random('last words');
      const next = (verificationId: string) => stepAfter(provider.subStatusOf(verificationId), own);
      await Promise.all(
        sessions.map(({ verificationId }) => send(provider.report(verificationId, next(verificationId)), 1)),
      );
    },
    async repeatStart(verificationId) {
      const result = await insist(START, startInput(verificationId));
      return result.__typename === 'StartSessionSuccess' ? null : result.code;
    },
  };
}

interface Answer {
  readonly data: any;
  readonly errors: readonly { extensions: { code: string } }[];
}

/** Sends an operation. If there is no answer, resolves with an object that has neither data nor errors. */
async function post(url: string, query: string, variables: object): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  }).catch(() => null);
  const answer: any = await response?.json().catch(() => null);
  return { data: answer?.data ?? null, errors: answer?.errors ?? [] };
}

/**
 * Picks an item, and items at the start of the list more often: there are busy sessions, which lose transitions at a
 * failover, and quiet sessions, which do not.
 */
const unevenly = <T>(items: readonly T[], random: SeededRandom): T =>
  items[Math.floor(random.between(0, 1) ** 3 * items.length)] as T;

/** Sub-statuses after which a session can only end. The traffic avoids these, since ended sessions never change. */
const LAST_STEPS: readonly string[] = ['AGENT_APPROVED', 'AGENT_REJECTED', 'AGENT_UNABLE_TO_VALIDATE'];
const canGoOn = (step: string): boolean =>
  !LAST_STEPS.includes(step) && !getStatusInfo(toStatusPair(step as KnownSubStatus)).terminal;

/** Returns a random next sub-status, which never leads to the end of the session. */
function stepAfter(step: KnownSubStatus, random: SeededRandom): KnownSubStatus {
  const follows = TRANSITION_WEIGHTS[step as keyof typeof TRANSITION_WEIGHTS] ?? {};
  const ways = Object.entries(follows as Record<string, number>).filter(([name]) => canGoOn(name));
  return ways.length > 0
    ? random.pick(Object.fromEntries(ways) as Record<KnownSubStatus, number>)
    : 'USER_QUEUED';
}

/** Acknowledged work that the database lacks. */
export interface Missing {
  readonly webhooks: readonly string[];
  readonly meetings: readonly string[];
  readonly starts: readonly string[];
}

/** Compares all acknowledged work with the database. */
export async function findMissing(
  database: pg.Pool,
  { webhooks, meetings, starts }: Acknowledged,
): Promise<Missing> {
  const named = async (statement: string) =>
    new Set((await database.query(statement)).rows.map(({ name }) => name as string));
  const stored = await named(
    `select concat_ws(' ', verification_id, extract(epoch from event_time)::bigint * 1000) as name
     from provider_sighting p join vkyc_session s on s.id = p.session_id where event_time is not null`,
  );
  const booked = await named('select id::text as name from meeting');
  const begun = await named('select verification_id as name from vkyc_session');
  return {
    webhooks: webhooks
      .map(({ verificationId, eventTime }) => `${verificationId} ${Date.parse(eventTime)}`)
      .filter((name) => !stored.has(name)),
    meetings: meetings.filter((name) => !booked.has(name)),
    starts: starts.filter((name) => !begun.has(name)),
  };
}

/** Returns sessions whose status in the database differs from the provider's. */
export async function findForgotten(database: pg.Pool, provider: RememberingProvider): Promise<string[]> {
  const { rows } = await database.query(
    `select verification_id as id, provider_sub_status as known from vkyc_session`,
  );
  return rows.filter(({ id, known }) => provider.subStatusOf(id) !== known).map(({ id }) => id);
}
