/** Rounds of kill and promote on one floor. */
import { pause } from '../chaos/trouble.ts';
import { type FloorPlan, type Proof, startFloor } from './floor.ts';

export interface RoundsPlan extends FloorPlan {
  readonly rounds: number;
  /** How much later than the primary sends it the standby receives everything, at each kill. */
  readonly lagMs: number;
}

/** How long the standby lags fully before the kill, at least and at most. */
const LAGGING_FOR_MS = [500, 3_000] as const;
/** How long nobody notices that the primary is gone. */
const UNNOTICED_MS = [0, 1_500] as const;

/** Kills the primary and promotes its standby, round after round, and proves what became of everything. */
export async function runRounds(plan: RoundsPlan): Promise<Proof> {
  const { rounds, lagMs, say } = plan;
  const floor = await startFloor(plan);
  const { cluster, random, traffic } = floor;
  await cluster.addStandby();
  for (let round = 1; round <= rounds; round += 1) {
    await cluster.standbyHasAll();
    cluster.lag(lagMs);
    const killInMs = lagMs + random.between(...LAGGING_FOR_MS);
    await Promise.all([pause(killInMs), floor.leave(killInMs)]);
    // What the database loses in the last round only the provider knows: nothing reports it again.
    if (round === rounds) void traffic.stop();
    say(`round ${round} of ${rounds}`);
    await floor.failOver(async () => {
      await pause(random.between(...UNNOTICED_MS));
      await cluster.promote();
      await cluster.addStandby();
    });
  }
  return floor.prove();
}
