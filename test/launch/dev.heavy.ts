/** Runs `npm run dev` in a copy of the checkout. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { copyCheckout, freshFolder, runNpm } from '../harness/checkout.ts';
import { eventually } from '../harness/gateway.ts';
import { freePort } from '../harness/phoenix.ts';

/** Replaces a file atomically, as editors do, so that the compiler never reads a half-written file. */
async function save(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

test('npm run dev serves changed sources and a console with hot reload, keeps serving after a compile error, and ends all of its processes on SIGTERM', async () => {
  const cwd = await copyCheckout();
  const port = await freePort(createSeededRandom('dev', String(process.pid)));
  const env = { PORT: String(port), DATA_DIR: await freshFolder() };
  const { until, said, child, ended, survivors } = runNpm(['run', 'dev'], { cwd, env });
  await until('"the gateway is ready"');
  const health = async () => (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null))?.text();
  expect(await health()).toContain('"ok"');

  const source = join(cwd, 'src/http/server.ts');
  const text = await readFile(source, 'utf8');
  const changedAt = performance.now();
  await save(source, text.replace("status: 'ok'", "status: 'changed'"));
  await eventually(async () => (await health())?.includes('"changed"'));
  process.stderr.write(
    `a change was served after ${((performance.now() - changedAt) / 1000).toFixed(1)} s\n`,
  );

  const [consoleUrl] = (await until('/console/')).match(/http:\/\/\S+:\d+\/console\//) ?? [];
  const read = async (url: string | URL) => (await fetch(url).catch(() => null))?.text();
  await eventually(async () => (await read(consoleUrl as string))?.includes('@vite/client'));
  const query = new URL('/graphql?query={__typename}', consoleUrl);
  await eventually(async () => (await read(query))?.includes('"__typename":"Query"'));

  await save(source, `${text}\nconst broken: = 1;\n`);
  await until('error TS');
  await eventually(async () => (await health())?.includes('"changed"'));

  child.kill('SIGTERM');
  expect(await ended, said()).toBe(0);
  await eventually(async () => survivors().length === 0);
});
