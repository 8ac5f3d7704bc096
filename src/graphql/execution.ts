import { type ExecutionArgs, type ExecutionResult, execute, GraphQLError } from 'graphql';

/** Executes a query or a mutation; what its resolvers throw is in the result. */
export type Execute = (args: ExecutionArgs) => Promise<ExecutionResult>;

/** An operation that takes longer than `seconds` is answered without its result. What it began goes on to its end. */
export const createExecute =
  (seconds: number): Execute =>
  async (args) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<ExecutionResult>((resolve) => {
      timer = setTimeout(() => resolve({ errors: [tooLate(seconds)] }), seconds * 1000);
    });
    try {
      return await Promise.race([execute(args), late]);
    } finally {
      clearTimeout(timer);
    }
  };

const tooLate = (seconds: number): GraphQLError =>
  new GraphQLError(
    `This took longer than ${seconds} s, and nobody waits for it any more. Ask for less, or try again: a mutation may have been done, and repeating it as it was is safe.`,
    { extensions: { code: 'TIMEOUT', http: { status: 503 } } },
  );
