import { expect, onTestFailed, test } from 'vitest';
import { pause } from '../chaos/trouble.ts';
import { startFloor } from './floor.ts';
import { NO_FAULTS } from './report.ts';

const SEED = process.env.FAILOVER_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const AGE_MS = 2_500;

test('after the database is restored from a copy, every subscriber that had received a lost transition is resynced, and no subscriber misses a transition that was not lost', async () => {
  const progress: string[] = [];
  const floor = await startFloor({
    seed: SEED,
    replication: 'ASYNCHRONOUS',
    sessions: 12,
    live: 30,
    resuming: 10,
    webhooksPerSecond: 15,
    say: (line) => progress.push(line),
  });
  const { cluster, traffic } = floor;
  const copy = await cluster.copy();
  await Promise.all([pause(AGE_MS), floor.leave(AGE_MS)]);
  void traffic.stop();

  await floor.failOver(() => cluster.restore(copy));
  const proof = await floor.prove();

  const { complaints, reset, resetInVain, ...counts } = proof.account;
  onTestFailed(
    () => void process.stderr.write(`FAILOVER_SEED=${SEED}\n${[...progress, ...complaints].join('\n')}\n`),
  );
  expect(counts).toEqual(NO_FAULTS);
  expect(proof.gone).toBeGreaterThan(0);
  expect(reset - resetInVain).toBeGreaterThan(0);
  expect({ forgotten: proof.forgotten, wrong: proof.wrong }).toEqual({ forgotten: [], wrong: [] });
}, 180_000);
