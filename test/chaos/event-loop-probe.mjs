// Probe that Node preloads into a gateway (`--import`). At SIGUSR2 it prints the event-loop delay and the longest time
// that one task blocked the event loop, both since the previous SIGUSR2, and the memory in use after a garbage
// collection.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

// Longest time that one task blocked the event loop, in CPU time of the process: wall-clock time would also count the
// time in which a busy machine runs other processes.
let longestHoldMs = 0;
let last = { at: performance.now(), cpu: process.cpuUsage() };
const look = () => ({ at: performance.now(), cpu: process.cpuUsage() });
setInterval(() => {
  const now = look();
  const cpuMs = (now.cpu.user + now.cpu.system - last.cpu.user - last.cpu.system) / 1e3;
  longestHoldMs = Math.max(longestHoldMs, Math.min(now.at - last.at, cpuMs));
  last = now;
}, 1).unref();

process.on('SIGUSR2', () => {
  const inMs = (nanoseconds) => nanoseconds / 1e6;
  const said = { p50: inMs(delay.percentile(50)), p99: inMs(delay.percentile(99)), max: inMs(delay.max) };
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const figures = { eventLoopDelayMs: said, longestHoldMs, heldMb: (heapUsed + external) / 1024 ** 2 };
  process.stdout.write(`${JSON.stringify({ figures })}\n`);
  delay.reset();
  longestHoldMs = 0;
  last = look();
});
