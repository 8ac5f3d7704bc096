/**
 * Compares startSession on a PostgreSQL with default settings (`npm run test:postgres`) and on the embedded
 * one, in one run.
 */
import { expect, test } from 'vitest';
import { startEmbeddedPostgres } from '../../src/postgres/embedded-postgres.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { startOwnPostgres } from '../harness/own-postgres.ts';

const STARTS = 40;
/** Number of startSession calls per turn. The two PostgreSQL servers take turns: one is idle while the other is measured. */
const STARTS_IN_TURN = 5;
const JOURNEYS_AT_ONCE = 2;
/**
 * Limit of the median on the stock server divided by that on the embedded one. If PostgreSQL compiled the
 * statements that record a start (JIT), the ratio would be several times as large.
 */
const MAX_RATIO = 2;

if (!process.env.POSTGRES_BIN)
  process.stderr.write('POSTGRES_BIN names no PostgreSQL to compare: the comparison of starts is SKIPPED.\n');

test.skipIf(!process.env.POSTGRES_BIN)(
  'under load, startSession takes less than twice as long on a stock PostgreSQL as on the embedded one',
  async () => {
    const servers = {
      stock: await startOwnPostgres(),
      embedded: await startOwnPostgres(undefined, {}, startEmbeddedPostgres),
    };
    const gateways = {
      stock: await bootGateway({ database: servers.stock.url }),
      embedded: await bootGateway({ database: servers.embedded.url }),
    };

    const took = { stock: [] as number[], embedded: [] as number[] };
    while (took.stock.length < STARTS)
      for (const server of ['stock', 'embedded'] as const)
        took[server].push(...(await timeStarts(gateways[server], took[server].length)));

    const [stock, embedded] = [median(took.stock), median(took.embedded)];
    process.stdout.write(`median start: stock ${stock.toFixed()} ms, embedded ${embedded.toFixed()} ms\n`);
    expect(stock / embedded).toBeLessThan(MAX_RATIO);
  },
);

/** Measures sequential starts while journeys (simulated sessions) run on the same gateway. */
async function timeStarts(gateway: Gateway, done: number): Promise<number[]> {
  const times: number[] = [];
  const journeys = Array.from({ length: JOURNEYS_AT_ONCE }, async (_, traveller) => {
    for (let number = 1; times.length < STARTS_IN_TURN; number += 1)
      await goThrough(gateway, `journey.${done}.${traveller}.${number}`);
  });
  while (times.length < STARTS_IN_TURN) {
    const before = performance.now();
    await gateway.start(`timed.${done + times.length}`);
    times.push(performance.now() - before);
  }
  await Promise.all(journeys);
  return times;
}

/** Starts a session and advances its journey in the sandbox by four steps. */
async function goThrough(gateway: Gateway, verificationId: string): Promise<void> {
  await gateway.start(verificationId);
  for (let step = 1; step <= 4; step += 1) await gateway.advance(verificationId);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
