import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { findAuditHeads, findAuditHeadsOfVerifications } from '../../src/db/audit/audit.ts';
import { createDatabasePools, type DatabasePools, type Transaction } from '../../src/db/connection/client.ts';
import { readQueueDepthsAndCallUse } from '../../src/db/connection/readiness.ts';
import { findOverdueSessions } from '../../src/db/sessions/deadlines.ts';
import { assignFeedPositionsAtCommit, readNewestFeedEntries } from '../../src/db/sessions/feed.ts';
import {
  countBookingsByStart,
  countMeetingsOfOtherSessions,
  countMeetingsUpTo,
  type MeetingPageRequest,
  readMeetingPage,
} from '../../src/db/sessions/meeting-times.ts';
import { lockAssignedSessionInQueue, lockNextUnassignedSession } from '../../src/db/sessions/queues.ts';
import { countSessionsByState } from '../../src/db/sessions/session-stats.ts';
import {
  lockSessions,
  readSessionPage,
  type SessionFilter,
  type SessionListItem,
  type SessionOrder,
} from '../../src/db/sessions/sessions.ts';
import { findEarlierObservationTimes } from '../../src/db/sessions/transitions.ts';
import { forceIndexPlans, SessionWriteBatch } from '../../src/db/sessions/write-batch.ts';
import { claimWebhooks, lockImmediatelyRecordableSessions } from '../../src/db/webhooks/inbox.ts';
import { atTheEnd, bootGateway, freshDatabase } from '../harness/gateway.ts';
import { onStatement, type Statement } from '../harness/statements.ts';

const SESSIONS = 30_000;
let url: string;
let database: pg.Pool;
let connection: DatabasePools;

beforeAll(async () => {
  url = await freshDatabase();
  database = new pg.Pool({ connectionString: url, max: 2 });
  connection = createDatabasePools(url, 2, () => {});
  atTheEnd(async () => {
    await connection.close();
    await database.end();
  });
  await database.query(`insert into vkyc_user (id, user_id, personal, created_at)
    select gen_random_uuid(), 'user-' || n, '', now() from generate_series(1, 300) n`);
  await database.query(
    `insert into vkyc_session (id, verification_id, user_id, status, sub_status, waiting_on, version, last_sequence, disputed, decided_here,
       provider_status, provider_sub_status, provider_webhooks, provider_heard_at, unsettled, status_since, meeting_at, link_expires_at, created_at, updated_at)
     select gen_random_uuid(), 'plan.' || n, u.id,
       case when n % 50 = 0 then 'AUDITOR_REVIEWED' when n % 51 = 0 then 'RECEIVED' else 'VIDEO_CALL' end,
       case when n % 50 = 0 then 'AUDITOR_APPROVED' when n % 51 = 0 then 'LINK_GENERATED' else 'AGENT_ENDED_CALL' end,
       case when n % 50 = 0 then 'NOBODY' when n % 51 = 0 then 'CUSTOMER' else 'AGENT' end,
       1, 1, false, false, '', '', 0, now(), false, now() - (n % 991) * interval '1 minute', case when n % 53 = 0 then now() + n * interval '1 minute' end, now() + n * interval '1 minute', now() - n * interval '1 minute', now() - (n % 997) * interval '1 minute'
     from generate_series(1, $1::int) n join (select id, row_number() over () as number from vkyc_user) u on u.number = 1 + n % 300`,
    [SESSIONS],
  );
  await database.query(
    `insert into session_label (session_id, metadata, tags)
     select id, jsonb_build_object('branch', 'b' || n % 500, 'channel', 'web'), array['campaign-' || n % 700, 'web']
     from (select id, row_number() over () as n from vkyc_session) s`,
  );
  await database.query('analyze');
  // Moves the entries of the rows above from the pending list of each GIN index to the index, as autovacuum does.
  await database.query('vacuum analyze session_label');
});

/** Returns the SQL statements that are sent while `run` runs. */
async function statementsOf(run: () => Promise<unknown>): Promise<Statement[]> {
  const sent: Statement[] = [];
  const stop = onStatement((statement) => void sent.push(statement));
  await run().finally(stop);
  return sent;
}

/** Returns PostgreSQL's plan (EXPLAIN) of a statement with its values. */
async function explain(by: pg.Pool | pg.PoolClient, { text, values }: Statement): Promise<string> {
  const { rows } = await by.query(`explain ${text}`, values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

interface Planned extends Statement {
  readonly plan: string;
}

/**
 * Runs a transaction. Returns each statement with its generic plan, made under the settings of the
 * transaction.
 */
async function planTransaction(
  pool: pg.Pool,
  run: (tx: Transaction) => Promise<unknown>,
  db = connection.db,
): Promise<Planned[]> {
  const sent = await statementsOf(() => db.transaction(run));
  const client = await pool.connect();
  const planned: Planned[] = [];
  try {
    await client.query('begin');
    for (const statement of sent)
      if (/^(begin|commit)\b/.test(statement.text)) continue;
      else if (statement.text.includes('set_config')) await client.query(statement.text);
      else planned.push({ ...statement, plan: await explainGeneric(client, statement) });
  } finally {
    await client.query('rollback');
    client.release();
  }
  return planned;
}

async function explainGeneric(client: pg.PoolClient, { text, values }: Statement): Promise<string> {
  await client.query(`prepare explained as ${text}`);
  const given = values.map(() => 'null').join(', ');
  const { rows } = await client.query(`explain execute explained${given && `(${given})`}`);
  await client.query('deallocate explained');
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

async function planOf(run: () => Promise<unknown>, about = 'vkyc_session'): Promise<string> {
  const statement = (await statementsOf(run)).find(({ text }) => text.includes(about));
  return explain(database, statement as Statement);
}

const FILTERS: [string, SessionFilter][] = [
  ['nothing (all sessions)', {}],
  ['status', { status: ['AUDITOR_REVIEWED'] }],
  ['subStatus', { subStatus: ['LINK_GENERATED'] }],
  ['waitingOn', { waitingOn: ['CUSTOMER'] }],
  ['userId', { userId: 'user-7' }],
  ['verificationIdPrefix', { verificationIdPrefix: 'plan.2999' }],
  ['search', { search: 'AN.2999' }],
  ['tags', { tags: ['campaign-7', 'web'] }],
  ['metadata', { metadata: { branch: 'b7', channel: 'web' } }],
  ['createdAfter', { createdAfter: new Date(Date.now() - 3_600_000) }],
  ['createdBefore', { createdBefore: new Date(Date.now() - (SESSIONS - 60) * 60_000) }],
  ['updatedAfter', { updatedAfter: new Date(Date.now() - 120_000) }],
  ['linkExpiresBefore', { linkExpiresBefore: new Date() }],
  ['meetingFrom and meetingTo', { meetingFrom: new Date(), meetingTo: new Date(Date.now() + 3_600_000) }],
  ["a customer's verification ids", { verificationIds: ['plan.1', 'plan.2'] }],
];
const ORDERS: SessionOrder[] = (['CREATED_AT', 'UPDATED_AT', 'STATUS_SINCE', 'MEETING_AT'] as const).flatMap(
  (field) => (['ASC', 'DESC'] as const).map((direction) => ({ field, direction })),
);

test.each(FILTERS)(
  'a page of sessions filtered by %s is read by an index in every order, from the start and from the end of the list',
  async (_name, filter) => {
    for (const order of ORDERS) {
      for (const end of ['FIRST', 'LAST'] as const) {
        const after = { at: new Date(Date.now() - 86_400_000), id: randomUUID() };
        const page = {
          order,
          limit: 51,
          end,
          after: end === 'FIRST' ? after : null,
          before: end === 'LAST' ? after : null,
          shape: SHAPE,
        };
        const plan = await planOf(() => readSessionPage(connection.db, filter, page));
        expect(plan, JSON.stringify(order)).not.toContain('Seq Scan on vkyc_session');
        expect(plan).toMatch(/Index/);
      }
    }
  },
);

const SHAPE = { detail: 'SUMMARY', withUser: true } as const;

test('paging through sessions repeats no session and skips none while new sessions are inserted', async () => {
  const order = { field: 'CREATED_AT', direction: 'DESC' } as const;
  const seen: string[] = [];
  let after: { at: Date; id: string } | null = null;
  for (let number = 0; number < 20; number += 1) {
    const rows: SessionListItem[] = await readSessionPage(
      connection.db,
      {},
      { order, limit: 50, end: 'FIRST', after, before: null, shape: SHAPE },
    );
    seen.push(...rows.map((row) => row.verificationId));
    const last = rows.at(-1) as SessionListItem;
    after = { at: last.createdAt, id: last.id };
    await database.query(
      `insert into vkyc_session
       select changed.* from (select s from vkyc_session s limit 1) one, jsonb_populate_record(one.s, jsonb_build_object(
         'id', gen_random_uuid(), 'verification_id', 'later.' || $1::int, 'created_at', now(), 'updated_at', now())) changed`,
      [number],
    );
  }

  expect(new Set(seen).size).toBe(1000);
  expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => `plan.${index + 1}`));
});

test('PostgreSQL’s JIT compilation is off on the connections of the gateway', async () => {
  const { rows } = await connection.pool.query(`select current_setting('jit') as jit`);
  expect(rows).toEqual([{ jit: 'off' }]);
});

test('the statements that record an update of a session use an index on every table', async () => {
  const ids = ['plan.7', 'plan.8'];

  const planned = await planTransaction(database, async (tx) => {
    tx.start(forceIndexPlans());
    const rows = await lockSessions(tx, ids);
    const words = ids.map((verificationId) => ({ verificationId, rawStatus: 'A', rawSubStatus: 'B' }));
    await Promise.all([
      findEarlierObservationTimes(tx, words),
      findAuditHeadsOfVerifications(tx, ids),
      findAuditHeads(tx, [rows[0]?.id as string]),
    ]);
    const batch = new SessionWriteBatch();
    for (const row of rows) batch.saveSession(row);
    batch.flush(tx);
    assignFeedPositionsAtCommit(tx);
  });

  expect(planned).toHaveLength(6);
  expect(planned[0]?.plan).toMatch(
    /Index Scan using vkyc_session_verification_id_unique\s[\s\S]*Index Cond: \(verification_id/,
  );
  for (const { plan } of planned) {
    expect(plan).not.toMatch(
      /Seq Scan on (vkyc_session|provider_sighting|audit_entry|status_transition|feed|transition_outbox)/,
    );
    expect(plan).toContain('Index Cond');
  }
});

const EARLIER_OF_ITS_SESSION =
  /Index Scan using webhook_inbox_session on webhook_inbox ahead[\s\S]*Index Cond: \(\(verification_id = w\.verification_id\) AND \(id < w\.id\)/;

test('claiming or storing a webhook finds earlier webhooks of the same session by an index', async () => {
  const [claim, lock] = (await planTransaction(database, async (tx) => {
    tx.start(forceIndexPlans());
    await claimWebhooks(tx, 10, 0n);
    await lockImmediatelyRecordableSessions(tx, [{ verificationId: 'plan.1', bodyHash: Buffer.alloc(32) }]);
  })) as [Planned, Planned];

  expect(claim.plan).toMatch(/Index Scan using webhook_inbox_queue on webhook_inbox w\b/);
  expect(claim.plan).toMatch(EARLIER_OF_ITS_SESSION);
  expect(lock.plan).not.toContain('Seq Scan');
  expect(lock.plan).toMatch(
    /Index Scan using webhook_inbox_session on webhook_inbox ahead[\s\S]*Index Cond: \(verification_id = arrived\.verification_id\)/,
  );
  expect(lock.plan).toMatch(/using webhook_inbox_body_hash_unique[\s\S]*Index Cond: \(body_hash = /);
  expect(lock.plan).toMatch(
    /Index Scan using \S+ on vkyc_session\s[\s\S]*Index Cond: \(verification_id = arrived\.verification_id\)/,
  );
});

test('claiming webhooks reads the queue by its index and without a sort, despite a bloated index and stale statistics', async () => {
  const burstUrl = await freshDatabase();
  const pool = new pg.Pool({ connectionString: burstUrl, max: 1 });
  const { db, close } = createDatabasePools(burstUrl, 1, () => {});
  atTheEnd(async () => {
    await close();
    await pool.end();
  });
  const store = (from: number, to: number) =>
    pool.query(
      `insert into webhook_inbox (body_hash, body, verification_id, state, received_at)
       select decode(md5(n::text), 'hex'), '', 'burst.' || n % 500, 'PENDING', now() from generate_series($1::int, $2::int) n`,
      [from, to],
    );
  await pool.query('alter table webhook_inbox set (autovacuum_enabled = off)');
  await store(1, 20_000);
  await pool.query(`update webhook_inbox set state = 'DONE'`);
  await pool.query('vacuum webhook_inbox');
  await store(20_001, 20_010);
  await pool.query('reindex index webhook_inbox_session');
  await pool.query('analyze webhook_inbox');
  await store(20_011, 24_000);

  const [claim] = (await planTransaction(
    pool,
    async (tx) => {
      tx.start(forceIndexPlans());
      await claimWebhooks(tx, 10, 0n);
    },
    db,
  )) as [Planned];

  expect(claim.plan).not.toContain('Sort');
  expect(claim.plan).toMatch(/Index Scan using webhook_inbox_queue on webhook_inbox w\b/);
  expect(claim.plan).toMatch(EARLIER_OF_ITS_SESSION);
});

test('totalCount is exact for a list of some hundred sessions, and null for a list of 30,000', async () => {
  const gateway = await bootGateway({ database: url });
  const { data } = await gateway.graphql(`{
    all: sessions(first: 1) { totalCount }
    some: sessions(first: 1, filter: { status: [AUDITOR_REVIEWED] }) { totalCount }
  }`);

  const { rows } = await database.query(
    `select count(*)::int as count from vkyc_session where status = 'AUDITOR_REVIEWED'`,
  );
  expect(rows[0].count).toBeGreaterThan(500);
  expect(data).toEqual({ all: { totalCount: null }, some: { totalCount: rows[0].count } });
});

test('session statistics of a time window do not scan the whole session table', async () => {
  const from = new Date(Date.now() - 3_600_000);
  const window = { from, to: null, openOnly: false, verificationIds: null };
  const plan = await planOf(() => countSessionsByState(connection.db, window));
  expect(plan).not.toContain('Seq Scan on vkyc_session');
});

test('claimNext reads its queue by the index, without a sort, although a thousand sessions in front are taken', async () => {
  await database.query(
    `update vkyc_session set assigned_agent = 'somebody', assigned_at = now(), assigned_until = now() + interval '1 hour'
     where id in (select id from vkyc_session where waiting_on = 'AGENT' order by escalated desc, status_since limit 1000)`,
  );
  await database.query('vacuum analyze vkyc_session');
  const wanted = {
    person: 'ravi',
    now: new Date(),
    except: [],
    languages: ['hi'],
    auditUnknownAgents: false,
  };
  const planned = await planTransaction(database, async (tx) => {
    tx.start(forceIndexPlans());
    await lockAssignedSessionInQueue(tx, 'AGENT', 'ravi', wanted.now, []);
    for (const queue of ['AGENT', 'AUDITOR'] as const)
      await lockNextUnassignedSession(tx, { ...wanted, queue });
  });
  const startedAt = performance.now();
  const next = await connection.db.transaction((tx) =>
    lockNextUnassignedSession(tx, { ...wanted, queue: 'AGENT' }),
  );
  const tookMs = performance.now() - startedAt;

  const [own, ...queues] = planned.map(({ plan }) => plan);
  expect(own).toContain('Index Scan using vkyc_session_assigned');
  expect(queues).toHaveLength(2);
  for (const plan of queues) {
    expect(plan).toContain('Index Scan using vkyc_session_queue');
    expect(plan).not.toMatch(/Sort|Seq Scan/);
  }
  expect(next?.assignedAgent).toBe(null);
  expect(tookMs).toBeLessThan(100);
  const order: SessionOrder = { field: 'CREATED_AT', direction: 'DESC' };
  const page = { order, limit: 51, end: 'FIRST', after: null, before: null, shape: SHAPE } as const;
  await database.query(
    `update vkyc_session set assigned_agent = 'few' where verification_id in ('plan.7', 'plan.77')`,
  );
  await database.query('vacuum analyze vkyc_session');
  expect(await planOf(() => readSessionPage(connection.db, { assignedTo: 'few' }, page))).toContain(
    'vkyc_session_assigned',
  );
  await database.query(
    'update vkyc_session set assigned_agent = null, assigned_until = null where assigned_agent is not null',
  );
});

test('overdue sessions, their order and the deadlines that have just passed are read by the index of deadlines', async () => {
  await database.query(
    `update vkyc_session set due_at = now() + (substr(verification_id, 6)::int - 50) * interval '1 minute' where verification_id like 'plan.%'`,
  );
  await database.query('vacuum analyze vkyc_session');
  const now = new Date();
  const page = { limit: 51, end: 'FIRST', after: null, before: null, shape: SHAPE } as const;
  const byAge: SessionOrder = { field: 'CREATED_AT', direction: 'DESC' };
  const byDeadline: SessionOrder = { field: 'DUE_AT', direction: 'ASC' };
  const plans = [
    await planOf(() => readSessionPage(connection.db, { overdue: true, now }, { ...page, order: byAge })),
    await planOf(() =>
      readSessionPage(connection.db, { overdue: true, now }, { ...page, order: byDeadline }),
    ),
    await planOf(() => readSessionPage(connection.db, {}, { ...page, order: byDeadline })),
    await planOf(() => findOverdueSessions(connection.db, { at: now, id: randomUUID() }, now, 500)),
  ];
  for (const plan of plans) expect(plan).toContain('vkyc_session_due');
  await database.query('update vkyc_session set due_at = null where due_at is not null');
});

test.each(['disputed', 'escalated', 'closed', 'replaced'] as const)(
  'the session filter `%s` finds a few sessions among 30,000 by an index of its own',
  async (flag) => {
    await database.query(
      `update vkyc_session set ${flag} = true where verification_id in ('plan.7', 'plan.77')`,
    );
    await database.query('vacuum analyze vkyc_session');

    const order: SessionOrder = { field: 'CREATED_AT', direction: 'DESC' };
    const page = { order, limit: 51, end: 'FIRST', after: null, before: null } as const;
    const shape = { detail: 'SUMMARY', withUser: false } as const;
    const plan = await planOf(() => readSessionPage(connection.db, { [flag]: true }, { ...page, shape }));

    expect(plan).toContain(`vkyc_session_${flag}`);
    await database.query(`update vkyc_session set ${flag} = false where ${flag}`);
  },
);

test.each<[string, SessionFilter]>([
  ['tags', { tags: ['campaign-7', 'web'] }],
  ['metadata', { metadata: { branch: 'b7' } }],
])(
  'the session filter `%s` finds a few sessions among 30,000 by an index of its own',
  async (name, filter) => {
    const order: SessionOrder = { field: 'CREATED_AT', direction: 'DESC' };
    const page = { order, limit: 51, end: 'FIRST', after: null, before: null } as const;
    const shape = { detail: 'SUMMARY', withUser: false } as const;
    const plan = await planOf(() => readSessionPage(connection.db, filter, { ...page, shape }));

    expect(plan).toContain(`session_label_${name}`);
    expect(plan).not.toContain('Seq Scan');
  },
);

test('session statistics count open sessions by an index-only scan, although most sessions have ended', async () => {
  await database.query(
    `update vkyc_session set status = 'AUDITOR_REVIEWED', sub_status = 'AUDITOR_REJECTED', waiting_on = 'NOBODY' where status = 'VIDEO_CALL'`,
  );
  await database.query('vacuum analyze vkyc_session');

  const window = { from: null, to: null, openOnly: true, verificationIds: null };
  const plan = await planOf(() => countSessionsByState(connection.db, window));

  expect(plan).toContain('Index Only Scan using vkyc_session_ongoing');
});

test('the newest entry of the feed is read at a low plan cost (by indexes), however long the log is', async () => {
  await database.query(
    `insert into status_transition (session_id, sequence, status, sub_status, verdict, source, recorded_at)
     select id, 1000 + n, status, sub_status, 'ENDED', 'POLL', now() from (select * from vkyc_session limit 5000) s, generate_series(1, 10) n`,
  );
  await database.query(
    `insert into feed select 1000000 + row_number() over (), session_id, sequence from status_transition where sequence > 1000`,
  );
  await database.query('analyze status_transition, feed');
  const plan = await planOf(() => readNewestFeedEntries(connection.db, 1), 'feed f');
  expect(Number(plan.match(/^\S+\s+\(cost=[\d.]+\.\.([\d.]+)/)?.[1]), plan).toBeLessThan(100);
});

test('/metrics counts the backlog of webhooks by indexes, with 20,000 processed webhooks in the inbox', async () => {
  await database.query(
    `insert into webhook_inbox (body_hash, body, verification_id, state, received_at)
     select decode(md5(n::text), 'hex'), '', 'plan.' || n, case when n % 1000 = 0 then 'PARKED' else 'DONE' end, now()
     from generate_series(1, 20000) n`,
  );
  await database.query(
    `with logged as (
       insert into status_transition (session_id, sequence, status, sub_status, verdict, source, recorded_at)
       select id, 1, 'RECEIVED', 'LINK_GENERATED', 'MOVED', 'POLL', now() from vkyc_session returning session_id
     )
     insert into feed (position, session_id, sequence) select row_number() over (), session_id, 1 from logged`,
  );
  await database.query('vacuum analyze webhook_inbox, status_transition, feed');

  const plan = await planOf(() => readQueueDepthsAndCallUse(connection.pool, new Date()), 'webhook_inbox');

  expect(plan).not.toMatch(/Seq Scan on (webhook_inbox|feed|status_transition)/);
  expect(plan).toContain('webhook_inbox_left');
  expect(plan).toContain('webhook_inbox_queue');
});

const NO_LIMIT = { from: null, to: null, after: null, limit: 51, verificationIds: null };
const EVERY_STATUS = ['SCHEDULED', 'RESCHEDULED', 'CANCELLED', 'COMPLETED', 'MISSED'] as const;
const inAMonth = new Date(Date.now() + 30 * 86_400_000);
const MEETING_LISTS: [string, Partial<MeetingPageRequest>][] = [
  ['nothing', {}],
  ['a rare status', { status: ['MISSED'] }],
  ['a day', { from: inAMonth, to: new Date(inAMonth.getTime() + 86_400_000) }],
  ['a cursor', { after: { at: inAMonth, id: randomUUID() } }],
];

test('with 90,000 meetings, lists by time and the bookings of slots read only the rows that they return', async () => {
  // One in 3 is booked, each for a session of its own; one in 1,000 was missed.
  await database.query(
    `insert into meeting (id, session_id, starts_at, status, source, created_at)
     select gen_random_uuid(), s.id, date_trunc('hour', now()) + (s.number * 3 + n) * interval '90 seconds',
       case when n = 0 then 'SCHEDULED' when s.number % 500 = 0 and n = 1 then 'MISSED' else 'COMPLETED' end, 'MUTATION', now()
     from (select id, row_number() over () as number from vkyc_session) s, generate_series(0, 2) n`,
  );
  await database.query('vacuum analyze meeting');

  const client = await database.connect();
  atTheEnd(async () => client.release(true));
  await client.query('set plan_cache_mode = force_generic_plan');
  for (const [name, filter] of MEETING_LISTS) {
    const page = { ...NO_LIMIT, status: EVERY_STATUS, ...filter };
    const plan = await analyzedPlanOf(() => readMeetingPage(connection.db, page));
    expect(plan, name).toContain('Index Scan using meeting_time');
    expect(plan, name).not.toMatch(/Seq Scan on meeting|Bitmap/);
    // The generic plan, which is used from the sixth call on, has no values to estimate by.
    const [statement] = await statementsOf(() => readMeetingPage(connection.db, page));
    const generic = await explainGeneric(client, statement as Statement);
    expect(generic, name).toContain('Index Scan using meeting_time');
    // Of each status at most a page.
    expect(mostRows(plan), `${name}: ${plan}`).toBeLessThanOrEqual(51 * EVERY_STATUS.length);
  }
  const aDay = { ...NO_LIMIT, ...MEETING_LISTS[2]?.[1], status: EVERY_STATUS };
  const countDay = () => countMeetingsUpTo(connection.db, aDay, 10_001);
  const [countStatement] = await statementsOf(countDay);
  for (const plan of [
    await analyzedPlanOf(countDay),
    await explainGeneric(client, countStatement as Statement),
  ]) {
    expect(plan).toMatch(/Index (Only )?Scan (using|on) meeting_time/);
    expect(plan).not.toContain('Seq Scan');
  }
  const own = { ...NO_LIMIT, status: EVERY_STATUS, verificationIds: ['plan.1', 'plan.2'] };
  const ofCustomer = await analyzedPlanOf(() => readMeetingPage(connection.db, own));
  expect(ofCustomer).toMatch(/Index Scan (using|on) meeting_session/);
  expect(ofCustomer).not.toContain('Seq Scan');
  expect(mostRows(ofCustomer)).toBeLessThan(50);

  const month = [inAMonth, new Date(inAMonth.getTime() + 31 * 86_400_000)] as const;
  const bookings = await analyzedPlanOf(() => countBookingsByStart(connection.db, ...month));
  expect(bookings).toMatch(/Index (Only )?Scan (using|on) meeting_time/);
  expect(bookings).not.toMatch(/Seq Scan on meeting/);

  const [counting] = (await planTransaction(database, async (tx) => {
    tx.start(forceIndexPlans());
    const slot = [inAMonth, new Date(inAMonth.getTime() + 3_600_000)] as const;
    await countMeetingsOfOtherSessions(tx, randomUUID(), ...slot);
  })) as [Planned];
  expect(counting.plan).toMatch(/Index Scan using meeting_time[\s\S]*Index Cond: \(\(status = 'SCHEDULED'/);
});

/** Returns the plan of the only statement about meetings, with the rows that each node returned. */
async function analyzedPlanOf(run: () => Promise<unknown>): Promise<string> {
  const [{ text, values }] = (await statementsOf(run)) as [Statement];
  const { rows } = await database.query(`explain (analyze, timing off) ${text}`, values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** Returns the highest number of rows that a node of the plan returned or removed. */
const mostRows = (plan: string): number =>
  Math.max(
    ...[...plan.matchAll(/actual (?:time=\S+ )?rows=(\d+)[\d.]* loops=(\d+)/g)].map(
      ([, rows, loops]) => Number(rows) * Number(loops),
    ),
    ...[...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, rows]) => Number(rows)),
  );
