/** The commands of `npm run inbox` and the like, next to a gateway of a test. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command. Rejects if its exit code is not 0, with `code`, `stdout` and `stderr`, as `execFile` does. */
export type RunCommand = (
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<Printed>;

let runs = 0;
/** A command has the process's arguments, environment and output for itself: one at a time. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Returns what runs commands for the tests of a file. The first run of each command is of the build in a process of its
 * own, as an operator's. Further ones are in this process, without the second that a process takes to load its modules.
 */
export function createCommandRunner(): RunCommand {
  const spawned = new Set<string>();
  return (name, args, env) => {
    if (spawned.has(name)) {
      const run = queue.then(() => runHere(name, args, env));
      queue = run.catch(() => {});
      return run;
    }
    spawned.add(name);
    return promisify(execFile)('node', [`.build/commands/${name}.js`, ...args], { env });
  };
}

const runHere: RunCommand = async (name, args, env) => {
  const printed = { stdout: '', stderr: '' };
  const { argv, env: environment, exitCode } = process;
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const stream of ['stdout', 'stderr'] as const)
    process[stream].write = (text: string | Uint8Array) => {
      printed[stream] += typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
      return true;
    };
  process.argv = ['node', `${name}.js`, ...args];
  process.env = { ...env };
  process.exitCode = undefined;
  runs += 1;
  try {
    // A module runs once for each address.
    await import(/* @vite-ignore */ `../../src/commands/${name}.ts?run=${runs}`);
    const code = process.exitCode ?? 0;
    if (code !== 0)
      throw Object.assign(new Error(`Command failed: ${name}\n${printed.stderr}`), { code, ...printed });
    return printed;
  } finally {
    process.argv = argv;
    process.env = environment;
    process.exitCode = exitCode;
    process.stdout.write = writes.stdout;
    process.stderr.write = writes.stderr;
  }
};
