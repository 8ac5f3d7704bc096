import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Bench } from '../bench.ts';
import { openDatabase } from '../database/database.ts';
import { launchGateway } from '../harness/gateway.ts';
import { describeMachine, placeProcesses } from '../harness/machine.ts';
import { Releases } from '../harness/releases.ts';
import { spreadOf } from '../harness/statistics.ts';
import { judge, lineOf } from '../harness/verdict.ts';
import type { Worker } from '../harness/worker.ts';

const MOST_MS = 700;
const FULL = { sessions: 10_000, rounds: 7, warmUps: 1 };
const QUICK = { sessions: 1_000, rounds: 2, warmUps: 1 };
const LOOK_EVERY_MS = 5;
const TIMEOUT_MS = 60_000;

/** Start-up time of the gateway on a database that is already migrated and contains sessions. */
export const start: Bench = {
  about: '(i) from the start of the process until /readyz answers 200, on an existing database',

  async run({ quick, onEnd, say }) {
    const releases = new Releases();
    onEnd(releases.releaseAll);
    const { cores, placing } = await placeProcesses();
    const { sessions, rounds, warmUps } = quick ? QUICK : FULL;
    const database = await openDatabase({ sessions, onEnd: releases.add, say });
    const milliseconds: number[] = [];
    for (let turn = 0; turn < warmUps + rounds; turn += 1) {
      const port = await freePort();
      const worker = launchGateway({ ...database, cores, onEnd: releases.add, port });
      await untilReady(port, worker);
      const taken = performance.now() - worker.startedAt;
      await worker.end();
      say(`round ${turn - warmUps + 1}: ${taken.toFixed(0)} ms`);
      if (turn >= warmUps) milliseconds.push(taken);
    }
    await releases.releaseAll();
    const machine = `${describeMachine()}; ${placing}`;
    const goal = judge('milliseconds until ready', spreadOf(milliseconds), { atMost: MOST_MS });
    return {
      text: [`${start.about}, ${rounds} rounds`, machine, lineOf(goal)].join('\n'),
      figures: { machine, milliseconds, goals: [goal] },
    };
  },
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilReady(port: number, worker: Worker): Promise<void> {
  for (const deadline = performance.now() + TIMEOUT_MS; ; ) {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    await response?.arrayBuffer();
    if (response?.ok) return;
    if (worker.hasEnded || performance.now() > deadline) throw new Error('The gateway was not ready in time');
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
