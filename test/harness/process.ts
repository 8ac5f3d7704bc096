/** Test helper: the gateway and the sandbox as child processes, run from the build as users run them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AUDIT_KEYS, atTheEnd, eventually } from './gateway.ts';

export interface GatewayProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Milliseconds from the start of the process until it was ready. */
  readonly readyInMs: number;
  readonly output: string[];
  /**
   * Sends a GraphQL operation. Rejects with the first error of the response, or if the process ends before
   * the response.
   */
  graphql(query: string, variables?: object, token?: string): Promise<any>;
  /** Sends a signal to the process and waits for its end. Returns the exit code or the signal. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** The script that `npm start` runs. */
const GATEWAY = '.build/gateway/main.js';

/**
 * Starts a gateway process and waits until it prints that it is ready. `script` is the main script, by default that of
 * this build.
 */
export async function startGatewayProcess(
  environment: Record<string, string>,
  script = GATEWAY,
): Promise<GatewayProcess> {
  const startedAt = performance.now();
  const settings = { PORT: '0', SANDBOX_PORT: '0', SHUTDOWN_SECONDS: '0', ...environment };
  const { child, output } = run(script, settings);
  const ready = await eventually(async () => {
    if (child.exitCode !== null)
      throw new Error(`The gateway ended with ${child.exitCode}:\n${output.join('\n')}`);
    return output.find((line) => line.includes('"the gateway is ready"'));
  });
  const url = (JSON.parse(ready) as { graphql: string }).graphql.replace('/graphql', '');
  return {
    url,
    child,
    readyInMs: performance.now() - startedAt,
    output,
    async graphql(query, variables = {}, token) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data?: any; errors?: { message: string }[] };
      if (errors) throw new Error(errors[0]?.message);
      return data;
    },
    async end(signal) {
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code, by] = await exited;
      return code ?? by;
    },
  };
}

/** Starts a gateway that must end by itself (because it cannot start), and returns its exit code and output. */
export async function runToItsEnd(
  environment: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const { child, output } = run(GATEWAY, environment);
  const [code] = await once(child, 'close');
  return { code, said: output.join('\n') };
}

/** The sandbox in a process of its own, so that the sandbox keeps its state when a gateway is killed. */
export interface SandboxProcess {
  /** Settings, with credentials, that make a gateway use this sandbox. */
  readonly access: Record<string, string> & { CASHFREE_BASE_URL: string };
  /** Calls the provider's API of the sandbox with valid credentials. */
  call(method: string, path: string, body?: object): Promise<any>;
  /** Calls a path under `/_sandbox`, which controls the sandbox. */
  control(method: string, path: string, body?: object): Promise<any>;
}

/** Speed of the sandbox's journeys: so slow that no step happens by itself. */
const STANDSTILL = '0.000001';

/**
 * Starts the sandbox with its own journal. Journeys advance only by hand, and webhooks are held until a
 * webhook URL is set.
 */
export async function startSandboxProcess(): Promise<SandboxProcess> {
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'vkyc-sandbox-'));
  atTheEnd(() => rm(DATA_DIR, { recursive: true, force: true }));
  const { child, output } = run('.build/commands/sandbox.js', {
    SANDBOX_PORT: '0',
    SANDBOX_SPEED: STANDSTILL,
    DATA_DIR,
  });
  const baseUrl = await eventually(async () => {
    if (child.exitCode !== null)
      throw new Error(`The sandbox ended with ${child.exitCode}:\n${output.join('\n')}`);
    return output.join('\n').match(/listens at\s+(\S+)/)?.[1];
  });
  const ask = async (url: string | URL, method: string, body?: object) => {
    const headers = {
      'x-client-id': 'sandbox',
      'x-client-secret': 'sandbox',
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const response = await fetch(url, { method, headers, body: body ? JSON.stringify(body) : null });
    return response.json();
  };
  return {
    access: {
      CASHFREE_BASE_URL: baseUrl,
      CASHFREE_CLIENT_ID: 'sandbox',
      CASHFREE_CLIENT_SECRET: 'sandbox',
      PROVIDER_CALLS_PER_MINUTE: '6000',
    },
    call: (method, path, body) => ask(`${baseUrl}${path}`, method, body),
    control: (method, path, body) => ask(new URL(`/_sandbox${path}`, baseUrl), method, body),
  };
}

function run(script: string, environment: Record<string, string>) {
  const env = { PATH: process.env.PATH ?? '', AUDIT_KEYS, ...environment };
  const child = spawn('node', [script], { env });
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
