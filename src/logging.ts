import { type Logger, pino, stdSerializers } from 'pino';
import type { LogFormat } from './config.ts';
import { createTextLogStream } from './logging-text.ts';

/**
 * Serializes an error for the log: type, message and stack, without the parameters of a failed SQL statement, which
 * may be personal data.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: 'a value that is not an Error was thrown' };
  const { type, stack } = stdSerializers.err(error);
  // Drizzle appends the parameters of a failed statement to the message, and so to the first lines of the stack.
  const message = error.message.split('\nparams:')[0];
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  const cause = error.cause instanceof Error ? { cause: describeError(error.cause) } : {};
  const code = 'code' in error ? { code: error.code } : {};
  return { type, ...code, message, stack: frames.join('\n'), ...cause };
}

interface LoggerOptions {
  readonly level: string;
  readonly format: LogFormat;
  /** Returns fields to add to every line, such as trace and request ids. */
  readonly ids?: (() => Record<string, string>) | undefined;
}

/** Creates a logger to standard output. A closed terminal or pipe (EPIPE) does not end the process. */
export function createLogger({ level, format, ids }: LoggerOptions): Logger {
  const output =
    format === 'text' ? createTextLogStream(process.stdout) : pino.destination({ fd: 1, sync: true });
  output.on('error', () => {});
  return pino({ level, ...(ids ? { mixin: ids } : {}) }, output);
}

/**
 * Buffer size in characters that triggers a write, and the milliseconds after which a partly filled buffer is written.
 */
const BUFFER = { minLength: 4_096, periodicFlush: 500 } as const;

/**
 * Creates a logger that buffers lines, for the access log: a write per line would cost as much as a small
 * response. Lines are written late, and the last lines only by `flush`. This logger and that of `createLogger`
 * write whole lines synchronously, so their lines never interleave.
 */
export function createBufferedLogger({ level, format }: LoggerOptions): Logger {
  if (format === 'text') return createLogger({ level, format });
  const output = pino.destination({ fd: 1, sync: true, ...BUFFER });
  output.on('error', () => {});
  return pino({ level }, output);
}

/** Returns the same logger with errors stripped of personal data. */
export const withRedactedErrors = (log: Logger): Logger =>
  log.child({}, { serializers: { err: describeError } });
