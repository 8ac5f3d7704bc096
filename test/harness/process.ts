/** The gateway as its users run it: a process of its own, from the build. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { atTheEnd, eventually } from './gateway.ts';

export interface GatewayProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Milliseconds from the start to being ready. */
  readonly readyInMs: number;
  readonly output: string[];
  /** Sends a signal and waits for the end; returns the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** Starts the gateway and waits until it says that it is ready. */
export async function startGatewayProcess(environment: Record<string, string>): Promise<GatewayProcess> {
  const startedAt = performance.now();
  const { child, output } = run({ PORT: '0', SANDBOX_PORT: '0', SHUTDOWN_SECONDS: '0', ...environment });
  const ready = await eventually(async () => {
    if (child.exitCode !== null)
      throw new Error(`The gateway ended with ${child.exitCode}:\n${output.join('\n')}`);
    return output.find((line) => line.includes('"the gateway is ready"'));
  });
  return {
    url: (JSON.parse(ready) as { graphql: string }).graphql.replace('/graphql', ''),
    child,
    readyInMs: performance.now() - startedAt,
    output,
    async end(signal) {
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code, by] = await exited;
      return code ?? by;
    },
  };
}

/** Starts the gateway where it is expected to refuse; returns its exit code and what it said. */
export async function runToItsEnd(
  environment: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const { child, output } = run(environment);
  const [code] = await once(child, 'close');
  return { code, said: output.join('\n') };
}

function run(environment: Record<string, string>) {
  const child = spawn('node', ['.build/main.js'], { env: { PATH: process.env.PATH ?? '', ...environment } });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  atTheEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  });
  return { child, output };
}
