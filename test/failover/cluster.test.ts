import pg from 'pg';
import { expect, test } from 'vitest';
import { atTheEnd } from '../harness/gateway.ts';
import { type Cluster, startCluster } from './cluster.ts';

const LAG_MS = 3_000;

test('a promoted synchronous standby has every commit that the killed primary acknowledged', async () => {
  const cluster = await startCluster('SYNCHRONOUS');
  const { write, read } = await notesIn(cluster);
  await cluster.addStandby();
  for (const note of [1, 2, 3]) await write(note);

  const fallen = await cluster.killPrimary();
  await cluster.promote();

  expect(await read()).toEqual([1, 2, 3]);
  expect(await fallen.inspect(notesAt)).toEqual([1, 2, 3]);
}, 120_000);

test('a lagging standby lacks the commits that it had not received when it was promoted', async () => {
  const cluster = await startCluster('ASYNCHRONOUS');
  const { write, read } = await notesIn(cluster);
  await cluster.addStandby();
  await write(1);
  await cluster.standbyHasAll();
  cluster.lag(LAG_MS);
  await write(2);

  const fallen = await cluster.killPrimary();
  await cluster.promote();

  expect(await read()).toEqual([1]);
  expect(await fallen.inspect(notesAt)).toEqual([1, 2]);
  await write(3);
  await cluster.addStandby();
  await cluster.killPrimary();
  await cluster.promote();
  expect(await read()).toEqual([1, 3]);
}, 120_000);

test('a database restored from a copy has exactly the commits from before the copy', async () => {
  const cluster = await startCluster('ASYNCHRONOUS');
  const { write, read } = await notesIn(cluster);
  await write(1);
  const copy = await cluster.copy();
  await write(2);

  const fallen = await cluster.killPrimary();
  await cluster.restore(copy);

  expect(await read()).toEqual([1]);
  expect(await fallen.inspect(notesAt)).toEqual([1, 2]);
}, 120_000);

/** Returns functions that read and write a table of numbers through the cluster's address. */
async function notesIn({ url }: Cluster) {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on('error', () => {});
  atTheEnd(() => pool.end());
  await pool.query('create table note (number int)');
  return {
    write: (number: number) => pool.query('insert into note values ($1)', [number]),
    read: () => notesAt(url),
  };
}

async function notesAt(url: string): Promise<number[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('select number from note order by number');
  await client.end();
  return rows.map((row) => row.number);
}
