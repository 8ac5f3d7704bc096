import { beforeAll, expect, test } from 'vitest';
import { bootGateway, eventually, type Gateway, untilReady } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { type Scrape, scrape, shippedExpressions, usesOf } from '../harness/prometheus.ts';
import { countStatements } from '../harness/statements.ts';

const WATCH = 'subscription ($after: String) { statusTransitions(after: $after) { sequence } }';
const WATCH_ONE =
  'subscription ($id: ID!) { sessionLive(sessionId: $id) { __typename ... on StatusTransition { sequence } } }';
/** Labels that Prometheus itself adds to each series, so that the dashboard and the alerts may use them. */
const OF_PROMETHEUS = ['job', 'instance'];
/**
 * Metrics of Node.js and the process (by prom-client). They are not the gateway's own, so they need not
 * follow its naming or be on its dashboard.
 */
const OF_THE_PROCESS = /^(nodejs|process)_/;

let gateway: Gateway;
let scraped: Scrape;

const webhook = (minute: number, status: string, sub_status: string) =>
  gateway.webhook({
    event_time: inMinutes(minute),
    data: { verification_id: 'seen.awaits-review', status, sub_status },
  });

/** Causes every kind of event that metrics count, except those of subscribers that read too slowly. */
async function live(): Promise<void> {
  const { id, startCursor } = await gateway.start('seen.awaits-review');
  const agent = await person(gateway, 'ravi', 'AGENT');
  const past = gateway.subscribe(WATCH, { after: startCursor });
  const streamed = gateway.stream(WATCH_ONE, { id });
  await past.next();
  await streamed.next();
  await gateway.graphql('query { viewer { ');
  await gateway.graphql('query NameOfAClient { alias: viewer { id } __typename }');
  await gateway.graphql('{ viewer { id } sessions(first: 1) { nodes { id } } }');
  await gateway.graphql('{ sessionStats { total } }');
  await gateway.graphql('{ sessions(first: 1, after: "nothing") { nodes { id } } }');
  await agent.act('cancelMeeting', id);
  await agent.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
  await gateway.webhook({ data: {} }, { 'x-webhook-signature': `${'A'.repeat(43)}=` });
  await gateway.webhook({ data: { name: 'nobody' } });
  await webhook(31, 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED');
  await webhook(32, 'AUDITOR_REVIEWED', 'AUDITOR_REJECTED');
  await webhook(33, 'VIDEO_CALL', 'NEVER_HEARD_OF');
  await past.take(4);
  await past.stop();
  await streamed.stop();
}

beforeAll(async () => {
  gateway = await bootGateway();
  await untilReady(gateway);
  await live();
  scraped = await eventually(async () => {
    const now = await scrape(gateway);
    const closed = now.series.get('vkyc_connections_closed_total')?.size === 2;
    return closed && now.value('vkyc_connections{transport="websocket"}') === 0 && now;
  });
});

test("the gateway's metrics count events under fixed labels, and contain no names, ids or texts of clients", () => {
  const { value } = scraped;
  const operations = 'vkyc_graphql_operation_duration_seconds_count';

  expect(value(`${operations}{kind="mutation",field="startSession",outcome="OK"}`)).toBe(1);
  expect(value(`${operations}{kind="query",field="viewer",outcome="OK"}`)).toBe(1);
  expect(value(`${operations}{kind="query",field="several",outcome="OK"}`)).toBe(1);
  expect(value(`${operations}{kind="query",field="sessions",outcome="BAD_USER_INPUT"}`)).toBe(1);
  expect(value('vkyc_graphql_errors_total{code="GRAPHQL_PARSE_FAILED"}')).toBe(1);
  expect(value('vkyc_graphql_errors_total{code="BAD_USER_INPUT"}')).toBe(1);
  expect(value('vkyc_mutation_refusals_total{code="ACTION_NOT_ALLOWED"}')).toBe(1);
  expect(value('vkyc_http_request_duration_seconds_count{method="POST",route="/graphql",status="400"}')).toBe(
    0,
  );
  expect(
    value('vkyc_provider_call_duration_seconds_count{endpoint="POST /vkyc",purpose="MUTATION",outcome="OK"}'),
  ).toBe(1);
  expect(value('vkyc_webhooks_total{outcome="badly signed"}')).toBe(1);
  // One of these transitions is the booked meeting. The start is another, unless the webhook of the start was
  // recorded first.
  expect(value('vkyc_transitions_total{source="MUTATION",verdict="MOVED"}')).toBeGreaterThanOrEqual(1);
  expect(value('vkyc_transitions_total{source="WEBHOOK",verdict="DISPUTED"}')).toBe(1);
  expect(value('vkyc_unrecognized_states_total')).toBe(1);
  expect(value('vkyc_subscriptions_started_total{log="all",from="past"}')).toBe(1);
  expect(value('vkyc_subscriptions_started_total{log="session",from="now"}')).toBe(1);
  expect(value('vkyc_feed_delivery_seconds_count{log="all"}')).toBeGreaterThanOrEqual(4);
  expect(value('vkyc_connections_opened_total{transport="sse"}')).toBe(1);
  expect(value('vkyc_connections_closed_total{transport="websocket",code="1000"}')).toBe(1);
  expect(scraped.text).not.toMatch(/NameOfAClient|alias|seen\.awaits|ravi|NEVER_HEARD_OF/);
});

test('a metric counts the database connections of each pool, also of the statistics pool', async () => {
  const { value } = await scrape(gateway);

  for (const pool of ['reads', 'writes', 'statistics']) {
    expect(value(`vkyc_database_connections{pool="${pool}",state="idle"}`), pool).toBeGreaterThan(0);
    expect(value(`vkyc_database_waiting{pool="${pool}"}`), pool).toBe(0);
  }
});

test('concurrent scrapes of /metrics share one query that counts the backlog', async () => {
  await eventually(async () => {
    const { value } = await scrape(gateway);
    const [pending, parked] = ['PENDING', 'PARKED'].map((state) =>
      value(`vkyc_inbox_webhooks{state="${state}"}`),
    );
    return pending === 0 && parked === 1;
  });
  const asked = countStatements('webhook_inbox where state');
  const begun = performance.now();
  const [{ value, text }] = (await Promise.all(Array.from({ length: 50 }, () => scrape(gateway)))) as [
    Scrape,
  ];

  expect(asked()).toBeLessThanOrEqual(1 + (performance.now() - begun) / 3_000);
  for (const line of [
    'vkyc_database_up 1',
    'vkyc_database_takes_writes 1',
    'vkyc_doorbell_connected 1',
    'vkyc_feed_lag_seconds 0',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text).toMatch(/^vkyc_inbox_oldest_seconds 0$/m);
  expect(value('vkyc_provider_calls_left{purpose="MUTATION"}')).toBeGreaterThan(5_900);
  expect(value('vkyc_provider_calls_left{purpose="MUTATION"}')).toBeLessThan(6_000);
});

test('metric names follow the naming conventions of Prometheus', () => {
  for (const [name, type] of scraped.types) {
    if (OF_THE_PROCESS.test(name)) continue;
    expect(name).toMatch(/^vkyc_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});

test('operation names and paths chosen by clients create no new metric series', async () => {
  // Counts only metrics whose labels clients could influence. Gauges of the database may be missing if the
  // database is slow.
  const count = async () => (await scrape(gateway)).text.match(/^vkyc_(http|graphql|mutation)_/gm)?.length;
  const ask = async (round: number) => {
    await gateway.graphql(`query Name${round} { a${round}: viewer { id } }`);
    await gateway.graphql(`{ nothing${round} }`);
    await (await fetch(`${gateway.url}/nothing/${round}`)).arrayBuffer();
  };
  await ask(0);
  const before = await count();

  for (let round = 1; round <= 20; round += 1) await ask(round);

  expect(await count()).toBe(before);
});

test('every metric and label used by the dashboard and the alert rules exists', async () => {
  const { dashboard, alerts } = await shippedExpressions();
  expect(Math.min(dashboard.length, alerts.length)).toBeGreaterThan(15);

  for (const { metric, labels, by } of [...dashboard, ...alerts].flatMap(usesOf)) {
    const known = scraped.series.get(metric);
    expect(known, `${metric} of ${by}`).toBeDefined();
    // Checks labels only of metrics with samples, because the labels of other metrics are unknown.
    if (scraped.text.includes(`\n${metric}{`))
      expect([...(known ?? []), ...OF_PROMETHEUS], by).toEqual(expect.arrayContaining([...labels]));
  }
});

test('every metric of the gateway is on the dashboard', async () => {
  const { dashboard } = await shippedExpressions();
  const used = new Set(dashboard.flatMap(usesOf).map(({ metric }) => metric));

  const unused = [...scraped.types].filter(
    ([name, type]) =>
      !OF_THE_PROCESS.test(name) &&
      !(type === 'histogram' ? [`${name}_bucket`, `${name}_count`] : [name]).some((each) => used.has(each)),
  );
  expect(unused).toEqual([]);
});
