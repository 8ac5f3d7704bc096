/**
 * Takes samples of the memory and file descriptors of gateway processes: growth over the life of a process reveals a
 * leak.
 */
import type { Phoenix } from '../harness/phoenix.ts';
import type { GatewayProcess } from '../harness/process.ts';
import { descriptorsOf, figuresOf, residentMb } from './process-figures.ts';
import { pause } from './trouble.ts';

interface Sample {
  readonly atSeconds: number;
  readonly residentMb: number;
  /** Megabytes in use after a garbage collection. */
  readonly heldMb: number;
  readonly descriptors: number;
  /** File descriptors except client connections. */
  readonly ownDescriptors: number;
}

export interface Life {
  readonly name: string;
  readonly samples: Sample[];
}

export interface Lives {
  readonly all: readonly Life[];
  /** Takes a sample of every gateway and returns a summary line. The gateways must have loaded event-loop-probe.mjs. */
  look(atSeconds: number): Promise<string>;
}

export function watchLives(gateways: readonly Phoenix[]): Lives {
  const lives = new Map<GatewayProcess, Life>();
  const born = gateways.map(() => 0);

  async function sample(atSeconds: number, gateway: Phoenix, index: number): Promise<string> {
    const name = `gateway ${index + 1}`;
    const present = await Promise.race([gateway.present(), pause(0)]);
    if (!present) return `${name} away`;
    const seen = await Promise.all([residentMb(present), figuresOf(present), descriptorsOf(present)]).catch(
      () => null,
    );
    if (!seen) return `${name} away`;
    let life = lives.get(present);
    if (!life) {
      born[index] = (born[index] ?? 0) + 1;
      life = { name: `${name}, life ${born[index]}`, samples: [] };
      lives.set(present, life);
    }
    const [resident, { heldMb }, { all, clients }] = seen;
    life.samples.push({
      atSeconds,
      residentMb: resident,
      heldMb,
      descriptors: all,
      ownDescriptors: all - clients,
    });
    return `${name} ${resident.toFixed(0)} MB resident ${heldMb.toFixed(0)} MB in use ${all} descriptors (${clients} of clients)`;
  }

  return {
    get all() {
      return [...lives.values()];
    },
    look: async (atSeconds) =>
      (await Promise.all(gateways.map((gateway, index) => sample(atSeconds, gateway, index)))).join(', '),
  };
}

const FEWEST_SAMPLES = 4;
/** Tolerance for descriptors: pool connections come and go, and clients may be connecting when a sample is taken. */
const DESCRIPTORS_SLACK = 12;

/** Returns the samples of a process after its warm-up; null if too few are left for a verdict. */
export function settled({ name, samples }: Life, warmUpSeconds: number): Life | null {
  const from = (samples[0]?.atSeconds ?? 0) + warmUpSeconds;
  const left = samples.filter(({ atSeconds }) => atSeconds >= from);
  return left.length < FEWEST_SAMPLES ? null : { name, samples: left };
}

/** Formats how much memory and how many descriptors a process gains per hour. */
export function slopesOf({ name, samples }: Life): string {
  const seconds = (samples.at(-1)?.atSeconds ?? 0) - (samples[0]?.atSeconds ?? 0);
  const slope = (kind: keyof Sample) =>
    perHour(samples.map((sample) => [sample.atSeconds / 3600, sample[kind]])).toFixed(1);
  return `${name}, ${samples.length} samples in ${seconds.toFixed(0)} s: memory ${slope('residentMb')} MB/h resident, ${slope('heldMb')} MB/h in use; descriptors ${slope('descriptors')}/h, ${slope('ownDescriptors')}/h without those of clients`;
}

/**
 * Returns the slope of points (hours, value), which is the change of the value per hour, by the method of least
 * squares.
 */
export function perHour(points: readonly (readonly [number, number])[]): number {
  const mean = (place: 0 | 1) => points.reduce((sum, point) => sum + point[place], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const along = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return along / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/**
 * Seconds from the start of a process after which its memory can be compared, because the caches of followed logs fill
 * for about ten minutes.
 */
const FILLS_SECONDS = 600;
const MEMORY_SLACK_MB = 12;

/**
 * Returns the megabytes by which a gateway process uses more memory at the end than in the middle of its life, beyond
 * the tolerance. Null if the process did not run long enough.
 */
export function memoryGrownBy({ samples }: Life): number | null {
  const [first, last] = [samples[0]?.atSeconds ?? 0, samples.at(-1)?.atSeconds ?? 0];
  const full = samples.filter(({ atSeconds }) => atSeconds >= first + FILLS_SECONDS);
  if (last < first + 2 * FILLS_SECONDS) return null;
  const held = full.map(({ heldMb }) => heldMb);
  const before = Math.max(...held.slice(0, Math.ceil(held.length / 2)));
  return Math.max(0, Math.min(...held.slice(-Math.ceil(held.length / 4))) - before - MEMORY_SLACK_MB);
}

/**
 * Returns how many more file descriptors (without client connections) a process has open at its end than in its first
 * half, beyond the tolerance.
 */
export function descriptorsGrownBy({ samples }: Life): number {
  const own = samples.map(({ ownDescriptors }) => ownDescriptors);
  const before = Math.max(...own.slice(0, Math.ceil(own.length / 2)));
  const atTheEnd = Math.min(...own.slice(-Math.ceil(own.length / 4)));
  return Math.max(0, atTheEnd - before - DESCRIPTORS_SLACK);
}
