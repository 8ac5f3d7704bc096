/**
 * Constant traffic of clients and the provider at the load balancer, with a record of the answers that clients and
 * provider got.
 */
import type pg from 'pg';
import { createSeededRandom, type SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { burstOf, CUSTOMER, type News, newsOf, sendUntilTaken } from '../harness/news.ts';
import { createReader } from './reader.ts';
import type { Stack } from './stack.ts';
import { pause } from './trouble.ts';
import { oneOf } from './wishes.ts';

export interface Traffic {
  readonly count: { webhooks: number; answers: number; unanswered: number; starts: number };
  /** Unexpected refusals, and answers to queries that contradict earlier answers. */
  readonly wrong: string[];
  /** Provider updates whose webhook was accepted. */
  readonly taken: News[];
  /** Verification ids of starts that were reported successful. */
  readonly started: string[];
  /** Stops the traffic, and waits for requests in flight. */
  stop(): Promise<void>;
}

const WEBHOOKS_IN_FLIGHT = 4;
const READERS = 4;
const STARTERS = 2;
const PAUSE_MS = { webhook: 600, read: 120, start: 400, retry: 100 } as const;
const NEWS_EACH = 300;
const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) {
    ... on StartSessionSuccess { session { verificationId } }
    ... on MutationError { code retryable }
  }
}`;

/** Starts the traffic, through the load balancer, until `stop`. */
export function makeTraffic({ url, sessions }: Stack, seed: string): Traffic {
  const count = { webhooks: 0, answers: 0, unanswered: 0, starts: 0 };
  const wrong: string[] = [];
  const taken: News[] = [];
  const started: string[] = [];
  let goesOn = true;
  const random = (actor: string) => createSeededRandom('traffic', seed, actor);

  const { ask, look } = createReader(url, count, wrong);

  const webhooks = webhooksOf(sessions, random('news'));
  const sendWebhooks = async (own: SeededRandom) => {
    for (let next = webhooks.pop(); next && goesOn; next = webhooks.pop()) {
      await sendUntilTaken(next.body, async () => {
        await pause(own.between(0, PAUSE_MS.webhook));
        return url;
      });
      taken.push(next.news);
      count.webhooks += 1;
    }
  };

  const read = async (own: SeededRandom) => {
    while (goesOn) {
      if (await look(oneOf(sessions, own).id)) count.answers += 1;
      await pause(own.between(0, PAUSE_MS.read));
    }
  };

  let starts = 0;
  const start = async (own: SeededRandom) => {
    while (goesOn) {
      starts += 1;
      const verificationId = `traffic.${starts}`;
      const input = { verificationId, user: { userId: CUSTOMER.user_id, phone: CUSTOMER.phone } };
      for (let done = false; !done; ) {
        const outcome = (await ask(START, { input }))?.startSession;
        done = outcome?.session?.verificationId === verificationId;
        if (outcome?.retryable === false) wrong.push(`${verificationId} was refused with ${outcome.code}`);
        if (!done) await pause(PAUSE_MS.retry);
      }
      started.push(verificationId);
      count.starts += 1;
      await pause(own.between(0, PAUSE_MS.start));
    }
  };

  const all = (actors: number, name: string, act: (own: SeededRandom) => Promise<void>) =>
    Array.from({ length: actors }, (_, index) => act(random(`${name} ${index}`)));
  const working = Promise.all([
    ...all(WEBHOOKS_IN_FLIGHT, 'webhooks', sendWebhooks),
    ...all(READERS, 'reader', read),
    ...all(STARTERS, 'starter', start),
  ]);
  return {
    count,
    wrong,
    taken,
    started,
    async stop() {
      goesOn = false;
      await working;
    },
  };
}

/** Returns more webhooks than the test will send, in random order, some of them twice. */
export function webhooksOf(
  sessions: Stack['sessions'],
  random: SeededRandom,
  newsEach = NEWS_EACH,
): { news: News; body: string }[] {
  const news = sessions.flatMap(({ verificationId }) => newsOf(verificationId, random, newsEach));
  const known = new Map(news.map((each) => [wordsOf(each), each]));
  return burstOf(news, random).map((body) => {
    const { data, event_time: eventTime } = JSON.parse(body);
    const words = wordsOf({
      verificationId: data.verification_id,
      status: data.status,
      subStatus: data.sub_status,
      eventTime,
    });
    return { news: known.get(words) as News, body };
  });
}

/** Returns the key that identifies a provider update. */
export const wordsOf = ({ verificationId, status, subStatus, eventTime }: News): string =>
  [verificationId, status, subStatus, eventTime].join(' ');

/** Returns acknowledged work that the database lacks (`lost`), and work that it has several times (`repeated`). */
export async function differences(
  database: pg.Pool,
  { taken, started }: Pick<Traffic, 'taken' | 'started'>,
): Promise<{ lost: string[]; repeated: string[] }> {
  const { rows } = await database.query(
    `select verification_id, t.status, t.sub_status, occurred_at from status_transition t
     join vkyc_session s on s.id = session_id where source = 'WEBHOOK'`,
  );
  const { rows: sessions } = await database.query(
    `select verification_id from vkyc_session where verification_id like 'traffic.%'`,
  );
  const kept = [
    ...rows.map((row) =>
      wordsOf({
        verificationId: row.verification_id,
        status: row.status,
        subStatus: row.sub_status,
        eventTime: row.occurred_at.toISOString(),
      }),
    ),
    ...sessions.map((row) => row.verification_id as string),
  ];
  const promised = new Set([...taken.map(wordsOf), ...started]);
  const has = new Set(kept);
  const once = new Set(kept);
  return {
    lost: [...promised].filter((words) => !has.has(words)),
    repeated: kept.filter((words) => !once.delete(words)),
  };
}
