/** Runs a function at a steady rate (open-loop load), and collects durations. */

export interface Steady {
  /** Number of completed runs. */
  readonly done: number;
  /** Number of runs skipped because too many were in flight. */
  readonly leftOut: number;
  /** Starts no more runs and waits for those in flight. */
  stop(): Promise<void>;
}

const TICK_MS = 10;

/** Starts `act` at a fixed rate, however long each run takes. Skips a run if `mostUnderWay` runs are in flight. */
export function steadily(perSecond: number, mostUnderWay: number, act: () => Promise<void>): Steady {
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  let due = 0;
  let done = 0;
  let leftOut = 0;
  const begin = () => {
    const work = act().finally(() => {
      done += 1;
      underWay.delete(work);
    });
    underWay.add(work);
  };
  const timer = setInterval(() => {
    for (; due < ((performance.now() - startedAt) / 1000) * perSecond; due += 1) {
      if (underWay.size < mostUnderWay) begin();
      else leftOut += 1;
    }
  }, TICK_MS);
  return {
    get done() {
      return done;
    },
    get leftOut() {
      return leftOut;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
}

/** Collected durations in milliseconds. */
export class Latencies {
  readonly #all: number[] = [];
  #read = 0;

  note(ms: number): void {
    this.#all.push(ms);
  }

  /** Percentiles of the durations since the last call. */
  recent(): string {
    const recent = this.#all.slice(this.#read);
    this.#read = this.#all.length;
    return percentiles(recent);
  }

  whole(): string {
    return percentiles(this.#all);
  }
}

function percentiles(all: readonly number[]): string {
  const sorted = Float64Array.from(all).sort();
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))]?.toFixed(0) ?? '?';
  return `p50 ${at(0.5)} ms p99 ${at(0.99)} ms`;
}
