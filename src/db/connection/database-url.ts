/**
 * Parses DATABASE_URL like libpq (PostgreSQL's C client): several hosts, target_session_attrs, TLS. Refuses
 * parameters that the gateway cannot honour.
 */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, checkServerIdentity, type SecureVersion } from 'node:tls';

/**
 * One connection attempt. As in libpq, a host may be tried twice, with TLS and without (sslmode prefer or
 * allow).
 */
export interface ConnectionTarget {
  /** Host name, IP address, or folder of a Unix socket; undefined means the driver's default. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** TLS options; false means a connection without TLS. */
  readonly ssl: false | ConnectionOptions;
}

/** Required kind of server: READ_WRITE accepts writes now, PRIMARY is not a standby, ANY is any server. */
export type WantedServerKind = 'ANY' | 'READ_WRITE' | 'PRIMARY';

export interface DatabaseUrl {
  /** Connection attempts, in the order in which they are tried. */
  readonly attempts: readonly ConnectionTarget[];
  readonly wanted: WantedServerKind;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** Connect timeout per host; null if the URL sets none. */
  readonly connectTimeoutMs: number | null;
  /** Server settings for each connection, such as `-c statement_timeout=5000`. */
  readonly options: string | undefined;
}

/**
 * Error that says what is wrong with a database URL and what to do. Its message never repeats a part of the
 * URL that may be a password.
 */
export class DatabaseUrlError extends Error {}

const URL_FORM = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const EXAMPLE = 'postgres://user:password@host:5432/database';

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];

/** Query parameters of the URL that are supported. */
const KNOWN = [
  'user',
  'password',
  'dbname',
  'host',
  'port',
  'sslmode',
  'ssl',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslcrl',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'target_session_attrs',
  'connect_timeout',
  'options',
];
/** URL parameters that are accepted and ignored, because the gateway has its own settings for them. */
const IGNORED = [
  'application_name',
  'fallback_application_name',
  'uselibpqcompat',
  'client_encoding',
  'sslcompression',
];
const IGNORED_PREFIXES = ['keepalives', 'tcp_user_timeout'];
/**
 * URL parameters that are supported only with the listed values, and the advice to print for any other value.
 */
const ONLY: Readonly<Record<string, readonly [values: readonly string[], advice: string]>> = {
  channel_binding: [['disable', 'prefer'], 'remove it; use sslmode=verify-full to verify the server'],
  gssencmode: [['disable', 'prefer'], 'remove it, and use sslmode for encryption'],
  load_balance_hosts: [['disable'], 'remove it: the gateway needs the server that accepts writes'],
  sslnegotiation: [['postgres'], 'remove it'],
  replication: [['false', 'off', '0', 'no'], 'remove it'],
};

/**
 * Parses a PostgreSQL connection URL.
 *
 * @throws {DatabaseUrlError} if the URL is malformed or contains a parameter that is not supported
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const [, credentials, authority = '', path = '', query = ''] =
    URL_FORM.exec(url) ?? refuse(`does not have the form ${EXAMPLE}`);
  const parameters = parametersOf(query);
  const given = (name: string): string | undefined => parameters.get(name) || undefined;
  const [user, ...secret] = credentials?.split(':') ?? [];
  const hosts = hostsOf(authority, given('host'), given('port'));
  const tls = tlsOf(given);
  return {
    attempts: hosts.flatMap(({ host, port }) => tls(host).map((ssl) => ({ host, port, ssl }))),
    wanted: wantedOf(given('target_session_attrs'), hosts.length),
    user: given('user') ?? decoded(user),
    password: given('password') ?? decoded(credentials?.includes(':') ? secret.join(':') : undefined),
    database: given('dbname') ?? decoded(path),
    connectTimeoutMs: timeoutOf(given('connect_timeout')),
    options: given('options'),
  };
}

function refuse(what: string): never {
  throw new DatabaseUrlError(what);
}

function decoded(text: string | undefined): string | undefined {
  if (!text) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // An invalid % sequence is more likely part of an unescaped password than a mistake, so use the text as
    // it is.
    return text;
  }
}

function parametersOf(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&').filter(Boolean)) {
    const [name = '', ...value] = part.split('=');
    parameters.set(decoded(name) ?? '', decoded(value.join('=')) ?? '');
  }
  for (const [name, value] of parameters) {
    const [values, advice] = ONLY[name] ?? [];
    if (values && !values.includes(value)) refuse(`has ${name}=${value}, which is not supported: ${advice}`);
    const known = values || KNOWN.includes(name) || IGNORED.includes(name);
    if (!known && !IGNORED_PREFIXES.some((prefix) => name.startsWith(prefix)))
      refuse(
        `has the parameter ${name}, which is not supported: remove it. Supported are ${KNOWN.join(', ')}`,
      );
  }
  return parameters;
}

function hostsOf(authority: string, hostList: string | undefined, portList: string | undefined) {
  const named =
    hostList === undefined ? splitHosts(authority) : hostList.split(',').map((host) => ({ host, port: '' }));
  const ports = portList?.split(',') ?? [];
  if (ports.length > 1 && ports.length !== named.length)
    refuse(`has ${ports.length} ports for ${named.length} hosts: give one port, or one for each host`);
  return named.map(({ host, port }, index) => ({
    host: host === '' ? undefined : host,
    port: portOf(port || (ports.length === 1 ? ports[0] : ports[index]) || ''),
  }));
}

/** Splits hosts and ports, as in `h1:5432,h2,[::1]:5433`. The folder of a Unix socket is percent-encoded. */
const splitHosts = (authority: string) =>
  authority.split(',').map((part) => {
    const [, bracketed, plain = '', port = ''] =
      /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(part) ??
      refuse('has an invalid host or port: write it as host:5432 or [::1]:5432');
    return { host: bracketed ?? decoded(plain) ?? '', port };
  });

function portOf(text: string): number | undefined {
  if (text === '') return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    refuse(`has the port ${text}: it must be a number from 1 to 65535`);
  return port;
}

function timeoutOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 0)
    refuse(`has connect_timeout=${text}: it must be a number of seconds`);
  return seconds === 0 ? null : seconds * 1_000;
}

/**
 * Parses target_session_attrs. The default with several hosts is read-write, because the gateway needs the
 * server that accepts writes.
 */
function wantedOf(attributes: string | undefined, hosts: number): WantedServerKind {
  switch (attributes) {
    case undefined:
      return hosts > 1 ? 'READ_WRITE' : 'ANY';
    case 'any':
      return 'ANY';
    case 'read-write':
      return 'READ_WRITE';
    case 'primary':
      return 'PRIMARY';
    default:
      return refuse(
        `has target_session_attrs=${attributes}: the gateway writes and reads its own writes, so use read-write, primary or any`,
      );
  }
}

/** Returns a function that lists the TLS options to try for a host, in order. */
function tlsOf(
  given: (name: string) => string | undefined,
): (host: string | undefined) => ConnectionTarget['ssl'][] {
  const mode = sslModeOf(given('sslmode'), given('ssl'));
  const rootCert = given('sslrootcert');
  if (rootCert === 'system' && mode !== 'verify-full')
    refuse(
      `has sslrootcert=system with sslmode=${mode}: a public CA proves nothing unless the host name is verified, so set sslmode=verify-full`,
    );
  if ((mode === 'verify-ca' || mode === 'verify-full') && rootCert === undefined)
    refuse(
      `has sslmode=${mode} and no sslrootcert: set sslrootcert to the file of your CA, or to system with sslmode=verify-full for public CAs`,
    );
  const cert = given('sslcert');
  const key = given('sslkey');
  if ((cert === undefined) !== (key === undefined))
    refuse('has only one of sslcert and sslkey: set both or neither');
  const crl = given('sslcrl');
  const common: ConnectionOptions = {
    ...(rootCert !== undefined && rootCert !== 'system' ? { ca: fileOf('sslrootcert', rootCert) } : {}),
    ...(cert !== undefined ? { cert: fileOf('sslcert', cert) } : {}),
    ...(key !== undefined ? { key: fileOf('sslkey', key) } : {}),
    ...(crl !== undefined ? { crl: fileOf('sslcrl', crl) } : {}),
    ...(given('sslpassword') !== undefined ? { passphrase: given('sslpassword') } : {}),
    minVersion: versionOf('ssl_min_protocol_version', given('ssl_min_protocol_version')) ?? 'TLSv1.2',
    ...maxVersionOf(given('ssl_max_protocol_version')),
  };
  // With a CA file, `require` verifies the certificate in the same way as `verify-ca`, which is libpq's rule.
  const verifies =
    mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && rootCert !== undefined);
  return (host) => {
    if (host?.startsWith('/') || host === undefined || mode === 'disable') return [false];
    const secure: ConnectionOptions = {
      ...common,
      rejectUnauthorized: verifies,
      checkServerIdentity: (_name, certificate) =>
        mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
    };
    if (mode === 'allow') return [false, secure];
    return mode === 'prefer' ? [secure, false] : [secure];
  };
}

function sslModeOf(sslmode: string | undefined, ssl: string | undefined): SslMode {
  if (sslmode === undefined)
    return ssl === 'true' || ssl === '1' ? 'require' : ssl === undefined ? 'prefer' : 'disable';
  // `no-verify` is node-postgres's name for TLS without verification of the certificate. libpq's name for
  // that is `require` without a CA file.
  if (sslmode === 'no-verify') return 'require';
  const mode = SSL_MODES.find((each) => each === sslmode);
  return mode ?? refuse(`has sslmode=${sslmode}: it must be one of ${SSL_MODES.join(', ')}`);
}

function fileOf(parameter: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    return refuse(
      `has ${parameter}=${path}, which cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function versionOf(parameter: string, text: string | undefined): SecureVersion | undefined {
  if (text === undefined) return undefined;
  const version = VERSIONS.find((each) => each.toLowerCase() === text.toLowerCase());
  return version ?? refuse(`has ${parameter}=${text}: it must be one of ${VERSIONS.join(', ')}`);
}

function maxVersionOf(text: string | undefined): Pick<ConnectionOptions, 'maxVersion'> {
  const version = versionOf('ssl_max_protocol_version', text);
  return version ? { maxVersion: version } : {};
}
