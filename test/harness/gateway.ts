/** Test helper: boots a real gateway (server, PostgreSQL and sockets) by one call. */
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { createClient as createStreamClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, expect, inject, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startApp } from '../../src/app.ts';
import type { TestOverrides } from '../../src/composition/core.ts';
import { readConfig } from '../../src/config.ts';
import type { Clock } from '../../src/domain/ports.ts';
import { signWebhook } from '../../src/provider/signature.ts';
import { runBothWays } from './both-ways.ts';
import { databaseUrl, TEMPLATE } from './postgres.ts';

export const DATA_KEYS = `test:${Buffer.alloc(32, 7).toString('base64')}`;
export const AUDIT_KEYS = `test:${Buffer.alloc(32, 8).toString('base64')}`;

/** Settings that production requires, with random keys and sign-in secret. */
export const PRODUCTION = {
  NODE_ENV: 'production',
  SANDBOX: '1',
  DRAIN_SECONDS: '0',
  AUTH_SECRET: randomBytes(32).toString('hex'),
  AUTH_ISSUER: 'https://issuer.example.com',
  AUTH_AUDIENCE: 'vkyc-gateway',
  DATA_KEYS: `test:${randomBytes(32).toString('base64')}`,
  AUDIT_KEYS: `test:${randomBytes(32).toString('base64')}`,
};

export interface Answer<Data = Record<string, any>> {
  status: number;
  data: Data;
  errors?: { message: string; path?: string[]; extensions: Record<string, unknown> }[];
}

/** Frames of a subscription, taken one by one. */
export interface Stream<T> {
  next(): Promise<T>;
  take(count: number): Promise<T[]>;
  stop(): Promise<void>;
}

export interface Gateway {
  readonly url: string;
  readonly metricsUrl: string;
  readonly sandboxUrl: string;
  readonly databaseUrl: string;
  /** Direct connection to the database, without the gateway. */
  readonly database: pg.Pool;
  /** All log lines so far. */
  readonly logs: string[];
  /** Headers of every response to `graphql` so far, as JSON. */
  readonly headers: string[];
  graphql<Data = Record<string, any>>(
    query: string,
    variables?: object,
    headers?: Record<string, string>,
  ): Promise<Answer<Data>>;
  /** Subscribes over a new WebSocket; errors in a frame reject `next`. */
  subscribe<T = any>(
    query: string,
    variables?: Record<string, unknown>,
    connectionParams?: Record<string, unknown>,
  ): Stream<T>;
  /** Subscribes over server-sent events. */
  stream<T = any>(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Stream<T>;
  /** Starts a session, by default for the customer Asha Rao. Fails the test if the gateway refuses the start. */
  start(
    verificationId: string,
    input?: object,
  ): Promise<{ id: string; startCursor: string; [field: string]: any }>;
  /** Calls the sandbox's API directly, as another system of the same merchant would. */
  callProvider(method: 'GET' | 'POST', path: string, body?: object): Promise<any>;
  /** Advances the sandbox's journey by this many steps. */
  advance(verificationId: string, steps?: number): Promise<void>;
  /** Sends a webhook, correctly signed unless `headers` replace the signature. Returns the HTTP status. */
  webhook(body: unknown, headers?: Record<string, string | undefined>): Promise<number>;
  token(claims: { sub: string; roles: string[]; verification_ids?: string[] }): Promise<string>;
  stop(): Promise<void>;
}

/** Number of steps after which a session of the sandbox has reached AGENT_ENDED_CALL, unless its scenario differs. */
export const STEPS_TO_THE_END_OF_THE_CALL = 11;

interface Options {
  readonly environment?: Record<string, string>;
  readonly clock?: Clock;
  /**
   * Whether the reconciler polls the provider. Off by default, so that a session changes only by what the
   * test does.
   */
  readonly polling?: boolean;
  /** Wraps the gateway's doorbell (notifications between replicas). */
  readonly doorbell?: TestOverrides['doorbell'];
  /** Wraps the gateway's provider client. */
  readonly provider?: TestOverrides['provider'];
  /** Providers of the gateway in addition to the configured provider. */
  readonly providers?: TestOverrides['providers'];
  /** Interval at which the reconciler and the webhook queue worker look for due work. */
  readonly lookIntervalMs?: number;
  /** Time in which a receiver of merchant webhooks must answer. */
  readonly merchantAnswerTimeoutMs?: TestOverrides['merchantAnswerTimeoutMs'];
  /** Existing database to use instead of a fresh one. */
  readonly database?: string;
  /**
   * Whether each query is executed both by graphql-js and compiled, and compared (default). Set false in a test that
   * counts executions. Heavy tests do not compare, because they measure times or change data all the time.
   */
  readonly bothWays?: boolean;
}

const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) {
    __typename
    ... on StartSessionSuccess { replayed session { id verificationId status subStatus version startCursor } }
    ... on MutationError { code message retryable }
  }
}`;

/**
 * Starts a gateway on a fresh database. The sandbox advances only by `advance`. The gateway is stopped when
 * the test (or file) ends.
 */
export async function bootGateway({
  environment = {},
  clock,
  polling = false,
  doorbell,
  provider,
  providers,
  // Looks for due work only once a second if `polling` is off, so that tests that count SQL statements see few periodic
  // statements.
  lookIntervalMs = polling ? 50 : 1_000,
  merchantAnswerTimeoutMs,
  database: existing,
  bothWays = process.env.BOTH_WAYS !== '0',
}: Options = {}): Promise<Gateway> {
  const fresh = existing ? null : await freshDatabase();
  const url = existing ?? (fresh as string);
  const logs: string[] = [];
  const answered: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logs.push(String(chunk));
      done();
    },
  });
  const config = readConfig({
    PORT: '0',
    SANDBOX_PORT: '0',
    SHUTDOWN_SECONDS: '0',
    // A long time limit, because requests may be slow on a busy machine.
    REQUEST_SECONDS: '60',
    // Turns the limit of failed sign-ins off, because all requests of a test come from one address.
    RATE_LIMIT_FAILURES_PER_MINUTE: '0',
    DATABASE_URL: url,
    DATA_KEYS,
    AUDIT_KEYS,
    ...environment,
  });
  const app = await startApp(config, {
    log: pino({ level: 'debug' }, sink),
    manualSandbox: !environment.SANDBOX_SPEED,
    disablePolling: !polling,
    lookIntervalMs,
    isMigrated: config.database.kind === 'URL' && config.database.migrateUrl === fresh,
    ...(bothWays ? { executor: runBothWays } : {}),
    ...(clock ? { clock } : {}),
    ...(doorbell ? { doorbell } : {}),
    ...(provider ? { provider } : {}),
    ...(providers ? { providers } : {}),
    ...(merchantAnswerTimeoutMs === undefined ? {} : { merchantAnswerTimeoutMs }),
  });
  const database = new pg.Pool({ connectionString: url, max: 4 });
  database.on('error', () => {});
  const clients = new Set<{ dispose(): void | Promise<void> }>();
  const stop = async () => {
    await Promise.all([...clients].map((client) => client.dispose()));
    await app.stop();
    if (!database.ended) await database.end();
  };
  atTheEnd(stop);

  const gateway: Gateway = {
    url: app.url,
    metricsUrl: app.metricsUrl,
    sandboxUrl: app.sandboxUrl ?? '',
    databaseUrl: url,
    database,
    logs,
    headers: answered,
    stop,

    async graphql(query, variables, headers = {}) {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      });
      answered.push(JSON.stringify([...response.headers]));
      return { status: response.status, ...((await response.json()) as object) } as never;
    },

    subscribe(query, variables = {}, connectionParams = {}) {
      const client = createClient({
        url: `${app.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams,
        retryAttempts: 0,
      });
      clients.add(client);
      return streamOf(client.iterate({ query, variables }), async () => {
        clients.delete(client);
        await client.dispose();
      });
    },

    stream(query, variables = {}, headers = {}) {
      const client = createStreamClient({ url: `${app.url}/graphql/stream`, headers, retryAttempts: 0 });
      clients.add(client);
      return streamOf(client.iterate({ query, variables }), async () => {
        clients.delete(client);
        client.dispose();
      });
    },

    async start(verificationId, input = {}) {
      const variables = {
        input: { verificationId, user: { phone: '9988776655', name: 'Asha Rao' }, ...input },
      };
      const { data, errors } = await gateway.graphql(START, variables);
      if (errors)
        throw new Error(
          `${errors[0]?.message}\n${logs.filter((line) => line.includes('"level":50')).join('')}`,
        );
      expect(data.startSession).toMatchObject({ __typename: 'StartSessionSuccess' });
      return data.startSession.session;
    },

    async callProvider(method, path, body) {
      const response = await fetch(`${app.sandboxUrl}${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          'x-client-id': 'sandbox',
          'x-client-secret': 'sandbox',
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return response.json();
    },

    async advance(verificationId, steps = 1) {
      const response = await fetch(
        new URL(`/_sandbox/verifications/${verificationId}/advance`, app.sandboxUrl ?? ''),
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ steps }),
        },
      );
      expect(await response.json()).toMatchObject({ steps });
    },

    async webhook(body, headers = {}) {
      const bytes =
        typeof body === 'string' || Buffer.isBuffer(body)
          ? Buffer.from(body as string)
          : Buffer.from(JSON.stringify(body));
      const timestamp = String(Date.now());
      const all = {
        'content-type': 'application/json',
        'x-webhook-timestamp': timestamp,
        'x-webhook-signature': signWebhook('sandbox', timestamp, bytes),
        ...headers,
      };
      const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const response = await fetch(`${app.url}/webhooks/cashfree`, {
        method: 'POST',
        headers: given,
        body: new Uint8Array(bytes),
      });
      await response.arrayBuffer();
      return response.status;
    },

    async token(claims) {
      const response = await fetch(`${app.url}/dev/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(claims),
      });
      return ((await response.json()) as { token: string }).token;
    },
  };
  return gateway;
}

/** Makes a stream whose frames a test takes one by one. `next` rejects if the frame has errors. */
function streamOf<T>(frames: AsyncIterator<any>, stop: () => Promise<void>): Stream<T> {
  const next = async () => {
    const { value, done } = await frames.next();
    if (done) throw new Error('The stream ended');
    const [error] = value.errors ?? [];
    if (error) throw Object.assign(new Error(error.message), { extensions: error.extensions });
    return Object.values(value.data ?? {})[0] as T;
  };
  return {
    next,
    async take(count) {
      const taken: T[] = [];
      while (taken.length < count) taken.push(await next());
      return taken;
    },
    stop,
  };
}

let maker: Promise<{ client: pg.Client; strategy: string }> | null = null;

/**
 * Returns a connection that can create databases on the test server, and the fastest strategy for that. All test files
 * of a worker share this connection.
 */
async function connectMaker(server: string) {
  const client = new pg.Client({ connectionString: server });
  client.on('error', () => {
    maker = null;
  });
  await client.connect();
  const { rows } = await client.query(`select current_setting('server_version_num')::int as version`);
  // Uses `file_copy`, which copies whole files instead of single pages, in half the time. Before PostgreSQL 15 it was
  // the only strategy, and not an option.
  return { client, strategy: rows[0].version >= 150_000 ? 'strategy file_copy' : '' };
}

/** Creates a database from the migrated template. Returns its connection string. */
export async function freshDatabase(): Promise<string> {
  const server = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  maker ??= connectMaker(server);
  const { client, strategy } = await maker;
  await client.query(`create database ${name} template ${TEMPLATE} ${strategy}`);
  return databaseUrl(server, name);
}

/**
 * Waits until /readyz reports that a gateway is ready. Its doorbell (LISTEN or NATS) may connect a moment
 * after its port opens.
 */
export const untilReady = ({ url }: { url: string }): Promise<Response | false> =>
  eventually(async () => {
    const response = await fetch(`${url}/readyz`);
    await response.arrayBuffer();
    return response.ok && response;
  });

/** Runs `release` when the current test ends, or when the file ends if no test runs. */
export function atTheEnd(release: () => Promise<void>): void {
  try {
    onTestFinished(release);
  } catch {
    afterAll(release);
  }
}

/** Calls `look` until it returns a truthy value. Only the test's timeout ends the wait. */
export async function eventually<T>(look: () => Promise<T | null | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
