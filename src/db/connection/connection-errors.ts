/**
 * Classifies errors of PostgreSQL and its driver for GraphQL, the webhook recorder, the queue worker and
 * readiness.
 */
import { MissingDataKeyError } from '../../encryption/sealing.ts';
import { QueryTimeoutError } from './timeout-client.ts';

/**
 * Reasons why the database is unusable at the moment, independent of the statement:
 * - AWAY: nothing answers at the address, the server starts or stops, or the connection broke.
 * - SILENT: the server did not answer in time. A commit may have taken effect.
 * - STALLED: the server answers, but commits do not return, for example because a synchronous standby is
 *   lost. A commit may still take effect.
 * - READ_ONLY: the server is a standby, or a primary set to read-only.
 * - FULL: the server's disk is full.
 * - OVERLOADED: the server has no free connection or memory, or this process's pool has no free connection.
 * - BUSY: another transaction was in the way (lock timeout, deadlock, serialization failure, statement
 *   timeout).
 * - REFUSED: the server rejects the login: password, certificate, or no such database. Waiting does not help.
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

/** Error: the server that answered does not accept writes, so another server of the URL must be tried. */
export class ReadOnlyServerError extends Error {
  constructor() {
    super('the server accepts no writes: it is a standby or read-only');
  }
}

/** Error: a write was refused, or was abandoned while in flight, because commits stall (do not return). */
export class WritesStalledError extends Error {
  constructor() {
    super('commits do not return: the database waits, for example for a synchronous standby');
  }
}

/** Faults by SQLSTATE (five characters) or SQLSTATE class (its first two characters). */
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

/** Faults by the `code` of a system error (Node.js) on a connection. */
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

/** Faults by the beginning of the error message, because errors of the driver itself have no codes. */
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

/**
 * Form of an SQLSTATE: five characters. System error codes of the same form, such as EPIPE, are looked up
 * before.
 */
const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * Returns the database fault that an error shows; null if the error has another cause. Searches `cause` too,
 * since Drizzle wraps the driver's error.
 */
export function classifyDatabaseFault(error: unknown): DatabaseFault | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof QueryTimeoutError) return 'SILENT';
  if (error instanceof WritesStalledError) return 'STALLED';
  if (error instanceof ReadOnlyServerError) return 'READ_ONLY';
  const { code, syscall } = error as NodeJS.ErrnoException;
  // ENOENT while connecting: the Unix socket does not exist, because the server is not running yet. Any other
  // ENOENT, such as a missing certificate file, is permanent, so it is no fault of the database.
  if (code === 'ENOENT' && syscall === 'connect') return 'AWAY';
  const found =
    (code === undefined ? undefined : (SYSTEM_CODES[code] ?? faultOfTls(code) ?? faultOfSqlState(code))) ??
    DRIVER_MESSAGES.find(([message]) => message.test(error.message))?.[1];
  return found ?? classifyDatabaseFault(error.cause);
}

/** Prefixes of the error codes of OpenSSL and Node.js for certificates and TLS handshakes. */
const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

const faultOfTls = (code: string): DatabaseFault | undefined => (TLS_CODE.test(code) ? 'REFUSED' : undefined);

const faultOfSqlState = (code: string): DatabaseFault | undefined =>
  SQLSTATE.test(code) ? (SQLSTATES[code] ?? SQLSTATES[code.slice(0, 2)]) : undefined;

/** Descriptions of the faults, for messages such as "the database is busy with other transactions". */
export const DATABASE_FAULT_TEXTS = {
  AWAY: 'does not answer',
  SILENT: 'does not answer',
  STALLED: 'accepts no writes: commits do not return, for example because a synchronous standby is lost',
  READ_ONLY: 'accepts no writes: it is read-only or a standby',
  FULL: 'accepts no writes: its disk is full',
  OVERLOADED: 'has no free connections or memory',
  BUSY: 'is busy with other transactions',
  REFUSED: "refuses the gateway's connection: see the database's log",
} as const satisfies Record<DatabaseFault, string>;

/**
 * SQLSTATE classes of errors caused by a statement's values: cardinality, data, integrity, check option,
 * program limits, and exceptions raised by triggers. Errors of all other classes are caused by the server,
 * its schema or missing rights.
 */
const OF_THE_VALUES = ['21', '22', '23', '44', '54', 'P0'];

/**
 * Returns whether an error is caused by the processed item (such as a webhook), so that every retry would
 * fail too. True for database errors whose SQLSTATE concerns the values, and for errors outside the database,
 * except if a key is missing from DATA_KEYS.
 */
export function isPermanentError(error: unknown): boolean {
  if (classifyDatabaseFault(error) !== null || error instanceof MissingDataKeyError) return false;
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as { code?: unknown };
    if (typeof code === 'string' && SQLSTATE.test(code)) return OF_THE_VALUES.includes(code.slice(0, 2));
  }
  return true;
}
