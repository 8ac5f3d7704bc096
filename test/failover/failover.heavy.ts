/** Repeatedly kills the PostgreSQL primary under running gateways, and promotes its standby. */
import { expect, test } from 'vitest';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { NO_FAULTS, say, tell } from './report.ts';
import { runRounds } from './rounds.ts';

const SEED = process.env.FAILOVER_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
/** Number of failovers; `npm run failover` makes ten. */
const ROUNDS = Number(process.env.FAILOVER_ROUNDS ?? 3);
const ALLOWANCE_SECONDS = 300;
const SECONDS_A_ROUND = 90;
const TIMEOUT_MS = (ALLOWANCE_SECONDS + ROUNDS * SECONDS_A_ROUND) * 1000;
const FLOOR = {
  seed: SEED,
  sessions: 60,
  live: 200,
  resuming: 50,
  webhooksPerSecond: 10,
  rounds: ROUNDS,
  say,
};
test(
  'a database failover to a synchronous standby loses no acknowledged work, and resyncs no subscriber',
  async () => {
    say(`synchronous failover, FAILOVER_SEED=${SEED} FAILOVER_ROUNDS=${ROUNDS}`);

    const proof = await runRounds({ ...FLOOR, replication: 'SYNCHRONOUS', lagMs: 0 });

    tell('failover', proof, ROUNDS);
    const { complaints, ...counts } = proof.account;
    expect(counts, `FAILOVER_SEED=${SEED}`).toEqual({ ...NO_FAULTS, reset: 0, resetInVain: 0 });
    expect(proof.missing).toEqual({ webhooks: [], meetings: [], starts: [] });
    expect({ forgotten: proof.forgotten, wrong: proof.wrong }).toEqual({ forgotten: [], wrong: [] });
    await expectFolds(proof.database);
    await expectFeedOfLog(proof.database);
  },
  TIMEOUT_MS,
);

test(
  'after a database failover to a standby that lags by 3 s, every subscriber that had received a lost transition is resynced, and polls of the provider restore the lost statuses',
  async () => {
    say(`asynchronous failover, FAILOVER_SEED=${SEED} FAILOVER_ROUNDS=${ROUNDS}`);

    const proof = await runRounds({ ...FLOOR, replication: 'ASYNCHRONOUS', lagMs: 3_000 });

    tell('failover', proof, ROUNDS);
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
  },
  TIMEOUT_MS,
);
