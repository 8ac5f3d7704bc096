import { type Spread, spreadOf } from '../harness/statistics.ts';
import { type Column, show, tableOf } from '../harness/table.ts';
import { judge, lineOf, type Verdict } from '../harness/verdict.ts';
import { CONTENDERS, type ContenderName } from './contenders.ts';
import type { Measurement } from './measure.ts';
import type { Goal, Work } from './works.ts';

export type Round = Readonly<Partial<Record<ContenderName, Measurement>>>;

/** Benchmark results of one kind of request (`work`): each round measures every contender. */
export interface Found {
  readonly work: Work;
  readonly machine: string;
  readonly sessions: number;
  readonly connections: number;
  readonly rounds: readonly Round[];
}

const PER = 1_000;
/**
 * If the core of the load generator and PostgreSQL was busy for more than this share of the time, that core may
 * have been the bottleneck instead of the server.
 */
const BUSY = 0.97;

const rateOf = ({ requests, seconds }: Measurement): number => requests / seconds;
const cpuOf = ({ serverCpuSeconds, requests }: Measurement): number => (serverCpuSeconds / requests) * PER;
const postgresOf = ({ postgresCpuSeconds, requests }: Measurement): number =>
  (postgresCpuSeconds / requests) * PER;

const COLUMNS: readonly (Column & { of(measured: Measurement): number })[] = [
  { head: ['requests/s', ''], digits: 0, of: rateOf },
  { head: ['p50', 'ms'], digits: 2, of: ({ p50 }) => p50 },
  { head: ['p99', 'ms'], digits: 2, of: ({ p99 }) => p99 },
  { head: ['response', 'kB'], digits: 1, of: ({ answerBytes }) => answerBytes / 1_000 },
  { head: ['server CPU s', `per ${PER}`], digits: 3, of: cpuOf },
  { head: ['PostgreSQL CPU s', `per ${PER}`], digits: 3, of: postgresOf },
  { head: ['server core', 'busy'], digits: 2, of: ({ serverCoreBusy }) => serverCoreBusy ?? Number.NaN },
  { head: ['other core', 'busy'], digits: 2, of: ({ otherCoreBusy }) => otherCoreBusy ?? Number.NaN },
];

/** Returns the report as text, for people. */
export function textOf(found: Found): string {
  const { work, machine, sessions, connections, rounds } = found;
  const names = Object.keys(rounds[0] ?? {}).sort(byTable) as ContenderName[];
  const spread = (name: ContenderName, of: (measured: Measurement) => number): Spread =>
    spreadOf(rounds.flatMap((round) => (round[name] ? [of(round[name])] : [])));
  const busy = names.filter((name) => spread(name, ({ otherCoreBusy }) => otherCoreBusy ?? 0).median > BUSY);
  return [
    `${work.about}: ${sessions} sessions, ${connections} connections, ${rounds.length} rounds: median ± median absolute deviation`,
    machine,
    tableOf(
      COLUMNS,
      names.map((name) => ({
        title: `${name}: ${CONTENDERS[name].title}`,
        cells: COLUMNS.map(({ of, digits }) => show(spread(name, of), digits)),
      })),
    ),
    ...work.goals.map((goal) => lineOf(judged(goal, rounds))),
    ...busy.map((name) => `NOTE  ${name}: the load generator or PostgreSQL may have been the bottleneck`),
  ].join('\n');
}

/** Returns all figures of the report, to be stored as JSON. */
export const figuresOf = ({ work, rounds, ...rest }: Found): object => ({
  ...rest,
  about: work.about,
  goals: work.goals.map((goal) => judged(goal, rounds)),
  rounds,
});

const ORDER = Object.keys(CONTENDERS);
const byTable = (left: string, right: string): number => ORDER.indexOf(left) - ORDER.indexOf(right);

/**
 * Returns the ratio of the gateway to another server, computed per round, so that other load on the machine
 * affects both servers alike.
 */
const ratio = ({ beside, of }: Goal, rounds: readonly Round[]): Spread =>
  spreadOf(
    rounds.flatMap(({ ours, [beside]: other }) => {
      const measure = of === 'cpu' ? cpuOf : rateOf;
      return ours && other ? [measure(ours) / measure(other)] : [];
    }),
  );

const WHAT = { throughput: 'the throughput', cpu: 'the processor time per request' } as const;

const judged = (goal: Goal, rounds: readonly Round[]): Verdict =>
  judge(`times ${WHAT[goal.of]} of ${goal.beside}`, ratio(goal, rounds), goal);
