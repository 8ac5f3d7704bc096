import { expect, test } from 'vitest';
import { eventually } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { onStatement } from '../harness/statements.ts';
import { MINUTE, polledGateway, webhookOf } from '../reconciling/polled.ts';

const READ = `query ($id: ID!) {
  feedCursor
  session(id: $id) { version user { phone name } meetings { id } reviews { id } transitions(first: 5) { nodes { sequence } } }
  sessions(first: 5) { nodes { id } totalCount }
}`;

/** Matches statements that write, lock or notify. */
const WRITES =
  /\b(insert into|update|delete from|for update|for share|pg_notify|add_jobs?|set_config|pg_advisory\w*|pg_try_advisory\w*)\b/i;
/**
 * Match the begin and the end of a transaction. The statements between them are exempt, because they must use
 * the transaction's connection.
 */
const [BEGIN, END] = [/^begin\b/i, /^(commit|rollback)\b/i];

test('outside transactions, reading statements use the read pool and writing ones the write pool', async () => {
  const sent = new Map<string, Set<string>>();
  const open = new WeakSet<object>();
  onStatement(({ text, client }) => {
    const pool = (client as any).connectionParameters.application_name as string;
    if (BEGIN.test(text)) open.add(client);
    const alone = !open.has(client);
    if (END.test(text)) open.delete(client);
    const statements = sent.get(pool) ?? new Set();
    sent.set(pool, statements);
    // Leaves out statements of the job queue (graphile_worker): its functions write, although their text does
    // not show it.
    if (alone && !text.includes('graphile_worker') && !text.startsWith('set ')) statements.add(text);
  });
  const { gateway, clock } = await polledGateway();
  const { id } = await gateway.start('pools.happy-path');
  const live = gateway.subscribe('subscription { feed { __typename } }');
  await live.next();
  await gateway.advance('pools.happy-path', 3);
  await gateway.webhook(webhookOf('stranger.1', 'RECEIVED', 'LINK_GENERATED', 1));
  await gateway.graphql(READ, { id });
  const agent = await person(gateway, 'an agent', 'AGENT');
  await agent.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
  await agent.act('cancelMeeting', id);
  await gateway.graphql('mutation ($id: ID!) { refreshSession(sessionId: $id) { __typename } }', { id });
  const heardAt = async () =>
    (await gateway.database.query('select provider_heard_at as at from vkyc_session')).rows[0].at.getTime();
  clock.forward(15 * MINUTE);
  await eventually(async () => (await heardAt()) >= clock.now().getTime() - MINUTE);

  const reads = [...(sent.get('vkyc-gateway reads') ?? [])];
  const writes = [...(sent.get('vkyc-gateway') ?? [])];

  expect(reads.length).toBeGreaterThan(10);
  expect(reads.filter((text) => WRITES.test(text))).toEqual([]);
  expect(writes.length).toBeGreaterThan(3);
  expect(writes.filter((text) => !WRITES.test(text))).toEqual([]);
});
