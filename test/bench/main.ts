/**
 * Entry point of `npm run bench`: runs the chosen benches one after another, and stops the processes of each
 * bench at its end.
 */
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { doorbell } from './doorbell/doorbell.ts';
import { fanout } from './fanout/fanout.ts';
import { Releases } from './harness/releases.ts';
import { latency } from './life/latency.ts';
import { memory } from './life/memory.ts';
import { resume } from './life/resume.ts';
import { start } from './life/start.ts';
import { requestBench } from './requests/requests.ts';
import { WORKS } from './requests/works.ts';
import { keepReport } from './results/results.ts';
import { scale } from './scale/scale.ts';

/** All benches, by the name that chooses each on the command line. */
const BENCHES: Record<string, Bench> = {
  ...Object.fromEntries(Object.entries(WORKS).map(([name, work]) => [name, requestBench(work)])),
  fanout,
  latency,
  resume,
  start,
  memory,
  doorbell,
  scale,
};
const NAMES = Object.keys(BENCHES);

const USAGE = `npm run bench -- [name…] [--quick] [--sizes N,N…]
${Object.entries(BENCHES)
  .map(
    ([name, { about, onlyByName }]) =>
      `  ${name.padEnd(13)}${about}${onlyByName ? ' [runs only if named]' : ''}`,
  )
  .join('\n')}
Writes RESULTS.md and results.json to test/bench, or with --quick, whose figures mean little, to .build/bench/quick.
`;

/** Folder of the results, relative to the compiled bench. */
const RESULTS = new URL('../../../../test/bench/', import.meta.url);
const QUICK_RESULTS = new URL('../../quick/', import.meta.url);
const LONGEST_MS = 4 * 3_600_000;

const releases = new Releases();
let interrupted = false;

async function interrupt(why: string): Promise<void> {
  interrupted = true;
  process.stderr.write(`${why}: stopping all processes\n`);
  await releases.releaseAll();
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);

/** Parses the command line; returns null if it is invalid. */
function readArguments() {
  const options = { quick: { type: 'boolean', default: false }, sizes: { type: 'string' } } as const;
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const byDefault = NAMES.filter((name) => !BENCHES[name]?.onlyByName);
    const names = positionals.length > 0 ? positionals : byDefault;
    const sizes = values.sizes?.split(',').map(Number) ?? null;
    const known = names.every((name) => Object.hasOwn(BENCHES, name));
    return known && sizes?.every((size) => size > 0) !== false ? { quick: values.quick, names, sizes } : null;
  } catch {
    return null;
  }
}

const given = readArguments();
if (!given) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const { names, quick, sizes } = given;
  const limit = setTimeout(interrupt, LONGEST_MS, `The run took more than ${LONGEST_MS / 3_600_000} hours`);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  for (const name of names) {
    if (interrupted) break;
    say(`\n${name}: ${BENCHES[name]?.about}`);
    try {
      const report = await (BENCHES[name] as Bench).run({ quick, sizes, onEnd: releases.add, say });
      process.stdout.write(`${report.text}\n`);
      await keepReport(quick ? QUICK_RESULTS : RESULTS, name, report, NAMES);
    } catch (error) {
      // Prints no error after an interruption, since the processes that the interruption kills cause expected errors.
      if (!interrupted) say(`${(error as Error).stack ?? error}`);
      process.exitCode = 1;
    }
    await releases.releaseAll();
  }
  clearTimeout(limit);
}
