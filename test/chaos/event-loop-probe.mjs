// Preloaded into a gateway by `--import`: at SIGUSR2 it says how late the event loop was since the last time, and what
// is in memory once it has been collected.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  const inMs = (nanoseconds) => nanoseconds / 1e6;
  const said = { p50: inMs(delay.percentile(50)), p99: inMs(delay.percentile(99)), max: inMs(delay.max) };
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const figures = { eventLoopDelayMs: said, heldMb: (heapUsed + external) / 1024 ** 2 };
  process.stdout.write(`${JSON.stringify({ figures })}\n`);
  delay.reset();
});
