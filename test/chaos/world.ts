/** Setting of the fault tests: gateways on one database, sessions, and a proxy in front that breaks connections. */
import pg from 'pg';
import { parseGlobalId } from '../../src/graphql/node.ts';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { accessTo, CUSTOMER, startSilentProvider } from '../harness/news.ts';
import { freePort, type Phoenix, phoenix } from '../harness/phoenix.ts';
import type { GatewayProcess } from '../harness/process.ts';
import type { ScriptedAnswer, ScriptedProvider } from '../harness/provider.ts';
import { type FaultyProxy, startProxy, type Wear } from './proxy.ts';

export interface StartedSession {
  /** Id in the database, a UUID. */
  readonly id: string;
  readonly verificationId: string;
  readonly startCursor: string;
}

export interface World {
  readonly database: pg.Pool;
  readonly gateways: readonly Phoenix[];
  readonly sessions: readonly StartedSession[];
  readonly proxy: FaultyProxy;
  /** Starts another gateway of the current release behind the proxy. At most `room` gateways may join. */
  join(): Phoenix;
  /** Resolves with the proxy's URL once a gateway is ready behind the proxy. */
  reachable(): Promise<string>;
}

interface Options {
  readonly seed: string;
  readonly gateways: number;
  readonly sessions: number;
  /** Provider of the gateways; by default a provider that starts sessions, but reports no status later. */
  readonly provider?: ScriptedProvider;
  readonly environment?: Record<string, string>;
  readonly wear?: Wear;
  /** Number of gateways that may join later. */
  readonly room?: number;
  /** Existing database to use instead of a new one. */
  readonly database?: string;
  /** Main script that the initial gateways run; by default the script of the current release. */
  readonly script?: string;
  /** Response of the provider to a poll; by default the provider breaks the connection. */
  readonly whenAsked?: ScriptedAnswer;
}

const CONNECTIONS = 16;
const STARTING_AT_ONCE = 8;
/**
 * Timeout of `allRecorded`, long because webhooks wait for locked sessions, and a slow gateway assigns feed positions
 * late.
 */
const QUIET_WITHIN_MS = 150_000;

const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) { ... on StartSessionSuccess { session { id startCursor } } }
}`;

/** Boots the gateways, the sessions and the proxy; they are stopped when the test ends. */
export async function startWorld({
  seed,
  gateways,
  sessions,
  environment,
  wear,
  room = 0,
  database: existing,
  script,
  whenAsked,
  provider,
}: Options): Promise<World> {
  const url = existing ?? (await freshDatabase());
  const database = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  database.on('error', () => {});
  atTheEnd(() => database.end());
  const access = accessTo(provider ?? (await startSilentProvider(whenAsked)));
  const random = createSeededRandom('world', seed);
  const ports: number[] = [];
  while (ports.length < gateways + room) ports.push(await freePort(random));
  const settingsAt = (port: number | undefined) => ({
    DATABASE_URL: url,
    DATA_KEYS,
    ...access,
    CONNECTIONS_PER_CLIENT: '10000',
    RATE_LIMIT_COST_PER_MINUTE: '0',
    ...environment,
    PORT: String(port),
  });
  const lives = ports.slice(0, gateways).map((port) => phoenix(settingsAt(port), script));
  const [first] = await Promise.all(lives.map((life) => life.present()));
  const proxy = await startProxy(ports, random, wear);
  return {
    database,
    gateways: lives,
    sessions: await startSessions(first as GatewayProcess, sessions),
    proxy,
    join() {
      const life = phoenix(settingsAt(ports[lives.length]));
      lives.push(life);
      return life;
    },
    async reachable() {
      await Promise.race(lives.map((life) => life.present()));
      return proxy.url;
    },
  };
}

async function startSessions(gateway: GatewayProcess, count: number): Promise<StartedSession[]> {
  const waiting = Array.from({ length: count }, (_, index) => `chaos.${index}`);
  const started: StartedSession[] = [];
  const line = async () => {
    for (let verificationId = waiting.pop(); verificationId; verificationId = waiting.pop()) {
      const input = { verificationId, user: { userId: CUSTOMER.user_id, phone: CUSTOMER.phone } };
      const { session } = (await gateway.graphql(START, { input })).startSession;
      started.push({ ...session, verificationId, id: parseGlobalId(session.id)?.key as string });
    }
  };
  // Waits for the first start, which creates the user that all sessions share.
  const rest = waiting.splice(1);
  await line();
  waiting.push(...rest);
  await Promise.all(Array.from({ length: STARTING_AT_ONCE }, line));
  return started;
}

/** Fetches the newest cursor of the feed; retries until a gateway answers. */
export async function fetchFeedCursor(world: World): Promise<string> {
  for (;;) {
    const url = await world.reachable();
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ feedCursor }' }),
    }).catch(() => null);
    const answer = (await response?.json().catch(() => null)) as { data?: { feedCursor: string } } | null;
    if (answer?.data) return answer.data.feedCursor;
  }
}

/** Waits until no webhook is PENDING, and every transition has a feed position. */
export async function allRecorded(database: pg.Pool): Promise<void> {
  const deadline = performance.now() + QUIET_WITHIN_MS;
  for (const queue of [`webhook_inbox where state = 'PENDING'`, 'transition_outbox'])
    await eventually(async () => {
      if (performance.now() > deadline) throw new Error(`${queue} is not empty`);
      return (await database.query(`select from ${queue} limit 1`)).rowCount === 0;
    });
}
