import type { Bench } from '../bench.ts';
import { openDatabase } from '../database/database.ts';
import { Subscriber } from '../fanout/socket.ts';
import { KeptOpen, percentile } from '../harness/http-load.ts';
import { describeMachine, placeProcesses } from '../harness/machine.ts';
import { installPeers } from '../harness/peers.ts';
import { Releases } from '../harness/releases.ts';
import { tokenOf } from '../harness/secrets.ts';
import { spreadOf } from '../harness/statistics.ts';
import { show, tableOf } from '../harness/table.ts';
import { judge, lineOf } from '../harness/verdict.ts';
import { type Contender, startContender } from '../requests/contenders.ts';
import { untilRecorded } from '../requests/settled.ts';
import { type Webhook, webhookMaker } from '../requests/webhooks.ts';

const PER_SECOND = 200;
const FULL = { sessions: 10_000, rounds: 7, warmUps: 3, seconds: 3 };
const QUICK = { sessions: 2_000, rounds: 2, warmUps: 1, seconds: 2 };
const MOST_TIMES_BARE = 3;
const TIMEOUT_MS = 60_000;
const SUBSCRIPTION =
  'subscription ($after: String) { statusTransitions(after: $after) { cursor sequence subStatus occurredAt } }';
const NAMES = ['ours', 'hop'] as const;

interface Latency {
  readonly p50: number;
  readonly p99: number;
}
type Round = Record<(typeof NAMES)[number], Latency>;

/**
 * Latency at a steady rate of webhooks, from the first byte of a webhook to the last byte of its frame at a
 * subscriber.
 */
export const latency: Bench = {
  about: `(g) from a webhook to its frame at ${PER_SECOND}/s, compared with a bare commit and ws send`,

  async run({ quick, onEnd, say }) {
    const releases = new Releases();
    onEnd(releases.releaseAll);
    const { cores, placing } = await placeProcesses();
    await installPeers(say);
    const settings = quick ? QUICK : FULL;
    const database = await openDatabase({ sessions: settings.sessions, onEnd: releases.add, say });
    const token = await tokenOf('VIEWER');
    const contenders: Contender[] = [];
    for (const name of NAMES)
      contenders.push(await startContender(name, { database, cores, onEnd: releases.add }));
    const make = await webhookMaker(database);
    const rounds: Round[] = [];
    for (let turn = 0; turn < settings.warmUps + settings.rounds; turn += 1) {
      const round: Partial<Round> = {};
      for (const { name, port } of turn % 2 === 0 ? contenders : contenders.toReversed()) {
        round[name as keyof Round] = await steady({ port, token, seconds: settings.seconds, make });
        if (name === 'ours') await untilRecorded(database);
      }
      const { ours, hop } = round as Round;
      say(
        `round ${turn - settings.warmUps + 1}: ours ${ours.p50.toFixed(2)} ms, bare ${hop.p50.toFixed(2)} ms`,
      );
      if (turn >= settings.warmUps) rounds.push({ ours, hop });
    }
    await releases.releaseAll();
    const spread = (name: keyof Round, of: keyof Latency) => spreadOf(rounds.map((round) => round[name][of]));
    const goal = judge(
      'times the p50 of a bare commit and send',
      spreadOf(rounds.map(({ ours, hop }) => ours.p50 / hop.p50)),
      { atMost: MOST_TIMES_BARE },
    );
    const machine = `${describeMachine()}; ${placing}`;
    const columns = [
      { head: ['p50', 'ms'], digits: 2 },
      { head: ['p99', 'ms'], digits: 2 },
    ] as const;
    const titles = { ours: 'the gateway', hop: 'node:http, pg and ws by hand' };
    const rows = NAMES.map((name) => ({
      title: `${name}: ${titles[name]}`,
      cells: [show(spread(name, 'p50'), 2), show(spread(name, 'p99'), 2)],
    }));
    const text = [`${latency.about}, ${rounds.length} rounds`, machine, tableOf(columns, rows), lineOf(goal)];
    return { text: text.join('\n'), figures: { machine, rounds, goals: [goal] } };
  },
};

interface Steady {
  readonly port: number;
  readonly token: string;
  readonly seconds: number;
  make(): Webhook;
}

/** Sends webhooks at fixed times, even if earlier webhooks have not been answered yet (open-loop load). */
async function steady({ port, token, seconds, make }: Steady): Promise<Latency> {
  const sentAt = new Map<string, number>();
  const times: number[] = [];
  const count = seconds * PER_SECOND;
  let allCame: () => void = () => {};
  const onData = (_bytes: number, text: string | null) => {
    const key = text?.match(/"occurredAt":"([^"]+)"/)?.[1] ?? '';
    const sent = sentAt.get(key);
    if (sent !== undefined) times.push(performance.now() - sent);
    sentAt.delete(key);
    if (times.length === count) allCame();
  };
  const subscriber = new Subscriber({
    port,
    token,
    query: SUBSCRIPTION,
    after: null,
    onData,
    keepTexts: true,
  });
  await subscriber.ready;
  const free: KeptOpen[] = [];
  const opened: KeptOpen[] = [];
  const connect = () => {
    const connection = new KeptOpen(port);
    opened.push(connection);
    return connection;
  };
  const failed = new Promise<never>((_, reject) => {
    setTimeout(reject, TIMEOUT_MS, new Error(`Frames did not arrive in time`)).unref();
    const begun = performance.now();
    const send = (number: number) => {
      const { request, eventTime } = make();
      const connection = free.pop() ?? connect();
      sentAt.set(eventTime, performance.now());
      connection.exchange(request).then(() => free.push(connection), reject);
      if (number + 1 < count)
        setTimeout(send, begun + ((number + 1) * 1_000) / PER_SECOND - performance.now(), number + 1);
    };
    send(0);
  });
  const came = new Promise<void>((resolve) => {
    allCame = resolve;
  });
  await Promise.race([came, failed]);
  failed.catch(() => {});
  for (const connection of opened) connection.close();
  await subscriber.close();
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}
