import type { Bench } from '../bench.ts';
import { openDatabase } from '../database/database.ts';
import { feedCursor, startClients } from '../fanout/contenders.ts';
import { ORDER_TIMEOUT_MS } from '../fanout/stage.ts';
import { load } from '../harness/http-load.ts';
import { allowOpenFiles, type Cores, describeMachine, placeProcesses } from '../harness/machine.ts';
import { installPeers } from '../harness/peers.ts';
import type { Memory } from '../harness/probe.ts';
import { Releases } from '../harness/releases.ts';
import { tokenOf } from '../harness/secrets.ts';
import { tableOf } from '../harness/table.ts';
import { CONTENDERS, type Contender, startContender } from '../requests/contenders.ts';
import { CONNECTIONS } from '../requests/measure.ts';
import { pageOperations } from '../requests/queries.ts';
import { repeating } from '../requests/traffic.ts';

const NAMES = ['ours', 'plain', 'mercurius', 'apollo', 'yoga'] as const;
const SUBSCRIBERS = 1_000;
const FILES = SUBSCRIBERS + 200;

interface Found {
  readonly name: (typeof NAMES)[number];
  readonly idle: Memory;
  readonly loaded: Memory;
  /** Memory with subscribers; null for the servers without subscriptions (all but the gateway). */
  readonly subscribed: Memory | null;
}

/** Memory of each server: the resident set size, and the bytes still in use after a full garbage collection. */
export const memory: Bench = {
  about: `(j) memory: idle, after pages of 50, and with ${SUBSCRIBERS} subscribers`,

  async run({ quick, onEnd, say }) {
    const releases = new Releases();
    onEnd(releases.releaseAll);
    const { cores, placing } = await placeProcesses();
    await installPeers(say);
    const database = await openDatabase({ sessions: quick ? 2_000 : 10_000, onEnd: releases.add, say });
    const token = await tokenOf('VIEWER');
    const trafficTo = repeating(await pageOperations(database), { database, token });
    const found: Found[] = [];
    for (const name of NAMES) {
      const contender = await startContender(name, { database, cores, onEnd: releases.add });
      const { worker, port } = contender;
      const idle = await worker.ask<Memory>('memory');
      const milliseconds = quick ? 1_000 : 10_000;
      await load({ ...trafficTo(name), port, connections: CONNECTIONS, milliseconds });
      const loaded = await worker.ask<Memory>('memory');
      const subscribed = name === 'ours' ? await withSubscribers(contender, token, cores, releases) : null;
      found.push({ name, idle, loaded, subscribed });
      await worker.end();
      say(
        `${name}: ${megabytes(idle.residentBytes)} MB idle, ${megabytes(loaded.residentBytes)} MB after pages`,
      );
    }
    await releases.releaseAll();
    const machine = `${describeMachine()}; ${placing}`;
    return { text: [memory.about, machine, tableIn(found)].join('\n'), figures: { machine, found } };
  },
};

async function withSubscribers(
  { worker, port }: Contender,
  token: string,
  cores: Cores | null,
  releases: Releases,
): Promise<Memory | null> {
  if (!(await allowOpenFiles(FILES))) return null;
  const clients = startClients({ cores, onEnd: releases.add });
  const after = await feedCursor(port, token);
  const newcomers = Array.from({ length: SUBSCRIBERS }, () => ({ after, missed: 0 }));
  await clients.ask('open', { port, token, newcomers }, ORDER_TIMEOUT_MS);
  const subscribed = await worker.ask<Memory>('memory');
  await clients.ask('close');
  return subscribed;
}

const MOMENTS = ['idle', 'loaded', 'subscribed'] as const;

function tableIn(found: readonly Found[]): string {
  const columns = ['idle', 'after pages', 'subscribed'].flatMap((moment) =>
    ['resident MB', 'held MB'].map((what) => ({ head: [moment, what] as const, digits: 0 })),
  );
  const rows = found.map((each) => ({
    title: `${each.name}: ${CONTENDERS[each.name].title}`,
    cells: MOMENTS.flatMap((moment) => {
      const { residentBytes, heldBytes } = each[moment] ?? {
        residentBytes: Number.NaN,
        heldBytes: Number.NaN,
      };
      return [megabytes(residentBytes), megabytes(heldBytes)];
    }),
  }));
  return tableOf(columns, rows);
}

const megabytes = (bytes: number): string => (Number.isNaN(bytes) ? '-' : (bytes / 1_000_000).toFixed(0));
