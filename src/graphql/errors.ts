import { randomUUID } from 'node:crypto';
import {
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
} from 'graphql';
import type { Logger } from 'pino';
import { classifyDatabaseFault } from '../db/connection/connection-errors.ts';
import { MissingDataKeyError } from '../encryption/sealing.ts';
import { CursorError } from '../feed/cursor.ts';
import { redactErrorMessage } from './redact-errors.ts';

const CURSOR_CODES = { INVALID: 'BAD_USER_INPUT', EXPIRED: 'CURSOR_EXPIRED' } as const;

const UNAVAILABLE =
  'The database is unavailable. Repeat the same request in a few seconds; repeating a mutation is safe, even if it took effect.';

const UNREADABLE =
  'This replica lacks the key to decrypt some of the data. Repeat the same request in a few seconds, to reach another replica.';

/**
 * Converts an error to the form that clients get, the same on every transport. Errors that the client can fix
 * are passed on. Any other error is logged under an id, and the client gets only that id: no stack trace, no
 * SQL.
 */
export type FormatError = (error: unknown) => GraphQLFormattedError;

/**
 * Formats a result for the client. If nothing was executed, the result has no `data` at all, as the GraphQL
 * specification requires.
 */
export const formatResult = (
  { data, errors }: { readonly [Part in 'data' | 'errors']?: ExecutionResult[Part] | undefined },
  formatError: FormatError,
): FormattedExecutionResult => ({
  ...(errors ? { errors: errors.map(formatError) } : {}),
  ...(data === undefined ? {} : { data }),
});

export const createErrorFormatter =
  (log: Logger): FormatError =>
  (error) => {
    const outer =
      error instanceof GraphQLError ? error : new GraphQLError('', { originalError: error as Error });
    const cause = outer.originalError ?? outer;
    const at = {
      ...(outer.locations ? { locations: outer.locations } : {}),
      ...(outer.path ? { path: outer.path } : {}),
    };
    if (cause instanceof CursorError) {
      return { message: cause.message, ...at, extensions: { code: CURSOR_CODES[cause.kind] } };
    }
    const code = findCode(outer, cause);
    if (code) {
      return {
        message: redactErrorMessage(outer.message),
        ...at,
        extensions: { ...outer.extensions, code, stacktrace: undefined, http: undefined },
      };
    }
    const id = randomUUID();
    const fault = classifyDatabaseFault(cause);
    if (fault) {
      log.warn(
        { err: cause, errorId: id, path: outer.path?.join('.'), fault },
        'operation failed because the database is unavailable; asked its client to retry',
      );
      return { message: UNAVAILABLE, ...at, extensions: { code: 'SERVICE_UNAVAILABLE', errorId: id } };
    }
    if (cause instanceof MissingDataKeyError) {
      log.error(
        { err: cause, errorId: id, path: outer.path?.join('.') },
        'could not decrypt stored data; asked the client to retry',
      );
      return { message: UNREADABLE, ...at, extensions: { code: 'SERVICE_UNAVAILABLE', errorId: id } };
    }
    log.error(
      { err: cause, errorId: id, path: outer.path?.join('.') },
      'operation failed unexpectedly; answered INTERNAL_SERVER_ERROR',
    );
    return {
      message: `An internal error occurred. Report this id to the operator of the gateway: ${id}`,
      ...at,
      extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: id },
    };
  };

/** Returns the code of an error that clients get in `extensions.code`. */
export function getErrorCode(error: GraphQLError): string {
  const cause = error.originalError ?? error;
  if (cause instanceof CursorError) return CURSOR_CODES[cause.kind];
  const isUnavailable = cause instanceof MissingDataKeyError || classifyDatabaseFault(cause) !== null;
  return findCode(error, cause) ?? (isUnavailable ? 'SERVICE_UNAVAILABLE' : 'INTERNAL_SERVER_ERROR');
}

/** Whether an error is a fault of the gateway or the database. The client then gets only an error id. */
export const isInternalError = (error: GraphQLError): boolean => {
  const cause = error.originalError ?? error;
  return !(cause instanceof CursorError) && findCode(error, cause) === null;
};

/** Returns the code of an error that the client can fix; null for a fault of the gateway. */
function findCode(outer: GraphQLError, cause: Error): string | null {
  const code = (outer.extensions.code ?? (cause as GraphQLError).extensions?.code) as string | undefined;
  if (code && code !== 'INTERNAL_SERVER_ERROR') return code;
  // An error without a path was raised before execution, so the request itself is invalid. graphql-ws raises
  // such errors without a code.
  const isRequestError = cause instanceof GraphQLError && !outer.path;
  return isRequestError ? 'BAD_USER_INPUT' : null;
}
