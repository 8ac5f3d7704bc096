import { fileURLToPath } from 'node:url';
import type { Cores } from './machine.ts';
import type { Release } from './releases.ts';
import { SECRETS } from './secrets.ts';
import { Worker } from './worker.ts';

const SCRIPT = fileURLToPath(new URL('../../../../gateway/main.js', import.meta.url));

/** As `npm start` has it. */
const FLAGS = ['--max-semi-space-size=64'];

/** Limits are counted, but not met: no real caller sends as much as a bench. */
const ENVIRONMENT = {
  NODE_ENV: 'production',
  SANDBOX: '1',
  SANDBOX_PORT: '0',
  DRAIN_SECONDS: '0',
  SHUTDOWN_SECONDS: '0',
  CONNECTIONS_PER_CLIENT: '100000',
  RATE_LIMIT_COST_PER_MINUTE: '1000000000000',
  // What was seeded is unknown to the sandbox: to ask it would only be noise.
  PROVIDER_CALLS_PER_MINUTE: '5',
} as const;

export interface Gateway {
  readonly worker: Worker;
  readonly port: number;
}

interface Options {
  readonly url: string;
  readonly dataDir: string;
  readonly cores: Cores | null;
  readonly onEnd: (release: Release) => void;
  readonly name?: string;
  /** Left out: any that is free. */
  readonly port?: number;
}

/** The gateway as it runs in production, with sign-in, limits, masking and the log of reads. */
export async function startGateway(options: Options): Promise<Gateway> {
  const worker = launchGateway(options);
  const ready = await worker.said('"the gateway is ready"');
  const { graphql } = JSON.parse(ready) as { graphql: string };
  return { worker, port: Number(new URL(graphql).port) };
}

/** The same, without waiting for it. */
export function launchGateway({ url, dataDir, cores, onEnd, name, port = 0 }: Options): Worker {
  const worker = new Worker(name ?? 'the gateway', {
    script: SCRIPT,
    flags: FLAGS,
    core: cores?.servers,
    environment: { ...ENVIRONMENT, ...SECRETS, PORT: String(port), DATA_DIR: dataDir, DATABASE_URL: url },
  });
  onEnd(() => worker.end());
  return worker;
}
