import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type Audit, auditOf, rehash, sessionWithHistory } from '../harness/audit.ts';
import { createCommandRunner } from '../harness/command.ts';
import { AUDIT_KEYS, atTheEnd, bootGateway, DATA_KEYS, type Gateway } from '../harness/gateway.ts';

/** The tests share a gateway: each tampers with the audit chain of its own session, as the database owner. */
let gateway: Gateway;
let audit: Audit;

beforeAll(async () => {
  gateway = await bootGateway();
  audit = auditOf(gateway.databaseUrl);
});

const asOwner = async (statement: string, ...values: unknown[]) => {
  const { rowCount } = await gateway.database.query(statement, values);
  expect(rowCount).toBeGreaterThan(0);
};

const chainOf = async (id: string) =>
  (await gateway.database.query('select * from audit_entry where session_id = $1 order by number', [id]))
    .rows;

/** Returns the number of the last entry of this kind in a session's chain whose content includes the text `said`. */
const numberOf = async (id: string, kind: string, said: string): Promise<number> =>
  (await chainOf(id)).findLast((row) => row.kind === kind && row.content.includes(said)).number;

test('the audit chain has an entry for every transition, meeting and review, and no entry names a person', async () => {
  const id = await sessionWithHistory(gateway);

  const chain = await chainOf(id);
  expect(chain.map((row) => row.number)).toEqual(chain.map((_, index) => index + 1));
  const said = chain.map(({ kind, content }) => {
    const { subStatus, status, decision } = JSON.parse(content);
    return `${kind} ${subStatus ?? status ?? decision}`;
  });
  expect(said).toEqual([
    'SESSION undefined',
    'TRANSITION LINK_GENERATED',
    'MEETING SCHEDULED',
    'TRANSITION USER_MEETING_SCHEDULED',
    'MEETING RESCHEDULED',
    'MEETING SCHEDULED',
    'TRANSITION USER_MEETING_SCHEDULED',
    'MEETING CANCELLED',
    'TRANSITION USER_MEETING_CANCELLED',
    'TRANSITION AGENT_ENDED_CALL',
    'TRANSITION AGENT_REJECTED',
    'REVIEW REJECTED',
  ]);
  expect(JSON.stringify(chain)).not.toMatch(/Asha|Rahul|9988776655/);
  expect(await audit.findingOf(id)).toBeNull();
});

test('the audit reports an entry of a chain whose content, hash or time was edited', async () => {
  const [content, hash, time] = [
    await sessionWithHistory(gateway),
    await sessionWithHistory(gateway),
    await sessionWithHistory(gateway),
  ];
  const number = await numberOf(content, 'TRANSITION', 'AGENT_REJECTED');
  const where = 'where session_id = $1 and number = $2';

  await asOwner(
    `update audit_entry set content = replace(content, '"AGENT_REJECTED"', '"AGENT_APPROVED"') ${where}`,
    content,
    number,
  );
  await asOwner(`update audit_entry set hash = sha256(hash) ${where}`, hash, 4);
  await asOwner(`update audit_entry set recorded_at = recorded_at - interval '1 day' ${where}`, time, 3);

  expect(await audit.findingOf(content)).toMatch(new RegExp(`^${number}: edited`));
  expect(await audit.findingOf(hash)).toMatch(/^4: edited/);
  expect(await audit.findingOf(time)).toMatch(/^3: edited/);
});

test('the audit reports a removed entry of a chain, even if later entries were renumbered to close the gap', async () => {
  const [gap, closed] = [await sessionWithHistory(gateway), await sessionWithHistory(gateway)];

  await asOwner('delete from audit_entry where session_id = $1 and number = 4', gap);
  await asOwner('delete from audit_entry where session_id = $1 and number = 4', closed);
  for (const row of (await chainOf(closed)).filter(({ number }) => number > 4))
    await asOwner(
      'update audit_entry set number = number - 1 where session_id = $1 and number = $2',
      closed,
      row.number,
    );

  expect(await audit.findingOf(gap)).toMatch(/^4: removed/);
  expect(await audit.findingOf(closed)).toMatch(/^4: (edited|reordered)/);
});

test('the audit reports two swapped entries of a chain, and an inserted entry', async () => {
  const [swapped, inserted] = [await sessionWithHistory(gateway), await sessionWithHistory(gateway)];
  for (const [from, to] of [
    [2, 999],
    [3, 2],
    [999, 3],
  ])
    await asOwner(
      'update audit_entry set number = $3 where session_id = $1 and number = $2',
      swapped,
      from,
      to,
    );
  for (const row of (await chainOf(inserted)).reverse())
    if (row.number >= 5)
      await asOwner(
        'update audit_entry set number = number + 1 where session_id = $1 and number = $2',
        inserted,
        row.number,
      );
  await asOwner(
    `insert into audit_entry select session_id, 5, kind, replace(content, 'olga', 'uma'), key_id, sha256(hash), recorded_at
     from audit_entry where session_id = $1 and number = 3`,
    inserted,
  );

  expect(await audit.findingOf(swapped)).toBe('2: reordered: this entry was recorded as number 3');
  expect(await audit.findingOf(inserted)).toMatch(/^5: inserted/);
});

test('only an earlier export lets the audit find that a session, or the end of its chain, was deleted with all rows; entries since the export count as unproven', async () => {
  const [cut, gone, grown] = [
    await sessionWithHistory(gateway),
    await sessionWithHistory(gateway),
    await sessionWithHistory(gateway),
  ];
  const heads = await audit.exported();
  const last = heads.get(cut)?.number as number;
  expect((await audit.verify(heads)).unanchored).toBe(0);

  // Deletes the review that rejected the session, and every row that was recorded because of the review.
  await asOwner('delete from audit_entry where session_id = $1 and number > $2', cut, last - 2);
  await asOwner('delete from review where session_id = $1', cut);
  await gateway.database.query('delete from feed where session_id = $1', [cut]);
  await asOwner(`delete from status_transition where session_id = $1 and sub_status = 'AGENT_REJECTED'`, cut);
  await asOwner(
    `update vkyc_session s set status = 'VIDEO_CALL', sub_status = 'AGENT_ENDED_CALL', version = version - 1,
     last_sequence = last_sequence - 1, decided_here = false, raw_status = t.raw_status, raw_sub_status = t.raw_sub_status,
     waiting_on = 'AGENT', status_since = t.recorded_at, updated_at = t.recorded_at
     from status_transition t where id = $1 and t.session_id = id and t.sequence = s.version - 1`,
    cut,
  );
  for (const table of ['feed', 'audit_entry', 'review', 'meeting', 'status_transition'])
    await gateway.database.query(`delete from ${table} where session_id = $1`, [gone]);
  await asOwner('delete from vkyc_session where id = $1', gone);
  await gateway.webhook({
    event_time: new Date(Date.now() + 120_000).toISOString(),
    data: { verification_id: 'none-of-ours', status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' },
  });
  const later = await sessionWithHistory(gateway);

  expect(await audit.findingOf(cut)).toBeNull();
  expect(await audit.findingOf(gone)).toBeNull();
  expect(await audit.findingOf(cut, heads)).toBe(
    `${last - 1}: cut off: the export lists entries of this chain up to ${last}`,
  );
  expect(await audit.findingOf(gone, heads)).toMatch(/^1: removed: the export lists the session/);
  expect(await audit.findingOf(grown, heads)).toBeNull();
  expect((await audit.verify(heads)).unanchored).toBe((await chainOf(later)).length);
});

test('an audit chain whose hashes were recomputed without the HMAC key is reported as edited from its first entry', async () => {
  const id = await sessionWithHistory(gateway);
  await asOwner(
    `update audit_entry set content = replace(content, '"ravi"', '"uma"') where session_id = $1 and number > 8`,
    id,
  );
  await rehash(gateway, id);

  expect(await audit.findingOf(id)).toMatch(/^1: edited/);
});

// Invariant 14 of ARCHITECTURE.md
test('the audit reports transitions, meetings, reviews and sessions whose rows contradict their audit entries', {
  timeout: 60_000,
}, async () => {
  const edits: [string, string, string][] = [
    [
      `update status_transition set actor = 'uma' where session_id = $1 and sub_status = 'AGENT_REJECTED'`,
      'TRANSITION',
      'status_transition 6 was edited: actor',
    ],
    [
      `update meeting set starts_at = starts_at + interval '1 ms' where session_id = $1 and status = 'CANCELLED'`,
      'MEETING',
      'was edited: startsAt',
    ],
    [`update review set decision = 'APPROVED' where session_id = $1`, 'REVIEW', 'was edited: decision'],
    [`update review set remarks_salt = sha256('') where session_id = $1`, 'REVIEW', 'was edited: remarks'],
    [`update review set remarks = null where session_id = $1`, 'REVIEW', 'was edited: remarks'],
    [`delete from review where session_id = $1`, 'REVIEW', 'was removed'],
    [
      `update vkyc_session set status = 'AUDITOR_REVIEWED', sub_status = 'AUDITOR_APPROVED' where id = $1`,
      'REVIEW',
      'vkyc_session was edited: status, subStatus',
    ],
  ];
  for (const [statement, kind, what] of edits) {
    const id = await sessionWithHistory(gateway);
    await asOwner(statement, id);

    const number = (await chainOf(id)).findLast((row) => row.kind === kind).number;
    const finding = await audit.findingOf(id);
    expect(finding, statement).toContain(what);
    if (kind === 'REVIEW') expect(finding).toMatch(new RegExp(`^${number}: `));
  }
});

test('the audit reports a transition inserted without an audit entry, and a meeting edited before its next audit entry', async () => {
  const [forged, signed] = [await sessionWithHistory(gateway), await gateway.start('signed.1')];
  await asOwner(
    `insert into status_transition select session_id, sequence + 1, status, sub_status, 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED',
     null, null, 'MOVED', 'MUTATION', 'uma', null, recorded_at from status_transition where session_id = $1 and sub_status = 'AGENT_REJECTED'`,
    forged,
  );
  const schedule = `mutation ($input: ScheduleMeetingInput!) { scheduleMeeting(input: $input) { __typename } }`;
  const input = (key: string, minutes: number) => ({
    input: {
      sessionId: signed.id,
      idempotencyKey: key,
      startsAt: new Date(Date.now() + minutes * 60_000).toISOString(),
    },
  });
  await gateway.graphql(schedule, input('a', 20));
  const { rows } = await gateway.database.query(
    `select id from vkyc_session where verification_id = 'signed.1'`,
  );
  const number = await numberOf(rows[0].id, 'MEETING', 'SCHEDULED');
  await asOwner(`update meeting set scheduled_by = 'olga' where session_id = $1`, rows[0].id);
  await gateway.graphql(schedule, input('b', 30));

  expect(await audit.findingOf(forged)).toContain('status_transition 7 was inserted');
  expect(await audit.findingOf(rows[0].id)).toMatch(
    new RegExp(`^${number + 2}: meeting .* was edited before this entry: scheduledBy`),
  );
});

test('the audit reports an erasable text (remarks, cancel reason) that was removed together with its salt', async () => {
  const id = await sessionWithHistory(gateway);

  await asOwner('update review set remarks = null, remarks_salt = null where session_id = $1', id);
  await asOwner(
    `update meeting set cancel_reason = null, cancel_reason_salt = null where session_id = $1 and status = 'CANCELLED'`,
    id,
  );

  expect(await audit.findingOf(id)).toMatch(/meeting .* was edited: cancelReason/);
});

test('`npm run audit -- verify` compares chains with an export of their heads, and refuses an export that was altered or cut short', async () => {
  const other = await bootGateway();
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-audit-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'heads.jsonl');
  const id = await sessionWithHistory(other);
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: other.databaseUrl, DATA_KEYS, AUDIT_KEYS };
  const runCommand = createCommandRunner();
  const run = (...args: string[]) => runCommand('audit', args, env);

  expect((await run('export', '--file', file)).stdout).toContain('Exported 2 heads to');
  await expect(run('export', '--file', file)).rejects.toMatchObject({
    stderr: expect.stringContaining('EEXIST'),
  });
  const { stdout } = await run('verify', '--against', file);
  expect(stdout).toContain('Verified 12 entries of 1 sessions; 0 sessions have errors.');
  expect(stdout).toContain('0 entries are unanchored');

  await other.database.query('delete from audit_entry where session_id = $1 and number = 12', [id]);
  await expect(run('verify', '--against', file)).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`WRONG  session ${id}  row 12  cut off`),
  });

  const lines = await readFile(file, 'utf8');
  await writeFile(file, lines.replace('"number":12', '"number":11'));
  await expect(run('verify', '--against', file)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The export was altered'),
  });
  await writeFile(file, lines.split('\n').slice(0, 1).join('\n'));
  await expect(run('verify', '--against', file)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is truncated'),
  });
}, 60_000);
