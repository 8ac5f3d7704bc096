import { fileURLToPath } from 'node:url';
import type { Cores } from './machine.ts';
import type { Release } from './releases.ts';
import { SECRETS } from './secrets.ts';
import { Worker } from './worker.ts';

const SCRIPT = fileURLToPath(new URL('../../../../gateway/main.js', import.meta.url));

/** Flags of `node`, the same as with `npm start`. */
const FLAGS = ['--max-semi-space-size=64'];

/**
 * Environment of the gateway. Rate limits are on but very high, because a bench sends more than any real client.
 */
const ENVIRONMENT = {
  NODE_ENV: 'production',
  SANDBOX: '1',
  SANDBOX_PORT: '0',
  DRAIN_SECONDS: '0',
  SHUTDOWN_SECONDS: '0',
  CONNECTIONS_PER_CLIENT: '100000',
  RATE_LIMIT_COST_PER_MINUTE: '1000000000000',
  // Allows few polls of the sandbox: the sandbox does not know the seeded sessions, so polls would only disturb
  // the measurement.
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
  /** Port to listen on; by default any free port. */
  readonly port?: number;
}

/**
 * Starts the gateway with production settings (sign-in, limits, masking and the read log), and waits until it is
 * ready.
 */
export async function startGateway(options: Options): Promise<Gateway> {
  const worker = launchGateway(options);
  const ready = await worker.said('"the gateway is ready"');
  const { graphql } = JSON.parse(ready) as { graphql: string };
  return { worker, port: Number(new URL(graphql).port) };
}

/** Starts the gateway without waiting until it is ready. */
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
