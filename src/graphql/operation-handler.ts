import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { getRecordedName } from '../domain/access.ts';
import type { DataAccessLog } from '../services/audit/data-access-log.ts';
import type { Context } from './context.ts';
import type { Executor } from './jit-executor.ts';
import { createReadNotRecordedError } from './personal-data.ts';

/** Executes a query or a mutation. Errors that resolvers throw are part of the result. */
export type ExecuteQueryOrMutation = (
  args: ExecutionArgs & { readonly contextValue: Context },
) => Promise<ExecutionResult>;

interface Dependencies {
  readonly executor: Executor;
  readonly seconds: number;
  readonly readLog: Pick<DataAccessLog, 'record'>;
  readonly log: Logger;
}

/**
 * Returns a function that executes operations with a timeout, and records which personal data was read. After
 * `seconds` the client gets a TIMEOUT error: count queries of statistics are cancelled, everything else runs
 * to its end. A read of personal data is recorded before the answer is sent; if it cannot be recorded, the
 * answer is withheld.
 */
export const createOperationHandler =
  ({ executor, seconds, readLog, log }: Dependencies): ExecuteQueryOrMutation =>
  async (args) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<ExecutionResult>((resolve) => {
      timer = setTimeout(() => {
        args.contextValue.abandon();
        resolve({ errors: [tooLate(seconds)] });
      }, seconds * 1000);
    });
    try {
      return await Promise.race([executeOnRecord(args, executor, readLog, log), late]);
    } finally {
      clearTimeout(timer);
    }
  };

async function executeOnRecord(
  args: Parameters<ExecuteQueryOrMutation>[0],
  executor: Executor,
  readLog: Pick<DataAccessLog, 'record'>,
  log: Logger,
): Promise<ExecutionResult> {
  const result = await executor(args);
  const { shown, viewer } = args.contextValue;
  const read = shown?.toRead();
  if (!read) return result;
  try {
    await readLog.record({ ...read, viewer: getRecordedName(viewer) });
    return result;
  } catch (error) {
    log.error({ err: error }, 'could not record a read of personal data; withheld the data');
    return { errors: [createReadNotRecordedError()] };
  }
}

const tooLate = (seconds: number): GraphQLError =>
  new GraphQLError(
    `The operation took longer than ${seconds} s and was abandoned. Ask for less, or repeat it unchanged: a mutation may have taken effect, and repeating it is safe.`,
    { extensions: { code: 'TIMEOUT', http: { status: 503 } } },
  );
