import type { Bench, Conditions } from '../bench.ts';
import { openDatabase } from '../database/database.ts';
import { startClients } from '../fanout/contenders.ts';
import { openLog } from '../fanout/log.ts';
import { type Gateway, startGateway } from '../harness/gateway.ts';
import { load } from '../harness/http-load.ts';
import { allowOpenFiles, type Cores, describeMachine, placeProcesses } from '../harness/machine.ts';
import { Releases } from '../harness/releases.ts';
import { tokenOf } from '../harness/secrets.ts';
import { type Spread, spreadOf } from '../harness/statistics.ts';
import { comeBack } from '../life/resume.ts';
import { CONNECTIONS } from '../requests/measure.ts';
import { repeating, type TrafficTo } from '../requests/traffic.ts';
import { WORKS } from '../requests/works.ts';
import { plotOf, textOf } from './report.ts';

const FULL = { sizes: [10_000, 100_000, 1_000_000], rounds: 7, warmUps: 1, milliseconds: 2_000 };
const QUICK = { sizes: [1_000, 4_000], rounds: 2, warmUps: 1, milliseconds: 1_000 };
const FILES = 1_200;

export const QUERIES = { session: WORKS.session, page: WORKS.page, filtered: WORKS.filtered } as const;
export type QueryName = keyof typeof QUERIES;

/** Measurements of one query with one or two gateway processes. */
export interface Served {
  readonly perSecond: Spread;
  readonly p50: Spread;
}

/** Measurements on a database of one size. */
export interface Size {
  readonly sessions: number;
  readonly queries: Readonly<Record<QueryName, { readonly one: Served; readonly two: Served }>>;
  /**
   * Seconds until 1,000 subscribers that reconnect at the same time have caught up; null if the process may not open so
   * many sockets.
   */
  readonly resumeSeconds: Spread | null;
}

/** Measures the same requests on databases of growing size, with one gateway process and with two. */
export const scale: Bench = {
  about:
    '(a), (b), (c) and (h) with 10,000, 100,000 and 1,000,000 sessions, with one gateway process and with two',
  onlyByName: true,

  async run(conditions) {
    const { cores, placing } = await placeProcesses();
    const sizes: Size[] = [];
    for (const sessions of conditions.sizes ?? (conditions.quick ? QUICK : FULL).sizes)
      sizes.push(await measureSize(sessions, cores, conditions));
    const machine = `${describeMachine()}; ${placing}; the second gateway process on the core of the load generators`;
    return { text: textOf(machine, sizes), figures: { machine, sizes }, plot: plotOf(sizes) };
  },
};

async function measureSize(
  sessions: number,
  cores: Cores | null,
  { quick, onEnd, say }: Conditions,
): Promise<Size> {
  const releases = new Releases();
  onEnd(releases.releaseAll);
  say(`${sessions} sessions`);
  const { rounds, warmUps, milliseconds } = quick ? QUICK : FULL;
  const database = await openDatabase({ sessions, onEnd: releases.add, say });
  const token = await tokenOf('VIEWER');
  const first = await startGateway({ ...database, cores, onEnd: releases.add });
  const aside = cores && { servers: cores.others, others: cores.others };
  const second = await startGateway({ ...database, cores: aside, onEnd: releases.add, name: 'the second' });
  const teams = { one: [first], two: [first, second] } as const;

  const queries: Partial<Record<QueryName, { one: Served; two: Served }>> = {};
  for (const name of Object.keys(QUERIES) as QueryName[]) {
    const trafficTo = repeating(await QUERIES[name].operations(database), { database, token });
    const found = { one: [] as Turn[], two: [] as Turn[] };
    for (let turn = 0; turn < warmUps + rounds; turn += 1)
      for (const team of turn % 2 === 0 ? (['one', 'two'] as const) : (['two', 'one'] as const)) {
        const served = await serve(teams[team], trafficTo, milliseconds);
        if (turn >= warmUps) found[team].push(served);
      }
    queries[name] = { one: servedOf(found.one), two: servedOf(found.two) };
    say(`  ${name}: p50 ${queries[name].one.p50.median.toFixed(2)} ms with one process`);
  }

  const seconds: number[] = [];
  if (await allowOpenFiles(FILES)) {
    const log = await openLog(database.url);
    releases.add(log.close);
    const clients = startClients({ cores, onEnd: releases.add });
    for (let turn = 0; turn < 1 + (quick ? 1 : 5); turn += 1)
      seconds.push((await comeBack({ ...first, token, clients, record: log.record })).seconds);
    say(`  resume: ${seconds.map((each) => each.toFixed(2)).join(', ')} s`);
  }
  await releases.releaseAll();
  const resumeSeconds = seconds.length > 0 ? spreadOf(seconds.slice(1)) : null;
  return { sessions, queries: queries as Size['queries'], resumeSeconds };
}

interface Turn {
  readonly perSecond: number;
  readonly p50: number;
}

/**
 * Sends requests concurrently to all gateway processes of a team (one process, or two on the same database). Both teams
 * get the same number of connections in total.
 */
async function serve(team: readonly Gateway[], trafficTo: TrafficTo, milliseconds: number): Promise<Turn> {
  const connections = CONNECTIONS / team.length;
  const dependencies = await Promise.all(
    team.map(({ port }) => load({ ...trafficTo('ours'), port, connections, milliseconds })),
  );
  const perSecond = dependencies.reduce((sum, { requests, seconds }) => sum + requests / seconds, 0);
  const p50 = dependencies.reduce((sum, part) => sum + part.p50, 0) / dependencies.length;
  return { perSecond, p50 };
}

const servedOf = (turns: readonly Turn[]): Served => ({
  perSecond: spreadOf(turns.map(({ perSecond }) => perSecond)),
  p50: spreadOf(turns.map(({ p50 }) => p50)),
});
