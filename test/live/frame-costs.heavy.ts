/**
 * Tests the cost of subscription frames: a budget of the viewer throttles replays, and the cost of a single
 * frame is limited.
 */
import { expect, test } from 'vitest';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';

const TRANSITIONS_OF_SESSION = 50;
/** Cost of a frame: 1 each for the transition, its session, the connection, and every entry of the connection. */
const FRAME_COST = 3 + TRANSITIONS_OF_SESSION;
const FRAMES_OF_BUDGET = 20;
const COST_PER_MINUTE = FRAMES_OF_BUDGET * FRAME_COST;

const HEAVY = `session { id transitions(first: ${TRANSITIONS_OF_SESSION}) { nodes { sequence } } }`;
const REPLAYS = {
  statusTransitions: `subscription ($after: String) { statusTransitions(after: $after) { sequence ${HEAVY} } }`,
  feed: `subscription ($after: String) {
    feed(after: $after) { __typename ... on StatusTransition { sequence ${HEAVY} } }
  }`,
};

async function countTransitions(gateway: Gateway): Promise<number> {
  const { rows } = await gateway.database.query('select count(*)::int as count from status_transition');
  return rows[0].count;
}

test.each(Object.entries(REPLAYS))(
  "a replay of the subscription %s is throttled by the viewer's frame budget and does not use up the rate limit of queries",
  { timeout: 60_000 },
  async (_field, query) => {
    const gateway = await bootGateway({
      environment: { RATE_LIMIT_COST_PER_MINUTE: String(COST_PER_MINUTE) },
    });
    const { startCursor: after } = await gateway.start('first.happy-path');
    await gateway.start('second.happy-path', { user: { phone: '9988776644' } });
    for (const name of ['first.happy-path', 'second.happy-path']) await gateway.advance(name, 10);
    await eventually(async () => (await countTransitions(gateway)) === 22);

    const replay = gateway.subscribe(query, { after });
    const within = await replay.take(FRAMES_OF_BUDGET);
    const since = performance.now();
    const [beyond, { status }] = await Promise.all([
      replay.take(1),
      gateway.graphql('{ sessions(first: 9) { nodes { id } } }'),
    ]);

    expect(performance.now() - since).toBeGreaterThan(1_000);
    expect(status).toBe(200);
    expect(new Set([...within, ...beyond].map((frame) => JSON.stringify(frame))).size).toBe(
      FRAMES_OF_BUDGET + 1,
    );
  },
);

test('a subscription whose frames cost too much is refused, although a query with the same selection is allowed', async () => {
  const gateway = await bootGateway();
  const selection =
    'transitions(first: 100) { nodes { session { transitions(first: 10) { nodes { sequence } } } } }';
  const { id } = await gateway.start('costly.happy-path');

  const refused = gateway.subscribe(`subscription { statusTransitions { session { ${selection} } } }`).next();
  await expect(refused).rejects.toMatchObject([
    {
      message: expect.stringContaining('Each frame of this subscription costs'),
      extensions: { code: 'QUERY_TOO_COMPLEX' },
    },
  ]);
  const { errors } = await gateway.graphql(`query ($id: ID!) { session(id: $id) { ${selection} } }`, { id });
  expect(errors).toBeUndefined();
});
