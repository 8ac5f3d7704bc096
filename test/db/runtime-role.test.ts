import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import {
  deleteFiguresOfWindow,
  findFreshFigures,
  storeFigures,
} from '../../src/db/sessions/session-figures.ts';
import { auditOf } from '../harness/audit.ts';
import { movableClock } from '../harness/clock.ts';
import { atTheEnd, bootGateway, eventually, untilReady } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { databaseUrl } from '../harness/postgres.ts';

/** Creates an empty database with an owner, and another role to run the gateway; neither is a superuser. */
async function twoRoles(): Promise<{ owner: string; runtime: string }> {
  const server = inject('postgresUrl');
  const name = `roles_${randomBytes(4).toString('hex')}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`create role ${name}_owner login password 'owner'`);
  await admin.query(`create role "${name} runtime" login password 'runtime'`);
  await admin.query(`create database ${name} owner ${name}_owner`);
  await admin.end();
  const as = (role: string, password: string) => {
    const url = new URL(databaseUrl(server, name));
    url.username = encodeURIComponent(role);
    url.password = password;
    return url.href;
  };
  return { owner: as(`${name}_owner`, 'owner'), runtime: as(`${name} runtime`, 'runtime') };
}

const POLLED = `select from status_transition where source = 'POLL' and sub_status = 'USER_IP_VERIFICATION_SUCCESSFUL'`;

test('a gateway runs sessions with a database role that does not own the tables and may only append to the log and the audit chains', {
  timeout: 60_000,
}, async () => {
  const { owner, runtime } = await twoRoles();
  const clock = movableClock();
  const environment = {
    DATABASE_URL: runtime,
    MIGRATE_DATABASE_URL: owner,
    SANDBOX_WEBHOOKS: 'documented',
  };
  const gateway = await bootGateway({ database: owner, environment, clock, polling: true });
  await untilReady(gateway);
  const { id } = await gateway.start('roles.happy-path');
  const operator = await person(gateway, 'olga', 'OPERATOR');
  await operator.act('scheduleMeeting', id, { startsAt: inMinutes(60) });
  await operator.act('cancelMeeting', id, { reason: 'Ill.' });
  await gateway.advance('roles.happy-path', 2);
  await eventually(async () => {
    clock.forward(60_000);
    return (await gateway.database.query(POLLED)).rowCount === 1;
  });
  await gateway.webhook({
    event_time: new Date(Date.now() + 3_600_000).toISOString(),
    data: { verification_id: 'roles.happy-path', status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' },
  });
  const agent = await person(gateway, 'ravi', 'AGENT');
  await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
  const reviewed = await agent.act('recordAgentReview', id, { decision: 'REJECTED', remarks: 'No.' });
  expect(reviewed.__typename).toBe('RecordReviewSuccess');
  await eventually(
    async () => (await gateway.database.query('select from transition_outbox')).rowCount === 0,
  );
  expect((await auditOf(owner).verify()).findings).toEqual([]);

  const { db, close } = createDatabasePools(runtime, 4, () => {});
  atTheEnd(close);
  const question = { series: 'counted', from: new Date(0), stepMs: 60_000, maxAgeMs: 60_000 };
  const asOf = new Date();
  for (const figures of [1, 2]) await storeFigures(db, question, { figures, asOf, tookMs: 3 }, 60_000);
  expect(await findFreshFigures(db, question, asOf)).toEqual({ figures: 2, asOf, tookMs: 3 });
  await deleteFiguresOfWindow(db, question, asOf);
  expect(await findFreshFigures(db, question, asOf)).toBeNull();

  const role = new pg.Client({ connectionString: runtime });
  await role.connect();
  atTheEnd(() => role.end());
  for (const table of ['audit_entry', 'status_transition']) {
    for (const statement of [
      `update ${table} set recorded_at = now()`,
      `delete from ${table}`,
      `truncate ${table}`,
      `alter table ${table} add column more int`,
      `drop table ${table}`,
    ])
      await expect(role.query(statement), statement).rejects.toThrow(/permission denied|must be owner/);
  }
  for (const statement of [
    `update review set decision = 'APPROVED'`,
    `update meeting set starts_at = now()`,
    'insert into audit_backlog select id from vkyc_session',
    'delete from personal_data_read',
    `update personal_data_read set viewer = 'somebody else'`,
    'truncate personal_data_read',
    'update read_chain set key_id = key_id',
    'delete from read_chain',
    `update vkyc_user set user_id = 'another'`,
    'update vkyc_user set erased_at = now()',
    'update webhook_inbox set received_at = now()',
    `update vkyc_session set verification_id = 'another'`,
    `update vkyc_session set provider = 'another'`,
    'update vkyc_session set user_id = gen_random_uuid()',
    `update vkyc_session set created_at = created_at - interval '1 day'`,
    'update vkyc_session set erased_at = now()',
  ])
    await expect(role.query(statement), statement).rejects.toThrow('permission denied');
  expect(gateway.logs.join('')).not.toMatch(/permission denied|row-level security/);
});

test("privileges that the gateway's database role has beyond the necessary ones are revoked at the next start", async () => {
  const { owner, runtime } = await twoRoles();
  const environment = { DATABASE_URL: runtime, MIGRATE_DATABASE_URL: owner };
  const first = await bootGateway({ database: owner, environment });
  const { rows } = await first.database.query(
    `select rolname from pg_roles where rolname like '% runtime' order by oid desc limit 1`,
  );
  await first.database.query(`grant all on all tables in schema public to "${rows[0].rolname}"`);

  await bootGateway({ database: owner, environment });

  const role = new pg.Client({ connectionString: runtime });
  await role.connect();
  atTheEnd(() => role.end());
  await expect(role.query('delete from audit_entry')).rejects.toThrow('permission denied');
});
