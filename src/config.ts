import type { z } from 'zod';
import type { CalendarRules } from './domain/calendar.ts';
import type { DeadlineMinutes } from './domain/deadlines.ts';
import type { Locale } from './domain/locales.ts';
import type { MerchantEndpoint } from './domain/merchant-events.ts';
import type { AutomaticNotificationKind, QuietHours } from './domain/notifications.ts';
import type { AgentTemplate, UserTemplate } from './domain/templates.ts';
import {
  DEFAULT_MEETING_SLOT_MINUTES,
  type Environment,
  environmentSchema,
  hasAuthenticationSettings,
  hasCompleteProviderSettings,
  isLoopbackHost,
  isProduction,
  type LOG_FORMATS,
} from './environment.ts';
import { findSettingProblems, findSettingWarnings } from './environment-rules.ts';

/**
 * Default of DRAIN_SECONDS in production: long enough for a load balancer that probes /readyz every second and stops
 * routing after two failures.
 */
const DRAIN_SECONDS_OF_PRODUCTION = 3;

/** Default of SUBGRAPH_PREFIX. */
export const DEFAULT_SUBGRAPH_PREFIX = 'Vkyc';

/** Default of MEETING_TIME_ZONE. */
const DEFAULT_TIME_ZONE = 'Asia/Kolkata';

/**
 * Default call budgets: for Cashfree, the rate limit of most accounts; for the local sandbox, more calls than
 * it ever gets.
 */
const CALLS_PER_MINUTE = { CASHFREE: 100, SANDBOX: 6_000 } as const;

/** How callers authenticate. */
export type SignInConfig =
  /**
   * No sign-in setting is set. Allowed only with the sandbox as provider and on a loopback address: a request
   * without a token then has the role ADMIN.
   */
  | { readonly kind: 'DEVELOPMENT' }
  | { readonly kind: 'SECRET'; readonly secret: Buffer; readonly issuer?: string; readonly audience?: string }
  | { readonly kind: 'JWKS'; readonly url: string; readonly issuer?: string; readonly audience?: string };

/** All settings from the environment, read once. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Port that serves only `/metrics`, on the same host; null: `port` serves `/metrics` too. */
  readonly metricsPort: number | null;
  readonly logLevel: Environment['LOG_LEVEL'];
  readonly logFormat: LogFormat;
  /** Whether each request is logged. */
  readonly accessLog: boolean;
  /** Sentences about settings that are allowed but unsafe. The gateway logs these warnings at its start. */
  readonly warnings: readonly string[];
  readonly database:
    | { readonly kind: 'EMBEDDED'; readonly dataDir: string; readonly poolSize: number }
    | {
        readonly kind: 'URL';
        readonly url: string;
        readonly migrateUrl: string;
        /**
         * URL for the LISTEN connection. It must bypass a pooler in transaction mode, behind which a LISTEN is
         * lost.
         */
        readonly listenUrl: string;
        readonly poolSize: number;
      };
  /**
   * NATS servers that carry the doorbell (notification that transitions were recorded) between replicas. Null:
   * PostgreSQL carries it (LISTEN/NOTIFY).
   */
  readonly natsServers: readonly string[] | null;
  readonly dataDir: string;
  /** Keys that encrypt stored data. Null: the process creates a key under `dataDir` (development only). */
  readonly dataKeys: readonly KeyWithId[] | null;
  /** Keys of the audit chains' hashes (HMAC). Null: the process creates a key under `dataDir` (development only). */
  readonly auditKeys: readonly KeyWithId[] | null;
  readonly provider: {
    /** Call budget of all replicas together, in calls per minute. */
    readonly callsPerMinute: number;
  } & (
    | {
        readonly kind: 'CASHFREE';
        readonly baseUrl: string;
        readonly clientId: string;
        readonly secrets: readonly string[];
        readonly appId: string | null;
        /** Public key as PEM, for accounts whose calls must be signed. */
        readonly publicKey: string | null;
      }
    | {
        readonly kind: 'SANDBOX';
        readonly port: number;
        readonly speed: number;
        readonly seed: string;
        readonly webhooks: SandboxWebhookMode;
      }
  );
  /**
   * Templates that start forms list; `startSession` refuses all other names. Null: start forms list those of the
   * provider's documentation, and other names are passed on to the provider.
   */
  readonly templates: {
    readonly user: readonly UserTemplate[] | null;
    readonly agent: readonly AgentTemplate[] | null;
  };
  /** Working days after which Aadhaar details are too old to start a session with. */
  readonly aadhaarMaxAgeDays: number;
  /** Days, as YYYY-MM-DD in India, that are no working days, besides Saturdays and Sundays. */
  readonly holidays: readonly string[];
  readonly signIn: SignInConfig;
  /**
   * Whether an auditor may review, through this API, an approval that an unknown agent made at the provider.
   */
  readonly auditUnknownAgents: boolean;
  /** Minutes after its start at which a meeting counts as missed if the provider knows of no call. */
  readonly meetingGraceMinutes: number;
  /** Calendar of meetings; null: meetings can be booked at any time. */
  readonly calendar: CalendarRules | null;
  /** Times after which sessions are overdue, by sub-status or party; without a setting, no session is. */
  readonly deadlines: DeadlineMinutes;
  /** Minutes for which `claimNext` reserves a session, counted from the person's last action on it. */
  readonly claimLeaseMinutes: number;
  /**
   * Days after a decision made here and the end of the link (the later of both) for which polls ask the
   * provider whether it agrees.
   */
  readonly decisionConfirmDays: number;
  /** Merchant webhooks; null: none are sent. */
  readonly merchantWebhooks: {
    readonly endpoints: readonly MerchantEndpoint[];
    /** Hosts that may have private addresses and use plain http. */
    readonly allowedHosts: readonly string[];
  } | null;
  /** Notifications of customers. */
  readonly notifications: {
    /** Kinds that the gateway sends by itself. */
    readonly automatic: readonly AutomaticNotificationKind[];
    /** Hours in which only urgent ones are sent; null: there are none. */
    readonly quietHours: QuietHours | null;
    /** Minutes before a meeting at which the customer is reminded; null: never. */
    readonly reminderMinutes: number | null;
    /** Language of customers who speak none that has texts. */
    readonly locale: Locale;
    /** IANA name of the time zone of times in texts. */
    readonly timeZone: string;
    /** Mail server that sends them; null: they go to endpoints of merchant webhooks alone. */
    readonly smtp: {
      readonly url: string;
      readonly from: string;
      /** Whether an e-mail is kept back if the connection cannot be encrypted. */
      readonly requiresTls: boolean;
    } | null;
  };
  /** Whether clients may explore the schema: introspection, GraphiQL, and suggestions in errors. */
  readonly introspection: boolean;
  /** Whether only the GraphQL documents of `schema/trusted-documents.json` are executed. */
  readonly trustedDocumentsOnly: boolean;
  /** Prefix of the type names of the subgraph that this process serves; null: it serves the schema itself. */
  readonly subgraph: { readonly prefix: string } | null;
  /** Origins of other web pages that may use the API (CORS). */
  readonly allowedOrigins: readonly string[];
  /** Timeout for receiving a request, and for answering a query or mutation. */
  readonly requestSeconds: number;
  /** Legal retention: number of days after the end of a session during which its person must not be erased. */
  readonly legalRetentionDays: number;
  /** Number of days that a session stays in the database after its end before it may be archived. */
  readonly retentionDays: number;
  /** Query cost that one `sub` may spend per minute in each process; 0: no limit. */
  readonly costPerMinute: number;
  /** Failed sign-ins per minute that one address may cause in each process; 0: no limit. */
  readonly failuresPerMinute: number;
  /**
   * Number of trusted proxies in front of the gateway, or their addresses. The client's address is taken from
   * the forwarding headers of these proxies.
   */
  readonly trustedProxies: number | readonly string[];
  /** Whether traces are exported. OpenTelemetry reads the endpoint from the environment itself. */
  readonly tracing: boolean;
  readonly live: {
    /** Maximum number of open WebSockets and event streams of one `sub` in each process. */
    readonly connectionsPerClient: number;
    readonly subscriptionsPerSocket: number;
    /**
     * Seconds after SIGTERM in which requests are still served while /readyz answers 503, so that load balancers stop
     * routing here first.
     */
    readonly drainSeconds: number;
    /**
     * Window after SIGTERM over which subscribers are disconnected, so that they do not all reconnect at the
     * same moment.
     */
    readonly shutdownSeconds: number;
  };
}

export interface KeyWithId {
  readonly id: string;
  /** AES-256 or HMAC key of 32 bytes. */
  readonly key: Buffer;
}

export type SandboxWebhookMode = Environment['SANDBOX_WEBHOOKS'];

/** `json`: one JSON object per line, for programs; `text`: for a terminal. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * Failure to start that the operator can fix. The error message says how, and is shown without a stack trace.
 */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}

/** Error that lists all problems of the settings. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
  constructor(readonly issues: readonly string[]) {
    super(`The configuration is invalid:\n${issues.map((complaint) => `  - ${complaint}`).join('\n')}`);
  }
}

/**
 * Names of settings that may hold a credential. Error messages must not repeat the values of these settings.
 */
const CONFIDENTIAL = /URL|SECRET|KEY|CLIENT_ID|ENDPOINT/;
const MAX_SHOWN_CHARACTERS = 60;

/**
 * Formats the errors that a schema found in the settings, each with the value that was found unless it may hold
 * a credential.
 */
export const formatSettingErrors = (error: z.ZodError, given: Readonly<Record<string, unknown>>): string[] =>
  error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    const value = given[name];
    if (value === undefined || CONFIDENTIAL.test(name)) return `${name}: ${message}`;
    return `${name}: ${message} (found ${JSON.stringify(String(value).slice(0, MAX_SHOWN_CHARACTERS))})`;
  });

/**
 * Reads the settings from the environment. `terminal`: standard output is a terminal, so logs are text by
 * default.
 *
 * @throws ConfigError that lists every invalid setting
 */
export function readConfig(variables: NodeJS.ProcessEnv, { terminal = false } = {}): Config {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) throw new ConfigError(formatSettingErrors(parsed.error, given));
  const env = parsed.data;
  const complaints = findSettingProblems(env);
  if (complaints.length > 0) throw new ConfigError(complaints);
  const logFormat = env.LOG_FORMAT ?? (terminal ? 'text' : 'json');
  return {
    host: env.HOST,
    port: env.PORT,
    metricsPort: env.METRICS_PORT ?? null,
    logLevel: env.LOG_LEVEL,
    logFormat,
    // At a terminal the access log is off by default: a web page loads a dozen files, whose lines would bury
    // all other lines.
    accessLog: env.ACCESS_LOG ?? logFormat === 'json',
    warnings: findSettingWarnings(env),
    database: readDatabase(env),
    natsServers: env.NATS_URL ?? null,
    dataDir: env.DATA_DIR,
    dataKeys: env.DATA_KEYS ?? null,
    auditKeys: env.AUDIT_KEYS ?? null,
    provider: readProvider(env),
    templates: { user: env.USER_TEMPLATES ?? null, agent: env.AGENT_TEMPLATES ?? null },
    aadhaarMaxAgeDays: env.AADHAAR_MAX_AGE_DAYS,
    holidays: env.HOLIDAYS,
    signIn: readSignIn(env),
    auditUnknownAgents: env.AUDIT_UNKNOWN_AGENTS,
    meetingGraceMinutes: env.MEETING_GRACE_MINUTES,
    calendar: readCalendar(env),
    deadlines: env.DEADLINES,
    claimLeaseMinutes: env.CLAIM_LEASE_MINUTES,
    decisionConfirmDays: env.DECISION_CONFIRM_DAYS,
    merchantWebhooks: env.WEBHOOK_ENDPOINTS
      ? { endpoints: env.WEBHOOK_ENDPOINTS, allowedHosts: env.WEBHOOK_ALLOWED_HOSTS }
      : null,
    notifications: readNotifications(env),
    introspection: env.INTROSPECTION ?? !isProduction(env),
    trustedDocumentsOnly: env.TRUSTED_DOCUMENTS === 'only',
    subgraph: env.SUBGRAPH ? { prefix: env.SUBGRAPH_PREFIX ?? DEFAULT_SUBGRAPH_PREFIX } : null,
    allowedOrigins: env.ALLOWED_ORIGINS,
    requestSeconds: env.REQUEST_SECONDS,
    legalRetentionDays: env.LEGAL_RETENTION_DAYS,
    retentionDays: env.RETENTION_DAYS,
    costPerMinute: env.RATE_LIMIT_COST_PER_MINUTE,
    // Without sign-in, failed attempts are not limited: only a developer uses such a gateway.
    failuresPerMinute: hasAuthenticationSettings(env) ? env.RATE_LIMIT_FAILURES_PER_MINUTE : 0,
    trustedProxies: env.TRUST_PROXY,
    tracing:
      Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) &&
      !env.OTEL_SDK_DISABLED,
    live: {
      connectionsPerClient: env.CONNECTIONS_PER_CLIENT,
      subscriptionsPerSocket: env.SUBSCRIPTIONS_PER_SOCKET,
      drainSeconds: env.DRAIN_SECONDS ?? (isProduction(env) ? DRAIN_SECONDS_OF_PRODUCTION : 0),
      shutdownSeconds: env.SHUTDOWN_SECONDS,
    },
  };
}

function readCalendar(env: Environment): CalendarRules | null {
  const { MEETING_HOURS: hours, MEETING_CAPACITY: capacity } = env;
  if (!hours || capacity === undefined) return null;
  return {
    ...{ hours, capacity },
    slotMinutes: env.MEETING_SLOT_MINUTES ?? DEFAULT_MEETING_SLOT_MINUTES,
    timeZone: env.MEETING_TIME_ZONE ?? DEFAULT_TIME_ZONE,
    holidays: new Set(env.HOLIDAYS),
  };
}

function readNotifications(env: Environment): Config['notifications'] {
  const timeZone = env.MEETING_TIME_ZONE ?? DEFAULT_TIME_ZONE;
  const { SMTP_URL: url, SMTP_FROM: from, NOTIFICATION_QUIET_HOURS: quiet } = env;
  return {
    automatic: env.NOTIFICATIONS,
    quietHours: quiet ? { ...quiet, timeZone } : null,
    reminderMinutes: env.NOTIFICATION_REMINDER_MINUTES ?? null,
    locale: env.NOTIFICATION_LOCALE,
    timeZone,
    smtp: url && from ? { url, from, requiresTls: !mayBePlain(url, env) } : null,
  };
}

/** Returns whether e-mails may go to the mail server without TLS: to this machine, or if the settings allow it. */
const mayBePlain = (url: string, env: Environment): boolean =>
  env.ALLOW_PLAIN_HTTP || isLoopbackHost(new URL(url).hostname);

function readDatabase(env: Environment): Config['database'] {
  const poolSize = env.DATABASE_POOL;
  if (!env.DATABASE_URL) return { kind: 'EMBEDDED', dataDir: env.DATA_DIR, poolSize };
  return {
    kind: 'URL',
    url: env.DATABASE_URL,
    migrateUrl: env.MIGRATE_DATABASE_URL ?? env.DATABASE_URL,
    listenUrl: env.LISTEN_DATABASE_URL ?? env.DATABASE_URL,
    poolSize,
  };
}

function readProvider(env: Environment): Config['provider'] {
  const given = env.PROVIDER_CALLS_PER_MINUTE;
  if (hasCompleteProviderSettings(env)) {
    return {
      kind: 'CASHFREE',
      callsPerMinute: given ?? CALLS_PER_MINUTE.CASHFREE,
      baseUrl: env.CASHFREE_BASE_URL,
      clientId: env.CASHFREE_CLIENT_ID,
      secrets: env.CASHFREE_CLIENT_SECRET,
      appId: env.CASHFREE_APP_ID ?? null,
      publicKey: env.CASHFREE_PUBLIC_KEY ?? null,
    };
  }
  return {
    kind: 'SANDBOX',
    callsPerMinute: given ?? CALLS_PER_MINUTE.SANDBOX,
    port: env.SANDBOX_PORT,
    speed: env.SANDBOX_SPEED,
    seed: env.SANDBOX_SEED,
    webhooks: env.SANDBOX_WEBHOOKS,
  };
}

function readSignIn(env: Environment): SignInConfig {
  const claims = {
    ...(env.AUTH_ISSUER ? { issuer: env.AUTH_ISSUER } : {}),
    ...(env.AUTH_AUDIENCE ? { audience: env.AUTH_AUDIENCE } : {}),
  };
  if (env.AUTH_SECRET) return { kind: 'SECRET', secret: Buffer.from(env.AUTH_SECRET), ...claims };
  if (env.AUTH_JWKS_URL) return { kind: 'JWKS', url: env.AUTH_JWKS_URL, ...claims };
  return { kind: 'DEVELOPMENT' };
}
