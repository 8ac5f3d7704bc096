import { expect, test } from 'vitest';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
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

// Invariant 17
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
