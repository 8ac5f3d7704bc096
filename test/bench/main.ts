/** `npm run bench -- <name>`: runs one bench. Each is bounded in time and ends what it started. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { fanout } from './fanout/fanout.ts';
import { Releases } from './harness/releases.ts';
import { latency } from './life/latency.ts';
import { memory } from './life/memory.ts';
import { resume } from './life/resume.ts';
import { start } from './life/start.ts';
import { requestBench } from './requests/requests.ts';
import { WORKS } from './requests/works.ts';

/** By name; a new bench is one line here. */
const BENCHES: Record<string, Bench> = {
  ...Object.fromEntries(Object.entries(WORKS).map(([name, work]) => [name, requestBench(work)])),
  fanout,
  latency,
  resume,
  start,
  memory,
};

const USAGE = `npm run bench -- <name> [--quick] [--json FILE]
${Object.entries(BENCHES)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}
`;

const LONGEST_MS = 30 * 60_000;

const releases = new Releases();
let interrupted = false;

async function interrupt(why: string): Promise<void> {
  interrupted = true;
  process.stderr.write(`${why}: ending what was started\n`);
  await releases.releaseAll();
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);

/** Null where they make no sense. */
function readArguments() {
  const options = { quick: { type: 'boolean', default: false }, json: { type: 'string' } } as const;
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const [name = '', ...rest] = positionals;
    const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    return bench && rest.length === 0 ? { ...values, bench } : null;
  } catch {
    return null;
  }
}

const given = readArguments();
if (!given) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const limit = setTimeout(interrupt, LONGEST_MS, `It took more than ${LONGEST_MS / 60_000} minutes`);
  try {
    const report = await given.bench.run({
      quick: given.quick,
      onEnd: releases.add,
      say: (line) => process.stderr.write(`${line}\n`),
    });
    process.stdout.write(`${report.text}\n`);
    if (given.json) await writeFile(given.json, `${JSON.stringify(report.figures, null, 2)}\n`);
  } catch (error) {
    // What was ended in the middle of its work complains.
    if (!interrupted) process.stderr.write(`${(error as Error).stack ?? error}\n`);
    process.exitCode = 1;
  }
  clearTimeout(limit);
  await releases.releaseAll();
}
