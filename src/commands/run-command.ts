/** Runs a command to its end. What it throws is told without a stack, and its exit code is then 1. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    // A failed statement says why in its cause.
    const { message, cause } = error as Error;
    process.stderr.write(`${cause instanceof Error ? cause.message : message}\n`);
    process.exitCode = 1;
  }
}
