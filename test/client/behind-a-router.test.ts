import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { watchBehindRouters } from './behind-a-router.ts';

test('behind a GraphQL router that shares streams, and drops and repeats frames, each client sees every transition once', async () => {
  const gateway = await bootGateway();
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

  const faults = await watchBehindRouters(gateway, [seed]);

  for (const fault of ['joined', 'dropped', 'repeated'] as const)
    expect(faults[fault], `${fault}, seed ${seed}`).toBeGreaterThan(0);
}, 60_000);
