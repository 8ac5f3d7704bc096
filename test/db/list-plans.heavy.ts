/**
 * Reads lists of sessions with every filter and order, among a million sessions (SESSIONS sets another number): none reads
 * many more rows than there are open sessions, also once PostgreSQL may choose a generic plan.
 */
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { createDatabasePools, type DatabasePools } from '../../src/db/connection/client.ts';
import {
  countSessionsUpTo,
  readSessionPage,
  type SessionFilter,
  type SessionOrder,
  type SessionPageRequest,
} from '../../src/db/sessions/sessions.ts';
import { getStatusInfo, type KnownSubStatus, toStatusPair } from '../../src/domain/status.ts';
import { atTheEnd, freshDatabase } from '../harness/gateway.ts';
import { onStatement, type Statement } from '../harness/statements.ts';

const SESSIONS = Number(process.env.SESSIONS ?? 1_000_000);
const MINUTE = 60_000;
/** Number of sessions at which a count ends. */
const MOST_COUNTED = 10_001;
/** Part of the sessions that have not ended. */
const OPEN_PART = 0.03;
/**
 * Maximum number of rows that a list may read, in all tables and indexes. Without an index for both the filter and the
 * order, the cheapest way to a page reads some thousands, or the open sessions.
 */
const MOST_ROWS = Math.max(15_000, SESSIONS * OPEN_PART * 1.4);
/**
 * Maximum number of rows that a count may read: not all sessions, but all that pass its most selective condition, such as
 * the labels of half of them.
 */
const MOST_ROWS_OF_COUNT = Math.max(60_000, SESSIONS * 0.6);
/** PostgreSQL makes a plan for the given values this often, before it may choose a plan for all values. */
const CUSTOM_PLANS = 5;

/** Steps of sessions that have not ended, each with its share in tenths. */
const OPEN: readonly KnownSubStatus[] = [
  ...(['LINK_GENERATED', 'LINK_GENERATED', 'LINK_GENERATED', 'USER_DROPPED_OFF'] as const),
  ...(['USER_QUEUED', 'AGENT_ENDED_CALL', 'USER_ENDED_CALL', 'AGENT_APPROVED'] as const),
  ...(['USER_MEETING_SCHEDULED', 'AADHAAR_VERIFICATION_FAILED'] as const),
];
/** Last steps of sessions that have ended, each with its share in tenths. */
const ENDED: readonly KnownSubStatus[] = [
  ...Array.from({ length: 6 }, () => 'AUDITOR_APPROVED' as const),
  ...(['AUDITOR_REJECTED', 'VKYC_EXPIRED', 'VKYC_EXPIRED', 'REJECTED_BY_MERCHANT'] as const),
];

let database: pg.Pool;
let connection: DatabasePools;

beforeAll(async () => {
  const url = await freshDatabase();
  database = new pg.Pool({ connectionString: url, max: 1 });
  connection = createDatabasePools(url, 2, () => {});
  atTheEnd(async () => {
    await connection.close();
    await database.end();
  });
  await withoutIndexes(async () => {
    await database.query(
      `insert into vkyc_user (id, user_id, personal, created_at)
       select gen_random_uuid(), 'user-' || n, '', now() from generate_series(0, $1::int - 1) n`,
      [SESSIONS / 4],
    );
    await database.query(
      `insert into vkyc_session (id, verification_id, reference_id, user_id, status, sub_status, waiting_on, version, last_sequence, disputed,
         escalated, closed, replaced, decided_here, provider_status, provider_sub_status, provider_webhooks, provider_heard_at, unsettled,
         status_since, created_at, updated_at, link_expires_at, meeting_at, due_at, assigned_agent, assigned_at, assigned_until)
       select gen_random_uuid(), 'loan-' || n || '.' || (array['pune', 'delhi', 'mumbai', 'surat'])[1 + n % 4], (700000000 + n * 7)::text,
         u.id, step.status, step.sub_status, step.waiting_on, 1, 1, n % 5003 = 0, n % 4001 = 0, n % 307 = 0, n % 401 = 0, false, '', '', 0, now(), false,
         s.since, s.created, s.since + (n % 700) * interval '1 second', s.created + interval '10 days',
         case step.sub_status when 'USER_MEETING_SCHEDULED' then now() + (n % 10000 - 2000) * interval '1 minute' end,
         case when step.open then s.since + interval '1 day' end,
         case when step.open and n % 40 = 0 then 'agent-' || n % 49 end, case when step.open and n % 40 = 0 then s.since end,
         case when step.open and n % 40 = 0 then now() + (n % 3 - 1) * interval '1 hour' end
       from generate_series(0, $1::int - 1) n
       -- The newest three percent of the sessions have not ended, and a few of the older ones.
       join unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) with ordinality step (status, sub_status, waiting_on, open, place)
         on step.place = case when n > $1 * (1 - $6::float8) or n % 211 = 0 then 1 else 11 end + (n / 7) % 10
       cross join lateral (select now() - ($1 - n) * interval '20 seconds' as created,
         now() - ($1 - n) * interval '20 seconds' + least(n % 5000, ($1 - n) / 4) * interval '1 minute' as since) s
       join (select id, row_number() over () as number from vkyc_user) u on u.number = 1 + n % ($1 / 4)`,
      [SESSIONS, ...columnsOf([...OPEN, ...ENDED]), OPEN_PART],
    );
    await database.query(
      `insert into session_term select id, verification_id from vkyc_session union all select id, reference_id from vkyc_session`,
    );
    await database.query(
      `insert into session_label (session_id, metadata, tags)
       select id, jsonb_build_object('branch', 'b' || n % 900, 'channel', 'web'), array['campaign-' || n % 700, 'web']
       from (select id, row_number() over () as n from vkyc_session) s where n % 2 = 0`,
    );
  });
  await database.query('vacuum analyze');
}, 1_800_000);

/** Returns the columns of the status, sub-status, waiting party and openness of sessions at these steps. */
function columnsOf(steps: readonly KnownSubStatus[]): [string[], string[], string[], boolean[]] {
  const all = steps.map((subStatus) => getStatusInfo(toStatusPair(subStatus)));
  return [
    all.map(({ status }) => status),
    all.map(({ subStatus }) => subStatus),
    all.map(({ waitingOn }) => waitingOn),
    all.map(({ terminal }) => !terminal),
  ];
}

/** Runs `fill` without the triggers of sessions, and without the indexes that it would update row by row. */
async function withoutIndexes(fill: () => Promise<void>): Promise<void> {
  const { rows } = await database.query(
    `select indexname as name, indexdef as definition from pg_indexes
     where schemaname = 'public' and tablename in ('vkyc_session', 'session_term', 'session_label') and indexdef not like 'CREATE UNIQUE%'`,
  );
  await database.query('alter table vkyc_session disable trigger user');
  for (const { name } of rows) await database.query(`drop index ${name}`);
  await fill();
  await database.query(`set maintenance_work_mem = '512MB'`);
  for (const { definition } of rows) await database.query(definition);
  await database.query('alter table vkyc_session enable trigger user');
}

const now = new Date();
const inMinutes = (minutes: number) => new Date(now.getTime() + minutes * MINUTE);

const FILTERS: Readonly<Record<string, SessionFilter>> = {
  none: {},
  'status of most': { status: ['AUDITOR_REVIEWED'] },
  'status of few': { status: ['AGENT_REVIEWED'] },
  'two statuses': { status: ['VIDEO_CALL', 'AGENT_REVIEWED'] },
  'sub-status of most': { subStatus: ['AUDITOR_APPROVED'] },
  'calls to review': { subStatus: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'] },
  'approvals to audit': { waitingOn: ['AUDITOR'] },
  'waiting on the merchant': { waitingOn: ['MERCHANT'] },
  'waiting on somebody': { waitingOn: ['AGENT', 'AUDITOR', 'MERCHANT', 'CUSTOMER'] },
  userId: { userId: 'user-77' },
  verificationIdPrefix: { verificationIdPrefix: `loan-${SESSIONS / 2}` },
  'verificationIdPrefix of all': { verificationIdPrefix: 'loan-' },
  createdAfter: { createdAfter: inMinutes(-60) },
  createdBefore: { createdBefore: inMinutes(-(SESSIONS / 3) + 30) },
  'created within an hour': { createdAfter: inMinutes(-5 * 1440), createdBefore: inMinutes(-5 * 1440 + 60) },
  updatedAfter: { updatedAfter: inMinutes(-30) },
  linkExpiresBefore: { linkExpiresBefore: inMinutes(60) },
  'a meeting within an hour': { meetingFrom: now, meetingTo: inMinutes(60) },
  'a meeting from now on': { meetingFrom: now },
  'a meeting before now': { meetingTo: now },
  disputed: { disputed: true },
  'not disputed': { disputed: false },
  escalated: { escalated: true },
  closed: { closed: true },
  replaced: { replaced: true },
  assignedTo: { assignedTo: 'agent-7', now },
  assigned: { assigned: true, now },
  'not assigned': { assigned: false, now },
  overdue: { overdue: true, now },
  'not overdue': { overdue: false, now },
  tags: { tags: ['campaign-7', 'web'] },
  'a tag of half of all': { tags: ['web'] },
  metadata: { metadata: { branch: 'b7' } },
  'a customer': { verificationIds: ['loan-1.delhi', 'loan-2.mumbai'] },
  'search of 3 letters that all have': { search: 'loa' },
  'search of 3 digits': { search: '999' },
  'search of 4 letters': { search: 'PUNE' },
  'search of 5 digits': { search: '77777' },
  'search of 6 digits': { search: '123456' },
  'search of 8 letters': { search: '9.mumbai' },
  'search of none': { search: 'zzzzzz' },
  'overdue calls to review': {
    overdue: true,
    subStatus: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'],
    now,
  },
  'my overdue sessions': { overdue: true, assignedTo: 'agent-7', now },
  'unassigned work of agents': { waitingOn: ['AGENT'], assigned: false, now },
  'disputed approvals of a week': { disputed: true, createdAfter: inMinutes(-7 * 1440) },
  'a tag among open sessions': { tags: ['campaign-7'], waitingOn: ['CUSTOMER'] },
  'a search among ended sessions': { search: 'pune', status: ['EXPIRED'] },
};

const FIELDS = ['CREATED_AT', 'UPDATED_AT', 'STATUS_SINCE', 'DUE_AT', 'MEETING_AT'] as const;
const ORDERS: readonly SessionOrder[] = FIELDS.flatMap((field) =>
  (['ASC', 'DESC'] as const).map((direction) => ({ field, direction })),
);
const PAGE: Omit<SessionPageRequest, 'order'> = {
  limit: 101,
  end: 'FIRST',
  after: null,
  before: null,
  shape: { detail: 'SUMMARY', withUser: true },
};

/** Returns the statement that `run` sends about sessions; null if it sends none. */
async function statementOf(run: () => Promise<unknown>): Promise<Statement | null> {
  const sent: Statement[] = [];
  const stop = onStatement((statement) => void sent.push(statement));
  // Neither the time nor the rows of this execution count.
  await run().finally(stop);
  return sent.findLast(({ text }) => text.includes('vkyc_session')) ?? null;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

const rowsOf = (node: PlanNode): number =>
  // Entries of a bitmap index scan are not counted: their rows are those of the bitmap heap scan.
  /Scan$/.test(node['Node Type']) && !['Subquery Scan', 'Bitmap Index Scan'].includes(node['Node Type'])
    ? node['Actual Loops'] *
      (node['Actual Rows'] +
        (node['Rows Removed by Filter'] ?? 0) +
        (node['Rows Removed by Index Recheck'] ?? 0))
    : 0;

/** Names the node that reads most rows. */
function scanOf(nodes: readonly PlanNode[]): string {
  const [largest] = nodes.toSorted((one, other) => rowsOf(other) - rowsOf(one));
  return `${largest?.['Node Type']} on ${largest?.['Index Name'] ?? largest?.['Relation Name']}`;
}

const toLiteral = (value: unknown): string => {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return toLiteral(`{${value.map((each) => JSON.stringify(each)).join(',')}}`);
  return pg.escapeLiteral(value instanceof Date ? value.toISOString() : String(value));
};

/**
 * Executes a statement; one that connections prepare, as often as the gateway does before its plan is settled. Returns the
 * problems of its plans.
 */
async function problemsOf(statement: Statement | null, mostRows: number): Promise<string[]> {
  // A count that is known to be above its limit is not counted.
  if (!statement) return [];
  const { text, values, name } = statement;
  const problems = new Set<string>();
  await database.query(`prepare listed as ${text}`);
  const given = values.length > 0 ? `(${values.map(toLiteral).join(', ')})` : '';
  for (let times = 0; times < (name === undefined ? 1 : CUSTOM_PLANS + 2); times += 1) {
    if (times > 0 && times < CUSTOM_PLANS) {
      await database.query(`explain execute listed${given}`);
      continue;
    }
    const { rows } = await database.query(
      `explain (analyze, timing off, format json) execute listed${given}`,
    );
    const { Plan: plan, 'Execution Time': ms } = rows[0]['QUERY PLAN'][0];
    const nodes = nodesOf(plan);
    const read = nodes.reduce((sum, node) => sum + rowsOf(node), 0);
    const kind = times < CUSTOM_PLANS ? 'first' : 'settled';
    if (read > mostRows)
      problems.add(`${kind} plan reads ${Math.round(read)} rows (${ms.toFixed(0)} ms) by ${scanOf(nodes)}`);
  }
  await database.query('deallocate listed');
  return [...problems];
}

test.each(Object.entries(FILTERS))(
  'a list with the filter `%s` reads few rows in every order, and so does its count',
  { timeout: 300_000 },
  async (_name, filter) => {
    const problems: string[] = [];
    for (const order of ORDERS) {
      const listed = await statementOf(() => readSessionPage(connection.db, filter, { ...PAGE, order }));
      const found = await problemsOf(listed, MOST_ROWS);
      problems.push(...found.map((problem) => `${order.field} ${order.direction}: ${problem}`));
      if (order.direction === 'DESC') continue;
      const counted = await statementOf(() => countSessionsUpTo(connection.db, filter, order, MOST_COUNTED));
      const ofCount = await problemsOf(counted, MOST_ROWS_OF_COUNT);
      problems.push(...ofCount.map((problem) => `count of ${order.field}: ${problem}`));
    }
    expect(problems).toEqual([]);
  },
);
