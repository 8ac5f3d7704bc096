import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Config, ConfigError, type DataKey, StartError } from './config.ts';
import { countAuditBacklog } from './db/audit.ts';
import { connect } from './db/client.ts';
import { classifyFault, FAULT_TEXTS } from './db/connection-errors.ts';
import { startEmbeddedPostgres } from './db/embedded-postgres.ts';
import { readFeedIdentity } from './db/feed.ts';
import { migrate, newestMigration } from './db/migrate.ts';
import { explainPooling } from './db/pooler.ts';
import { readQueueDepths, readReadinessFacts } from './db/readiness.ts';
import { readReplication } from './db/replication.ts';
import { deriveTokenSecret, loadOrCreateDevelopmentKey, Sealer } from './db/sealing.ts';
import { AuditKeys } from './domain/audit.ts';
import { type CallPurpose, type Clock, type Doorbell, type Provider, systemClock } from './domain/ports.ts';
import { createCursors } from './feed/cursor.ts';
import { Hub } from './feed/hub.ts';
import { createNatsDoorbell, natsSubjectFor } from './feed/nats-doorbell.ts';
import { createPostgresDoorbell } from './feed/postgres-doorbell.ts';
import type { Services } from './graphql/context.ts';
import { createErrorFormatter, getErrorCode } from './graphql/errors.ts';
import { createJitExecutor, type Executor } from './graphql/jit-executor.ts';
import { noIntrospectionRule } from './graphql/limits.ts';
import { OperationCache, type Payload } from './graphql/operation-cache.ts';
import { createOperationHandler } from './graphql/operation-handler.ts';
import { createRateLimit } from './graphql/rate-limit.ts';
import { getSchema } from './graphql/schema.ts';
import { readManifest, trustedDocumentsOnly } from './graphql/trusted-documents.ts';
import { createAccessLog } from './http/access-log.ts';
import { createAddressOf } from './http/addresses.ts';
import { serveConsole } from './http/console.ts';
import { createOriginCheck } from './http/csrf.ts';
import { createFailedAttemptLimit } from './http/failed-attempt-limit.ts';
import { serveGraphqlOverHttp } from './http/graphql-over-http.ts';
import { serveGraphqlOverSse } from './http/graphql-over-sse.ts';
import { serveGraphqlOverWebsocket } from './http/graphql-over-websocket.ts';
import { LiveConnections } from './http/live-connections.ts';
import { startMetricsServer } from './http/metrics-server.ts';
import {
  createHttpServer,
  createIdleConnectionCloser,
  drainAcceptBacklog,
  formatAddress,
  formatUrl,
} from './http/server.ts';
import { createAuthenticator } from './http/sign-in.ts';
import { UnsignedSockets } from './http/unsigned-sockets.ts';
import { serveUpgrades } from './http/upgrades.ts';
import { limitUploads } from './http/uploads.ts';
import { retryUntilDatabaseIsUp } from './http/wait-for-database.ts';
import { serveWebhooks } from './http/webhooks.ts';
import { createBufferedLogger, createLogger, withRedactedErrors } from './logging.ts';
import { createCashfree } from './provider/cashfree.ts';
import { SANDBOX_CREDENTIALS, startSandbox } from './sandbox/sandbox.ts';
import { SCENARIOS } from './sandbox/scenarios.ts';
import { createCallBudget, splitBudget } from './services/call-budget.ts';
import { checkDataKeys, MissingDataKeys } from './services/check-data-keys.ts';
import { FairShare } from './services/fair-share.ts';
import { KeyWatch } from './services/key-watch.ts';
import { cancelMeeting, scheduleMeeting } from './services/meetings.ts';
import { createSdkToken, refreshSession, requestRecording } from './services/provider-actions.ts';
import { ReadLog } from './services/read-log.ts';
import { Reconciler } from './services/reconciler.ts';
import { recordReview } from './services/record-review.ts';
import { planRelearning } from './services/relearn.ts';
import { SessionFigures } from './services/session-figures.ts';
import { createStartSession } from './services/start-session.ts';
import { UnitOfWork } from './services/unit-of-work.ts';
import { WebhookQueueWorker } from './services/webhook-queue-worker.ts';
import { WebhookReceiver } from './services/webhook-receiver.ts';
import { cachedQuery } from './telemetry/cached-query.ts';
import { addGauges } from './telemetry/gauges.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { watchMismatches } from './telemetry/mismatches.ts';
import { withErrorCount, withMetrics } from './telemetry/operations.ts';
import { createCallObserver } from './telemetry/provider-calls.ts';
import { createReadiness } from './telemetry/readiness.ts';

/** What tests put in the place of the world. */
export interface TestOverrides {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Puts something between the doorbell and those who ring or listen. */
  readonly doorbell?: (doorbell: Doorbell) => Doorbell;
  /** Wraps the provider's client. */
  readonly provider?: (provider: Provider) => Provider;
  /** Nothing is asked of the provider but for a caller. */
  readonly disablePolling?: boolean;
  /** Executes in the place of the compiler. */
  readonly executor?: Executor;
  /** The sandbox's journeys go on only when told to. */
  readonly manualSandbox?: boolean;
}

export interface App {
  /** Where the gateway listens, such as http://127.0.0.1:4000 */
  readonly url: string;
  /** URL that Prometheus scrapes. */
  readonly metricsUrl: string;
  /** The sandbox's base URL; null where the real provider is used. */
  readonly sandboxUrl: string | null;
  readonly log: Logger;
  /** Undoes everything in reverse: not ready, nobody accepted, subscribers sent away, work in hand finished. */
  stop(): Promise<void>;
}

/** How often connections that have become idle are closed during a stop. */
const IDLE_LOOK_MS = 100;

type Release = () => Promise<unknown> | unknown;

/** The whole gateway, put together by hand and listening. What opens says at once how it closes. */
export async function createApp(config: Config, overrides: TestOverrides = {}): Promise<App> {
  const { clock = systemClock } = overrides;
  // Only then is OpenTelemetry read at all.
  const tracing = config.tracing ? (await import('./telemetry/tracing.ts')).startTracing() : null;
  const log = withRedactedErrors(
    overrides.log ??
      createLogger({ level: config.logLevel, format: config.logFormat, ids: tracing?.idsOfLog }),
  );
  tracing?.complainTo(log);
  for (const warning of config.warnings) log.warn(warning);
  const releases: Release[] = [];
  const onStop = (release: Release) => releases.push(release);
  const stop = runOnce(async () => {
    for (const release of releases.reverse()) {
      try {
        await release();
      } catch (error) {
        log.error({ err: error }, 'something could not be stopped cleanly');
      }
    }
  });

  onStop(() => tracing?.stop());
  const accessLogger =
    overrides.log ?? createBufferedLogger({ level: config.logLevel, format: config.logFormat });
  onStop(() => accessLogger.flush());
  const logAccess = config.accessLog ? createAccessLog(accessLogger) : null;

  try {
    const { url, migrateUrl, listenUrl } = await openDatabase(config.database, onStop, log, () => {
      process.exitCode = 1;
      void stop();
    });
    const { db, pools, statistics, watchWrites, close } = connect(url, config.database.poolSize, (error) =>
      log.warn({ err: error }, 'a database connection broke'),
    );
    onStop(close);
    for (const pool of [pools.reads, pools.writes]) tracing?.watchPool(pool);

    const dataDir = resolve(config.dataDir);
    const dataKeys = config.dataKeys ?? [await loadOrCreateDevelopmentKey(dataDir, 'data')];
    const sealer = new Sealer(dataKeys);
    const auditKeys = new AuditKeys(config.auditKeys ?? [await loadOrCreateDevelopmentKey(dataDir, 'audit')]);
    const { port, result: identity } = await retryUntilDatabaseIsUp(
      {
        host: config.host,
        port: config.port,
        faultIn: findPassingFault,
        // A stack would tell nothing: the cause lies elsewhere.
        onFault: (error) =>
          log.warn({ reason: findCauseMessage(error) }, 'the database cannot be used yet; trying again'),
      },
      async () => {
        await assertUsablePooler(config);
        await migrate(migrateUrl, url);
        await checkDataKeys(db, sealer);
        const unchained = await countAuditBacklog(db);
        if (unchained > 0)
          log.warn(
            { sessions: unchained },
            'sessions have no audit chain; run `npm run audit -- adopt --by NAME`',
          );
        return readFeedIdentity(db);
      },
    ).catch((error) => {
      throw toConfigError(error);
    });
    const keyWatch = new KeyWatch({ db, sealer, log });
    onStop(() => keyWatch.stop());
    void keyWatch.beat();
    const writeWatch = watchWrites(log);
    const metrics = createMetrics();
    const onMismatch = watchMismatches(metrics, log);
    const stoppingCalls = new AbortController();
    const limits = splitBudget(config.provider.callsPerMinute);
    const budget = createCallBudget(db, limits, stoppingCalls.signal);
    const { access, secrets, sandbox } = await openProvider(config, clock, overrides, onStop);
    const { provider: wrapProvider = (unchanged) => unchanged } = overrides;
    const clientFor = createCashfree({
      ...access,
      ...watchProvider(metrics, log),
      onMismatch: (mismatch) => onMismatch({ source: 'ANSWER', ...mismatch }),
      budget,
      stopping: stoppingCalls.signal,
    });
    const cashfree = (purpose: CallPurpose) => wrapProvider(clientFor(purpose));
    const provider = cashfree('MUTATION');
    const { doorbell: wrap = (unchanged) => unchanged } = overrides;
    const { natsServers: servers } = config;
    const onNotUnderstood = () => metrics.strangeRings.inc();
    const between = servers
      ? createNatsDoorbell({ servers, subject: natsSubjectFor(identity), log, onNotUnderstood })
      : createPostgresDoorbell({ url: listenUrl, db, log, onNotUnderstood });
    const doorbell = wrap(between);
    onStop(() => doorbell.stop());
    const relearn = async () => {
      const planned = await planRelearning(db, clock.now(), limits.polls);
      log.warn(planned, 'the provider will be asked about every open session and start');
    };
    const hub = new Hub({ db, clock, doorbell, log, metrics, relearn });
    for (const pool of [pools.reads, pools.writes]) pool.on('connect', () => hub.reconnected());
    onStop(() => hub.stop());
    const fairShare = new FairShare({ db, pollsPerMinute: limits.polls, log });
    onStop(() => fairShare.stop());
    const unitOfWork = new UnitOfWork({
      db,
      clock,
      doorbell,
      sealer,
      auditKeys,
      fairShare,
      metrics,
      onMismatch,
      log,
    });
    const queue = new WebhookQueueWorker({ db, clock, sealer, unitOfWork, onMismatch, log });
    onStop(() => queue.stop());
    const receiver = new WebhookReceiver({ db, clock, sealer, unitOfWork, queue, log });
    if (!overrides.disablePolling) {
      const polled = cashfree('POLL');
      const reconciler = new Reconciler({
        db,
        pool: pools.writes,
        clock,
        provider: polled,
        unitOfWork,
        fairShare,
        sealer,
        log,
      });
      onStop(() => {
        stoppingCalls.abort();
        return reconciler.stop();
      });
    }

    const policy = { auditUnknownAgents: config.auditUnknownAgents };
    const actions = { db, clock, unitOfWork, sealer, policy, provider, onMismatch, log };
    const services: Services = {
      db,
      sealer,
      clock,
      policy,
      hub,
      figures: new SessionFigures({ statistics, clock, log }),
      cursors: createCursors({ ...identity, clock }),
      startSession: createStartSession({ db, clock, provider, unitOfWork, sealer }),
      scheduleMeeting: (viewer, input) => scheduleMeeting(actions, viewer, input),
      cancelMeeting: (viewer, input) => cancelMeeting(actions, viewer, input),
      recordReview: (viewer, stage, input) => recordReview(actions, viewer, stage, input),
      refreshSession: (viewer, id) => refreshSession(actions, viewer, id),
      requestRecording: (viewer, id) => requestRecording(actions, viewer, id),
      createSdkToken: (viewer, id) => createSdkToken(actions, viewer, id),
      onRefusal: (code) => metrics.refusals.inc({ code }),
    };

    const askReplication = cachedQuery({ forMs: 10_000, patienceMs: 1_000 }, () =>
      readReplication(pools.watching),
    );
    addGauges(metrics.registry, {
      askReplication,
      pools: { reads: pools.reads, writes: pools.writes },
      takesWrites: () => writeWatch.fault === null,
      feed: () => hub.figures(),
      doorbell: between,
      limits,
      askBacklog: () => readQueueDepths(pools.watching, clock.now()),
    });
    let stopping = false;
    const clientAddressOf = createAddressOf(config.trustedProxies);
    const failures = createFailedAttemptLimit(config.failuresPerMinute, clientAddressOf);
    const authenticator = createAuthenticator({
      signIn: config.signIn,
      developmentSecret: deriveTokenSecret(dataKeys[0] as DataKey),
      clock,
      failures,
      log,
      pseudonymsOf: (sub) => auditKeys.pseudonyms(sub),
    });
    const development = config.signIn.kind === 'DEVELOPMENT';
    const checkReady = createReadiness({
      isStopping: () => stopping,
      doorbell: between,
      newestMigration: await newestMigration(),
      askDatabase: () => readReadinessFacts(pools.watching, clock.now()),
      askReplication,
      keyFault: () => keyWatch.fault(),
      writeFault: () => writeWatch.fault && FAULT_TEXTS[writeWatch.fault],
    });
    const isAllowedOrigin = createOriginCheck({ development, allowedOrigins: config.allowedOrigins });
    const server = createHttpServer({
      log,
      metrics,
      authenticator,
      isAllowedOrigin,
      allowedOrigins: config.allowedOrigins,
      logAccess,
      servesMetrics: config.metricsPort === null,
      graphiql: config.introspection,
      requestSeconds: config.requestSeconds,
      checkReady,
    });
    tracing?.watchServer(server);
    const closeIdleConnections = createIdleConnectionCloser(server);
    const schema = getSchema();
    const documentPolicy = config.trustedDocumentsOnly
      ? trustedDocumentsOnly(await readManifest())
      : (payload: Payload) => payload;
    const { connectionsPerClient: mostPerClient, subscriptionsPerSocket: mostSubscriptions } = config.live;
    const connections = new LiveConnections({ mostPerClient });
    const dependencies = {
      schema,
      execute: withMetrics(
        createOperationHandler({
          executor: overrides.executor ?? createJitExecutor(schema),
          seconds: config.requestSeconds,
          readLog: new ReadLog({ db, keys: auditKeys, clock }),
          log,
        }),
        metrics,
        getErrorCode,
      ),
      rateLimit: createRateLimit(config.costPerMinute),
      documentPolicy,
      operations: new OperationCache({
        schema,
        rules: config.introspection ? [] : [noIntrospectionRule],
        documentPolicy,
        hideSuggestions: !config.introspection,
      }),
      services,
      authenticator,
      formatError: withErrorCount(createErrorFormatter(log), metrics),
      connections,
      mostSubscriptions,
      unsigned: new UnsignedSockets(clientAddressOf),
      limitUploads: limitUploads(),
      metrics,
      log,
    };
    onStop(await serveGraphqlOverHttp(server, dependencies));
    await serveConsole(server, {
      signIn: development ? 'ISSUED' : 'PASTED',
      scenarios: sandbox ? pickDescriptions(SCENARIOS) : null,
    });
    await serveWebhooks(server, { receiver, secrets, failures, metrics });
    const sse = serveGraphqlOverSse(server, dependencies);
    const websocket = serveGraphqlOverWebsocket(dependencies);
    onStop(() => {
      websocket.stop();
      sse.stop();
    });
    serveUpgrades({ server: server.server, isAllowedOrigin, websocket, logAccess });
    const metricsServer =
      config.metricsPort === null
        ? null
        : await startMetricsServer({ host: config.host, port: config.metricsPort, metrics, isAllowedOrigin });
    onStop(() => metricsServer?.stop());
    await server.listen({ host: config.host, port });
    onStop(async () => {
      stopping = true;
      await wait(config.live.drainSeconds * 1000);
      await drainAcceptBacklog(server);
      let idle: NodeJS.Timeout | undefined;
      const farewell = connections.stop(config.live.shutdownSeconds).then(() => {
        websocket.stop();
        sse.stop();
        // Those that had a request in hand are idle later than the server looks by itself.
        idle = setInterval(closeIdleConnections, IDLE_LOOK_MS);
      });
      await Promise.all([server.close(), farewell]).finally(() => clearInterval(idle));
    });

    const address = formatAddress(server, config.host);
    sandbox?.deliverTo(`${address}/webhooks/cashfree`);
    const metricsUrl = `${metricsServer ? formatUrl(config.host, metricsServer.port) : address}/metrics`;
    return { url: address, metricsUrl, sandboxUrl: sandbox?.baseUrl ?? null, log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An error of the start, without a stack if it is the settings that are wrong. */
function toConfigError(error: unknown): unknown {
  if (error instanceof MissingDataKeys) return new ConfigError(error.complaints);
  if (classifyFault(error) !== 'REFUSED') return error;
  let root = error as Error;
  while (root.cause instanceof Error) root = root.cause;
  return new ConfigError([
    `DATABASE_URL or MIGRATE_DATABASE_URL: the database does not let the gateway in (${root.message}). Check user, password, database name, sslmode and sslrootcert.`,
  ]);
}

/** A fault that may pass by itself, in words for people: a start waits until it has. */
function findPassingFault(error: unknown): string | null {
  const fault = classifyFault(error);
  return fault === null || fault === 'REFUSED' ? null : FAULT_TEXTS[fault];
}

/** @throws StartError if a pooler in front of the database shares connections that the gateway needs for itself */
async function assertUsablePooler({ database, natsServers }: Config): Promise<void> {
  if (database.kind !== 'URL') return;
  const { url, migrateUrl } = database;
  const explanation = await explainPooling({
    url,
    migrateUrl,
    listenUrl: natsServers ? null : database.listenUrl,
  });
  if (explanation) throw new StartError(explanation);
}

/** The words of the driver or the server, which Drizzle wraps. */
const findCauseMessage = (error: unknown): string =>
  error instanceof Error && error.cause ? findCauseMessage(error.cause) : String((error as Error).message);

const pickDescriptions = (
  scenarios: Readonly<Record<string, { description: string }>>,
): Record<string, string> =>
  Object.fromEntries(Object.entries(scenarios).map(([name, { description }]) => [name, description]));

async function openDatabase(
  database: Config['database'],
  onStop: (release: Release) => void,
  log: Logger,
  onLost: () => void,
) {
  if (database.kind === 'URL') return database;
  const postgres = await startEmbeddedPostgres({
    dir: resolve(database.dataDir, 'postgres'),
    onCrash(failure) {
      if (!failure) return log.error('the embedded PostgreSQL was killed; it was started again');
      log.fatal({ err: failure }, 'the embedded PostgreSQL was killed and cannot be started again; stopping');
      onLost();
    },
  });
  onStop(postgres.stop);
  return { url: postgres.url, migrateUrl: postgres.url, listenUrl: postgres.url };
}

async function openProvider(
  config: Config,
  clock: Clock,
  { manualSandbox: sandboxByHand }: TestOverrides,
  onStop: (release: Release) => void,
) {
  if (config.provider.kind === 'CASHFREE') {
    const { baseUrl, clientId, secrets, appId, publicKey } = config.provider;
    const clientSecret = secrets[0] as string;
    return { access: { baseUrl, clientId, clientSecret, appId, publicKey }, secrets, sandbox: null };
  }
  const { port, webhooks, speed, seed } = config.provider;
  const remembers = config.database.kind === 'EMBEDDED' && !sandboxByHand;
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port,
    clock,
    webhooks,
    speed: sandboxByHand ? null : speed,
    seed,
    journalFile: remembers ? resolve(config.dataDir, 'sandbox.jsonl') : null,
  });
  onStop(sandbox.stop);
  const { baseUrl } = sandbox;
  const { clientId, clientSecrets: secrets } = SANDBOX_CREDENTIALS;
  const access = { baseUrl, clientId, clientSecret: secrets[0], appId: 'sandbox', publicKey: null };
  return { access, secrets, sandbox };
}

/** What the provider's client has to tell of the provider. */
const watchProvider = (metrics: Metrics, log: Logger) => ({
  onUnmappedError(status: number, code: string) {
    metrics.unmappedError(status, code);
    log.warn({ status, code }, 'the provider answered with an error that its pages do not name');
  },
  watch: createCallObserver(metrics),
  onBreak(open: boolean) {
    if (open) log.warn('the provider keeps failing: it is given a short rest');
    else log.info('the provider answers again');
  },
});

function runOnce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    running ??= work();
    return running;
  };
}
