import { expect, onTestFailed, test } from 'vitest';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { inWords, NOTHING_WRONG } from './account.ts';
import { runStorm } from './storm.ts';

const SEED = process.env.CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));

// Invariant 8 of ARCHITECTURE.md
test('through killed gateways, cut connections and late commits, every subscriber gets each transition once and in order', async () => {
  const progress: string[] = [];
  onTestFailed(() => void process.stderr.write(`CHAOS_SEED=${SEED}\n${progress.join('\n')}\n`));

  const { account, tally, database } = await runStorm({
    seed: SEED,
    seconds: 7,
    sessions: 20,
    subscribers: 60,
    transitionsPerSecond: 25,
    wear: { early: 0.25, meanLifeMs: 2_500 },
    gatewayKillsEvery: [2.5, 4.5],
    listenerKillsEvery: [1, 2],
    onProgress: (line) => progress.push(line),
  });
  process.stderr.write(`chaos, CHAOS_SEED=${SEED}: ${inWords(tally)}; ${inWords(account)}\n`);

  expect(account, `CHAOS_SEED=${SEED}`).toEqual(NOTHING_WRONG);
  const { cuts, kills, listenerKills, lateCommits, rollbacks, reconnects } = tally;
  const faults = { cuts, kills, listenerKills, lateCommits, rollbacks, reconnects };
  for (const [fault, count] of Object.entries(faults)) expect(count, fault).toBeGreaterThan(0);
  await expectFolds(database);
  await expectFeedOfLog(database);
}, 120_000);
