import { createPublicKey, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { DatabaseUrlError, parseDatabaseUrl } from './db/database-url.ts';
import {
  findRepeated,
  isPrivateHost,
  isTooLarge,
  isWeakKey,
  isWeakPassword,
  isWeakProviderSecret,
  isWeakSecret,
} from './weak-settings.ts';

/** Addresses that only this machine can reach. */
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

const NETWORKS = [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()] as const;

const text = z.string().trim().min(1);
/** A number, in the words of the complaint about any other value. */
const number = z.coerce.number('expected a number');
const A_PORT = 'expected a port, from 0 to 65535';
/** 0 takes any free port. */
export const port = z.coerce.number(A_PORT).int(A_PORT).min(0, A_PORT).max(65_535, A_PORT);
const flag = z.stringbool();
/** Not `file:`, `data:` or any other scheme that a library might read. */
const httpUrl = z.url({ protocol: /^https?$/, error: 'is not a URL that begins with https:// (or http://)' });
const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

/** A key is 32 bytes in base64; several, comma-separated, as `id:key`: the first is used, all are understood. */
const keys = list.pipe(
  z.array(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,16}:[A-Za-z0-9+/]{43}=$/, 'is not of the form id:base64 with 32 bytes of key')
      .transform((item) => {
        const [id, key] = item.split(':') as [string, string];
        return { id, key: Buffer.from(key, 'base64') };
      }),
  ),
);

/** What is wrong with it is said without repeating it: it may hold a password. */
const databaseUrl = text.superRefine((value, context) => {
  try {
    parseDatabaseUrl(value);
  } catch (error) {
    if (!(error instanceof DatabaseUrlError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** As browsers send it: scheme, host and port, and nothing behind them. */
const origin = text.refine(
  (value) => URL.canParse(value) && new URL(value).origin === value,
  'is not an origin, such as https://app.example.com',
);

/** What may stand before the host are credentials: the complaint does not repeat it. */
const natsServer = text.refine(
  (value) => URL.canParse(value) && /^(nats|tls):$/.test(new URL(value).protocol) && new URL(value).hostname,
  'is not a NATS server, such as nats://127.0.0.1:4222 or tls://user:password@nats.example.com:4222',
);

/** A number of proxies, or who they are. All of them would be anybody: what a sender says first is their own word. */
const proxies = z.union([z.coerce.number().int().min(0).max(10), list.pipe(z.array(z.union(NETWORKS)))], {
  error: 'is neither how many proxies are in front, nor their addresses or networks, such as 10.0.0.0/8',
});

/** PEM; its line ends may be written as backslash and n, as in most files of settings. */
const publicKey = text
  .transform((pem) => pem.replaceAll('\\n', '\n'))
  .refine((pem) => {
    try {
      return createPublicKey(pem).asymmetricKeyType === 'rsa';
    } catch {
      return false;
    }
  }, 'is not an RSA public key in PEM');

/** A balancer that asks /readyz every second and believes the second answer has looked away by then. */
const DRAIN_SECONDS_OF_PRODUCTION = 3;

/** What most accounts are granted; the sandbox on this machine need not be spared. */
const CALLS_PER_MINUTE = { CASHFREE: 100, SANDBOX: 6_000 } as const;

const LOG_FORMATS = ['json', 'text'] as const;

const environment = z.object({
  NODE_ENV: z.string().trim().toLowerCase().optional(),
  HOST: text.default('127.0.0.1'),
  PORT: port.default(4000),
  METRICS_PORT: port.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  LOG_FORMAT: z.enum(LOG_FORMATS).optional(),
  ACCESS_LOG: flag.optional(),
  DATA_DIR: text.default('.data'),
  DATABASE_URL: databaseUrl.optional(),
  MIGRATE_DATABASE_URL: databaseUrl.optional(),
  LISTEN_DATABASE_URL: databaseUrl.optional(),
  DATABASE_POOL: number.int().min(4).max(100).default(10),
  EMBEDDED_POSTGRES: flag.optional(),
  NATS_URL: list.pipe(z.array(natsServer)).optional(),
  DATA_KEYS: keys.optional(),
  AUDIT_KEYS: keys.optional(),
  CASHFREE_BASE_URL: httpUrl.optional(),
  CASHFREE_CLIENT_ID: text.optional(),
  CASHFREE_CLIENT_SECRET: list.optional(),
  CASHFREE_APP_ID: text.optional(),
  CASHFREE_PUBLIC_KEY: publicKey.optional(),
  PROVIDER_CALLS_PER_MINUTE: number.int().min(5).max(60_000).optional(),
  AUDIT_UNKNOWN_AGENTS: flag.default(false),
  SANDBOX: flag.optional(),
  SANDBOX_PORT: port.default(4010),
  SANDBOX_SPEED: number.positive().default(1),
  SANDBOX_SEED: text.default('sandbox'),
  SANDBOX_WEBHOOKS: z.enum(['every-status', 'documented']).default('every-status'),
  AUTH_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  AUTH_JWKS_URL: httpUrl.optional(),
  ALLOW_PLAIN_HTTP: flag.default(false),
  AUTH_ISSUER: text.optional(),
  AUTH_AUDIENCE: text.optional(),
  TRUSTED_DOCUMENTS: z.enum(['only', 'off']).default('off'),
  INTROSPECTION: flag.optional(),
  ALLOWED_ORIGINS: list.pipe(z.array(origin)).default([]),
  REQUEST_SECONDS: number.positive().max(600).default(10),
  LEGAL_RETENTION_DAYS: number.int().min(0).default(1_826),
  RETENTION_DAYS: number.int().min(0).default(2_192),
  RATE_LIMIT_FAILURES_PER_MINUTE: number.int().min(0).default(100),
  TRUST_PROXY: proxies.default(0),
  RATE_LIMIT_COST_PER_MINUTE: number.int().min(0).default(100_000),
  CONNECTIONS_PER_CLIENT: number.int().min(1).default(100),
  SUBSCRIPTIONS_PER_SOCKET: number.int().min(1).default(100),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl.optional(),
  OTEL_SDK_DISABLED: flag.default(false),
  DRAIN_SECONDS: number.min(0).max(300).optional(),
  SHUTDOWN_SECONDS: number.min(0).max(300).default(5),
});

type Environment = z.infer<typeof environment>;

/** How callers prove who they are. */
export type SignIn =
  /** No sign-in setting, sandbox, loopback: a request without a token is an ADMIN. The secret is of this process. */
  | { readonly kind: 'DEVELOPMENT'; readonly secret: Buffer }
  | { readonly kind: 'SECRET'; readonly secret: Buffer; readonly issuer?: string; readonly audience?: string }
  | { readonly kind: 'JWKS'; readonly url: string; readonly issuer?: string; readonly audience?: string };

/** Everything that the environment decides, read once. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Where `/metrics` alone is served, on the same host; null: it is one of the paths of `port`. */
  readonly metricsPort: number | null;
  readonly logLevel: Environment['LOG_LEVEL'];
  readonly logFormat: LogFormat;
  /** Whether each request is logged. */
  readonly accessLog: boolean;
  /** What is allowed and not wise, to be logged at the start. */
  readonly warnings: readonly string[];
  readonly database:
    | { readonly kind: 'EMBEDDED'; readonly dataDir: string; readonly poolSize: number }
    | {
        readonly kind: 'URL';
        readonly url: string;
        readonly migrateUrl: string;
        /** For the connection that LISTENs: a pooler in transaction mode would lose its channel. */
        readonly listenUrl: string;
        readonly poolSize: number;
      };
  /** Servers by which replicas tell each other what was recorded; null: they do so by the database. */
  readonly natsServers: readonly string[] | null;
  readonly dataDir: string;
  /** Null: the process makes a key of its own under `dataDir`, which only development allows. */
  readonly dataKeys: readonly DataKey[] | null;
  /** The same for the hashes of the audit chains. */
  readonly auditKeys: readonly DataKey[] | null;
  readonly provider: {
    /** Of all replicas together. */
    readonly callsPerMinute: number;
  } & (
    | {
        readonly kind: 'CASHFREE';
        readonly baseUrl: string;
        readonly clientId: string;
        readonly secrets: readonly string[];
        readonly appId: string | null;
        /** PEM, for accounts whose calls have to be signed. */
        readonly publicKey: string | null;
      }
    | {
        readonly kind: 'SANDBOX';
        readonly port: number;
        readonly speed: number;
        readonly seed: string;
        readonly webhooks: SandboxWebhooks;
      }
  );
  readonly signIn: SignIn;
  /** Whether an approval may be audited here whose agent, at the provider, is not known. */
  readonly auditUnknownAgents: boolean;
  /** Whether clients may explore the schema: introspection, GraphiQL, and suggestions in errors. */
  readonly introspection: boolean;
  /** Whether only the documents of `schema/trusted-documents.json` are served. */
  readonly trustedDocumentsOnly: boolean;
  /** Whose pages may use the API, beside the gateway's own. */
  readonly allowedOrigins: readonly string[];
  /** How long a request may take to arrive, and a query or mutation to be answered. */
  readonly requestSeconds: number;
  /** How long after the end of a session nobody may be erased. */
  readonly legalRetentionDays: number;
  /** How long after its end a session stays in the database. */
  readonly retentionDays: number;
  /** What one `sub` may spend in each process; 0: no limit. */
  readonly costPerMinute: number;
  /** How often an address may fail to prove who it is, in each process; 0: no limit. */
  readonly failuresPerMinute: number;
  /** How many proxies stand in front, or their addresses: those are believed for whom they ask. */
  readonly trustedProxies: number | readonly string[];
  /** Whether traces are exported; where to, OpenTelemetry reads from the environment by itself. */
  readonly tracing: boolean;
  readonly live: {
    /** WebSockets and streams of one `sub`, in each process. */
    readonly connectionsPerClient: number;
    readonly subscriptionsPerSocket: number;
    /** How long after SIGTERM requests are still served while /readyz answers 503, so that balancers look away first. */
    readonly drainSeconds: number;
    /** Over which window subscribers are sent away after SIGTERM. */
    readonly shutdownSeconds: number;
  };
}

export interface DataKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

export type SandboxWebhooks = Environment['SANDBOX_WEBHOOKS'];

/** `json`: a line of JSON for each event, for programs; `text`: for a person at a terminal. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** A failure to start whose cause the operator can remove. Its message says how, and is shown without a stack. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}

/** Says everything that is wrong with the environment at once. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
  constructor(readonly complaints: readonly string[]) {
    super(
      `The configuration is not usable:\n${complaints.map((complaint) => `  - ${complaint}`).join('\n')}`,
    );
  }
}

/** Settings that hold, or may hold, a credential: no complaint repeats their value. */
const CONFIDENTIAL = /URL|SECRET|KEY|CLIENT_ID|ENDPOINT/;
const MAX_SHOWN_CHARACTERS = 60;

/** The complaints of a schema about settings, each with the value that was found. */
export const describeIssues = (error: z.ZodError, given: Readonly<Record<string, unknown>>): string[] =>
  error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    const value = given[name];
    if (value === undefined || CONFIDENTIAL.test(name)) return `${name}: ${message}`;
    return `${name}: ${message} (found ${JSON.stringify(String(value).slice(0, MAX_SHOWN_CHARACTERS))})`;
  });

/**
 * Reads the environment. `terminal`: a person watches standard output.
 * @throws ConfigError that lists every complaint
 */
export function readConfig(variables: NodeJS.ProcessEnv, { terminal = false } = {}): Config {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) throw new ConfigError(describeIssues(parsed.error, given));
  const env = parsed.data;
  const complaints = contradictions(env);
  if (complaints.length > 0) throw new ConfigError(complaints);
  const logFormat = env.LOG_FORMAT ?? (terminal ? 'text' : 'json');
  return {
    host: env.HOST,
    port: env.PORT,
    metricsPort: env.METRICS_PORT ?? null,
    logLevel: env.LOG_LEVEL,
    logFormat,
    // A page at a terminal loads a dozen files: what a person looks for would be lost among them.
    accessLog: env.ACCESS_LOG ?? logFormat === 'json',
    warnings: findWarnings(env),
    database: databaseOf(env),
    natsServers: env.NATS_URL ?? null,
    dataDir: env.DATA_DIR,
    dataKeys: env.DATA_KEYS ?? null,
    auditKeys: env.AUDIT_KEYS ?? null,
    provider: providerOf(env),
    signIn: signInOf(env),
    auditUnknownAgents: env.AUDIT_UNKNOWN_AGENTS,
    introspection: env.INTROSPECTION ?? !isProduction(env),
    trustedDocumentsOnly: env.TRUSTED_DOCUMENTS === 'only',
    allowedOrigins: env.ALLOWED_ORIGINS,
    requestSeconds: env.REQUEST_SECONDS,
    legalRetentionDays: env.LEGAL_RETENTION_DAYS,
    retentionDays: env.RETENTION_DAYS,
    costPerMinute: env.RATE_LIMIT_COST_PER_MINUTE,
    // Everybody is let in there, and all that fails is a developer's.
    failuresPerMinute: hasSignIn(env) ? env.RATE_LIMIT_FAILURES_PER_MINUTE : 0,
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

const isProduction = ({ NODE_ENV = '' }: Environment): boolean => /^prod(uction)?$/.test(NODE_ENV);

const isPlain = (url: string | undefined): url is string =>
  url !== undefined && new URL(url).protocol === 'http:';

const isLoopback = (host: string): boolean => LOOPBACK.includes(host.replace(/^\[|\]$/g, ''));

/** The sandbox inside this process, or one that another process of this machine runs. */
const usesSandbox = (env: Environment): boolean =>
  (!env.CASHFREE_CLIENT_ID && !env.CASHFREE_CLIENT_SECRET) ||
  (env.CASHFREE_BASE_URL !== undefined && isLoopback(new URL(env.CASHFREE_BASE_URL).hostname));
const hasSignIn = (env: Environment): boolean => Boolean(env.AUTH_SECRET ?? env.AUTH_JWKS_URL);

const NOT_PRODUCTION =
  'NODE_ENV: found "production". To try the gateway without these settings, start it without: NODE_ENV= npm start';

const RANDOM = 'such as from: openssl rand -base64 32';
const ALLOW_PLAIN =
  'Set it to an https: URL, or ALLOW_PLAIN_HTTP=1 if the way there is private and this is meant.';

function contradictions(env: Environment): string[] {
  const production = isProduction(env);
  const complaints: [boolean, string][] = [
    [!hasSignIn(env) && production, 'AUTH_SECRET or AUTH_JWKS_URL: production needs a way to sign in.'],
    [
      production && !(env.AUTH_ISSUER && env.AUTH_AUDIENCE),
      'AUTH_ISSUER, AUTH_AUDIENCE: production needs both, the claims `iss` and `aud` of its tokens; without them a token that was issued for another system is good here.',
    ],
    [
      production && env.AUTH_SECRET !== undefined && isWeakSecret(env.AUTH_SECRET),
      `AUTH_SECRET: it can be guessed, and whoever has it issues tokens. Use random characters, ${RANDOM}`,
    ],
    [
      production && isPlain(env.AUTH_JWKS_URL) && !env.ALLOW_PLAIN_HTTP,
      `AUTH_JWKS_URL: over http: anybody on the way can put in a key of their own. ${ALLOW_PLAIN}`,
    ],
    [
      isPlain(env.CASHFREE_BASE_URL) &&
        !isLoopback(new URL(env.CASHFREE_BASE_URL).hostname) &&
        !env.ALLOW_PLAIN_HTTP,
      `CASHFREE_BASE_URL: over http: credentials and personal data can be read on the way. ${ALLOW_PLAIN}`,
    ],
    [
      production && !usesSandbox(env) && Boolean(env.CASHFREE_CLIENT_SECRET?.some(isWeakProviderSecret)),
      'CASHFREE_CLIENT_SECRET: it can be guessed, and whoever has it signs webhooks. Use the one that the provider issued.',
    ],
    [
      Boolean(env.SANDBOX) && !usesSandbox(env),
      'SANDBOX: the CASHFREE_ settings name a real provider, so that no sandbox is run. Unset it, or them.',
    ],
    ...(Array.isArray(env.TRUST_PROXY) ? env.TRUST_PROXY : []).map((network): [boolean, string] => [
      isTooLarge(network),
      `TRUST_PROXY: ${network} holds far more than your proxies, and whoever is trusted can name any address as theirs. Name the network of your proxies alone, such as 10.0.0.0/8.`,
    ]),
    [
      !hasSignIn(env) && !usesSandbox(env),
      'AUTH_SECRET or AUTH_JWKS_URL: with a real provider there must be a way to sign in.',
    ],
    [
      !hasSignIn(env) && !isLoopback(env.HOST),
      `AUTH_SECRET or AUTH_JWKS_URL: without a way to sign in HOST must be a loopback address, not ${env.HOST}.`,
    ],
    [
      env.PORT !== 0 && env.PORT === env.SANDBOX_PORT && providerOf(env).kind === 'SANDBOX',
      `PORT, SANDBOX_PORT: both are ${env.PORT}. Choose another for one of them.`,
    ],
    [
      Boolean(env.METRICS_PORT) && env.METRICS_PORT === env.PORT,
      `METRICS_PORT, PORT: both are ${env.PORT}. Choose another for one of them.`,
    ],
    [Boolean(env.AUTH_SECRET && env.AUTH_JWKS_URL), 'AUTH_SECRET, AUTH_JWKS_URL: set one of them, not both.'],
    [
      Boolean(env.CASHFREE_CLIENT_ID) !== Boolean(env.CASHFREE_CLIENT_SECRET),
      'CASHFREE_CLIENT_ID, CASHFREE_CLIENT_SECRET: set both, or neither for the sandbox provider.',
    ],
    [
      Boolean(env.CASHFREE_CLIENT_ID) && !env.CASHFREE_BASE_URL,
      'CASHFREE_BASE_URL: say which provider the credentials are for, such as https://sandbox.cashfree.com/verification.',
    ],
    [
      production && usesSandbox(env) && !env.SANDBOX,
      'CASHFREE_CLIENT_ID, CASHFREE_CLIENT_SECRET: production needs the provider; SANDBOX=1 runs the sandbox all the same.',
    ],
    [
      production && !env.DATABASE_URL && !env.EMBEDDED_POSTGRES,
      'DATABASE_URL: production needs a database; EMBEDDED_POSTGRES=1 runs the embedded one all the same.',
    ],
    [
      !env.DATABASE_URL && Boolean(env.MIGRATE_DATABASE_URL ?? env.LISTEN_DATABASE_URL),
      'DATABASE_URL: MIGRATE_DATABASE_URL and LISTEN_DATABASE_URL only name other ways to the same database; set DATABASE_URL too.',
    ],
    [
      !env.DATA_KEYS && (production || !usesSandbox(env)),
      'DATA_KEYS: personal data needs a key: id:base64 of 32 random bytes, such as from: echo "k1:$(openssl rand -base64 32)".',
    ],
    [
      !env.AUDIT_KEYS && (production || !usesSandbox(env)),
      'AUDIT_KEYS: the audit chain needs a key that the database does not have, of the same form as DATA_KEYS.',
    ],
    ...(['DATA_KEYS', 'AUDIT_KEYS'] as const).flatMap((setting): [boolean, string][] => {
      const given = env[setting] ?? [];
      const repeated = findRepeated(given.map(({ id }) => id));
      return [
        [
          repeated.length > 0,
          `${setting}: several keys have the id ${repeated}. Give each an id of its own.`,
        ],
        [
          production && given.some(({ key }) => isWeakKey(key)),
          `${setting}: a key of it can be guessed. Use random bytes, ${RANDOM}`,
        ],
      ];
    }),
  ];
  const found = complaints.filter(([applies]) => applies).map(([, complaint]) => complaint);
  if (found.length > 0 && production) found.push(NOT_PRODUCTION);
  return found;
}

function findWarnings(env: Environment): string[] {
  const warnings: string[] = [];
  for (const setting of ['DATABASE_URL', 'MIGRATE_DATABASE_URL', 'LISTEN_DATABASE_URL'] as const) {
    const url = env[setting];
    if (url === undefined) continue;
    const { attempts, user, password } = parseDatabaseUrl(url);
    if (attempts.some(({ host, ssl }) => ssl === false && !isPrivateHost(host)))
      warnings.push(
        `${setting}: its host is not in a private network, and the connection may go without TLS; add sslmode=verify-full`,
      );
    if (isProduction(env) && password !== undefined && (password === user || isWeakPassword(password)))
      warnings.push(`${setting}: its password can be guessed; use random characters`);
  }
  return warnings;
}

function databaseOf(env: Environment): Config['database'] {
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

function providerOf(env: Environment): Config['provider'] {
  const given = env.PROVIDER_CALLS_PER_MINUTE;
  if (env.CASHFREE_BASE_URL && env.CASHFREE_CLIENT_ID && env.CASHFREE_CLIENT_SECRET) {
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

function signInOf(env: Environment): SignIn {
  const claims = {
    ...(env.AUTH_ISSUER ? { issuer: env.AUTH_ISSUER } : {}),
    ...(env.AUTH_AUDIENCE ? { audience: env.AUTH_AUDIENCE } : {}),
  };
  if (env.AUTH_SECRET) return { kind: 'SECRET', secret: Buffer.from(env.AUTH_SECRET), ...claims };
  if (env.AUTH_JWKS_URL) return { kind: 'JWKS', url: env.AUTH_JWKS_URL, ...claims };
  return { kind: 'DEVELOPMENT', secret: randomBytes(32) };
}
