// Runs the fault tests listed here one after the other. The last line of the output sums up the counts of all of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const survival = (await readdir('test/survival')).filter((file) => file.endsWith('.heavy.ts'));
const tests = [
  ...['chaos', 'each-in-turn', 'upgrade', 'rolling-restart'].map((name) => `test/chaos/${name}.heavy.ts`),
  ...['failover', 'restore'].map((name) => `test/failover/${name}.heavy.ts`),
  ...survival.map((file) => `test/survival/${file}`),
];
const folder = await mkdtemp(join(tmpdir(), 'vkyc-chaos-'));
const CHAOS_ACCOUNT = join(folder, 'account.jsonl');
const CHAOS_SECONDS = process.env.CHAOS_SECONDS ?? '300';
const options = ['run', '--config', 'vitest.heavy.config.ts'];
const vitest = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...options, ...tests], {
  env: { ...process.env, CHAOS_SECONDS, CHAOS_ACCOUNT },
  stdio: 'inherit',
});
// Ignores Ctrl-C so that the summary is still printed: the terminal sends the signal to the tests as well.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => vitest.kill(signal));
const [code] = await once(vitest, 'exit');
const lines = (await readFile(CHAOS_ACCOUNT, 'utf8').catch(() => '')).split('\n').filter(Boolean);
await rm(folder, { recursive: true });

const entries = lines.map((line) => JSON.parse(line));
const inWords = ({ requests, faults, lost, repeated, outOfOrder, wrong }) =>
  `${requests} requests, ${faults} faults, ${lost} lost, ${repeated} repeated, ${outOfOrder} out of order, ${wrong} wrong`;
const kinds = ['requests', 'faults', 'lost', 'repeated', 'outOfOrder', 'wrong'];
const total = Object.fromEntries(
  kinds.map((kind) => [kind, entries.reduce((sum, entry) => sum + entry[kind], 0)]),
);
for (const entry of entries) console.log(`${entry.name}: ${inWords(entry)}`);
const missing = tests
  .map((test) => basename(test, '.heavy.ts'))
  .filter((name) => !entries.some((entry) => entry.name === name));
if (missing.length > 0)
  console.log(`These tests were skipped or ended without a summary: ${missing.join(', ')}`);
console.log(inWords(total));
process.exitCode = code ?? 1;
