import type { Bench, Conditions } from '../bench.ts';
import { allowOpenFiles, type Cores, describeMachine, placeProcesses } from '../harness/machine.ts';
import type { Memory } from '../harness/probe.ts';
import { Releases } from '../harness/releases.ts';
import { tokenOf } from '../harness/secrets.ts';
import { type ByContender, startBare, startOurs, startStock } from './contenders.ts';
import { type Comparison, figuresOf, textOf } from './report.ts';
import { type Measurement, Stage } from './stage.ts';

interface Setting {
  readonly subscribers: number;
  readonly events: number;
}

const SETTINGS: readonly Setting[] = [
  { subscribers: 1_000, events: 100 },
  { subscribers: 5_000, events: 40 },
];
const ROUNDS = 7;
const WARM_UPS = 1;
const QUICK = { settings: [{ subscribers: 1_000, events: 40 }], rounds: 3, warmUps: 1 } as const;
/**
 * Number of subscribers that connect before the first measurement of memory, so that one-time allocations of
 * a server do not count as memory of the later subscribers.
 */
const FIRST_FEW = 40;
const FILES_BESIDE_SOCKETS = 200;

/**
 * Fan-out of one event to many subscribers: the gateway compared with a plain ws server that executes nothing (`bare`)
 * and with stock graphql-ws (`stock`).
 */
export const fanout: Bench = {
  about:
    'fan-out of one event to 1,000 and 5,000 WebSocket subscribers, compared with bare ws and stock graphql-ws',

  async run(conditions) {
    const { quick, say } = conditions;
    const { cores, placing } = await placeProcesses();
    say(placing);
    const comparisons: Comparison[] = [];
    for (const setting of quick ? QUICK.settings : SETTINGS) {
      const files = setting.subscribers + FILES_BESIDE_SOCKETS;
      if (await allowOpenFiles(files)) comparisons.push(await compare(setting, cores, conditions));
      else
        say(`${setting.subscribers} subscribers SKIPPED: a process may not open ${files} files (ulimit -n)`);
    }
    const machine = `${describeMachine()}; ${placing}`;
    return { text: textOf(machine, comparisons), figures: figuresOf(machine, comparisons) };
  },
};

async function compare(
  { subscribers, events }: Setting,
  cores: Cores | null,
  { quick, onEnd, say }: Conditions,
): Promise<Comparison> {
  const releases = new Releases();
  onEnd(releases.releaseAll);
  const token = await tokenOf('VIEWER');
  const options = { cores, token, onEnd: releases.add, say };
  const contenders = [await startOurs(options), await startBare(options), await startStock(options)];
  const stage = new Stage();
  const memory: Partial<ByContender<{ before: Memory; after: Memory }>> = {};
  for (const contender of contenders) {
    say(`${contender.name}: ${subscribers} subscribers connect, receive frames, disconnect and resume`);
    await stage.gather(contender, FIRST_FEW);
    await contender.clients.ask('close');
    const before = await contender.server.ask<Memory>('memory');
    await stage.gather(contender, subscribers);
    memory[contender.name] = { before, after: await contender.server.ask<Memory>('memory') };
  }

  const rounds: ByContender<Measurement>[] = [];
  const warmUps = quick ? QUICK.warmUps : WARM_UPS;
  const turns = warmUps + (quick ? QUICK.rounds : ROUNDS);
  for (let turn = 0; turn < turns; turn += 1) {
    const round: Partial<ByContender<Measurement>> = {};
    for (const contender of turn % 2 === 0 ? contenders : contenders.toReversed())
      round[contender.name] = await stage.deliver(contender, subscribers, events);
    const complete = round as ByContender<Measurement>;
    const rates = Object.entries(complete).map(
      ([name, { deliveries, seconds }]) => `${name} ${Math.round(deliveries / seconds)}/s`,
    );
    say(`${turn < warmUps ? 'warm-up' : `round ${turn - warmUps + 1}`}: ${rates.join(', ')}`);
    if (turn >= warmUps) rounds.push(complete);
  }
  await releases.releaseAll();
  return { subscribers, events, memory: memory as Comparison['memory'], rounds };
}
