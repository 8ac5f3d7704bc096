import { isDeepStrictEqual } from 'node:util';
import type { Bench, Conditions } from '../bench.ts';
import { type BenchDatabase, openDatabase } from '../database/database.ts';
import { type Loaded, load, requestOf } from '../harness/http-load.ts';
import { type Cores, describeMachine, placeProcesses } from '../harness/machine.ts';
import { installPeers } from '../harness/peers.ts';
import { cpuSecondsOfPostgres, timesOfCore } from '../harness/processor.ts';
import { Releases } from '../harness/releases.ts';
import { tokenOf } from '../harness/secrets.ts';
import { CONTENDERS, type Contender, type ContenderName, startContender } from './contenders.ts';
import type { Operation } from './queries.ts';
import { figuresOf, textOf } from './report.ts';
import type { Work } from './works.ts';

const CONNECTIONS = 32;
const FULL = { sessions: 10_000, rounds: 9, warmUps: 2, milliseconds: 5_000 };
const QUICK = { sessions: 2_000, rounds: 2, warmUps: 1, milliseconds: 1_000 };
/** Whose answers are compared before anything is measured. */
const COMPARED = 25;

/** One contender in one round. */
export interface Measurement extends Loaded {
  readonly serverCpuSeconds: number;
  readonly postgresCpuSeconds: number;
  /** Of the cores, whoever was busy on them; null where processes are not kept to cores. */
  readonly serverCoreBusy: number | null;
  readonly otherCoreBusy: number | null;
}

export type Round = Readonly<Partial<Record<ContenderName, Measurement>>>;

/** Everybody answers the same requests from the same database, in turn. */
export const requestBench = (work: Work): Bench => ({
  about: work.about,

  async run(conditions) {
    const { onEnd, quick, say } = conditions;
    const releases = new Releases();
    onEnd(releases.releaseAll);
    const { cores, placing } = await placeProcesses();
    say(placing);
    await installPeers(say);
    const settings = quick ? QUICK : FULL;
    const database = await openDatabase({ sessions: settings.sessions, onEnd: releases.add, say });
    const token = await tokenOf(work.role);
    const operations = await work.operations(database);
    const contenders: Contender[] = [];
    for (const name of ['ours', ...work.peers] as ContenderName[])
      contenders.push(await startContender(name, { database, cores, onEnd: releases.add }));
    await compareAnswers(contenders, operations, token);
    say(`${contenders.length} servers give the same answers to ${COMPARED} requests`);

    const rounds: Round[] = [];
    for (let turn = 0; turn < settings.warmUps + settings.rounds; turn += 1) {
      const round: Partial<Record<ContenderName, Measurement>> = {};
      for (const contender of turn % 2 === 0 ? contenders : contenders.toReversed())
        round[contender.name] = await measure(contender, work, {
          operations,
          token,
          database,
          cores,
          milliseconds: settings.milliseconds,
        });
      sayRound(turn - settings.warmUps, round, conditions);
      if (turn >= settings.warmUps) rounds.push(round);
    }
    await releases.releaseAll();
    const machine = `${describeMachine()}; ${placing}`;
    const found = { work, machine, sessions: settings.sessions, connections: CONNECTIONS, rounds };
    return { text: textOf(found), figures: figuresOf(found) };
  },
});

interface Given {
  readonly operations: readonly Operation[];
  readonly token: string;
  readonly database: BenchDatabase;
  readonly cores: Cores | null;
  readonly milliseconds: number;
}

async function measure({ name, port, worker }: Contender, work: Work, given: Given): Promise<Measurement> {
  const { operations, token, database, cores, milliseconds } = given;
  const { path, proof } = CONTENDERS[name];
  const requests = operations.map((operation) =>
    requestOf(path, JSON.stringify(operation), { authorization: `Bearer ${token}` }),
  );
  let sent = 0;
  const next = () => requests[sent++ % requests.length] as Buffer;
  const coreTimes = () => Promise.all(cores ? [timesOfCore(cores.servers), timesOfCore(cores.others)] : []);
  const cpu = () => Promise.all([worker.cpuSeconds(), cpuSecondsOfPostgres(database.postmaster)]);
  const before = { reads: await database.reads(), cores: await coreTimes(), cpu: await cpu() };
  const loaded = await load({ port, connections: CONNECTIONS, milliseconds, next, proof });
  const after = { cpu: await cpu(), cores: await coreTimes(), reads: await database.reads() };
  const reads = after.reads - before.reads;
  if (reads !== loaded.requests * work.readsEach)
    throw new Error(`${name} answered ${loaded.requests} requests and recorded ${reads} readings`);
  const [serverCoreBusy = null, otherCoreBusy = null] = after.cores.map((times, index) => {
    const earlier = before.cores[index] ?? times;
    return (times.busy - earlier.busy) / (times.total - earlier.total);
  });
  return {
    ...loaded,
    serverCpuSeconds: after.cpu[0] - before.cpu[0],
    postgresCpuSeconds: after.cpu[1] - before.cpu[1],
    serverCoreBusy,
    otherCoreBusy,
  };
}

/** Contenders that answer something else could not be compared. */
async function compareAnswers(
  contenders: readonly Contender[],
  operations: readonly Operation[],
  token: string,
) {
  for (const operation of operations.slice(0, COMPARED)) {
    const answers = await Promise.all(
      contenders.map(async ({ name, port }) => {
        const response = await fetch(`http://127.0.0.1:${port}${CONTENDERS[name].path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify(operation),
        });
        return { name, answer: (await response.json()) as { data?: unknown } };
      }),
    );
    const [model] = answers;
    for (const { name, answer } of answers)
      if (!answer.data || !isDeepStrictEqual(answer.data, model?.answer.data))
        throw new Error(
          `${name} answers otherwise than the gateway:\n${JSON.stringify(answer)}\n${JSON.stringify(model)}`,
        );
  }
}

function sayRound(number: number, round: Round, { say }: Conditions): void {
  const rates = Object.entries(round).map(
    ([name, { requests, seconds }]) => `${name} ${Math.round(requests / seconds)}/s`,
  );
  say(`${number < 0 ? 'warm-up' : `round ${number + 1}`}: ${rates.join(', ')}`);
}
