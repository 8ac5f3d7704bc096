import type { BenchDatabase } from '../database/database.ts';
import { type Loaded, load } from '../harness/http-load.ts';
import type { Cores } from '../harness/machine.ts';
import { cpuSecondsOfPostgres, timesOfCore } from '../harness/processor.ts';
import type { Contender } from './contenders.ts';
import type { Traffic } from './traffic.ts';
import type { Work } from './works.ts';

export const CONNECTIONS = 32;

/** Measurements of one server in one round. */
export interface Measurement extends Loaded {
  readonly serverCpuSeconds: number;
  readonly postgresCpuSeconds: number;
  /** Seconds from the last response until the work that the server had deferred was done. */
  readonly settlingSeconds: number;
  /**
   * Share of the time in which any process used the core of the servers; `otherCoreBusy` is the share for the
   * other core. Null if processes are not pinned.
   */
  readonly serverCoreBusy: number | null;
  readonly otherCoreBusy: number | null;
}

interface Given {
  readonly work: Work;
  readonly traffic: Traffic;
  readonly database: BenchDatabase;
  readonly cores: Cores | null;
  readonly milliseconds: number;
}

/**
 * Sends requests to one server for a while. Throws if the table of `evidence` did not grow by exactly the rows
 * that this number of requests must add.
 */
export async function measure({ name, port, worker }: Contender, given: Given): Promise<Measurement> {
  const { work, traffic, database, cores, milliseconds } = given;
  const { table, rowsEach } = work.evidence;
  const coreTimes = () => Promise.all(cores ? [timesOfCore(cores.servers), timesOfCore(cores.others)] : []);
  const cpu = () => Promise.all([worker.cpuSeconds(), cpuSecondsOfPostgres(database.postmaster)]);
  // Waits only when the gateway is measured. The gateway also processes the rows that other servers leave in the queue
  // tables, but that does not belong to the measurements of those servers.
  const settled = async () => (name === 'ours' ? work.settled?.(database) : undefined);
  await settled();
  const rowsBefore = await database.count(table);
  const before = { cores: await coreTimes(), cpu: await cpu() };
  const loaded = await load({ ...traffic, port, connections: CONNECTIONS, milliseconds });
  const coresAfter = await coreTimes();
  const answered = performance.now();
  await settled();
  const settlingSeconds = (performance.now() - answered) / 1_000;
  const cpuAfter = await cpu();
  const rows = (await database.count(table)) - rowsBefore;
  if (rows !== loaded.requests * rowsEach)
    throw new Error(`${name} answered ${loaded.requests} requests and left ${rows} rows in ${table}`);
  const [serverCoreBusy = null, otherCoreBusy = null] = coresAfter.map((times, index) => {
    const earlier = before.cores[index] ?? times;
    return (times.busy - earlier.busy) / (times.total - earlier.total);
  });
  return {
    ...loaded,
    serverCpuSeconds: cpuAfter[0] - before.cpu[0],
    postgresCpuSeconds: cpuAfter[1] - before.cpu[1],
    settlingSeconds,
    serverCoreBusy,
    otherCoreBusy,
  };
}
