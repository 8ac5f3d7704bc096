/** Test helpers: copies of this checkout, and npm scripts that run in these copies as users run them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atTheEnd, eventually } from './gateway.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Files and folders that a checkout needs to build and start. */
const PARTS = ['migrations', 'package.json', 'package-lock.json', 'schema', 'src', 'tsconfig.json'].concat([
  'tsconfig.build.json',
  'vite.config.ts',
  '.npmrc',
]);

const WATCH_INTERVAL_MS = 200;

interface CheckoutOptions {
  /** Folder name. */
  readonly name?: string;
  /** Which packages are installed. `none`: as before `npm ci`; `production`: as after `npm ci --omit=dev`. */
  readonly packages?: 'all' | 'production' | 'none';
}

/** Copies this checkout without its build. The packages of the copy are symbolic links. */
export async function copyCheckout({ name = 'checkout', packages = 'all' }: CheckoutOptions = {}) {
  const parent = await freshFolder('vkyc-checkout-');
  const root = join(parent, name);
  for (const part of PARTS) await cp(join(ROOT, part), join(root, part), { recursive: true });
  const modules = join(root, 'node_modules');
  if (packages === 'all') await symlink(join(ROOT, 'node_modules'), modules);
  if (packages === 'production') {
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    for (const dependency of Object.keys(dependencies)) {
      await mkdir(join(modules, dependency, '..'), { recursive: true });
      await symlink(join(ROOT, 'node_modules', dependency), join(modules, dependency));
    }
  }
  return root;
}

/** Creates a folder that other users may enter. It is removed when the test ends. */
export async function freshFolder(prefix = 'vkyc-data-'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await chmod(folder, 0o755);
  atTheEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}

export interface NpmScript {
  /** The process of npm itself. */
  readonly child: ChildProcess;
  /** Returns all output so far. */
  said(): string;
  /** Resolves with the output once the output contains this text. Rejects if the script ends before. */
  until(text: string): Promise<string>;
  /** Resolves with npm's exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Returns the processes that npm has started, directly or not, and that are still alive. */
  survivors(): Process[];
}

interface NpmOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Id of the user to run as. */
  readonly uid?: number;
}

/**
 * Runs npm with these arguments. The environment contains only `env` and a few basic variables of the shell.
 * All processes of npm are ended when the test ends.
 */
export function runNpm(args: readonly string[], { cwd, env = {}, uid }: NpmOptions): NpmScript {
  const { PATH, HOME } = process.env;
  const child = spawn('npm', args, {
    cwd,
    env: { PATH, HOME, TMPDIR: tmpdir(), PORT: '0', SANDBOX_PORT: '0', SHUTDOWN_SECONDS: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)));
  const said = () => output.join('');
  // Listens for `exit`. The event `close` would wait for every process that holds the pipes, even orphans.
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const seen = new Set<string>();
  const watch = setInterval(() => {
    for (const each of descendantsOf(child.pid as number)) seen.add(identify(each));
  }, WATCH_INTERVAL_MS);
  const survivors = () => listProcesses().filter((each) => seen.has(identify(each)));
  atTheEnd(async () => {
    clearInterval(watch);
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    for (const { pid } of survivors()) process.kill(pid, 'SIGTERM');
  });
  return {
    child,
    said,
    ended,
    survivors,
    until: (text) =>
      eventually(async () => {
        if (said().includes(text)) return said();
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`npm ${args.join(' ')} ended without "${text}":\n${said()}`);
        return null;
      }),
  };
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly startedAt: string;
  readonly command: string;
}

/** Identifies a process by its id and start time, because ids are reused within minutes on a busy machine. */
const identify = ({ pid, startedAt }: Process): string => `${pid} ${startedAt}`;

function listProcesses(): Process[] {
  const rows = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,lstart=,command='], { encoding: 'utf8' });
  return [...rows.matchAll(/^\s*(\d+)\s+(\d+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/gm)].map(
    ([, pid, parent, startedAt = '', command = '']) => ({
      ...{ pid: Number(pid), parent: Number(parent), startedAt, command },
    }),
  );
}

export function descendantsOf(root: number): Process[] {
  const all = listProcesses();
  const below = (parent: number): Process[] =>
    all.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each.pid)]);
  return below(root);
}
