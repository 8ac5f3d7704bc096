/** Runs several database failovers in succession under the same gateways and subscribers. */
import { pause } from '../chaos/trouble.ts';
import { type FloorPlan, type Proof, startFloor } from './floor.ts';

export interface RoundsPlan extends FloorPlan {
  readonly rounds: number;
  /** Replication delay of the standby at each kill. */
  readonly lagMs: number;
}

/** Minimum and maximum milliseconds for which the standby has its full lag before the kill. */
const LAGGING_FOR_MS = [500, 3_000] as const;
/** Minimum and maximum milliseconds from the kill to the promotion. */
const UNNOTICED_MS = [0, 1_500] as const;

/** Kills the primary and promotes its standby, round after round; then checks what subscribers and clients received. */
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
    // Stops all traffic in the last round, so that only polls can recover what the database loses.
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
