import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Cores } from './machine.ts';
import type { Release } from './releases.ts';
import { SECRETS } from './secrets.ts';
import { Worker } from './worker.ts';

/** Folder of the peers (servers that the benchmarks compare with the gateway), relative to the compiled bench. */
const FOLDER = new URL('../../../../../test/bench/peers/', import.meta.url);

const run = promisify(execFile);

/**
 * Subfolders with a package.json: `postgraphile` has its own, because PostGraphile needs another version of `graphql`
 * than the other peers (servers to compare).
 */
const FOLDERS = ['.', 'postgraphile'];

/**
 * Installs the npm packages of the peers (servers that the benchmarks compare with the gateway) from their lock files,
 * unless the packages are already installed.
 */
export async function installPeers(say: (line: string) => void): Promise<void> {
  for (const folder of FOLDERS) await install(folder, say);
}

async function install(folder: string, say: (line: string) => void): Promise<void> {
  const cwd = fileURLToPath(new URL(folder, FOLDER));
  const installed = await access(`${cwd}/node_modules/.package-lock.json`).then(
    () => true,
    () => false,
  );
  if (installed) return;
  say(`installing the servers to compare with the gateway (${folder})`);
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd });
}

/** Running peer: a server that the benchmarks compare with the gateway. */
export interface Peer {
  readonly worker: Worker;
  readonly port: number;
}

interface Options {
  /** File name of the peer's script in `FOLDER`, without its extension. */
  readonly script: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly url: string;
  readonly cores: Cores | null;
  readonly onEnd: (release: Release) => void;
}

/** Starts a peer (server to compare with the gateway) on the database, pinned to the core of the servers. */
export async function startPeer({ script, environment, url, cores, onEnd }: Options): Promise<Peer> {
  const worker = new Worker(script, {
    script: fileURLToPath(new URL(`${script}.mjs`, FOLDER)),
    core: cores?.servers,
    environment: { NODE_ENV: 'production', ...SECRETS, ...environment, DATABASE_URL: url },
  });
  onEnd(() => worker.end());
  return { worker, port: await worker.ask<number>('port') };
}
