import { expect, test } from 'vitest';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { onStatement } from '../harness/statements.ts';

/** Collects the SQL statements of GraphQL queries. Leaves out statements that the gateway sends in the background. */
function countStatements(): string[] {
  const seen: string[] = [];
  onStatement(({ text }) => {
    const ofPages = /from "?(vkyc_|status_|meeting|review|session_label)|unnest/.test(text);
    if (ofPages && !/webhook_inbox|where [^;]*next_poll_at/.test(text)) seen.push(text);
  });
  return seen;
}

const PAGE = `query ($first: Int) {
  sessions(first: $first) {
    nodes { verificationId user { userId } meeting { startsAt } meetings(first: 5) { nodes { status } } reviews { decision } metadata { key value } tags availableActions transitions(first: 10) { nodes { sequence statusInfo { explanation } session { id } } } }
  }
}`;

async function statementsOf(gateway: Gateway, seen: string[], first: number): Promise<number> {
  seen.length = 0;
  const { data } = await gateway.graphql(PAGE, { first });
  expect(data.sessions.nodes).toHaveLength(first);
  expect(data.sessions.nodes.every((node: any) => node.transitions.nodes.length > 0)).toBe(true);
  return seen.length;
}

// Invariant 17 of ARCHITECTURE.md
test('a page of 50 sessions with nested users, meetings, reviews, labels and transitions takes as many SQL statements as a page of 5', async () => {
  const gateway = await bootGateway({ bothWays: false });
  await Promise.all(Array.from({ length: 50 }, (_, index) => gateway.start(`page.${index}`)));
  // Waits until the webhooks that the sandbox sends for each start are processed, because their statements
  // would be counted.
  await eventually(async () => {
    const { rows } = await gateway.database.query(
      `select count(*)::int as done from webhook_inbox where state = 'DONE'`,
    );
    return rows[0].done === 50;
  });
  const seen = countStatements();

  const five = await statementsOf(gateway, seen, 5);
  const fifty = await statementsOf(gateway, seen, 50);

  expect(fifty).toBe(five);
  expect(five).toBeGreaterThan(3);
  expect(fifty).toBeLessThanOrEqual(7);
});

const NOTED = `query ($first: Int) {
  sessions(first: $first) {
    nodes { notes(first: 2) { nodes { id } pageInfo { hasNextPage } } meetings(first: 5) { nodes { reason } } }
  }
}`;

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly PlanNode[];
}

/** Returns how many rows of annotations a plan read, after its filters. */
const readByPlan = (node: PlanNode): number =>
  (node['Relation Name'] === 'annotation' ? node['Actual Rows'] * node['Actual Loops'] : 0) +
  (node.Plans ?? []).reduce((sum, each) => sum + readByPlan(each), 0);

// Invariant 17 of ARCHITECTURE.md
test('a page of sessions with notes and reasons of meetings takes as many statements for 30 sessions as for 3, and reads no more notes than it shows', async () => {
  const gateway = await bootGateway({ bothWays: false });
  const { database } = gateway;
  await Promise.all(Array.from({ length: 30 }, (_, index) => gateway.start(`noted.${index}`)));
  await database.query(
    `insert into annotation (id, session_id, sequence, kind, author, recorded_at)
     select gen_random_uuid(), s.id, 1000 + n, 'NOTE', 'olga', now() from vkyc_session s, generate_series(1, 200) n`,
  );
  await database.query(
    `insert into meeting (id, session_id, starts_at, status, source, created_at)
     select gen_random_uuid(), id, now() + interval '1 hour', 'SCHEDULED', 'MUTATION', now() from vkyc_session`,
  );
  await database.query('vacuum analyze annotation');
  const seen: { text: string; values: unknown[] }[] = [];
  onStatement(({ text, values }) => {
    if (/from "?(annotation|meeting)\b/.test(text) && !text.startsWith('explain'))
      seen.push({ text, values });
  });
  const asked = async (first: number) => {
    seen.length = 0;
    const { data } = await gateway.graphql(NOTED, { first });
    expect(data.sessions.nodes).toHaveLength(first);
    for (const { notes } of data.sessions.nodes)
      expect(notes).toMatchObject({ nodes: { length: 2 }, pageInfo: { hasNextPage: true } });
    return [...seen].filter(({ text }) => text.includes('annotation'));
  };

  const three = await asked(3);
  const thirty = await asked(30);

  expect(thirty).toHaveLength(three.length);
  expect(thirty).toHaveLength(2);
  let read = 0;
  for (const { text, values } of thirty) {
    const { rows } = await database.query(`explain (analyze, format json) ${text}`, values);
    read += readByPlan(rows[0]['QUERY PLAN'][0].Plan);
  }
  expect(read).toBe(30 * 3);
});

const CALENDAR = `query ($first: Int) {
  meetings(first: $first) { nodes { startsAt status reason session { verificationId status user { userId } meeting { id } } } }
}`;

test('a page of 50 meetings with their sessions and users takes as many SQL statements as a page of 5', async () => {
  const gateway = await bootGateway({ bothWays: false });
  await Promise.all(Array.from({ length: 50 }, (_, index) => gateway.start(`page.${index}`)));
  await webhooksSettled(gateway.database);
  await gateway.database.query(
    `insert into meeting (id, session_id, starts_at, status, source, created_at)
     select gen_random_uuid(), id, now() + interval '1 day', 'SCHEDULED', 'MUTATION', now() from vkyc_session`,
  );
  const seen = countStatements();
  const pageOf = async (first: number) => {
    seen.length = 0;
    const { data } = await gateway.graphql(CALENDAR, { first });
    expect(data.meetings.nodes).toHaveLength(first);
    return seen.length;
  };

  const five = await pageOf(5);
  expect(await pageOf(50)).toBe(five);
  expect(five).toBeLessThanOrEqual(5);
});
