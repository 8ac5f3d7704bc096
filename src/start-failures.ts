/** Explains failures to start that the operator can fix: what was found and what to do, instead of a stack trace. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { type Config, StartError } from './config.ts';
import { classifyDatabaseFault } from './db/connection/connection-errors.ts';

const INSUFFICIENT_PRIVILEGE = '42501';

type SystemError = NodeJS.ErrnoException & { readonly port?: number };

/**
 * Checks that all ports of the gateway and its sandbox are free.
 *
 * @throws StartError that names the setting of the port that is not free
 */
export async function assertPortsFree({ host, port, metricsPort, provider }: Config): Promise<void> {
  await assertPortFree('PORT', host, port);
  if (metricsPort !== null) await assertPortFree('METRICS_PORT', host, metricsPort);
  if (provider.kind === 'SANDBOX') await assertPortFree('SANDBOX_PORT', '127.0.0.1', provider.port);
}

/**
 * Checks that a port is free by listening on it for a moment. Port 0 means any free port.
 *
 * @throws StartError that names the setting of the port, if the port is not free
 */
export async function assertPortFree(setting: string, host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
  } catch (error) {
    throw new StartError(explainListening(error as SystemError, setting, host, port));
  }
  probe.close();
  await once(probe, 'close');
}

function explainListening({ code, message }: SystemError, setting: string, host: string, port: number) {
  if (code === 'EADDRINUSE')
    return (
      `${setting}: port ${port} of ${host} is used by another program, perhaps another gateway.\n` +
      `Stop that program, or choose another port: ${setting}=${port + 1} npm start`
    );
  if (code === 'EACCES') return `${setting}: this user may not use port ${port}. Choose a port above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `HOST: ${host} is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all its addresses.`;
  return `${setting}: cannot listen on port ${port} of ${host} (${message}).`;
}

/**
 * Returns a text that tells the operator how to fix a failure to start; null if the failure is not one that
 * settings can fix.
 */
export function explainStartFailure(error: unknown, config: Config | null): string | null {
  if (error instanceof StartError) return error.message;
  if (!(error instanceof Error) || !config) return null;
  return explainSystemError(error, config) ?? explainDatabase(error, config);
}

const UNWRITABLE = ['EACCES', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EPERM', 'EROFS'];

function explainSystemError(error: SystemError, config: Config): string | null {
  const { host, port, metricsPort, provider, dataDir } = config;
  const { code = '', path, syscall } = error;
  // The port may have been taken after `assertPortsFree` found it free.
  if (syscall === 'listen' && provider.kind === 'SANDBOX' && error.port === provider.port)
    return explainListening(error, 'SANDBOX_PORT', '127.0.0.1', provider.port);
  if (syscall === 'listen' && metricsPort !== null && error.port === metricsPort)
    return explainListening(error, 'METRICS_PORT', host, metricsPort);
  if (syscall === 'listen') return explainListening(error, 'PORT', host, port);
  if (code === 'ENOSPC')
    return `The disk of DATA_DIR is full: ${error.message}.\nFree space on it, or set DATA_DIR to a folder on another disk.`;
  if (path?.startsWith(resolve(dataDir)) && UNWRITABLE.includes(code))
    return `DATA_DIR: the gateway cannot write to this folder (${error.message}).\nSet DATA_DIR to a writable folder.`;
  return null;
}

function explainDatabase(error: Error, { database }: Config): string | null {
  if (database.kind === 'EMBEDDED') return null;
  if ((error as SystemError).code === 'ERR_INVALID_URL')
    return (
      'DATABASE_URL, MIGRATE_DATABASE_URL, LISTEN_DATABASE_URL: one of them does not have the form ' +
      'postgres://user:password@host:5432/database.\nWrite #, /, ?, : and @ in a password as %23, %2F, %3F, %3A and %40.'
    );
  const root = findRootCause(error);
  if (classifyDatabaseFault(error) === 'REFUSED')
    return `DATABASE_URL: the database refused the gateway's connection (${root.message}).\nCorrect the user, the password or the database name in the URL.`;
  if ((root as SystemError).code === INSUFFICIENT_PRIVILEGE)
    return `MIGRATE_DATABASE_URL: its role lacks a privilege that migrations need (${root.message}).\nUse the owner of the database in the URL.`;
  return null;
}

/** Returns the error of the database driver, which Drizzle wraps in an error of its own. */
const findRootCause = (error: Error): Error =>
  error.cause instanceof Error ? findRootCause(error.cause) : error;
