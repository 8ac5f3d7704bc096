import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { recordedAs } from '../domain/access.ts';
import type { ReadLog } from '../services/read-log.ts';
import type { Run } from './compiled.ts';
import type { Context } from './context.ts';
import { unrecorded } from './personal-data.ts';

/** Executes a query or a mutation; what its resolvers throw is in the result. */
export type Execute = (args: ExecutionArgs & { readonly contextValue: Context }) => Promise<ExecutionResult>;

interface Parts {
  readonly run: Run;
  readonly seconds: number;
  readonly readLog: Pick<ReadLog, 'record'>;
  readonly log: Logger;
}

/**
 * An operation that takes longer than `seconds` is answered without its result. Statistics are cancelled
 * then; whatever else it began goes on to its end. The
 * personal data that it shows is recorded as read before anybody sees it, and withheld where it cannot be recorded.
 */
export const createExecute =
  ({ run, seconds, readLog, log }: Parts): Execute =>
  async (args) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<ExecutionResult>((resolve) => {
      timer = setTimeout(() => {
        args.contextValue.abandon();
        resolve({ errors: [tooLate(seconds)] });
      }, seconds * 1000);
    });
    try {
      return await Promise.race([executeOnRecord(args, run, readLog, log), late]);
    } finally {
      clearTimeout(timer);
    }
  };

async function executeOnRecord(
  args: Parameters<Execute>[0],
  run: Run,
  readLog: Pick<ReadLog, 'record'>,
  log: Logger,
): Promise<ExecutionResult> {
  const result = await run(args);
  const { shown, viewer } = args.contextValue;
  const read = shown?.toRead();
  if (!read) return result;
  try {
    await readLog.record({ ...read, viewer: recordedAs(viewer) });
    return result;
  } catch (error) {
    log.error({ err: error }, 'a reading of personal data could not be recorded');
    return { errors: [unrecorded()] };
  }
}

const tooLate = (seconds: number): GraphQLError =>
  new GraphQLError(
    `This took longer than ${seconds} s, and nobody waits for it any more. Ask for less, or try again: a mutation may have been done, and repeating it as it was is safe.`,
    { extensions: { code: 'TIMEOUT', http: { status: 503 } } },
  );
