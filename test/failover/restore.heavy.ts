/** Replaces the database under running gateways with a copy that is ten seconds old. */
import { expect, test } from 'vitest';
import { pause } from '../chaos/trouble.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { startFloor } from './floor.ts';
import { NO_FAULTS, say, tell } from './report.ts';

const SEED = process.env.FAILOVER_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const AGE_MS = 10_000;
const UNNOTICED_MS = 1_000;

test('after the database is restored from a copy ten seconds old, every subscriber that had received a lost transition is resynced, and polls of the provider restore the lost statuses', async () => {
  say(`restore, FAILOVER_SEED=${SEED}`);
  const floor = await startFloor({
    seed: SEED,
    replication: 'ASYNCHRONOUS',
    sessions: 60,
    live: 200,
    resuming: 50,
    webhooksPerSecond: 10,
    say,
  });
  const { cluster, traffic } = floor;
  const copy = await cluster.copy();
  await Promise.all([pause(AGE_MS), floor.leave(AGE_MS)]);
  void traffic.stop();

  await floor.failOver(async () => {
    await pause(UNNOTICED_MS);
    await cluster.restore(copy);
  });
  const proof = await floor.prove();

  tell('restore', proof, 1);
  const { complaints, reset, resetInVain, ...counts } = proof.account;
  expect(counts, `FAILOVER_SEED=${SEED}`).toEqual(NO_FAULTS);
  expect(proof.gone).toBeGreaterThan(0);
  expect(reset - resetInVain).toBeGreaterThan(0);
  expect({ forgotten: proof.forgotten, unrepeatable: proof.unrepeatable, wrong: proof.wrong }).toEqual({
    forgotten: [],
    unrepeatable: [],
    wrong: [],
  });
  await expectFolds(proof.database);
  await expectFeedOfLog(proof.database);
}, 400_000);
