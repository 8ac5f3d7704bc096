/**
 * Builds what changed. A step is skipped if its outputs were made from the same input bytes (compared by
 * hash).
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import requirements from './requirements.cjs';

const TSC = 'node_modules/typescript/bin/tsc';
const VITE = 'node_modules/vite/bin/vite.js';
const TRIM = 'src/launch/trim-source-map.mjs';

/** Files and folders that decide whether the server is compiled again. */
const SERVER = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'];

/**
 * Build steps, with paths relative to the checkout. A step runs if an input has changed, or `output` is
 * missing. The inputs of a step are the files in `inputs` except those in `without`; `finish` is a second
 * command.
 */
const STEPS = {
  compile: {
    title: 'TypeScript',
    inputs: SERVER,
    without: ['src/console'],
    output: '.build/main.js',
    command: [TSC, '-p', 'tsconfig.build.json', '--declaration', 'false'],
  },
  declarations: {
    title: 'type declarations',
    inputs: SERVER,
    without: ['src/console'],
    output: '.build/client/resuming.d.ts',
    command: [TSC, '-p', 'tsconfig.build.json', '--emitDeclarationOnly'],
  },
  commonjs: {
    title: 'client for CommonJS',
    inputs: ['src/client', 'tsconfig.json', 'tsconfig.client-cjs.json', 'package.json', 'package-lock.json'],
    without: [],
    output: '.build/client-cjs/resuming.js',
    command: [TSC, '-p', 'tsconfig.client-cjs.json'],
  },
  gateway: {
    title: 'gateway',
    inputs: [...SERVER, 'vite.config.ts'],
    without: ['src/console'],
    output: '.build/gateway/main.js',
    command: [VITE, 'build'],
    finish: [TRIM],
  },
  console: {
    title: 'console',
    inputs: ['src/console', 'src/client', 'tsconfig.json', 'package.json', 'package-lock.json'],
    without: [],
    output: '.build/console/index.html',
    command: [VITE, 'build', 'src/console'],
  },
  packages: {
    title: 'packages',
    inputs: [...SERVER, 'vite.config.ts', 'tsconfig.client-cjs.json', 'schema', 'migrations', 'LICENSE'],
    without: [],
    output: '.build/packages/sizes.json',
    command: ['src/launch/assemble-packages.mjs'],
  },
};

/**
 * Environment of the build tools. It saves memory of the bundler, and costs no time: 200 MB without huge pages
 * (MIMALLOC_ALLOW_THP), 30 MB with one thread, because each thread has an arena of its own.
 */
const TOOL_ENVIRONMENT = {
  NODE_ENV: 'production',
  MIMALLOC_ALLOW_THP: '0',
  RAYON_NUM_THREADS: '1',
  TOKIO_WORKER_THREADS: '1',
};

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const STAMPS = '.build/stamps.json';
const LOCK = '.build/lock';
const LOCK_RETRY_MS = 200;
const MAX_LOCK_WRITE_MS = 5_000;
const MAX_LOCK_AGE_MS = 600_000;

/**
 * Problem that keeps a script from running. The message says what to type, and is printed without a stack.
 */
export class LaunchError extends Error {
  name = 'LaunchError';
}

/**
 * Brings the outputs of the named steps up to date, in the order of the names. Returns whether anything had
 * to be built. `beforeBundles` runs after the code is compiled and before the slower steps, but only if
 * something is built.
 * @throws LaunchError if a step fails or the tools for it are missing
 */
export async function build(root, names, { beforeBundles = async () => {} } = {}) {
  if (findStale(root, names).length === 0) return false;
  const problem = requirements.explainTools(root);
  if (problem) throw new LaunchError(problem);

  const release = await lock(root);
  try {
    const stale = findStale(root, names);
    if (stale.length === 0) return false;
    const startedAt = Date.now();
    say(`Building the changed parts: ${stale.map((name) => STEPS[name].title).join(', ')} …`);
    if (stale.includes('compile')) await runStep(root, 'compile');
    await beforeBundles();
    for (const name of stale.filter((each) => each !== 'compile')) await runStep(root, name);
    say(`Built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
    return true;
  } finally {
    release();
  }
}

export const say = (line) => process.stderr.write(`${line}\n`);

function findStale(root, names) {
  const stamps = readStamps(root);
  return names.filter(
    (name) => !existsSync(join(root, STEPS[name].output)) || stamps[name] !== hashInputs(root, STEPS[name]),
  );
}

function readStamps(root) {
  try {
    return JSON.parse(readFileSync(join(root, STAMPS), 'utf8'));
  } catch {
    return {};
  }
}

function writeStamp(root, name, stamp) {
  const stamps = { ...readStamps(root), [name]: stamp };
  writeFileSync(join(root, STAMPS), `${JSON.stringify(stamps, null, 2)}\n`);
}

function hashInputs(root, { inputs, without, command }) {
  const hash = createHash('sha256').update(JSON.stringify([command, TOOL_ENVIRONMENT]));
  for (const file of inputs.flatMap((path) => listFiles(root, path, without)))
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/**
 * Lists the files at or under a path, in the same order on every file system, so that the hash of the inputs
 * is stable. Hidden files of editors and operating systems are left out.
 */
function listFiles(root, path, without) {
  if (without.includes(path)) return [];
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => listFiles(root, `${path}/${name}`, without));
}

/**
 * Runs a build step. The step's stamp (hash of its inputs) is written last, so that an interrupted step is
 * repeated.
 */
async function runStep(root, name) {
  const step = STEPS[name];
  const stamp = hashInputs(root, step);
  writeStamp(root, name, null);
  for (const command of [step.command, step.finish]) {
    const output = command ? await runTool(root, command) : null;
    if (output !== null) throw new LaunchError(`The build failed (${step.title}):\n\n${output}`);
  }
  writeStamp(root, name, stamp);
}

/**
 * Runs a build tool. Returns null if the tool succeeds, and its output if it fails. A signal to this process
 * ends the tool, too.
 */
async function runTool(root, [script, ...args]) {
  // Starts the tool in a process group of its own, which signals can reach as a whole: the compiler's
  // launcher does not pass signals on to the compiler.
  const child = spawn(process.execPath, [join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, ...TOOL_ENVIRONMENT },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  const onSignal = (signal) => {
    process.kill(-child.pid, signal);
    child.once('close', () => process.exit(128 + constants.signals[signal]));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const [code] = await once(child, 'close');
    return code === 0 ? null : Buffer.concat(output).toString().trim();
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

/**
 * Takes a lock file, so that two scripts in one checkout never build at the same time. Resolves with the
 * function that releases the lock.
 */
async function lock(root) {
  const file = join(root, LOCK);
  for (let told = false; ; told = true) {
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw new LaunchError(explainUnwritable(root, error));
    }
    if (!isHeld(file)) rmSync(file, { force: true });
    else if (!told) say(`Process ${readText(file)} is building in this checkout; waiting for it to finish …`);
    await wait(LOCK_RETRY_MS);
  }
}

const explainUnwritable = (root, error) =>
  `The sources are newer than the build, and the build cannot be written to ${join(root, '.build')}: ${error.message}\n` +
  'Run `npm run build` as a user who may write there, then start again.';

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Returns whether the process that holds the lock is alive. EPERM means that the process is alive and belongs
 * to another user. An empty lock file counts as held, because its process id is still being written, unless
 * the file is old.
 */
function isHeld(file) {
  const holder = Number(readText(file));
  const ageMs = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  // Treats an old lock as free, because after this age another program may have got the same process id.
  if (ageMs > MAX_LOCK_AGE_MS) return false;
  if (holder === 0) return ageMs < MAX_LOCK_WRITE_MS;
  try {
    return process.kill(holder, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
