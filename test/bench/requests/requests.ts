import type { Bench, Conditions } from '../bench.ts';
import { openDatabase } from '../database/database.ts';
import { describeMachine, placeProcesses } from '../harness/machine.ts';
import { installPeers } from '../harness/peers.ts';
import { Releases } from '../harness/releases.ts';
import { tokenOf } from '../harness/secrets.ts';
import { compareAnswers } from './compare.ts';
import { type Contender, type ContenderName, startContender } from './contenders.ts';
import { CONNECTIONS, type Measurement, measure } from './measure.ts';
import { figuresOf, type Round, textOf } from './report.ts';
import { trafficOf, type Work } from './works.ts';

const FULL = { sessions: 10_000, rounds: 7, warmUps: 3, milliseconds: 2_500 };
const QUICK = { sessions: 2_000, rounds: 2, warmUps: 1, milliseconds: 1_000 };

/** Creates a bench that sends the same requests to one server after another, all on the same database. */
export const requestBench = (work: Work): Bench => ({
  about: work.about,

  async run(conditions) {
    const { onEnd, quick, say } = conditions;
    const releases = new Releases();
    onEnd(releases.releaseAll);
    const { cores, placing } = await placeProcesses();
    await installPeers(say);
    const { sessions, rounds: count, warmUps, milliseconds } = quick ? QUICK : FULL;
    const database = await openDatabase({ sessions, onEnd: releases.add, say });
    const given = { database, token: await tokenOf(work.role) };
    const contenders: Contender[] = [];
    for (const name of ['ours', ...work.peers] as ContenderName[])
      contenders.push(await startContender(name, { database, cores, onEnd: releases.add }));
    if (work.operations)
      say(
        await compareAnswers(contenders.filter(answersTheSame), await work.operations(database), given.token),
      );

    for (const { worker } of contenders) worker.pause();

    const trafficTo = await trafficOf(work, given);
    const rounds: Round[] = [];
    for (let turn = 0; turn < warmUps + count; turn += 1) {
      // Updates the table statistics, as autovacuum would do within a minute: with the old statistics, cached plans
      // would assume that the tables are empty.
      if (turn === warmUps) await database.pool.query('analyze');
      const round: Partial<Record<ContenderName, Measurement>> = {};
      for (const contender of turn % 2 === 0 ? contenders : contenders.toReversed()) {
        const traffic = trafficTo(contender.name);
        contender.worker.resume();
        round[contender.name] = await measure(contender, { work, traffic, database, cores, milliseconds });
        contender.worker.pause();
      }
      sayRound(turn - warmUps, round, conditions);
      if (turn >= warmUps) rounds.push(round);
    }
    await releases.releaseAll();
    const machine = `${describeMachine()}; ${placing}`;
    const found = { work, machine, sessions, connections: CONNECTIONS, rounds };
    return { text: textOf(found), figures: figuresOf(found) };
  },
});

/**
 * Returns whether a server has the gateway's schema, so that responses can be compared. PostGraphile has another
 * schema.
 */
const answersTheSame = ({ name }: Contender): boolean => name !== 'postgraphile';

function sayRound(number: number, round: Round, { say }: Conditions): void {
  const rates = Object.entries(round).map(
    ([name, { requests, seconds }]) => `${name} ${Math.round(requests / seconds)}/s`,
  );
  say(`${number < 0 ? 'warm-up' : `round ${number + 1}`}: ${rates.join(', ')}`);
}
