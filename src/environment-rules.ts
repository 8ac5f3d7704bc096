/** Rules over combinations of settings: those that are refused at the start, and those that are only unwise. */
import { parseDatabaseUrl } from './db/connection/database-url.ts';
import {
  type Environment,
  hasSignIn,
  isLoopback,
  isPlain,
  isProduction,
  namesProvider,
  usesSandbox,
} from './environment.ts';
import {
  findRepeated,
  isPrivateHost,
  isTooLarge,
  isWeakKey,
  isWeakPassword,
  isWeakProviderSecret,
  isWeakSecret,
} from './weak-settings.ts';

const NOT_PRODUCTION =
  'NODE_ENV: found "production". To try the gateway without these settings, start it without: NODE_ENV= npm start';

const RANDOM = 'such as from: openssl rand -base64 32';
const ALLOW_PLAIN =
  'Set it to an https: URL, or ALLOW_PLAIN_HTTP=1 if the way there is private and this is meant.';

/** Returns a sentence for each combination of settings that is refused, with what to set. */
export function findContradictions(env: Environment): string[] {
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
      env.PORT !== 0 && env.PORT === env.SANDBOX_PORT && !namesProvider(env),
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

/** Returns a sentence for each setting that is allowed but unsafe. */
export function findWarnings(env: Environment): string[] {
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
