import { type Logger, pino, stdSerializers } from 'pino';
import type { LogFormat } from './config.ts';
import { textOutput } from './logging-text.ts';

/** An error as it is logged: what failed and where, without the values that were on their way to the database. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: 'a value that is not an Error was thrown' };
  const { type, stack } = stdSerializers.err(error);
  // Drizzle adds the parameters of a failed statement to its message, and so to the head of the stack.
  const message = error.message.split('\nparams:')[0];
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  const cause = error.cause instanceof Error ? { cause: describeError(error.cause) } : {};
  const code = 'code' in error ? { code: error.code } : {};
  return { type, ...code, message, stack: frames.join('\n'), ...cause };
}

interface LoggerOptions {
  readonly level: string;
  readonly format: LogFormat;
  /** Added to every line. */
  readonly ids?: (() => Record<string, string>) | undefined;
}

/** Logs to standard output. A terminal that is closed, or a reader that is gone, does not end the process. */
export function createLogger({ level, format, ids }: LoggerOptions): Logger {
  const output = format === 'text' ? textOutput(process.stdout) : pino.destination({ fd: 1, sync: true });
  output.on('error', () => {});
  return pino({ level, ...(ids ? { mixin: ids } : {}) }, output);
}

/** Characters that are collected before a write, and the milliseconds after which a smaller rest is written. */
const BUFFER = { minLength: 4_096, periodicFlush: 500 } as const;

/**
 * Logs to standard output like `createLogger`, but some lines at a time, for what is logged of every request: a write
 * for each line would cost as much as a small answer. Its lines come late, and the last ones only with `flush`. Both
 * write whole lines without giving way to each other, so that none is cut in two.
 */
export function createBufferedLogger({ level, format }: LoggerOptions): Logger {
  if (format === 'text') return createLogger({ level, format });
  const output = pino.destination({ fd: 1, sync: true, ...BUFFER });
  output.on('error', () => {});
  return pino({ level }, output);
}

/** The same log, whose errors carry no personal data. */
export const withRedactedErrors = (log: Logger): Logger =>
  log.child({}, { serializers: { err: describeError } });
