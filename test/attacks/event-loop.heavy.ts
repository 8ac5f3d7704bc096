/** Attacks on the event loop of a gateway process by documents and variables that take long to check or execute. */
import { expect, test } from 'vitest';
import { type Request, TRANSPORTS } from '../harness/transports.ts';
import { AT_THE_LIMITS, FLOODS, LIST, REFUSED, transportsFor } from './documents.ts';
import { MAX_HOLD_MS, startHonestClient, startProbedGateway } from './probed-gateway.ts';
import { tallyOf } from './tally.ts';

const gateway = await startProbedGateway();
const tally = tallyOf('the event loop');

const REQUESTS: Record<string, Request> = {
  ...Object.fromEntries(Object.entries(REFUSED).map(([name, [query]]) => [name, { query }])),
  ...Object.fromEntries(
    Object.entries(AT_THE_LIMITS).map(([name, query]) => [`at the limits, ${name}`, { query }]),
  ),
  ...Object.fromEntries(
    Object.entries(FLOODS).map(([name, variables]) => [name, { query: LIST, variables }]),
  ),
};
const ATTACKS = Object.entries(REQUESTS).flatMap(([name, request]) =>
  transportsFor(request).map((transport) => ({ attack: `${transport}: ${name}`, request, transport })),
);
/**
 * Number of times that each document is sent: graphql-js validates and runs it the first time, the gateway compiles it
 * (JIT) the second time, and only runs the compiled query the third time.
 */
const USES = 3;
/**
 * Maximum number of repetitions of an attack that blocked the event loop for too long. The shortest time counts: a real
 * attack blocks the event loop every time, a garbage collection or another process only sometimes.
 */
const MAX_REPETITIONS = 4;

// Invariant 18 of ARCHITECTURE.md
test('no hostile document or variables block the event loop for more than 50 ms, on any transport', {
  timeout: 300_000,
}, async () => {
  const shortest = new Map<string, number>();
  // Warm-up: code is slow the first time that it runs, even without an attack.
  await attackAll(() => {});
  await gateway.longestHold();
  const honest = startHonestClient(gateway);
  const measure = async (attack: string) =>
    shortest.set(attack, Math.min(await gateway.longestHold(), shortest.get(attack) ?? Infinity));
  await attackAll(measure);
  for (let again = 0; again < MAX_REPETITIONS; again += 1)
    await attackAll(measure, (attack) => (shortest.get(attack) ?? 0) > MAX_HOLD_MS);
  const { asked, p50, p99 } = await honest.stop();
  const holds = [...shortest].map(([attack, ms]) => ({ attack, ms }));
  for (const { attack, ms } of holds) tally.note(attack, ms > MAX_HOLD_MS);

  holds.sort((a, b) => b.ms - a.ms);
  for (const { attack, ms } of holds.slice(0, 8))
    process.stdout.write(`${ms.toFixed(1).padStart(7)} ms  ${attack}\n`);
  process.stdout.write(
    `an honest client asked ${asked} times: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`,
  );
  expect(holds.filter(({ ms }) => ms > MAX_HOLD_MS)).toEqual([]);
});

async function attackAll(
  measure: (attack: string) => unknown,
  isWanted: (attack: string) => boolean = () => true,
): Promise<void> {
  for (const { attack, request, transport } of ATTACKS.filter((each) => isWanted(each.attack))) {
    for (let use = 0; use < USES; use += 1)
      await TRANSPORTS[transport](gateway.target, request, gateway.authorization);
    await measure(attack);
  }
}

tally.close(ATTACKS.length);
