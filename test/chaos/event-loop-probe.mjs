// Preloaded into a gateway by `--import`: at SIGUSR2 it says how late the event loop was since the last time.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

process.on('SIGUSR2', () => {
  const inMs = (nanoseconds) => nanoseconds / 1e6;
  const said = { p50: inMs(delay.percentile(50)), p99: inMs(delay.percentile(99)), max: inMs(delay.max) };
  process.stdout.write(`${JSON.stringify({ eventLoopDelayMs: said })}\n`);
  delay.reset();
});
