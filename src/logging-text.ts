/** Formats log lines for a terminal: time, level (unless info), message, and the other fields. */
import { Writable } from 'node:stream';

interface Line {
  readonly level: number;
  readonly time: number;
  readonly msg?: string;
  readonly err?: Problem;
  readonly [key: string]: unknown;
}

interface Problem {
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: Problem;
}

const ERROR = 50;
const LEVELS = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [40, 'warning'],
  [50, 'ERROR'],
  [60, 'FATAL'],
]);
/**
 * Fields that are not written after the message: the text line begins with most of them, and `pid` and
 * `hostname` are left out.
 */
const UNINTERESTING = ['level', 'time', 'pid', 'hostname', 'msg', 'err'];

/** Creates a stream that converts pino's JSON lines to text. */
export function createTextLogStream(terminal: NodeJS.WritableStream): Writable {
  // Ignores the error of a closed terminal, which would end the process.
  terminal.on('error', () => {});
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, written) {
      terminal.write(formatLogLine(JSON.parse(line) as Line), () => written());
    },
  });
}

export function formatLogLine(line: Line): string {
  const { level, time, msg, err } = line;
  const clock = new Date(time).toTimeString().slice(0, 8);
  const more = Object.entries(line)
    .filter(([key]) => !UNINTERESTING.includes(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const parts = [clock, LEVELS.get(level), msg, err && `(${describeProblem(err)})`, ...more];
  const stack = err?.stack && level >= ERROR ? `\n${err.stack}` : '';
  return `${parts.filter(Boolean).join('  ')}${stack}\n`;
}

const describeProblem = ({ message, code, cause }: Problem): string =>
  cause ? describeProblem(cause) : code && !message.includes(code) ? `${message}, ${code}` : message;
