/**
 * What the errors of PostgreSQL and of its driver mean, in one place: for GraphQL, webhooks, the queue worker and readiness.
 */
import { MissingKey } from './sealing.ts';
import { QueryTimeout } from './timely-client.ts';

/**
 * Why the database cannot be used now, though nothing is wrong with what was asked of it:
 * - AWAY: nothing answers at its address, it starts or stops, or the connection broke.
 * - SILENT: it took the question and did not answer in time. A commit may have been done all the same.
 * - STALLED: it answers, but no commit returns, as while a synchronous standby is lost. One may be done all the same.
 * - READ_ONLY: a standby, or a primary that is set to take no writes.
 * - FULL: its disk is.
 * - OVERLOADED: it has no connection to give, or no memory; or this process's pool has none.
 * - BUSY: another transaction was in the way (lock timeout, deadlock, serialization failure, statement timeout).
 * - REFUSED: it does not let us in: password, certificate, or no such database. Waiting does not mend that.
 */
export type DatabaseFault =
  | 'AWAY'
  | 'SILENT'
  | 'STALLED'
  | 'READ_ONLY'
  | 'FULL'
  | 'OVERLOADED'
  | 'BUSY'
  | 'REFUSED';

/** A server of several answered, and is not the one that takes writes. */
export class WrongServer extends Error {
  constructor() {
    super('The server takes no writes: it is a standby, or read-only');
  }
}

/** A write was not begun, or was given up while it was under way, since commits do not return. */
export class WritesStalled extends Error {
  constructor() {
    super('Commits do not return: the database waits, as if for a synchronous standby');
  }
}

/** By SQLSTATE, or its class. */
const SQLSTATES: Readonly<Record<string, DatabaseFault>> = {
  '08': 'AWAY',
  '28': 'REFUSED',
  '53': 'OVERLOADED',
  '57': 'AWAY',
  '58': 'AWAY',
  '25006': 'READ_ONLY',
  '25P03': 'BUSY',
  '25P04': 'BUSY',
  '3D000': 'REFUSED',
  '40001': 'BUSY',
  '40P01': 'BUSY',
  '53100': 'FULL',
  '55P03': 'BUSY',
  '57014': 'BUSY',
};

/** What the system says of a connection, and the driver of one that broke, by `code`. */
const SYSTEM_CODES: Readonly<Record<string, DatabaseFault>> = {
  EAI_AGAIN: 'AWAY',
  ECONNREFUSED: 'AWAY',
  ECONNRESET: 'AWAY',
  EHOSTUNREACH: 'AWAY',
  EMFILE: 'OVERLOADED',
  ENETUNREACH: 'AWAY',
  ENOTFOUND: 'AWAY',
  EPIPE: 'AWAY',
  ETIMEDOUT: 'AWAY',
};

/** The driver's errors have no codes: by how their messages begin. */
const DRIVER_MESSAGES: readonly (readonly [RegExp, DatabaseFault])[] = [
  [/^Connection terminated/, 'AWAY'],
  [/^timeout expired/, 'AWAY'],
  [/^Client (was closed|has encountered a connection error) and is not queryable/, 'AWAY'],
  [/^Cannot use a pool after calling end/, 'AWAY'],
  [/^The server does not support SSL connections/, 'REFUSED'],
  [/^There was an error establishing an SSL connection/, 'REFUSED'],
  [/^timeout exceeded when trying to connect/, 'OVERLOADED'],
  [/^Query read timeout/, 'SILENT'],
];

/** A five-character SQLSTATE; the system's own codes are longer, or names. */
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Why the database could not be used; null if an error is of another kind. Drizzle's errors say it in their cause. */
export function faultOf(error: unknown): DatabaseFault | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof QueryTimeout) return 'SILENT';
  if (error instanceof WritesStalled) return 'STALLED';
  if (error instanceof WrongServer) return 'READ_ONLY';
  const { code, syscall } = error as NodeJS.ErrnoException;
  // The Unix socket of a server that is not there yet; any other missing file does not come by waiting.
  if (code === 'ENOENT' && syscall === 'connect') return 'AWAY';
  const found =
    (code === undefined ? undefined : (SYSTEM_CODES[code] ?? faultOfTls(code) ?? faultOfSqlState(code))) ??
    DRIVER_MESSAGES.find(([message]) => message.test(error.message))?.[1];
  return found ?? faultOf(error.cause);
}

/** How OpenSSL's and Node's codes for certificates and handshakes begin. */
const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

const faultOfTls = (code: string): DatabaseFault | undefined => (TLS_CODE.test(code) ? 'REFUSED' : undefined);

const faultOfSqlState = (code: string): DatabaseFault | undefined =>
  SQLSTATE.test(code) ? (SQLSTATES[code] ?? SQLSTATES[code.slice(0, 2)]) : undefined;

/** What each fault looks like from outside, for people. */
export const FAULT_TEXTS = {
  AWAY: 'does not answer',
  SILENT: 'does not answer',
  STALLED: 'takes no writes: commits do not return, as if a synchronous standby were lost',
  READ_ONLY: 'takes no writes: it is read-only, or a standby',
  FULL: 'takes no writes: its disk is full',
  OVERLOADED: 'has no connection or memory to give',
  BUSY: 'is busy with other transactions',
  REFUSED: 'does not let the gateway in: see its log',
} as const satisfies Record<DatabaseFault, string>;

/**
 * SQLSTATE classes that speak of the values of a statement: cardinality, data, integrity, check option, program limits, and
 * what a trigger raises. All others are about the server, its schema or our rights, which are no fault of the values.
 */
const OF_THE_VALUES = ['21', '22', '23', '44', '54', 'P0'];

/**
 * Whether an error is the fault of what was processed, and comes back whenever that is processed again. Errors of the
 * database are only if they speak of the values; any other error is, except a key that DATA_KEYS lacks.
 */
export function isOfTheValues(error: unknown): boolean {
  if (faultOf(error) !== null || error instanceof MissingKey) return false;
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as { code?: unknown };
    if (typeof code === 'string' && SQLSTATE.test(code)) return OF_THE_VALUES.includes(code.slice(0, 2));
  }
  return true;
}
