import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { KeyWithId } from '../config.ts';
import { DATABASE_FAULT_TEXTS } from '../db/connection/connection-errors.ts';
import { readQueueDepthsAndCallUse, readReadinessFacts } from '../db/connection/readiness.ts';
import { readReplicationState } from '../db/connection/replication.ts';
import { readNewestMigrationTimestamp } from '../db/migrate.ts';
import { readEndpointHealth } from '../db/outgoing/endpoints.ts';
import { readNotificationBacklog } from '../db/outgoing/notifications.ts';
import { deriveDevelopmentTokenSecret } from '../encryption/sealing.ts';
import { formatSchemaSdl } from '../graphql/schema.ts';
import { formatSubgraphSdl } from '../graphql/subgraph.ts';
import { createAccessLog } from '../http/access-log.ts';
import { createClientAddressFinder } from '../http/addresses.ts';
import { serveConsole } from '../http/console.ts';
import { createOriginCheck } from '../http/csrf.ts';
import { serveSessionExports } from '../http/exports.ts';
import { createFailedAttemptLimit } from '../http/failed-attempt-limit.ts';
import { serveGraphqlOverHttp } from '../http/graphql-over-http.ts';
import { serveGraphqlOverSse } from '../http/graphql-over-sse.ts';
import { createGraphqlOverWebsocket } from '../http/graphql-over-websocket.ts';
import { LiveConnections } from '../http/live-connections.ts';
import { startMetricsServer } from '../http/metrics-server.ts';
import { serveSchemaFile } from '../http/schema-file.ts';
import {
  createHttpServer,
  createIdleConnectionCloser,
  drainAcceptBacklog,
  formatHttpUrl,
  formatListeningUrl,
} from '../http/server.ts';
import { createAuthenticator } from '../http/sign-in.ts';
import { serveStartPage } from '../http/start-page.ts';
import { UnauthenticatedSocketCounter } from '../http/unauthenticated-sockets.ts';
import { serveWebSocketUpgrades } from '../http/upgrades.ts';
import { createLargeRequestLimiter } from '../http/uploads.ts';
import { serveProviderWebhooks } from '../http/webhooks.ts';
import { createBufferedLogger } from '../logging.ts';
import { SCENARIOS } from '../sandbox/scenarios.ts';
import type { EventDispatcher } from '../services/outgoing/event-dispatcher.ts';
import { canNotify } from '../services/outgoing/notification-settings.ts';
import { createCachedQuery } from '../telemetry/cached-query.ts';
import { registerGauges } from '../telemetry/gauges.ts';
import { createReadinessProbe } from '../telemetry/readiness.ts';
import type { Core } from './core.ts';
import type { OpenedDatabase } from './database.ts';
import type { OpenedFeed } from './feed.ts';
import type { createGraphqlPipeline } from './graphql.ts';
import { readNotificationSettings } from './notifications.ts';
import type { OpenedProvider } from './provider.ts';
import type { OpenedTransitions } from './transitions.ts';

/** Interval at which connections that have become idle are closed during a shutdown. */
const IDLE_CHECK_INTERVAL_MS = 100;
/**
 * Settings for caching the replication settings of the database, which change rarely. A caller waits at most
 * `patienceMs` for a database that hangs.
 */
const REPLICATION_CACHE = { forMs: 10_000, patienceMs: 1_000 };

interface OpenedParts {
  readonly core: Core;
  readonly database: OpenedDatabase;
  readonly provider: OpenedProvider;
  readonly feed: OpenedFeed;
  readonly transitions: OpenedTransitions;
  /** Null if no merchant webhooks are sent. */
  readonly outgoing: EventDispatcher | null;
  readonly graphql: Awaited<ReturnType<typeof createGraphqlPipeline>>;
}

/** URLs that the gateway answers at. */
export interface ListeningUrls {
  readonly url: string;
  readonly metricsUrl: string;
}

/**
 * Registers all routes and listens. When the gateway stops, reports not ready, disconnects the subscribers, and
 * finishes requests in flight.
 */
export async function serveHttp(parts: OpenedParts): Promise<ListeningUrls> {
  const { core, database, provider, transitions, graphql } = parts;
  const { config, clock, log, metrics, tracing, lifecycle } = core;
  const state = { isStopping: false };
  const checkReady = await createHealth(parts, state);

  const clientAddressOf = createClientAddressFinder(config.trustedProxies);
  const failures = createFailedAttemptLimit(config.failuresPerMinute, clientAddressOf);
  const authenticator = createAuthenticator({
    ...{ signIn: config.signIn, clock, failures, log },
    developmentSecret: deriveDevelopmentTokenSecret(database.dataKeys[0] as KeyWithId),
    pseudonymsOf: (sub) => database.auditKeys.pseudonyms(sub),
  });
  const isDevelopment = config.signIn.kind === 'DEVELOPMENT';
  const { allowedOrigins } = config;
  const isAllowedOrigin = createOriginCheck({ development: isDevelopment, allowedOrigins });
  const logAccess = createAccessLogger(core);
  const server = createHttpServer({
    ...{ log, metrics, authenticator, isAllowedOrigin, allowedOrigins, logAccess, checkReady },
    servesMetrics: config.metricsPort === null,
    graphiql: config.introspection,
    requestSeconds: config.requestSeconds,
  });
  tracing?.watchServer(server);
  const closeIdleConnections = createIdleConnectionCloser(server);

  const connections = new LiveConnections({ mostPerClient: config.live.connectionsPerClient });
  const transports = {
    ...graphql,
    ...{ authenticator, connections, metrics, log },
    mostSubscriptions: config.live.subscriptionsPerSocket,
    unsigned: new UnauthenticatedSocketCounter(clientAddressOf),
    limitUploads: createLargeRequestLimiter(),
  };
  lifecycle.onStop(await serveGraphqlOverHttp(server, transports));
  const signIn = isDevelopment ? 'ISSUED' : 'PASTED';
  if (config.introspection) {
    const sandboxUrl = provider.sandbox && new URL('/_sandbox', provider.sandbox.baseUrl).href;
    serveStartPage(server, { signIn, sandboxUrl });
    const { subgraph } = config;
    const formatSdl = subgraph ? () => formatSubgraphSdl(subgraph.prefix) : formatSchemaSdl;
    serveSchemaFile(server, { ...transports, formatSdl });
  }
  await serveConsole(server, {
    signIn,
    scenarios: provider.sandbox ? describeScenarios() : null,
  });
  await serveProviderWebhooks(server, {
    ...{ recorder: transitions.recorder, providers: provider.providers, failures, metrics },
  });
  serveSessionExports(server, transports);
  const sse = serveGraphqlOverSse(server, transports);
  const websocket = createGraphqlOverWebsocket(transports);
  const endSubscriptions = () => {
    websocket.stop();
    sse.stop();
  };
  lifecycle.onStop(endSubscriptions);
  serveWebSocketUpgrades({ server: server.server, isAllowedOrigin, websocket, logAccess });

  const { host, metricsPort } = config;
  const metricsServer =
    metricsPort === null
      ? null
      : await startMetricsServer({ host, port: metricsPort, metrics, isAllowedOrigin });
  lifecycle.onStop(() => metricsServer?.stop());
  await server.listen({ host, port: database.port });
  lifecycle.onStop(async () => {
    state.isStopping = true;
    await wait(config.live.drainSeconds * 1000);
    await drainAcceptBacklog(server);
    await closeServer({
      ...{ server, connections, endSubscriptions, closeIdleConnections },
      windowSeconds: config.live.shutdownSeconds,
    });
  });

  const url = formatListeningUrl(server, host);
  return { url, metricsUrl: `${metricsServer ? formatHttpUrl(host, metricsServer.port) : url}/metrics` };
}

/** Registers the gauges, and returns the readiness check. */
async function createHealth(
  { core, database, provider, feed, outgoing }: OpenedParts,
  state: { readonly isStopping: boolean },
) {
  const { clock, metrics } = core;
  const { pools, keyWatch, writeWatch } = database;
  const askReplication = createCachedQuery(REPLICATION_CACHE, () => readReplicationState(pools.watching));
  registerGauges(metrics.registry, {
    askReplication,
    pools: { reads: pools.reads, writes: pools.writes, statistics: pools.statistics },
    takesWrites: () => writeWatch.fault === null,
    feed: () => feed.hub.figures(),
    doorbell: feed.connection,
    limits: provider.limits,
    askBacklog: () => readQueueDepthsAndCallUse(pools.watching, clock.now()),
    askEndpoints: outgoing && (() => readEndpointHealth(pools.watching, clock.now())),
    askNotifications: canNotify(readNotificationSettings(core.config))
      ? () => readNotificationBacklog(pools.watching, clock.now())
      : null,
  });
  return createReadinessProbe({
    isStopping: () => state.isStopping,
    doorbell: feed.connection,
    newestMigration: await readNewestMigrationTimestamp(),
    askDatabase: () => readReadinessFacts(pools.watching, clock.now()),
    askReplication,
    keyFault: () => keyWatch.fault(),
    merchantFault: () => outgoing?.findFault() ?? null,
    writeFault: () => writeWatch.fault && DATABASE_FAULT_TEXTS[writeWatch.fault],
  });
}

/**
 * Creates the access log; null if requests are not logged. The access log has its own logger, which buffers
 * lines for speed.
 */
function createAccessLogger({ config, overrides, lifecycle }: Core) {
  if (!config.accessLog) return null;
  const logger = overrides.log ?? createBufferedLogger({ level: config.logLevel, format: config.logFormat });
  lifecycle.onStop(() => logger.flush());
  return createAccessLog(logger);
}

interface Closing {
  readonly server: FastifyInstance;
  readonly connections: LiveConnections;
  readonly endSubscriptions: () => void;
  readonly closeIdleConnections: () => void;
  /** Seconds over which subscribers are asked, at random moments, to reconnect elsewhere. */
  readonly windowSeconds: number;
}

/**
 * Closes the listening socket, asks the subscribers at random moments within a window to reconnect to another
 * replica, and waits for requests in flight.
 */
async function closeServer({
  server,
  connections,
  endSubscriptions,
  closeIdleConnections,
  windowSeconds,
}: Closing): Promise<void> {
  let idleCheck: NodeJS.Timeout | undefined;
  const farewell = connections.stop(windowSeconds).then(() => {
    endSubscriptions();
    // Fastify closes idle connections only once, when the stop begins; connections that become idle later must be
    // closed here.
    idleCheck = setInterval(closeIdleConnections, IDLE_CHECK_INTERVAL_MS);
  });
  await Promise.all([server.close(), farewell]).finally(() => clearInterval(idleCheck));
}

const describeScenarios = (): Record<string, string> =>
  Object.fromEntries(Object.entries(SCENARIOS).map(([name, { description }]) => [name, description]));
