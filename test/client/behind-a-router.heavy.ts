import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { watchBehindRouters } from './behind-a-router.ts';

/** Number of rounds, each with four routers and a new gateway. */
const ROUNDS = Number(process.env.ROUTER_ROUNDS ?? 4);

for (let round = 1; round <= ROUNDS; round += 1)
  test(`round ${round}: behind four faulty GraphQL routers, each client sees every transition once and in order`, async () => {
    const gateway = await bootGateway({ bothWays: false });
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

    const faults = await watchBehindRouters(
      gateway,
      [0, 1, 2, 3].map((each) => seed + each),
    );

    for (const count of Object.values(faults)) expect(count).toBeGreaterThan(0);
    console.log(`round ${round}, seed ${seed}: ${JSON.stringify(faults)}`);
  });
