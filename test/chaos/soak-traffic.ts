/** Webhooks and queries at a steady rate, with their latencies. */
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { resuming } from '../../src/client/resuming.ts';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd } from '../harness/gateway.ts';
import { type News, sendUntilTaken } from '../harness/news.ts';
import { createReader } from './reader.ts';
import { webhooksOf, wordsOf } from './stack-traffic.ts';
import { Latencies, steadily } from './steady.ts';
import { oneOf } from './wishes.ts';
import type { World } from './world.ts';

export interface Rates {
  readonly webhooksPerSecond: number;
  readonly queriesPerSecond: number;
}

export interface SoakTraffic {
  readonly count: { webhooks: number; answers: number; unanswered: number };
  /** Number of webhooks and queries that were skipped, because too many were in flight. */
  readonly leftOut: number;
  readonly answering: Latencies;
  /** Latency from the first attempt of a webhook to its frame at a subscriber. */
  readonly telling: Latencies;
  /** Unexpected refusals, and answers to queries that contradict earlier answers. */
  readonly wrong: string[];
  /** Provider updates whose webhook was accepted. */
  readonly taken: News[];
  stop(): Promise<void>;
}

const WEBHOOKS_UNDER_WAY = 100;
const QUERIES_UNDER_WAY = 200;
const WATCHERS = 3;
/** Share of queries that read a page of sessions; the others read one session. */
const PAGES = 0.1;
const PAGE = '{ sessions(first: 20) { nodes { id version status subStatus } } }';
const WATCH = `subscription ($after: String) {
  frame: statusTransitions(after: $after) { cursor status subStatus occurredAt session { verificationId } }
}`;

/** Starts traffic through the proxy. `seconds` is the maximum duration, for which webhooks are prepared. */
export function makeSoakTraffic(
  world: World,
  { seed, seconds, after, ...rates }: Rates & { seed: string; seconds: number; after: string },
): SoakTraffic {
  const { sessions, proxy } = world;
  const count = { webhooks: 0, answers: 0, unanswered: 0 };
  const wrong: string[] = [];
  const taken: News[] = [];
  const answering = new Latencies();
  const telling = new Latencies();
  const sentAt = new Map<string, number>();

  const newsEach = Math.ceil((rates.webhooksPerSecond * seconds) / sessions.length);
  const news = webhooksOf(sessions, createSeededRandom('soak news', seed), newsEach);
  const webhooks = steadily(rates.webhooksPerSecond, WEBHOOKS_UNDER_WAY, async () => {
    const next = news.pop();
    if (!next) return;
    const words = wordsOf(next.news);
    const onSend = () => sentAt.has(words) || sentAt.set(words, performance.now());
    try {
      await sendUntilTaken(next.body, world.reachable, onSend);
      taken.push(next.news);
      count.webhooks += 1;
    } catch (error) {
      wrong.push(String(error));
    }
  });

  const { ask, look } = createReader(proxy.url, count, wrong);
  const random = createSeededRandom('soak queries', seed);
  const queries = steadily(rates.queriesPerSecond, QUERIES_UNDER_WAY, async () => {
    const askedAt = performance.now();
    const answered = random.chance(PAGES) ? await ask(PAGE, {}) : await look(oneOf(sessions, random).id);
    if (!answered) return;
    count.answers += 1;
    answering.note(performance.now() - askedAt);
  });

  const told = ({ session, ...transition }: any) => {
    const eventTime = transition.occurredAt;
    const at = sentAt.get(wordsOf({ ...transition, ...session, eventTime }));
    if (at !== undefined) telling.note(performance.now() - at);
  };
  for (let watchers = 0; watchers < WATCHERS; watchers += 1) watch(proxy.url, after, told, wrong);

  return {
    count,
    get leftOut() {
      return webhooks.leftOut + queries.leftOut;
    },
    answering,
    telling,
    wrong,
    taken,
    async stop() {
      await Promise.all([webhooks.stop(), queries.stop()]);
    },
  };
}

/** Subscribes to all transitions for the whole test. */
function watch(url: string, after: string, told: (transition: any) => void, wrong: string[]): void {
  const client = resuming(createClient, {
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
  });
  let leaving = false;
  const onEnd = (why: unknown) => {
    if (!leaving) wrong.push(`the watching subscription ended: ${why}`);
  };
  client.subscribe(
    { query: WATCH, variables: { after } },
    {
      next: ({ data, errors }: any) => (data ? told(data.frame) : onEnd(JSON.stringify(errors))),
      error: onEnd,
      complete: () => onEnd('completed by the gateway'),
    },
  );
  atTheEnd(async () => {
    leaving = true;
    // Not awaited, because a client that is just connecting gives up only after its timeout.
    void Promise.resolve(client.dispose()).catch(() => {});
  });
}
