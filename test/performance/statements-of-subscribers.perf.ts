import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { toStatusPair } from '../../src/domain/status.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { onStatement } from '../harness/statements.ts';

const SOCKETS = 10;
const TRANSITIONS = 8;
/**
 * Allowance for the SQL statements that timers send during a measurement: less than one per hundred
 * subscribers.
 */
const BY_THE_CLOCK = 15;

/** Counts the SQL statements of the gateway (not those of the test), told apart by their application_name. */
function countStatements(): { count: number } {
  const counter = { count: 0 };
  onStatement(({ client }) => {
    const { application_name } = (client as any).connectionParameters;
    if (application_name?.startsWith('vkyc-gateway')) counter.count += 1;
  });
  return counter;
}

/** Opens many subscriptions over a few sockets, half of them to one session; counts the frames that arrive. */
async function subscribeMany(
  gateway: Gateway,
  sessionId: string,
  startCursor: string,
  howMany: number,
  fields: string,
) {
  const clients = Array.from({ length: Math.min(SOCKETS, howMany) }, () =>
    createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      lazy: false,
      retryAttempts: 0,
    }),
  );
  // Connects all sockets before the first subscription, because a gateway that is busy with subscriptions
  // acknowledges new sockets too slowly.
  await Promise.all(clients.map((client) => new Promise((resolve) => client.on('connected', resolve))));
  const query = `subscription ($sessionId: ID, $after: String) { statusTransitions(sessionId: $sessionId, after: $after) { ${fields} } }`;
  const got = { deliveries: 0, errors: [] as unknown[] };
  for (let index = 0; index < howMany; index += 1) {
    const variables = { after: startCursor, ...(index % 2 === 1 ? { sessionId } : {}) };
    clients[index % clients.length]?.subscribe(
      { query, variables },
      {
        next: () => {
          got.deliveries += 1;
        },
        error: (error) => got.errors.push(error),
        complete: () => {},
      },
    );
  }
  return { got, leave: () => Promise.all(clients.map((client) => client.dispose())) };
}

const STEPS = ['USER_QUEUED', 'AGENT_ASSIGNED_TO_USER', 'USER_ACCEPTED_MEETING', 'USER_DROPPED_OFF'] as const;

/**
 * Returns how many SQL statements the gateway needs to record a webhook and deliver it to all subscribers:
 * the minimum of several rounds.
 */
async function statementsPerTransition(
  gateway: Gateway,
  name: string,
  subscribers: number,
  fields: string,
): Promise<number> {
  const { id, startCursor } = await gateway.start(`${name}.${subscribers}`);
  const { got, leave } = await subscribeMany(gateway, id, startCursor, subscribers, fields);
  const everyoneHas = (transitions: number) =>
    eventually(async () => {
      expect(got.errors).toEqual([]);
      return got.deliveries === transitions * subscribers;
    });
  await everyoneHas(1);
  const counter = countStatements();
  const counts: number[] = [];
  for (let index = 0; index < TRANSITIONS; index += 1) {
    const before = counter.count;
    const { status, subStatus } = toStatusPair(STEPS[index % STEPS.length] as (typeof STEPS)[number]);
    await gateway.webhook({
      event_type: 'VKYC_STATUS',
      event_time: new Date(Date.now() + index * 1000).toISOString(),
      version: 'v1',
      data: { verification_id: `${name}.${subscribers}`, status, sub_status: subStatus },
    });
    await everyoneHas(index + 2);
    counts.push(counter.count - before);
  }
  await leave();
  return Math.min(...counts);
}

async function expectNoGrowth(name: string, fields: string): Promise<void> {
  const gateway = await bootGateway({
    environment: { SUBSCRIPTIONS_PER_SOCKET: '1000', CONNECTIONS_PER_CLIENT: '1000' },
  });
  const counts: Record<number, number> = {};
  for (const subscribers of [1, 100, 2_000])
    counts[subscribers] = await statementsPerTransition(gateway, name, subscribers, fields);
  process.stderr.write(`statements per transition (${name}), by subscribers: ${JSON.stringify(counts)}\n`);

  expect(counts[2_000]).toBeLessThan((counts[1] as number) + BY_THE_CLOCK);
}

test(
  'recording and sending a transition takes no more SQL statements for 2,000 subscribers than for one',
  () => expectNoGrowth('transition', 'id status applied'),
  300_000,
);

test(
  'sending frames that select the session takes no more SQL statements for 2,000 subscribers than for one',
  () => expectNoGrowth('transition-and-session', 'id session { status version }'),
  300_000,
);
