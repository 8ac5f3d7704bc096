import { expect, test } from 'vitest';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { inWords, NOTHING_WRONG } from './account.ts';
import { balanceOf, enter } from './book.ts';
import { runStorm } from './storm.ts';

const SEED = process.env.CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const SECONDS = Number(process.env.CHAOS_SECONDS ?? 40);
/** Added to the timeout: time for start-up, delayed work, and the comparison with the log at the end. */
const ALLOWANCE_SECONDS = 240;
const SUBSCRIBERS = 1_000;
const say = (line: string) => process.stderr.write(`${line}\n`);

// Invariant 8 of ARCHITECTURE.md
test(
  'through killed gateways, cut connections, late commits and rollbacks, 1,000 subscribers get each transition once and in order',
  async () => {
    say(`chaos, CHAOS_SEED=${SEED} CHAOS_SECONDS=${SECONDS}`);

    const { account, tally, database } = await runStorm({
      seed: SEED,
      seconds: SECONDS,
      sessions: 200,
      subscribers: SUBSCRIBERS,
      transitionsPerSecond: 20,
      wear: { early: 0.2, meanLifeMs: 20_000 },
      gatewayKillsEvery: [6, 18],
      listenerKillsEvery: [3, 9],
      onProgress: say,
    });

    const { webhooks, reconnects, cuts, kills, listenerKills, lateCommits, rollbacks } = tally;
    const requests = webhooks + SUBSCRIBERS + reconnects;
    const faults = cuts + kills + listenerKills + lateCommits + rollbacks;
    enter('chaos', balanceOf(account, { requests, faults }));
    for (const complaint of account.complaints) say(complaint);
    say(`${inWords(tally)}\n${inWords(account)}`);
    expect(account, `CHAOS_SEED=${SEED}`).toEqual(NOTHING_WRONG);
    await expectFolds(database);
    await expectFeedOfLog(database);
  },
  (SECONDS + ALLOWANCE_SECONDS) * 1000,
);
