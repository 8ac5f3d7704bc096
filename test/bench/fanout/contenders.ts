import { fileURLToPath } from 'node:url';
import type { SessionTransition } from '../../../src/db/sessions/transitions.ts';
import { openDatabase } from '../database/database.ts';
import { startGateway } from '../harness/gateway.ts';
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

/** A recorded burst of the gateway: the transitions it read, and the frames that it sent to one subscriber. */
export interface Burst {
  readonly rows: readonly SessionTransition[];
  readonly frames: readonly string[];
}

/** A server under test and its subscribers, each in a process of its own. */
export interface Contender {
  readonly name: ContenderName;
  readonly port: number;
  /** Bearer token that all subscribers use. */
  readonly token: string;
  readonly server: Worker;
  readonly clients: Worker;
  /** Whether the server resumes a subscription from a cursor. */
  readonly resumes: boolean;
  /** Returns a cursor to subscribe after; null if the server has no history. */
  start(): Promise<string | null>;
  /** Produces events. The gateway records new ones and returns them; the others replay those of `model`. */
  burst(model: Burst, events: number): Promise<readonly SessionTransition[] | null>;
}

interface Options {
  readonly cores: Cores | null;
  readonly token: string;
  readonly onEnd: (release: Release) => void;
  readonly say: (line: string) => void;
}

const compiled = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Starts the gateway in its production form, on a PostgreSQL of its own. */
export async function startOurs({ cores, token, onEnd, say }: Options): Promise<Contender> {
  const database = await openDatabase({ sessions: 0, onEnd, say });
  const { worker, port } = await startGateway({ ...database, cores, onEnd });
  const log = await openLog(database.url);
  onEnd(log.close);
  return {
    name: 'ours',
    server: worker,
    clients: startClients({ cores, onEnd }),
    port,
    token,
    resumes: true,
    start: () => feedCursor(port, token),
    burst: (_model, events) => log.record(events),
  };
}

/** Returns the newest cursor of the feed over all sessions. */
export async function feedCursor(port: number, token: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ feedCursor }' }),
  });
  const { data } = (await response.json()) as { data: { feedCursor: string } };
  return data.feedCursor;
}

/** Starts the bare server, which only sends. */
export const startBare = (options: Options): Promise<Contender> =>
  startFromMemory('bare', options, ({ frames }) => frames);

/** Starts the stock graphql-ws server, which executes every event for every subscriber. */
export const startStock = (options: Options): Promise<Contender> =>
  startFromMemory('stock', options, ({ rows }) => rows);

async function startFromMemory(
  name: 'bare' | 'stock',
  { cores, token, onEnd }: Options,
  eventsOf: (model: Burst) => readonly unknown[],
): Promise<Contender> {
  const server = new Worker(`the ${name} server`, {
    script: compiled(`./${name}-server.js`),
    core: cores?.servers,
    environment: { NODE_ENV: 'production' },
  });
  onEnd(() => server.end());
  return {
    name,
    server,
    clients: startClients({ cores, onEnd }),
    port: await server.ask<number>('port'),
    token,
    resumes: false,
    start: async () => null,
    async burst(model) {
      await server.ask('burst', eventsOf(model));
      return null;
    },
  };
}

/** Starts the process that holds the subscribers. */
export function startClients({ cores, onEnd }: Pick<Options, 'cores' | 'onEnd'>): Worker {
  const clients = new Worker('the subscribers', {
    script: compiled('./subscribers.js'),
    core: cores?.others,
  });
  onEnd(() => clients.end());
  return clients;
}
