/** Runs a command. If it throws, prints the message without a stack and exits with 1. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    // Prints the message of the error's cause, if the error has a cause: Drizzle wraps the error of a failed
    // statement, and only the cause says why the statement failed.
    const { message, cause } = error as Error;
    process.stderr.write(`${cause instanceof Error ? cause.message : message}\n`);
    process.exitCode = 1;
  }
}
