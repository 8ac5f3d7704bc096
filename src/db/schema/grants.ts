import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import pg from 'pg';
import * as tables from './tables.ts';

type TableKey = {
  [Key in keyof typeof tables]: (typeof tables)[Key] extends PgTable ? Key : never;
}[keyof typeof tables];

/**
 * Rights on each table that the gateway's role needs at runtime; granted if that role is not the owner. A
 * table that is missing here is a compile error. The transition log, the audit chains and the read log are
 * append-only, so the role may neither update nor delete their rows.
 */
export const RUNTIME_TABLE_RIGHTS = {
  transitions: 'select, insert',
  auditEntries: 'select, insert',
  auditBacklog: 'select, delete',
  personalDataReads: 'select (chain_id, number, hash), insert',
  readChains: 'select, insert',
  // The last release, which may still run (rolling deploy), updates all columns of a session. The trigger
  // `vkyc_session_identity` rejects changes of immutable columns.
  sessions: 'select, insert, update',
  // The trigger `vkyc_session_terms` writes these rows with the rights of the role that writes the session.
  sessionTerms: 'select, insert, delete',
  sessionLabels: 'select, insert, update (metadata, tags)',
  meetings: 'select, insert, update (status, cancelled_by, cancel_reason, cancel_reason_salt)',
  reviews: 'select, insert, update (remarks, remarks_salt)',
  users: 'select, insert, update (personal, phone_hash)',
  startIntents: 'select, insert, update',
  annotations: 'select, insert',
  idempotencyKeys: 'select, insert',
  observations: 'select, insert, update (event_time)',
  doubts: 'select, insert, update (raw_status, raw_sub_status, since, webhooks), delete',
  outbox: 'select, insert, delete',
  feed: 'select, insert',
  logIdentity: 'select',
  archivedSessions: 'select',
  inbox: 'select, insert, update (state, reason, attempts, verification_id, body)',
  lookups: 'select, insert, update (since, due_at), delete',
  providerCalls: 'select, insert, delete',
  dataKeys: 'select, insert, delete',
  replicas: 'select, insert, update (data_keys, seen_at), delete',
  sessionFigures: 'select, insert, update (figures, as_of, took_ms), delete',
  providerBudget: 'select, update (calls_paused_until, polls_paused_until)',
  merchantEndpoints:
    'select, insert, update (position, failures, failing_since, paused_until, probed_until), delete',
  merchantDeliveries:
    'select, insert, update (state, attempts, queued_at, tried_since, due_at, claimed, outcome, settled_at), delete',
  customerNotifications:
    'select, insert, update (state, released, due_at, settled_at, attempts, outcome, text)',
  notificationCursor: 'select, insert, update (position)',
} as const satisfies Record<TableKey, string>;

/**
 * Grants the gateway's role the rights on tables that it needs at runtime, and revokes all others. The
 * connection must be the owner's.
 */
export async function resetRuntimeRights(owner: pg.Client, runtimeRole: string): Promise<void> {
  const role = pg.escapeIdentifier(runtimeRole);
  await owner.query('begin');
  try {
    await owner.query(`grant usage on schema public to ${role}`);
    await owner.query(`revoke all on all tables in schema public from ${role}`);
    await owner.query(`grant usage on all sequences in schema public to ${role}`);
    for (const [key, table] of Object.entries(tables)) {
      if (!is(table, PgTable)) continue;
      const name = pg.escapeIdentifier(getTableName(table));
      await owner.query(`grant ${RUNTIME_TABLE_RIGHTS[key as TableKey]} on ${name} to ${role}`);
    }
    await grantQueue(owner, role);
    // Readiness reads the newest migration of the database, and compares it with this release's newest
    // migration.
    await owner.query(`grant usage on schema drizzle to ${role}`);
    await owner.query(`grant select on drizzle.__drizzle_migrations to ${role}`);
    await owner.query('commit');
  } catch (error) {
    await owner.query('rollback');
    throw error;
  }
}

/**
 * Grants rights on the tables of the job queue (graphile-worker). These tables have row-level security, which
 * hides all rows from roles other than the owner unless a policy allows them.
 */
async function grantQueue(owner: pg.Client, role: string): Promise<void> {
  await owner.query(`grant usage on schema graphile_worker to ${role}`);
  await owner.query(
    `grant select, insert, update, delete on all tables in schema graphile_worker to ${role}`,
  );
  await owner.query(`revoke insert, update, delete on graphile_worker.migrations from ${role}`);
  await owner.query(`grant usage on all sequences in schema graphile_worker to ${role}`);
  const { rows } = await owner.query<{ table: string }>(
    `select format('%I.%I', schemaname, tablename) as table from pg_tables t
     where schemaname = 'graphile_worker' and rowsecurity and not exists (
       select from pg_policies p
       where p.schemaname = t.schemaname and p.tablename = t.tablename and p.policyname = 'vkyc_gateway')`,
  );
  // The policy allows all rows to everyone; access is controlled by the grants above.
  for (const { table } of rows)
    await owner.query(`create policy vkyc_gateway on ${table} using (true) with check (true)`);
}
