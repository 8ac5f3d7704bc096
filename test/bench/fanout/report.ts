import type { Memory } from '../harness/probe.ts';
import { type Spread, spreadOf } from '../harness/statistics.ts';
import { type ByContender, CONTENDERS, type ContenderName } from './contenders.ts';
import type { Measurement } from './stage.ts';

/** Measurements of all servers with one number of subscribers. */
export interface Comparison {
  readonly subscribers: number;
  readonly events: number;
  readonly memory: ByContender<{ readonly before: Memory; readonly after: Memory }>;
  readonly rounds: readonly ByContender<Measurement>[];
}

const GOALS = { ofBare: 0.75, ofStock: 2.5, bytesBesideBare: 10_000 } as const;
const PER = 100_000;
/**
 * If the process with the subscribers used more than this share of its core, it may have been the bottleneck
 * instead of the server.
 */
const BUSY = 0.95;
/**
 * If a server used less than this share of its core while all subscribers waited for it, other processes have
 * disturbed the measurement.
 */
const UNDISTURBED = 0.8;
const NAMES = Object.keys(CONTENDERS) as ContenderName[];

interface Result {
  readonly deliveriesPerSecond: Spread;
  /** CPU seconds of the server per 100,000 deliveries. */
  readonly cpuSeconds: Spread;
  /**
   * CPU time of the server divided by the duration of the burst, from the first frame to the last: the time until the
   * gateway hears its doorbell (notification that transitions were recorded) is left out.
   */
  readonly serverBusy: Spread;
  readonly clientsBusy: Spread;
  readonly heldBytesPerSubscriber: number;
  readonly residentBytesPerSubscriber: number;
}

interface Goal {
  readonly goal: string;
  readonly found: string;
  readonly met: boolean;
}

/** Returns all figures of the report, to be stored as JSON. */
export const figuresOf = (machine: string, comparisons: readonly Comparison[]): object => ({
  machine,
  comparisons: comparisons.map((comparison) => ({
    subscribers: comparison.subscribers,
    events: comparison.events,
    results: resultsOf(comparison),
    goals: goalsOf(comparison),
    memory: comparison.memory,
    rounds: comparison.rounds.map((round) => byContender((name) => ({ ...round[name], frames: undefined }))),
  })),
});

/** Returns the report as text, for people. */
export const textOf = (machine: string, comparisons: readonly Comparison[]): string =>
  [machine, ...comparisons.map(tableOf)].join('\n\n');

function tableOf(comparison: Comparison): string {
  const { subscribers, events, rounds } = comparison;
  const results = resultsOf(comparison);
  const frame = rounds[0]?.ours;
  const bytes = frame ? Math.round(frame.bytes / frame.deliveries) : 0;
  const head = ['deliveries/s', 'server CPU s', 'server', 'clients', 'held kB', 'resident kB'];
  const line = (title: string, cells: readonly string[]) =>
    `${title.padEnd(38)}${cells.map((cell) => cell.padStart(16)).join('')}`;
  return [
    `${subscribers} subscribers, ${events} events of ${bytes} bytes, ${rounds.length} rounds: median ± median absolute deviation`,
    line('', head),
    line('', ['', `per ${PER}`, 'busy', 'busy', 'per subscriber', 'per subscriber']),
    ...NAMES.map((name) => line(`${name}: ${CONTENDERS[name]}`, cellsOf(results[name]))),
    ...goalsOf(comparison).map(({ met, goal, found }) => `${met ? 'pass' : 'FAIL'}  ${goal}: ${found}`),
    ...notesOn(results),
  ].join('\n');
}

const notesOn = (results: ByContender<Result>): string[] =>
  NAMES.flatMap((name) => {
    const { clientsBusy, serverBusy } = results[name];
    const notes = [];
    if (clientsBusy.median > BUSY) notes.push(`NOTE  ${name}: its subscribers may have been the bottleneck`);
    if (serverBusy.median < UNDISTURBED)
      notes.push(`NOTE  ${name}: its core was shared with others: trust processor time, not deliveries/s`);
    return notes;
  });

const cellsOf = (result: Result): string[] => [
  show(result.deliveriesPerSecond, 0),
  show(result.cpuSeconds, 2),
  `${Math.round(result.serverBusy.median * 100)} %`,
  `${Math.round(result.clientsBusy.median * 100)} %`,
  (result.heldBytesPerSubscriber / 1000).toFixed(1),
  (result.residentBytesPerSubscriber / 1000).toFixed(1),
];

const resultsOf = ({ subscribers, memory, rounds }: Comparison): ByContender<Result> =>
  byContender((name) => {
    const spread = (of: (measured: Measurement) => number) =>
      spreadOf(rounds.map((round) => of(round[name])));
    const { before, after } = memory[name];
    return {
      deliveriesPerSecond: spread(rateOf),
      cpuSeconds: spread(cpuOf),
      serverBusy: spread(({ serverCpuSeconds, seconds }) => serverCpuSeconds / seconds),
      clientsBusy: spread(({ clientsCpuSeconds, seconds }) => clientsCpuSeconds / seconds),
      heldBytesPerSubscriber: (after.heldBytes - before.heldBytes) / subscribers,
      residentBytesPerSubscriber: (after.residentBytes - before.residentBytes) / subscribers,
    };
  });

/**
 * Compares the results with the goals. Ratios of the gateway to another server are computed per round, so that
 * other load on the machine affects both sides alike.
 */
function goalsOf(comparison: Comparison): Goal[] {
  const results = resultsOf(comparison);
  const times = (name: ContenderName) => ({
    rate: spreadOf(comparison.rounds.map((round) => rateOf(round.ours) / rateOf(round[name]))),
    cpu: spreadOf(comparison.rounds.map((round) => cpuOf(round[name]) / cpuOf(round.ours))),
  });
  const speed = (name: 'bare' | 'stock', least: number): Goal => {
    const { rate, cpu } = times(name);
    return {
      goal: `at least ${least} times the deliveries of ${name}`,
      found: `${show(rate, 2)} (by processor time ${show(cpu, 2)})`,
      met: rate.median >= least,
    };
  };
  const beside = results.ours.heldBytesPerSubscriber - results.bare.heldBytesPerSubscriber;
  return [
    speed('bare', GOALS.ofBare),
    speed('stock', GOALS.ofStock),
    {
      goal: `at most ${GOALS.bytesBesideBare / 1000} kB per subscriber more than bare`,
      found: `${(beside / 1000).toFixed(1)} kB`,
      met: beside <= GOALS.bytesBesideBare,
    },
  ];
}

const rateOf = ({ deliveries, seconds }: Measurement): number => deliveries / seconds;
const cpuOf = ({ serverCpuSeconds, deliveries }: Measurement): number =>
  (serverCpuSeconds / deliveries) * PER;

const byContender = <Value>(of: (name: ContenderName) => Value): ByContender<Value> =>
  Object.fromEntries(NAMES.map((name) => [name, of(name)])) as ByContender<Value>;

const show = ({ median, deviation }: Spread, digits: number): string =>
  `${median.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
