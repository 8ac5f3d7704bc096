/**
 * Rules for combinations of settings: combinations that are refused at the start, and settings that only cause
 * a warning.
 */
import { isIP } from 'node:net';
import { parseDatabaseUrl } from './db/connection/database-url.ts';
import { NOTIFICATION_EVENT_TYPE } from './domain/merchant-events.ts';
import {
  DEFAULT_MEETING_SLOT_MINUTES,
  type Environment,
  hasAuthenticationSettings,
  hasCompleteProviderSettings,
  isLoopbackHost,
  isPlainHttpUrl,
  isProduction,
  usesCashfreeSandbox,
  usesOnlySandbox,
} from './environment.ts';
import { getUnbracketedHost, isPublicIpAddress } from './services/outgoing/public-address.ts';
import {
  findRepeatedKeyIds,
  isPrivateHost,
  isTooLargeNetwork,
  isWeakKey,
  isWeakPassword,
  isWeakProviderSecret,
  isWeakTokenSecret,
} from './weak-settings.ts';

const NOT_PRODUCTION =
  'NODE_ENV: set to "production". To try the gateway without these settings, start it with an empty value: NODE_ENV= npm start';

const RANDOM = 'such as the output of: openssl rand -base64 32';
const ALLOW_PLAIN =
  'Set it to an https: URL, or set ALLOW_PLAIN_HTTP=1 if the network in between is private.';

/** Returns a sentence for each combination of settings that is refused, with what to set. */
export function findSettingProblems(env: Environment): string[] {
  const production = isProduction(env);
  const complaints: [boolean, string][] = [
    [
      !hasAuthenticationSettings(env) && production,
      'AUTH_SECRET or AUTH_JWKS_URL: neither is set, but production needs one of them to verify tokens.',
    ],
    [
      production && !(env.AUTH_ISSUER && env.AUTH_AUDIENCE),
      'AUTH_ISSUER, AUTH_AUDIENCE: production needs both, to check the claims `iss` and `aud`; without them the gateway would accept tokens issued for other systems.',
    ],
    [
      production && env.AUTH_SECRET !== undefined && isWeakTokenSecret(env.AUTH_SECRET),
      `AUTH_SECRET: the secret can be guessed, and anyone who knows it can issue tokens. Use random characters, ${RANDOM}`,
    ],
    [
      production && isPlainHttpUrl(env.AUTH_JWKS_URL) && !env.ALLOW_PLAIN_HTTP,
      `AUTH_JWKS_URL: the URL uses http, so an attacker on the network path can replace the keys. ${ALLOW_PLAIN}`,
    ],
    [
      isPlainHttpUrl(env.CASHFREE_BASE_URL) &&
        !isLoopbackHost(new URL(env.CASHFREE_BASE_URL).hostname) &&
        !env.ALLOW_PLAIN_HTTP,
      `CASHFREE_BASE_URL: the URL uses http, so credentials and personal data can be read on the network path. ${ALLOW_PLAIN}`,
    ],
    [
      production &&
        !usesCashfreeSandbox(env) &&
        Boolean(env.CASHFREE_CLIENT_SECRET?.some(isWeakProviderSecret)),
      'CASHFREE_CLIENT_SECRET: the secret can be guessed, and anyone who knows it can sign webhooks. Use the secret that the provider issued.',
    ],
    [
      env.SUBGRAPH && env.TRUSTED_DOCUMENTS === 'only',
      'SUBGRAPH, TRUSTED_DOCUMENTS: a GraphQL router sends documents of its own, which TRUSTED_DOCUMENTS=only would refuse. Unset one of the two, and let the router check the documents of clients.',
    ],
    [
      !env.SUBGRAPH && env.SUBGRAPH_PREFIX !== undefined,
      'SUBGRAPH_PREFIX: it has no effect without SUBGRAPH=1. Set SUBGRAPH=1, or unset SUBGRAPH_PREFIX.',
    ],
    [
      Boolean(env.SANDBOX) && !usesCashfreeSandbox(env),
      'SANDBOX: the CASHFREE_ settings name a real provider, so the sandbox would not run. Unset SANDBOX or the CASHFREE_ settings.',
    ],
    ...(Array.isArray(env.TRUST_PROXY) ? env.TRUST_PROXY : []).map((network): [boolean, string] => [
      isTooLargeNetwork(network),
      `TRUST_PROXY: ${network} is much larger than a network of proxies, and a trusted host can claim any client address. Set it to the network of your proxies only, such as 10.0.0.0/8.`,
    ]),
    [
      !hasAuthenticationSettings(env) && !usesOnlySandbox(env),
      'AUTH_SECRET or AUTH_JWKS_URL: neither is set, but a real provider needs one of them to verify tokens.',
    ],
    [
      !hasAuthenticationSettings(env) && !isLoopbackHost(env.HOST),
      `AUTH_SECRET or AUTH_JWKS_URL: neither is set, so HOST must be a loopback address, not ${env.HOST}. Set one of them, or HOST=127.0.0.1.`,
    ],
    [
      env.PORT !== 0 && env.PORT === env.SANDBOX_PORT && !hasCompleteProviderSettings(env),
      `PORT, SANDBOX_PORT: both are ${env.PORT}. Change one of them.`,
    ],
    [
      Boolean(env.METRICS_PORT) && env.METRICS_PORT === env.PORT,
      `METRICS_PORT, PORT: both are ${env.PORT}. Change one of them.`,
    ],
    [
      Boolean(env.AUTH_SECRET && env.AUTH_JWKS_URL),
      'AUTH_SECRET, AUTH_JWKS_URL: both are set. Set only one of them.',
    ],
    [
      Boolean(env.CASHFREE_CLIENT_ID) !== Boolean(env.CASHFREE_CLIENT_SECRET),
      'CASHFREE_CLIENT_ID, CASHFREE_CLIENT_SECRET: only one is set. Set both, or neither for the sandbox provider.',
    ],
    [
      Boolean(env.CASHFREE_CLIENT_ID) && !env.CASHFREE_BASE_URL,
      "CASHFREE_BASE_URL: not set, but the credentials need it. Set it to the provider's API, such as https://sandbox.cashfree.com/verification.",
    ],
    [
      production && usesCashfreeSandbox(env) && !env.SANDBOX,
      'CASHFREE_CLIENT_ID, CASHFREE_CLIENT_SECRET: not set, but production needs a provider. Set SANDBOX=1 to run the sandbox in production.',
    ],
    [
      production && !env.DATABASE_URL && !env.EMBEDDED_POSTGRES,
      'DATABASE_URL: not set, but production needs a database. Set EMBEDDED_POSTGRES=1 to run the embedded PostgreSQL in production.',
    ],
    [
      !env.DATABASE_URL && Boolean(env.MIGRATE_DATABASE_URL ?? env.LISTEN_DATABASE_URL),
      'DATABASE_URL: not set, but MIGRATE_DATABASE_URL or LISTEN_DATABASE_URL is, which only name another connection to the same database. Set DATABASE_URL too.',
    ],
    [
      !env.DATA_KEYS && (production || !usesOnlySandbox(env)),
      'DATA_KEYS: not set, but personal data must be encrypted. Set it to id:base64 of 32 random bytes, such as the output of: echo "k1:$(openssl rand -base64 32)".',
    ],
    [
      !env.AUDIT_KEYS && (production || !usesOnlySandbox(env)),
      'AUDIT_KEYS: not set, but the audit chain needs a key that is not in the database. Set it in the same form as DATA_KEYS.',
    ],
    [
      env.MEETING_HOURS !== undefined && env.MEETING_CAPACITY === undefined,
      'MEETING_CAPACITY: not set, but MEETING_HOURS is. Set it to the number of meetings that can take place at once.',
    ],
    ...(['MEETING_SLOT_MINUTES', 'MEETING_CAPACITY', 'MEETING_TIME_ZONE'] as const).map(
      (setting): [boolean, string] => [
        env[setting] !== undefined && env.MEETING_HOURS === undefined,
        `${setting}: set, but MEETING_HOURS is not, so that meetings can be booked at any time. Set MEETING_HOURS, such as Mon-Fri 09:00-18:00, or unset ${setting}.`,
      ],
    ),
    [
      hasHoursWithoutSlot(env),
      `MEETING_HOURS, MEETING_SLOT_MINUTES: some hours are shorter than a slot of ${env.MEETING_SLOT_MINUTES ?? DEFAULT_MEETING_SLOT_MINUTES} minutes, so that no meeting fits in. Change one of them.`,
    ],
    [
      env.WEBHOOK_ALLOWED_HOSTS.length > 0 && env.WEBHOOK_ENDPOINTS === undefined,
      'WEBHOOK_ALLOWED_HOSTS: set, but WEBHOOK_ENDPOINTS is not, so that no webhook is sent. Set WEBHOOK_ENDPOINTS, or unset WEBHOOK_ALLOWED_HOSTS.',
    ],
    [
      Boolean(env.SMTP_URL) !== Boolean(env.SMTP_FROM),
      'SMTP_URL, SMTP_FROM: only one is set. Set both, or neither if no e-mails are sent.',
    ],
    [
      (env.NOTIFICATIONS.length > 0 || env.NOTIFICATION_REMINDER_MINUTES !== undefined) &&
        !env.SMTP_URL &&
        !env.WEBHOOK_ENDPOINTS?.some(({ events }) => events.includes(NOTIFICATION_EVENT_TYPE)),
      `NOTIFICATIONS, NOTIFICATION_REMINDER_MINUTES: set, but no notification can be sent. Set SMTP_URL, or an endpoint in WEBHOOK_ENDPOINTS that gets ${NOTIFICATION_EVENT_TYPE}.`,
    ],
    ...(env.WEBHOOK_ENDPOINTS ?? []).map(({ name, url }): [boolean, string] => [
      isUnsafeEndpoint(new URL(url), env),
      `WEBHOOK_ENDPOINTS: the URL of ${name} uses http, or an address that is not public. Use https and a public host, or add the host to WEBHOOK_ALLOWED_HOSTS if it is in your own network.`,
    ]),
    ...(['DATA_KEYS', 'AUDIT_KEYS'] as const).flatMap((setting): [boolean, string][] => {
      const given = env[setting] ?? [];
      const repeated = findRepeatedKeyIds(given.map(({ id }) => id));
      return [
        [repeated.length > 0, `${setting}: several keys have the id ${repeated}. Give each key its own id.`],
        [
          production && given.some(({ key }) => isWeakKey(key)),
          `${setting}: a key can be guessed. Use random bytes, ${RANDOM}`,
        ],
      ];
    }),
  ];
  const found = complaints.filter(([applies]) => applies).map(([, complaint]) => complaint);
  if (found.length > 0 && production) found.push(NOT_PRODUCTION);
  return found;
}

function hasHoursWithoutSlot({
  MEETING_HOURS = [],
  MEETING_SLOT_MINUTES = DEFAULT_MEETING_SLOT_MINUTES,
}: Environment) {
  return MEETING_HOURS.some(({ opensAt, closesAt }) => closesAt - opensAt < MEETING_SLOT_MINUTES);
}

/** Whether an endpoint of merchant webhooks is refused. Host names are checked again when they are resolved. */
function isUnsafeEndpoint(url: URL, { WEBHOOK_ALLOWED_HOSTS: allowedHosts }: Environment): boolean {
  const host = getUnbracketedHost(url);
  if (allowedHosts.includes(host)) return false;
  return url.protocol === 'http:' || (isIP(host) !== 0 && !isPublicIpAddress(host)) || isLoopbackHost(host);
}

/** Returns a sentence for each setting that is allowed but unsafe. */
export function findSettingWarnings(env: Environment): string[] {
  const warnings: string[] = [];
  for (const setting of ['DATABASE_URL', 'MIGRATE_DATABASE_URL', 'LISTEN_DATABASE_URL'] as const) {
    const url = env[setting];
    if (url === undefined) continue;
    const { attempts, user, password } = parseDatabaseUrl(url);
    if (attempts.some(({ host, ssl }) => ssl === false && !isPrivateHost(host)))
      warnings.push(
        `${setting}: the host is not in a private network and the connection may be unencrypted; add sslmode=verify-full`,
      );
    if (isProduction(env) && password !== undefined && (password === user || isWeakPassword(password)))
      warnings.push(`${setting}: the password can be guessed; use random characters`);
  }
  return warnings;
}
