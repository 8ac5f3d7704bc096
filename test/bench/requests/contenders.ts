import type { BenchDatabase } from '../database/database.ts';
import { startGateway } from '../harness/gateway.ts';
import type { Cores } from '../harness/machine.ts';
import { startPeer } from '../harness/peers.ts';
import type { Release } from '../harness/releases.ts';
import type { Worker } from '../harness/worker.ts';

/** Who answers, by what their answers hold beside the data that all give. */
export const CONTENDERS = {
  ours: { title: 'the gateway', path: '/graphql', proof: '"cost":{"requested":' },
  plain: { title: 'node:http and pg by hand', path: '/graphql', proof: '"data":{' },
  apollo: { title: 'Apollo Server standalone', path: '/', proof: '"data":{' },
  yoga: { title: 'GraphQL Yoga', path: '/graphql', proof: '"data":{' },
  mercurius: { title: 'Mercurius with JIT', path: '/graphql', proof: '"data":{' },
} as const satisfies Record<string, { title: string; path: string; proof: string }>;
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

/** Starts a server on the database that all of them share. */
export async function startContender(
  name: ContenderName,
  { database, cores, onEnd }: Options,
): Promise<Contender> {
  const { url, dataDir } = database;
  const started =
    name === 'ours'
      ? await startGateway({ url, dataDir, cores, onEnd })
      : await startPeer({ name, url, cores, onEnd });
  return { name, ...started };
}
