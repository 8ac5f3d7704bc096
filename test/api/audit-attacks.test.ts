/** Tampering by the database owner, who may write every row, with two audited sessions: one approved, one rejected. */
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { emptyFolder, run } from '../harness/archives.ts';
import { auditOf, signAgain } from '../harness/audit.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { type Tampering, tamperingWith } from '../harness/tampering.ts';

const TABLES = [
  'vkyc_user',
  'vkyc_session',
  'start_intent',
  'status_transition',
  'meeting',
  'review',
  'audit_entry',
  'audit_backlog',
  'personal_data_read',
  'read_chain',
];

let gateway: Gateway;
let tampering: Tampering;
let heads: string;

/** Starts a session and reviews it as the agent. */
async function reviewed(verificationId: string, decision: 'APPROVED' | 'REJECTED'): Promise<void> {
  const user = {
    userId: `u-${verificationId}`,
    phone: decision === 'APPROVED' ? '7012345671' : '7012345672',
  };
  const { id } = await gateway.start(verificationId, { user });
  await gateway.webhook({
    event_time: new Date(Date.now() + 60_000).toISOString(),
    data: { verification_id: verificationId, status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' },
  });
  const agent = await person(gateway, 'ravi', 'AGENT');
  await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
  const result = await agent.act('recordAgentReview', id, { decision, remarks: 'Seen.' });
  expect(result.__typename).toBe('RecordReviewSuccess');
}

const verify = (...args: string[]): Promise<string> =>
  run(gateway, 'audit', 'verify', '--against', heads, ...args).catch(
    ({ code, stdout }) => `exit ${code}\n${stdout}`,
  );

beforeAll(async () => {
  gateway = await bootGateway();
  await reviewed('approved.1', 'APPROVED');
  await reviewed('rejected.1', 'REJECTED');
  await gateway.graphql('{ sessions(first: 9) { nodes { user { phone } } } }');
  await gateway.graphql('{ sessions(first: 9) { nodes { link } } }');
  heads = join(await emptyFolder(), 'heads.jsonl');
  await run(gateway, 'audit', 'export', '--file', heads);
  tampering = await tamperingWith(gateway, TABLES);
}, 60_000);

/** Returns statements that swap a column of two rows; a `-` is appended first, because of unique indexes. */
const swap = (table: string, column: string, key: string, other: string): string[] => [
  `create table swapped as select ${column} as value, ${key} as key from ${table} where ${key} in (${other})`,
  `update ${table} set ${column} = ${column === 'user_id' && table === 'vkyc_session' ? column : `${column} || '-'`} where ${key} in (${other})`,
  `update ${table} t set ${column} = s.value from swapped s where t.${key} in (${other}) and t.${key} <> s.key`,
  'drop table swapped',
];
const BOTH = `select id from vkyc_session`;
const APPROVED = `where verification_id = 'approved.1'`;

const ATTACKS: [what: string, statements: string[], finding: RegExp][] = [
  [
    'verification ids of two sessions swapped',
    swap('vkyc_session', 'verification_id', 'id', BOTH),
    /edited: verificationId/,
  ],
  ['users of two sessions swapped', swap('vkyc_session', 'user_id', 'id', BOTH), /edited: userId/],
  [
    'reference ids of two sessions swapped',
    swap('vkyc_session', 'reference_id', 'id', BOTH),
    /edited: referenceId/,
  ],
  [
    'user ids of two users swapped',
    swap('vkyc_user', 'user_id', 'id', 'select id from vkyc_user'),
    /vkyc_user was edited: userId/,
  ],
  [
    'sessions created earlier',
    [`update vkyc_session set created_at = created_at - interval '1 day'`],
    /: createdAt/,
  ],
  [
    'sessions last changed years ago',
    [`update vkyc_session set updated_at = updated_at - interval '9 years'`],
    /: updatedAt/,
  ],
  [
    'time of the last status change edited',
    [`update vkyc_session set status_since = now() - interval '1 day'`],
    /: statusSince/,
  ],
  [
    'party that has to act next edited',
    [`update vkyc_session set waiting_on = 'NOBODY' ${APPROVED}`],
    /: waitingOn/,
  ],
  [
    'raw sub-status edited',
    [`update vkyc_session set raw_sub_status = 'AUDITOR_APPROVED'`],
    /: rawSubStatus/,
  ],
  ['another raw status', [`update vkyc_session set raw_status = 'AUDITOR_REVIEWED'`], /: rawStatus/],
  [
    'link to the replaced session edited',
    [
      `update vkyc_session set replaces_id = (select id from vkyc_session where verification_id = 'rejected.1') ${APPROVED}`,
    ],
    /: replacesId/,
  ],
  ['a session marked as replaced', [`update vkyc_session set replaced = true ${APPROVED}`], /: replaced/],
  ['a session marked as closed', [`update vkyc_session set closed = true ${APPROVED}`], /: closed/],
  ['a session marked as escalated', [`update vkyc_session set escalated = true ${APPROVED}`], /: escalated/],
  [
    "a decision marked as the provider's",
    [`update vkyc_session set decided_here = not decided_here`],
    /: decidedHere/,
  ],
  ['another expiry of the link', [`update vkyc_session set link_expires_at = now()`], /: linkExpiresAt/],
  ['another template', [`update vkyc_session set user_template = 'another'`], /: userTemplate/],
  ['a session marked as erased', [`update vkyc_session set erased_at = now() ${APPROVED}`], /: erasedAt/],
  [
    'caller of the start edited',
    [`update start_intent set caller = 'mallory' ${APPROVED}`],
    /the caller of its row/,
  ],
  [
    'the whole read log deleted',
    ['delete from personal_data_read', 'delete from read_chain'],
    /read log {2}chain .* cut off: the export lists entries of this chain/,
  ],
  [
    'the newest entry of the read log deleted',
    ['delete from personal_data_read where id = (select max(id) from personal_data_read)'],
    /read log {2}chain .* cut off/,
  ],
  [
    'viewer in the read log edited',
    [`update personal_data_read set viewer = 'mallory'`],
    /read log {2}chain .* edited/,
  ],
  [
    'the salt that identifies the user of a session deleted',
    ['update vkyc_session set person_salt = null'],
    /vkyc_session was edited: personSalt/,
  ],
];

// Invariant 14 of ARCHITECTURE.md
test.each(ATTACKS)(
  '`npm run audit -- verify` reports tampering with the database: %s',
  { timeout: 30_000 },
  async (_, statements, finding) => {
    const told = await tampering.within(statements, () => verify());

    expect(told).toMatch(/^exit 1\n/);
    expect(told).toMatch(finding);
  },
);

test('`npm run audit -- verify` reports nothing if no row was tampered with', async () => {
  expect(await verify()).toMatch(/0 sessions have errors[\s\S]*0 of their chains have errors/);
});

const FORGED = [
  `delete from audit_entry where session_id in (select id from vkyc_session where verification_id = 'rejected.1')`,
  `update review set decision = 'APPROVED' where decision = 'REJECTED'`,
  `update status_transition set sub_status = 'AGENT_APPROVED' where sub_status = 'AGENT_REJECTED'`,
  `update vkyc_session set sub_status = 'AGENT_APPROVED', waiting_on = (
     select waiting_on from vkyc_session where verification_id = 'approved.1'
   ) where sub_status = 'AGENT_REJECTED'`,
  `insert into audit_backlog select id from vkyc_session where verification_id = 'rejected.1'`,
];

// Invariant 14 of ARCHITECTURE.md
test('a deleted audit chain is replaced neither by a restart, nor by `npm run audit -- adopt` if an export lists it', {
  timeout: 60_000,
}, async () => {
  await tampering.within(FORGED, async () => {
    const again = await bootGateway({ database: gateway.databaseUrl });
    expect(again.logs.join('')).toContain('sessions without an audit chain found');
    const told = await run(gateway, 'audit', 'verify').catch(({ code, stdout }) => `exit ${code}\n${stdout}`);
    expect(told).toMatch(/^exit 1\n[\s\S]*removed: the session has no audit chain/);
    await again.stop();

    const refused = run(gateway, 'audit', 'adopt', '--by', 'olga', '--against', heads);
    await expect(refused).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('refused') });
    expect(await verify()).toMatch(/^exit 1\n/);
  });
});

test('`npm run audit -- adopt` requires --by NAME, and `-- verify` reports the number of chains adopted by that name', {
  timeout: 60_000,
}, async () => {
  await tampering.within(FORGED, async () => {
    await run(gateway, 'audit', 'adopt', '--by', 'olga');

    expect(await run(gateway, 'audit', 'verify')).toContain('1 chains were adopted by olga.');
    expect(await verify()).toMatch(/^exit 1\n/);
    await expect(run(gateway, 'audit', 'adopt')).rejects.toThrow('--by NAME');
  });
});

test('audit chains of the last release verify as bound to no user; `npm run audit -- bind --by NAME` binds them', {
  timeout: 60_000,
}, async () => {
  const old = await bootGateway();
  await old.start('of-old.1', { user: { userId: 'u-old', phone: '7012345673' } });
  // Rewrites the chains as the last release wrote them: without the SESSION entry, which binds a chain to its user.
  const { rows } = await old.database.query('select id from vkyc_session');
  await old.database.query(`delete from audit_entry where kind = 'SESSION'`);
  await old.database.query('update audit_entry set number = number - 1');
  await old.database.query('update vkyc_session set person_salt = null');
  await signAgain(old, rows[0].id, (content) => content);
  const own = auditOf(old.databaseUrl);

  expect(await own.verify()).toMatchObject({ findings: [], unbound: 1 });
  expect(await run(old, 'audit', 'verify')).toContain('1 chains are unbound');
  await expect(run(old, 'audit', 'bind')).rejects.toThrow('--by NAME');
  expect(await run(old, 'audit', 'bind', '--by', 'olga')).toContain(
    "Added the session's identity to 1 chains in the name of olga; 0 chains were not bound.",
  );

  expect(await own.verify()).toMatchObject({ findings: [], unbound: 0 });
  expect(await run(old, 'audit', 'verify')).toContain('1 chains were bound by olga.');
  await old.database.query(`update vkyc_user set user_id = 'u-another'`);
  expect(await own.findingOf(rows[0].id)).toContain('vkyc_user was edited');
  await old.database.query(`update vkyc_user set user_id = 'u-old'`);

  await old.database.query(`update vkyc_session set link_expires_at = now()`);
  await expect(run(old, 'audit', 'bind', '--by', 'olga')).rejects.toMatchObject({
    stdout: expect.stringContaining('DIFFERS'),
  });
  await run(old, 'audit', 'bind', '--by', 'uma', '--session', rows[0].id);
  expect(await own.verify()).toMatchObject({ findings: [], unbound: 0 });
});
