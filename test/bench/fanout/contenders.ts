import { fileURLToPath } from 'node:url';
import type { TransitionWithVerificationId } from '../../../src/db/sessions/transitions.ts';
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

/**
 * Recorded burst of the gateway: transitions from its log, and the frames that one subscriber got for these
 * transitions.
 */
export interface Burst {
  readonly rows: readonly TransitionWithVerificationId[];
  readonly frames: readonly string[];
}

/** Server under test (one process), and all its subscribers (one other process). */
export interface Contender {
  readonly name: ContenderName;
  readonly port: number;
  /** Access token that all subscribers send. */
  readonly token: string;
  readonly server: Worker;
  readonly clients: Worker;
  /** Whether the server resumes a subscription from a cursor; otherwise it starts with the next event. */
  readonly resumes: boolean;
  /** Returns the cursor after which subscriptions start; null if the server has no log. */
  start(): Promise<string | null>;
  /**
   * Makes the server send a number of events. The gateway records new transitions, and returns them; the other
   * servers send the events of `model` again, and return null.
   */
  burst(model: Burst, events: number): Promise<readonly TransitionWithVerificationId[] | null>;
}

interface Options {
  readonly cores: Cores | null;
  readonly token: string;
  readonly onEnd: (release: Release) => void;
  readonly say: (line: string) => void;
}

const compiled = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Starts the gateway with production settings, on a PostgreSQL server of its own. */
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

/** Returns the newest cursor of the feed of all sessions. */
export async function feedCursor(port: number, token: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ feedCursor }' }),
  });
  const { data } = (await response.json()) as { data: { feedCursor: string } };
  return data.feedCursor;
}

/** Starts the bare `ws` server, which sends the recorded frames without executing anything. */
export const startBare = (options: Options): Promise<Contender> =>
  startFromMemory('bare', options, ({ frames }) => frames);

/** Starts graphql-ws with its defaults, which executes every event for every subscriber. */
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

/** Starts one process, in which all subscribers of a server run. */
export function startClients({ cores, onEnd }: Pick<Options, 'cores' | 'onEnd'>): Worker {
  const clients = new Worker('the subscribers', {
    script: compiled('./subscribers.js'),
    core: cores?.others,
  });
  onEnd(() => clients.end());
  return clients;
}
