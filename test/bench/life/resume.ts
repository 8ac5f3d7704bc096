import type { Bench } from '../bench.ts';
import { openDatabase } from '../database/database.ts';
import { feedCursor, startClients } from '../fanout/contenders.ts';
import { openLog } from '../fanout/log.ts';
import { cursorIn, ORDER_TIMEOUT_MS } from '../fanout/stage.ts';
import type { Delivery, Newcomer } from '../fanout/subscribers.ts';
import { startGateway } from '../harness/gateway.ts';
import { allowOpenFiles, describeMachine, placeProcesses } from '../harness/machine.ts';
import { Releases } from '../harness/releases.ts';
import { tokenOf } from '../harness/secrets.ts';
import { spreadOf } from '../harness/statistics.ts';
import { show } from '../harness/table.ts';
import { judge, lineOf } from '../harness/verdict.ts';
import type { Worker } from '../harness/worker.ts';

const SUBSCRIBERS = 1_000;
const BEHIND = 100;
/**
 * Number of different cursors from which subscribers resume, assigned to the subscribers in turn.
 */
const CURSORS = 20;
const MOST_SECONDS = 2;
const FULL = { rounds: 7, warmUps: 1 };
const QUICK = { rounds: 2, warmUps: 1 };
const FILES = SUBSCRIBERS + 200;

/**
 * Time until subscribers that all reconnect at the same time, as after a deploy, have got the transitions that they
 * missed.
 */
export const resume: Bench = {
  about: `(h) ${SUBSCRIBERS} subscribers resume at the same time, each at least ${BEHIND} transitions behind`,

  async run({ quick, onEnd, say }) {
    const releases = new Releases();
    onEnd(releases.releaseAll);
    const { cores, placing } = await placeProcesses();
    if (!(await allowOpenFiles(FILES))) throw new Error(`A process may not open ${FILES} files (ulimit -n)`);
    const database = await openDatabase({ sessions: quick ? 1_000 : 10_000, onEnd: releases.add, say });
    const { worker, port } = await startGateway({ ...database, cores, onEnd: releases.add });
    const clients = startClients({ cores, onEnd: releases.add });
    const log = await openLog(database.url);
    releases.add(log.close);
    const token = await tokenOf('VIEWER');
    const { rounds, warmUps } = quick ? QUICK : FULL;
    const returns: Return[] = [];
    for (let turn = 0; turn < warmUps + rounds; turn += 1) {
      const back = await comeBack({ worker, port, token, clients, record: log.record });
      say(`round ${turn - warmUps + 1}: ${back.seconds.toFixed(2)} s`);
      if (turn >= warmUps) returns.push(back);
    }
    await releases.releaseAll();
    const machine = `${describeMachine()}; ${placing}`;
    const goal = judge('seconds until all have caught up', spreadOf(returns.map(({ seconds }) => seconds)), {
      atMost: MOST_SECONDS,
    });
    const cpu = spreadOf(returns.map(({ serverCpuSeconds }) => serverCpuSeconds));
    return {
      text: [
        `${resume.about}, ${rounds} rounds`,
        machine,
        `processor time of the gateway until all have caught up: ${show(cpu, 2)} s`,
        lineOf(goal),
      ].join('\n'),
      figures: { machine, returns, goals: [goal] },
    };
  },
};

/** Time from the first connection until the last subscriber has caught up. */
export interface Return {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
}

interface Audience {
  readonly worker: Worker;
  readonly port: number;
  readonly token: string;
  readonly clients: Worker;
  record(count: number): Promise<unknown>;
}

/**
 * Records transitions while no subscriber is connected, then connects all subscribers and measures how long they
 * take to catch up.
 */
export async function comeBack({ worker, port, token, clients, record }: Audience): Promise<Return> {
  const missed = BEHIND + CURSORS;
  const open = (newcomers: readonly Newcomer[]) =>
    clients.ask('open', { port, token, newcomers }, ORDER_TIMEOUT_MS);
  const delivered = () => clients.ask<Delivery>('delivered', ORDER_TIMEOUT_MS, ORDER_TIMEOUT_MS);
  const after = await feedCursor(port, token);
  await record(missed);
  await open([{ after, missed }]);
  const cursors = (await delivered()).frames.map(cursorIn);
  await clients.ask('close');

  const [begun, cpuBefore] = [performance.now(), await worker.cpuSeconds()];
  await open(
    Array.from({ length: SUBSCRIBERS }, (_, index) => {
      const from = index % CURSORS;
      return { after: cursors[from] as string, missed: missed - 1 - from };
    }),
  );
  await delivered();
  const seconds = (performance.now() - begun) / 1_000;
  const serverCpuSeconds = (await worker.cpuSeconds()) - cpuBefore;
  await clients.ask('close');
  return { seconds, serverCpuSeconds };
}
