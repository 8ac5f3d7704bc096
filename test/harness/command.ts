/** Runs operator commands, such as `npm run inbox`, next to a test's gateway. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command. Rejects like `execFile` if the exit code is not 0: with an error that has `code`, `stdout`
 * and `stderr`.
 */
export type RunCommand = (
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<Printed>;

let runs = 0;
/**
 * Resolves when the last queued command has ended. Commands in this process run one at a time, because each replaces
 * the arguments, environment and output of the process.
 */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Creates the command runner of a test file. The first run of each command starts the built script, as an
 * operator does. Later runs happen in this process, which saves the second that a new process needs to load
 * its modules.
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
    // The query makes each URL unique, because Node evaluates a module only once per URL.
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
