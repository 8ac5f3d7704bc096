/**
 * Checks the plans that PostgreSQL really used: its extension auto_explain writes them to the server log as
 * JSON.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { AUDIT_KEYS, atTheEnd, bootGateway, DATA_KEYS, type Gateway } from '../harness/gateway.ts';
import { startOwnPostgres } from '../harness/own-postgres.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { travel } from '../journeys/journeys.ts';

const JOURNEYS = 4;
const LARGE = 5_000;

const LOG_EVERY_PLAN = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_format': 'json',
  log_line_prefix: '%a|',
  fsync: 'off',
  // Autovacuum would update the planner's statistics, which each test sets on purpose.
  autovacuum: 'off',
};

interface Plan {
  readonly query: string;
  readonly cost: number;
  /**
   * Types of plan nodes that the plan uses although a setting (enable_…) disables them. PostgreSQL marks them
   * since version 18.
   */
  readonly disabled: readonly string[];
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Total Cost': number;
  readonly Disabled?: boolean;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Reads from a server log the plans of all statements that the gateway and its commands sent. */
function readPlans(log: string): Plan[] {
  // Lines of a log entry after the first one (the JSON of its plan) begin with a tab.
  const entries = log.matchAll(/^vkyc-gateway[^|\n]*\|LOG: .*? plan:\n((?:\t.*\n)+)/gm);
  return [...entries].map(([, json = '']) => {
    const { 'Query Text': query, Plan: root } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
    const disabled = nodesOf(root).filter((node) => node.Disabled);
    return { query, cost: root['Total Cost'], disabled: disabled.map((node) => node['Node Type']) };
  });
}

async function fill(database: pg.Pool): Promise<void> {
  await database.query(
    `insert into vkyc_user (id, user_id, personal, created_at) select gen_random_uuid(), 'user-' || n, '', now() from generate_series(1, 300) n`,
  );
  await database.query(
    `insert into vkyc_session (id, verification_id, user_id, status, sub_status, waiting_on, version, last_sequence, disputed, decided_here,
       provider_status, provider_sub_status, provider_webhooks, provider_heard_at, unsettled, status_since, created_at, updated_at)
     select gen_random_uuid(), 'large.' || n, u.id, 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 'NOBODY', 1, 1, false, false, '', '', 1, now(), false,
       now() - n * interval '1 minute', now() - n * interval '1 minute', now() - n * interval '1 minute'
     from generate_series(1, $1::int) n join (select id, row_number() over () as number from vkyc_user) u on u.number = 1 + n % 300`,
    [LARGE],
  );
  await database.query(
    `with logged as (
       insert into status_transition (session_id, sequence, status, sub_status, verdict, source, recorded_at)
       select id, 1, 'RECEIVED', 'LINK_GENERATED', 'MOVED', 'WEBHOOK', created_at from vkyc_session returning session_id
     ), heard as (
       insert into provider_sighting (session_id, sequence, raw_status, raw_sub_status, event_time)
       select session_id, 1, 'A', 'B', now() from logged
     )
     insert into feed (position, session_id, sequence) select row_number() over (), session_id, 1 from logged`,
  );
  await database.query(
    `insert into webhook_inbox (body_hash, body, verification_id, state, received_at)
     select decode(md5(n::text), 'hex'), '', 'large.' || n, 'DONE', now() from generate_series(1, $1::int) n`,
    [LARGE],
  );
}

const READS = `{
  sessions(first: 20) { totalCount nodes { verificationId link user { userId } meeting { startsAt } meetings(first: 5) { nodes { status } }
    reviews { decision } transitions(first: 10) { nodes { sequence subStatus } } replaces { id } replacedBy { id } } }
  some: sessions(first: 20, filter: { status: [VIDEO_CALL], verificationIdPrefix: "every-status." }) { nodes { verificationId } }
  sessionStats { total byStatus { count } funnel { reached medianSecondsToReach medianSecondsSpent } intervals { started } }
  feedCursor
}`;

async function command(gateway: Gateway, name: string, ...args: string[]): Promise<void> {
  const env = { PATH: process.env.PATH, DATABASE_URL: gateway.databaseUrl, DATA_KEYS, AUDIT_KEYS };
  // Ignores failures: `audit verify` fails on sessions that a test inserted without an audit chain.
  await promisify(execFile)('node', [`.build/commands/${name}.js`, ...args], { env }).catch(() => {});
}

/** Uses most features of a gateway and its commands, so that PostgreSQL plans nearly all of their SQL statements. */
async function work(gateway: Gateway, seed: string): Promise<void> {
  await travel({ gateway, seed, count: JOURNEYS, webhooks: 'every-status', onProgress: () => {} });
  await webhooksSettled(gateway.database);
  const { errors } = await gateway.graphql(READS);
  expect(errors).toBeUndefined();
  const { startCursor } = await gateway.start('plans.followed');
  const feed = gateway.subscribe('subscription ($after: String) { feed(after: $after) { __typename } }', {
    after: startCursor,
  });
  await gateway.advance('plans.followed', 2);
  await feed.take(2);
  await feed.stop();
  await command(gateway, 'inbox', 'list');
  await command(gateway, 'audit', 'verify');
}

const STATES: [string, (database: pg.Pool) => Promise<unknown>][] = [
  ['an empty database', async () => {}],
  [
    'a large database',
    async (database) => {
      await fill(database);
      await database.query('vacuum analyze');
    },
  ],
  [
    'a database that has grown since its statistics were gathered',
    async (database) => {
      await database.query('vacuum analyze');
      await fill(database);
    },
  ],
];

test.each(STATES)(
  'on %s, no plan of a gateway statement uses a disabled node type, or costs so much that PostgreSQL would compile the plan (JIT)',
  {
    timeout: 300_000,
  },
  async (state, bring) => {
    const folder = await mkdtemp(join(tmpdir(), 'vkyc-plans-'));
    atTheEnd(() => rm(folder, { recursive: true, force: true }));
    const { url } = await startOwnPostgres(folder, LOG_EVERY_PLAN);
    const owner = new pg.Pool({ connectionString: url, max: 1 });
    await bring(owner);
    const { jit_above_cost: limit } = (await owner.query('show jit_above_cost')).rows[0];
    await owner.end();

    const gateway = await bootGateway({ database: url, polling: true });
    await work(gateway, state);
    await gateway.stop();

    const plans = readPlans(await readFile(join(folder, 'postgres.log'), 'utf8'));
    expect(plans.some(({ query }) => query.includes('delete from transition_outbox'))).toBe(true);
    expect(new Set(plans.map(({ query }) => query)).size).toBeGreaterThan(60);
    expect(plans.filter(({ cost, disabled }) => cost > Number(limit) || disabled.length > 0)).toEqual([]);
  },
);
