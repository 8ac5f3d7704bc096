import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { createDatabasePools } from '../../../src/db/connection/client.ts';
import type { Doorbell } from '../../../src/domain/ports.ts';
import { createNatsDoorbell } from '../../../src/feed/nats-doorbell.ts';
import { createPostgresDoorbell } from '../../../src/feed/postgres-doorbell.ts';
import type { Bench } from '../bench.ts';
import { openDatabase } from '../database/database.ts';
import { percentile } from '../harness/http-load.ts';
import { describeMachine } from '../harness/machine.ts';
import { type Release, Releases } from '../harness/releases.ts';
import { spreadOf } from '../harness/statistics.ts';
import { show, tableOf } from '../harness/table.ts';

const LISTENERS = 3;
const SESSIONS_AT_ONCE = 200;
const EVERY_MS = 5;
const FULL = { rounds: 7, warmUps: 1, waves: 100, single: 400 };
const QUICK = { rounds: 2, warmUps: 1, waves: 20, single: 50 };
const TIMEOUT_MS = 30_000;

type Replica = Doorbell & { readonly connected: boolean };
type Open = () => Replica;

interface Figures {
  /** Throughput: sessions per second whose rings reached all replicas, when 200 sessions ring in the same tick. */
  readonly perSecond: number;
  /**
   * Latency: milliseconds until a single ring reached all replicas, with a ring every 5 ms; median and 99th percentile.
   */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Compares the two doorbells (notifications between replicas that transitions were recorded), PostgreSQL NOTIFY and
 * NATS, by latency and throughput.
 */
export const doorbell: Bench = {
  about: `doorbell (notification) from one replica to ${LISTENERS} others: NOTIFY compared with NATS`,

  async run({ quick, onEnd, say }) {
    const releases = new Releases();
    onEnd(releases.releaseAll);
    const settings = quick ? QUICK : FULL;
    const kinds: Record<string, Open> = { 'PostgreSQL (NOTIFY)': await overPostgres(releases.add, say) };
    const nats = await overNats(releases.add);
    if (nats) kinds.NATS = nats;
    else say('NATS SKIPPED: nats-server is not installed');

    const bells = await Promise.all(
      Object.entries(kinds).map(async ([name, open]) => ({
        name,
        replicas: await openReplicas(open, releases.add),
        found: [] as Figures[],
      })),
    );
    for (let turn = 0; turn < settings.warmUps + settings.rounds; turn += 1)
      for (const { name, replicas, found } of turn % 2 === 0 ? bells : bells.toReversed()) {
        const figures = {
          ...(await ringForMany(replicas, settings.waves)),
          ...(await ringForOne(replicas, settings.single)),
        };
        say(`${name}: ${Math.round(figures.perSecond)} sessions/s, one ring ${figures.p50.toFixed(2)} ms`);
        if (turn >= settings.warmUps) found.push(figures);
      }
    await releases.releaseAll();

    const columns = [
      { head: ['sessions/s', ''], digits: 0 },
      { head: ['one ring', 'p50 ms'], digits: 2 },
      { head: ['', 'p99 ms'], digits: 2 },
    ] as const;
    const rows = bells.map(({ name, found }) => ({
      title: name,
      cells: (['perSecond', 'p50', 'p99'] as const).map((figure, index) =>
        show(spreadOf(found.map((each) => each[figure])), columns[index]?.digits ?? 0),
      ),
    }));
    const machine = `${describeMachine()}; all replicas in one process, ${SESSIONS_AT_ONCE} sessions at once`;
    const title = `${doorbell.about}, ${settings.rounds} rounds`;
    return {
      text: [title, machine, tableOf(columns, rows)].join('\n'),
      figures: { machine, bells: bells.map(({ name, found }) => ({ name, found })) },
    };
  },
};

async function overPostgres(onEnd: (release: Release) => void, say: (line: string) => void): Promise<Open> {
  const { url } = await openDatabase({ sessions: 100, onEnd, say });
  return () => {
    const { db, close } = createDatabasePools(url, 2, () => {});
    onEnd(close);
    return createPostgresDoorbell({ url, db, log: SILENT });
  };
}

async function overNats(onEnd: (release: Release) => void): Promise<Open | null> {
  const server = spawn(process.env.NATS_SERVER ?? 'nats-server', ['--addr', '127.0.0.1', '--port', '-1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onEnd(() => server.kill());
  const url = await Promise.race([addressOf(server), once(server, 'error').then(() => null)]);
  return url === null ? null : () => createNatsDoorbell({ servers: [url], subject: 'bench', log: SILENT });
}

async function addressOf({ stderr }: ChildProcess): Promise<string | null> {
  for await (const line of createInterface({ input: stderr as NonNullable<typeof stderr> })) {
    const address = line.match(/Listening for client connections on (\S+)/)?.[1];
    if (address) return `nats://${address}`;
  }
  return null;
}

const SILENT = pino({ level: 'silent' });

async function openReplicas(open: Open, onEnd: (release: Release) => void): Promise<readonly Replica[]> {
  const replicas = Array.from({ length: 1 + LISTENERS }, open);
  for (const replica of replicas) onEnd(() => replica.stop());
  const until = Date.now() + TIMEOUT_MS;
  while (!replicas.every(({ connected }) => connected)) {
    if (Date.now() > until)
      throw new Error('The replicas did not connect to their doorbell (PostgreSQL or NATS) in time');
    await pause(10);
  }
  return replicas;
}

/**
 * Sends a ring (notification) for each of these sessions from the first replica. Resolves when every other replica has
 * received all of the rings.
 */
function ring([near, ...far]: readonly Replica[], sessions: readonly string[]): Promise<void> {
  const heard = far.map(
    (replica) =>
      new Promise<void>((resolve) => {
        const missing = new Set(sessions);
        const leave = replica.listen({
          onRing(session) {
            missing.delete(session);
            if (missing.size > 0) return;
            leave();
            resolve();
          },
          onGap() {},
        });
      }),
  );
  for (const session of sessions) near?.ring(session, 1);
  const late = pause(TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error('A ring did not reach all replicas in time');
  });
  return Promise.race([Promise.all(heard).then(() => {}), late]);
}

async function ringForMany(replicas: readonly Replica[], waves: number) {
  const begun = performance.now();
  for (let wave = 0; wave < waves; wave += 1)
    await ring(
      replicas,
      Array.from({ length: SESSIONS_AT_ONCE }, () => randomUUID()),
    );
  return { perSecond: (waves * SESSIONS_AT_ONCE * 1_000) / (performance.now() - begun) };
}

async function ringForOne(replicas: readonly Replica[], count: number) {
  const times: number[] = [];
  const begun = performance.now();
  for (let number = 0; number < count; number += 1) {
    const rungAt = performance.now();
    await ring(replicas, [randomUUID()]);
    times.push(performance.now() - rungAt);
    await pause(Math.max(0, begun + (number + 1) * EVERY_MS - performance.now()));
  }
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}
