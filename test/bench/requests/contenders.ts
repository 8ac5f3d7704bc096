import type { BenchDatabase } from '../database/database.ts';
import { startGateway } from '../harness/gateway.ts';
import type { Cores } from '../harness/machine.ts';
import { startPeer } from '../harness/peers.ts';
import type { Release } from '../harness/releases.ts';
import type { Worker } from '../harness/worker.ts';

interface About {
  readonly title: string;
  /** Name of the script, if it differs from the name of the contender. */
  readonly script?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly path: string;
  /** Text that every response to a query must contain, as proof that the server did the work. */
  readonly proof: string;
}

const DATA = '"data":{';
/** Text in every response of the gateway, which reports the query's cost: proof that the limits were on. */
const COST = '"cost":{"requested":';

/** Servers that are compared: the gateway (`ours`) and its peers (all others). */
export const CONTENDERS = {
  ours: { title: 'the gateway', path: '/graphql', proof: COST },
  plain: { title: 'node:http and pg by hand', path: '/graphql', proof: DATA },
  remembering: {
    title: 'plain, caching valid tokens as the gateway does',
    script: 'plain',
    environment: { REMEMBER_TOKENS: '1' },
    path: '/graphql',
    proof: DATA,
  },
  apollo: { title: 'Apollo Server standalone', path: '/', proof: DATA },
  yoga: { title: 'GraphQL Yoga', path: '/graphql', proof: DATA },
  mercurius: { title: 'Mercurius with JIT', path: '/graphql', proof: DATA },
  postgraphile: {
    title: 'PostGraphile 4, its own schema',
    script: 'postgraphile/server',
    path: '/graphql',
    proof: DATA,
  },
  kept: { title: 'node:http and pg, stored', script: 'webhooks', path: '', proof: '' },
  recorded: {
    title: 'node:http and pg, stored and recorded in one transaction',
    script: 'webhooks',
    environment: { RECORD: '1' },
    path: '',
    proof: '',
  },
  hop: { title: 'node:http, pg and ws', path: '', proof: '' },
} as const satisfies Record<string, About>;
export type ContenderName = keyof typeof CONTENDERS;

export interface Contender {
  readonly name: ContenderName;
  readonly worker: Worker;
  readonly port: number;
}

interface Options {
  readonly database: BenchDatabase;
  readonly cores: Cores | null;
  readonly onEnd: (release: Release) => void;
}

/** Starts a server on the database that all servers of the bench share. */
export async function startContender(
  name: ContenderName,
  { database, cores, onEnd }: Options,
): Promise<Contender> {
  const { url, dataDir } = database;
  if (name === 'ours') return { name, ...(await startGateway({ url, dataDir, cores, onEnd })) };
  const { script = name, environment = {} }: About = CONTENDERS[name];
  return { name, ...(await startPeer({ script, environment, url, cores, onEnd })) };
}
