/** Schema of the environment variables. */
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { DatabaseUrlError, parseDatabaseUrl } from './db/connection/database-url.ts';
import { DEADLINE_NAMES, type DeadlineMinutes } from './domain/deadlines.ts';
import { LOCALES, type Locale } from './domain/locales.ts';
import { AUTOMATIC_NOTIFICATION_KINDS } from './domain/notifications.ts';
import { DEFAULT_CONFIRMATION_POLL_DAYS } from './domain/polling.ts';
import { parseMeetingHours, parseQuietHours } from './meeting-hours.ts';
import { parseMerchantEndpoints } from './merchant-endpoints.ts';

/** Host names that only this machine can reach. */
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

const NETWORKS = [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()] as const;

const text = z.string().trim().min(1);
const number = z.coerce.number('must be a number');
const A_PORT = 'must be a port, from 0 to 65535';
/** Port number; 0 means any free port. */
export const portSchema = z.coerce.number(A_PORT).int(A_PORT).min(0, A_PORT).max(65_535, A_PORT);
const flag = z.stringbool();
/**
 * URL that begins with http:// or https://. Other schemes, such as `file:` or `data:`, are refused, because a library
 * might read from them.
 */
const httpUrl = z.url({ protocol: /^https?$/, error: 'is not a URL that begins with https:// (or http://)' });
const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

/** Keys as comma-separated `id:key` with 32 bytes in base64: the first key encrypts, all of them decrypt. */
const keys = list.pipe(
  z.array(
    z
      .string()
      .regex(
        /^[A-Za-z0-9_-]{1,16}:[A-Za-z0-9+/]{43}=$/,
        'must have the form id:base64 with a key of 32 bytes',
      )
      .transform((item) => {
        const [id, key] = item.split(':') as [string, string];
        return { id, key: Buffer.from(key, 'base64') };
      }),
  ),
);

/** URL of a database. The error message does not repeat the value, because it may hold a password. */
const databaseUrl = text.superRefine((value, context) => {
  try {
    parseDatabaseUrl(value);
  } catch (error) {
    if (!(error instanceof DatabaseUrlError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** An origin as browsers send it: scheme, host and port, without a path. */
const origin = text.refine(
  (value) => URL.canParse(value) && new URL(value).origin === value,
  'is not an origin, such as https://app.example.com',
);

/** URL of a NATS server. The error message does not repeat the value, because it may hold credentials. */
const natsServer = text.refine(
  (value) => URL.canParse(value) && /^(nats|tls):$/.test(new URL(value).protocol) && new URL(value).hostname,
  'is not a NATS server, such as nats://127.0.0.1:4222 or tls://user:password@nats.example.com:4222',
);

/**
 * Number of trusted proxies, or their networks. It is not possible to trust all hosts, because clients could
 * then forge their address in X-Forwarded-For.
 */
const proxies = z.union([z.coerce.number().int().min(0).max(10), list.pipe(z.array(z.union(NETWORKS)))], {
  error: 'must be the number of trusted proxies, or their addresses or networks, such as 10.0.0.0/8',
});

/** RSA public key as PEM; line ends may be written as `\n` (backslash and n), as in many settings files. */
const publicKey = text
  .transform((pem) => pem.replaceAll('\\n', '\n'))
  .refine((pem) => {
    try {
      return createPublicKey(pem).asymmetricKeyType === 'rsa';
    } catch {
      return false;
    }
  }, 'is not an RSA public key in PEM');

const MAX_DEADLINE_MINUTES = 525_600;

/** Deadlines as `NAME=MINUTES`, separated by commas; a name is a sub-status or a party. */
const deadlines = list.transform((items, context): DeadlineMinutes => {
  const read = new Map<string, number>();
  for (const item of items) {
    const [name = '', minutes = ''] = item.split('=').map((part) => part.trim());
    const problem = findDeadlineProblem(name, minutes, read);
    if (problem) {
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    }
    read.set(name, Number(minutes));
  }
  return Object.fromEntries(read);
});

function findDeadlineProblem(
  name: string,
  minutes: string,
  read: ReadonlyMap<string, number>,
): string | null {
  if (!DEADLINE_NAMES.some((known) => known === name))
    return `names ${JSON.stringify(name)}, which is neither a sub-status of a session under way nor a party: write NAME=MINUTES, such as AGENT=30,USER_QUEUED=10`;
  if (read.has(name)) return `names ${name} twice`;
  const count = /^\d{1,6}$/.test(minutes) ? Number(minutes) : 0;
  return count >= 1 && count <= MAX_DEADLINE_MINUTES
    ? null
    : `must give ${name} a whole number of minutes, from 1 to ${MAX_DEADLINE_MINUTES}`;
}

const MAX_TEMPLATES = 20;
const MAX_STEPS = 20;
const MAX_TEMPLATE_TEXT = 200;

/** A visible text of one line. */
const line = (what: string) =>
  z
    .string(`needs ${what}, which must be a text`)
    .trim()
    .min(1, `needs ${what} that is not empty`)
    .max(MAX_TEMPLATE_TEXT, `has ${what} of more than ${MAX_TEMPLATE_TEXT} characters`)
    .regex(/^[^\p{Cc}\p{Cf}\p{Cs}]*$/u, `has ${what} with control characters or invisible characters`);

const template = { id: line('an "id"'), title: line('a "title"') };

/** Creates the error message for a template that is not an object, or has an unknown key. */
const forKeys = (keys: string) => (issue: { readonly code?: string; readonly keys?: readonly string[] }) =>
  issue.code === 'unrecognized_keys'
    ? `has the unknown key ${JSON.stringify(issue.keys?.[0])}; the keys are ${keys}`
    : `must be an object with the keys ${keys}`;

const userTemplate = z.strictObject(
  {
    ...template,
    steps: z
      .array(line('a step'), 'needs "steps", which must be a list of texts')
      .min(1, 'needs at least one step')
      .max(MAX_STEPS, `has more than ${MAX_STEPS} steps`),
  },
  { error: forKeys('id, title, steps') },
);
const agentTemplate = z.strictObject(template, { error: forKeys('id, title') });

/** List of templates as JSON. Each error message names the entry, because a setting may be long. */
const templates = <Template extends z.ZodType<{ readonly id: string }>>(entry: Template) =>
  text.transform((value, context): z.output<Template>[] => {
    const found = readTemplates(entry, value);
    if (Array.isArray(found)) return found;
    context.addIssue({ code: 'custom', message: found.problem });
    return z.NEVER;
  });

function readTemplates<Template extends z.ZodType<{ readonly id: string }>>(
  entry: Template,
  value: string,
): z.output<Template>[] | { readonly problem: string } {
  let given: unknown;
  try {
    given = JSON.parse(value);
  } catch {
    given = null;
  }
  if (!Array.isArray(given) || given.length < 1 || given.length > MAX_TEMPLATES)
    return { problem: `must be a JSON list of 1 to ${MAX_TEMPLATES} templates` };
  const read: z.output<Template>[] = [];
  for (const [index, each] of given.entries()) {
    const parsed = entry.safeParse(each);
    if (!parsed.success) return { problem: `entry ${index + 1} ${parsed.error.issues[0]?.message}` };
    if (read.some(({ id }) => id === parsed.data.id))
      return { problem: `entry ${index + 1} has the same id as an earlier entry` };
    read.push(parsed.data);
  }
  return read;
}

/** Working hours, such as `Mon-Fri 09:00-18:00`. */
const meetingHours = text.transform((value, context) => {
  const found = parseMeetingHours(value);
  if (Array.isArray(found)) return found;
  context.addIssue({ code: 'custom', message: found.problem });
  return z.NEVER;
});

/** Hours without notifications, such as `21:00-08:00`. */
const quietHours = text.transform((value, context) => {
  const found = parseQuietHours(value);
  if (!('problem' in found)) return found;
  context.addIssue({ code: 'custom', message: found.problem });
  return z.NEVER;
});

/** URL of a mail server. The error message does not repeat the value, because it may hold a password. */
const smtpUrl = text.refine(
  (value) =>
    URL.canParse(value) && /^smtps?:$/.test(new URL(value).protocol) && new URL(value).hostname !== '',
  'is not the URL of a mail server, such as smtps://user:password@mail.example.com:465',
);

/** Sender of e-mails: an address, or a name and an address in angle brackets, without line ends. */
const sender = text.regex(
  /^(?:[^<>@\r\n]+ )?<?[^\s<>@]+@[^\s<>@]+>?$/,
  'must be an e-mail address, such as kyc@example.com or Example Bank <kyc@example.com>',
);

/** Endpoints of merchant webhooks as JSON. */
const merchantEndpoints = text.transform((value, context) => {
  const found = parseMerchantEndpoints(value);
  if (Array.isArray(found)) return found;
  context.addIssue({ code: 'custom', message: found.problem });
  return z.NEVER;
});

/** Host name or IP address as it stands in a URL, without brackets, scheme and port. */
const host = text
  .toLowerCase()
  .regex(
    /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+)$/,
    'must be hosts without scheme and port, such as localhost',
  );

/** IANA name of a time zone. */
const timeZone = text.refine((value) => {
  try {
    return Intl.DateTimeFormat('en', { timeZone: value }) !== null;
  } catch {
    return false;
  }
}, 'is not the name of a time zone, such as Asia/Kolkata');

/** Default of MEETING_SLOT_MINUTES. */
export const DEFAULT_MEETING_SLOT_MINUTES = 30;

export const LOG_FORMATS = ['json', 'text'] as const;

/** Schema of the variables that the gateway reads. */
export const environmentSchema = z.object({
  NODE_ENV: z.string().trim().toLowerCase().optional(),
  HOST: text.default('127.0.0.1'),
  PORT: portSchema.default(4000),
  METRICS_PORT: portSchema.optional(),
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
  MEETING_GRACE_MINUTES: number.int().min(0).max(1_440).default(15),
  MEETING_HOURS: meetingHours.optional(),
  MEETING_SLOT_MINUTES: number.int().min(5).max(480).optional(),
  MEETING_CAPACITY: number.int().min(1).max(10_000).optional(),
  MEETING_TIME_ZONE: timeZone.optional(),
  DEADLINES: deadlines.default({}),
  CLAIM_LEASE_MINUTES: number.int().min(1).max(1_440).default(20),
  USER_TEMPLATES: templates(userTemplate).optional(),
  AGENT_TEMPLATES: templates(agentTemplate).optional(),
  AADHAAR_MAX_AGE_DAYS: number.int().min(1).max(366).default(3),
  HOLIDAYS: list.pipe(z.array(z.iso.date('must be days as YYYY-MM-DD, separated by commas'))).default([]),
  DECISION_CONFIRM_DAYS: number.int().min(0).max(365).default(DEFAULT_CONFIRMATION_POLL_DAYS),
  SANDBOX: flag.optional(),
  SANDBOX_PORT: portSchema.default(4010),
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
  SUBGRAPH: flag.default(false),
  SUBGRAPH_PREFIX: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9]{0,39}$/, 'must be 1 to 40 letters and digits that begin with a capital letter')
    .optional(),
  ALLOWED_ORIGINS: list.pipe(z.array(origin)).default([]),
  REQUEST_SECONDS: number.positive().max(600).default(10),
  WEBHOOK_ENDPOINTS: merchantEndpoints.optional(),
  WEBHOOK_ALLOWED_HOSTS: list.pipe(z.array(host)).default([]),
  NOTIFICATIONS: list
    .pipe(
      z.array(
        z.enum(AUTOMATIC_NOTIFICATION_KINDS, {
          error: `names a kind that does not exist; the kinds are ${AUTOMATIC_NOTIFICATION_KINDS.join(', ')}`,
        }),
      ),
    )
    .default([]),
  NOTIFICATION_QUIET_HOURS: quietHours.optional(),
  NOTIFICATION_REMINDER_MINUTES: number.int().min(5).max(10_080).optional(),
  NOTIFICATION_LOCALE: z.enum(Object.keys(LOCALES) as [Locale, ...Locale[]]).default('EN'),
  SMTP_URL: smtpUrl.optional(),
  SMTP_FROM: sender.optional(),
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

export type Environment = z.infer<typeof environmentSchema>;

export const isProduction = ({ NODE_ENV = '' }: Environment): boolean => /^prod(uction)?$/.test(NODE_ENV);

export const isPlainHttpUrl = (url: string | undefined): url is string =>
  url !== undefined && new URL(url).protocol === 'http:';

export const isLoopbackHost = (host: string): boolean => LOOPBACK.includes(host.replace(/^\[|\]$/g, ''));

/** Returns whether Cashfree is a sandbox, in this process or in another one on this machine. */
export const usesCashfreeSandbox = (env: Environment): boolean =>
  (!env.CASHFREE_CLIENT_ID && !env.CASHFREE_CLIENT_SECRET) ||
  (env.CASHFREE_BASE_URL !== undefined && isLoopbackHost(new URL(env.CASHFREE_BASE_URL).hostname));

/**
 * Returns whether no provider is a real one. Only then may sign-in and keys be missing. A second provider adds the test
 * of its own settings here.
 */
export const usesOnlySandbox = (env: Environment): boolean => usesCashfreeSandbox(env);

export const hasAuthenticationSettings = (env: Environment): boolean =>
  Boolean(env.AUTH_SECRET ?? env.AUTH_JWKS_URL);

interface ProviderSettings {
  readonly CASHFREE_BASE_URL: string;
  readonly CASHFREE_CLIENT_ID: string;
  readonly CASHFREE_CLIENT_SECRET: string[];
}

/** Returns whether the settings name a provider completely; otherwise this process runs a sandbox. */
export const hasCompleteProviderSettings = (env: Environment): env is Environment & ProviderSettings =>
  Boolean(env.CASHFREE_BASE_URL && env.CASHFREE_CLIENT_ID && env.CASHFREE_CLIENT_SECRET);
