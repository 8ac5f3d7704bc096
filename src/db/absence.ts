/** The system's words for a server that is not there, or not yet. */
const UNREACHABLE = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
];
/** PostgreSQL's own: it starts or stops (57P01 to 57P03), or has no connection to give (53300). */
const NOT_NOW = ['57P01', '57P02', '57P03', '53300'];
const BROKEN_OFF = /^(Connection terminated|timeout expired)/;

/** Whether an error says that the database cannot be reached now, and not that something is wrong with what was asked. */
export function isAbsence(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  // A Unix socket that is still to be made; any other file that is missing will not come by waiting.
  if (code === 'ENOENT' && syscall === 'connect') return true;
  if (code !== undefined && [...UNREACHABLE, ...NOT_NOW].includes(code)) return true;
  return BROKEN_OFF.test(error.message) || isAbsence(error.cause);
}
