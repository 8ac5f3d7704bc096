import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../../../src/db/embedded-postgres.ts';
import type { LogRow } from '../../../src/db/transitions.ts';
import type { Cores } from '../harness/machine.ts';
import type { Release } from '../harness/releases.ts';
import { Worker } from '../harness/worker.ts';
import { openLog } from './log.ts';

export const CONTENDERS = {
  ours: 'the gateway',
  bare: 'ws, one string for all',
  stock: 'graphql-ws, executing for each',
} as const;
export type ContenderName = keyof typeof CONTENDERS;
export type ByContender<Value> = Record<ContenderName, Value>;

/** A burst as the gateway had it: what it read, and what it sent to one subscriber. */
export interface Burst {
  readonly rows: readonly LogRow[];
  readonly frames: readonly string[];
}

/** A server and its subscribers, each a process of its own. */
export interface Contender {
  readonly name: ContenderName;
  readonly port: number;
  readonly server: Worker;
  readonly clients: Worker;
  /** Whether subscribers that come back are sent what they missed. */
  readonly resumes: boolean;
  /** A place to begin at; null where there is nothing before the present. */
  start(): Promise<string | null>;
  /** Makes events happen. The gateway's are new and are returned; the others' are those of the model. */
  burst(model: Burst, events: number): Promise<readonly LogRow[] | null>;
}

interface Options {
  readonly cores: Cores | null;
  readonly onEnd: (release: Release) => void;
}

const compiled = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The gateway as it is run, on a throw-away PostgreSQL. */
export async function startOurs({ cores, onEnd }: Options): Promise<Contender> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-bench-'));
  onEnd(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dir: join(folder, 'postgres'), durable: false });
  onEnd(postgres.stop);
  const server = new Worker('the gateway', {
    script: compiled('../../../../main.js'),
    core: cores?.servers,
    environment: {
      PORT: '0',
      SANDBOX_PORT: '0',
      SHUTDOWN_SECONDS: '0',
      CONNECTIONS_PER_CLIENT: '10000',
      RATE_LIMIT_COST_PER_MINUTE: '0',
      DATA_DIR: folder,
      DATABASE_URL: postgres.url,
    },
  });
  onEnd(() => server.end());
  const ready = await server.said('"the gateway is ready"');
  const { graphql } = JSON.parse(ready) as { graphql: string };
  const log = await openLog(postgres.url);
  onEnd(log.close);
  return {
    name: 'ours',
    server,
    clients: startClients({ cores, onEnd }),
    port: Number(new URL(graphql).port),
    resumes: true,
    async start() {
      const response = await fetch(graphql, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ feedCursor }' }),
      });
      const { data } = (await response.json()) as { data: { feedCursor: string } };
      return data.feedCursor;
    },
    burst: (_model, events) => log.record(events),
  };
}

/** The server that does nothing but send. */
export const startBare = (options: Options): Promise<Contender> =>
  startFromMemory('bare', options, ({ frames }) => frames);

/** The server that executes for every subscriber. */
export const startStock = (options: Options): Promise<Contender> =>
  startFromMemory('stock', options, ({ rows }) => rows);

async function startFromMemory(
  name: 'bare' | 'stock',
  { cores, onEnd }: Options,
  eventsOf: (model: Burst) => readonly unknown[],
): Promise<Contender> {
  const server = new Worker(`the ${name} server`, {
    script: compiled(`./${name}-server.js`),
    core: cores?.servers,
  });
  onEnd(() => server.end());
  return {
    name,
    server,
    clients: startClients({ cores, onEnd }),
    port: await server.ask<number>('port'),
    resumes: false,
    start: async () => null,
    async burst(model) {
      await server.ask('burst', eventsOf(model));
      return null;
    },
  };
}

function startClients({ cores, onEnd }: Options): Worker {
  const clients = new Worker('the subscribers', {
    script: compiled('./subscribers.js'),
    core: cores?.others,
  });
  onEnd(() => clients.end());
  return clients;
}
