/** `npm run erase` removes a person's data, but not before legal retention ends; the audit chains still verify. */
import { expect, test } from 'vitest';
import { auditOf } from '../harness/audit.ts';
import { createCommandRunner } from '../harness/command.ts';
import {
  AUDIT_KEYS,
  bootGateway,
  DATA_KEYS,
  eventually,
  type Gateway,
  STEPS_TO_THE_END_OF_THE_CALL,
} from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { everyRow, webhooksSettled } from '../harness/rows.ts';

const PHONE = '7012345678';
const NAME = 'gone.awaits-review';
const MARKS = [PHONE, 'Gone Girl', 'gone@example.com', 'her son is ill', 'face did not match', 'u-gone'];
const MESSAGE = 'Please visit a branch.';
const REMARKS = "The sandbox's agent says: AGENT_ENDED_CALL.";
const SEEN = `query ($id: ID!) { session(id: $id) {
  verificationId status subStatus link agentRemarks user { userId phone name email }
  reviews { remarks reasons reasonTexts customerMessage } meetings(first: 9) { nodes { cancelReason } } } }`;

const runCommand = createCommandRunner();

/** Runs `npm run erase` as the database owner while the gateway runs; returns what the command prints. */
async function erase({ databaseUrl }: Gateway, retention: string, ...args: string[]): Promise<string> {
  const keys = { DATA_KEYS, AUDIT_KEYS, LEGAL_RETENTION_DAYS: retention };
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl, ...keys };
  const { stdout } = await runCommand('erase', args, env);
  return stdout;
}

const news = (verification_id: string, status: string, sub_status: string, minute: number, more = {}) => ({
  event_time: new Date(Date.now() + minute * 60_000).toISOString(),
  data: { verification_id, status, sub_status, ...more },
});

/** Takes a session to the auditor's decision, and stores every kind of personal data for its user on the way. */
async function liveToTheEnd(gateway: Gateway): Promise<string> {
  const user = { userId: 'u-gone', phone: PHONE, name: 'Gone Girl', email: 'gone@example.com' };
  const { id } = await gateway.start(NAME, { user });
  const [agent, auditor] = [
    await person(gateway, 'ravi', 'AGENT'),
    await person(gateway, 'uma', 'AUDITOR'),
  ] as const;
  await agent.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
  await agent.act('cancelMeeting', id, { reason: 'her son is ill' });
  await gateway.advance(NAME, STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
  await agent.ask('refreshSession', id);
  await agent.act('recordAgentReview', id, { decision: 'APPROVED', remarks: 'face did not match' });
  await expect(erase(gateway, '0', '--user', 'u-gone')).rejects.toThrow(`${NAME} has not ended`);
  await auditor.act('recordAuditorReview', id, {
    ...{ decision: 'REJECTED', remarks: 'face did not match', reasons: ['FACE_MISMATCH'] },
    customerMessage: MESSAGE,
  });
  await gateway.webhook({ test: 'from the dashboard', customer: { phone: PHONE } });
  await gateway.webhook(news('a.stranger', 'VIDEO_CALL', 'AGENT_ENDED_CALL', 1, { user_id: 'u-gone' }));
  await webhooksSettled(gateway.database);
  return id;
}

test('npm run erase removes a person from every table once legal retention has ended, the recording is not shown any more, and the audit still verifies', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const id = await liveToTheEnd(gateway);
  const other = await gateway.start('stays.1', { user: { phone: '7087654321', name: 'Stays Put' } });
  await webhooksSettled(gateway.database);
  const otherBefore = (await gateway.graphql(SEEN, { id: other.id })).data;
  const before = (await gateway.graphql(SEEN, { id })).data.session;
  const audit = auditOf(gateway.databaseUrl);
  const exported = await audit.exported();
  const auditor = await person(gateway, 'uma', 'AUDITOR');
  expect((await auditor.ask('requestRecording', id)).recording.url).toMatch(/^http/);

  await expect(erase(gateway, '1826', '--user', 'u-gone')).rejects.toThrow(
    /its records must be kept for 1826 days \(LEGAL_RETENTION_DAYS\)\. Run the command again after \d{4}-/,
  );
  expect(await erase(gateway, '0', '--phone', PHONE, '--dry-run')).toContain('Would erase the person');
  expect((await gateway.graphql(SEEN, { id })).data.session).toEqual(before);
  expect(before).toMatchObject({
    agentRemarks: REMARKS,
    reviews: [{ customerMessage: null }, { customerMessage: MESSAGE }],
  });
  expect(JSON.stringify(before)).toContain(PHONE);
  expect(await everyRow(gateway.database)).toContain('u-gone');
  const told = await erase(gateway, '0', '--user', 'u-gone', '--by', 'the officer');

  expect(told).toMatch(/^Erased the person, 1 links of sessions, 4 texts of staff, \d+ webhooks/);
  const rows = await everyRow(gateway.database);
  for (const mark of MARKS) expect(rows).not.toContain(mark);
  expect((await gateway.graphql(SEEN, { id })).data.session).toEqual({
    ...{ verificationId: NAME, status: before.status, subStatus: before.subStatus },
    ...{ link: null, agentRemarks: null },
    user: { userId: expect.stringMatching(/^erased:/), phone: null, name: null, email: null },
    reviews: before.reviews.map((review: object) => ({ ...review, remarks: null, customerMessage: null })),
    meetings: { nodes: before.meetings.nodes.map(() => ({ cancelReason: null })) },
  });
  expect(await auditor.ask('requestRecording', id)).toMatchObject({
    action: 'REQUEST_RECORDING',
    message: "The customer's personal data was erased: the recording is not shown.",
  });
  expect((await auditor.look(id)).availableActions).not.toContain('REQUEST_RECORDING');
  const { rows: left } = await gateway.database.query('select verification_id from webhook_inbox');
  expect(new Set(left.map((row) => row.verification_id))).toEqual(new Set(['stays.1']));
  expect((await gateway.graphql(SEEN, { id: other.id })).data).toEqual(otherBefore);

  for (const heads of [undefined, exported])
    expect(await audit.verify(heads)).toMatchObject({ findings: [], erased: 4 });
  const { rows: chain } = await gateway.database.query(
    `select content from audit_entry where kind = 'ERASURE'`,
  );
  expect(chain).toEqual([{ content: '{"erasedBy":"the officer"}' }]);
  await expect(erase(gateway, '0', '--user', `erased:${'x'}`)).rejects.toThrow('No person was found');
});

test('npm run erase refuses a session that was backdated to evade legal retention, as its row contradicts its audit chain', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  await liveToTheEnd(gateway);
  await gateway.database.query(`update vkyc_session set status_since = status_since - interval '9 years'`);

  await expect(erase(gateway, '1826', '--user', 'u-gone')).rejects.toThrow(
    /The audit chain of session .* is broken .*statusSince/,
  );
  expect(await everyRow(gateway.database)).toContain('u-gone');
});

test('late webhooks restore no data of an erased person, and a repeated start of the session is refused', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const id = await liveToTheEnd(gateway);
  await erase(gateway, '0', '--user', 'u-gone');

  const vkyc_link = 'https://forms-test.cashfree.com/verification/secret-link';
  const more = { vkyc_link, phone: PHONE, agent_remarks: REMARKS };
  const late = news(NAME, 'VIDEO_CALL', 'USER_ENDED_CALL', 9, more);
  expect(await gateway.webhook(late)).toBe(200);
  const unreadable = { verification_id: NAME, status: 7, phone: PHONE, vkyc_link };
  expect(await gateway.webhook({ event_time: 'yesterday', data: unreadable })).toBe(200);
  await webhooksSettled(gateway.database);
  const again = await gateway.graphql(
    `mutation { startSession(input: { verificationId: "${NAME}", user: { phone: "${PHONE}" } }) {
       ... on MutationError { code } } }`,
  );

  const { session } = (await gateway.graphql(SEEN, { id })).data;
  expect(session).toMatchObject({ link: null, agentRemarks: null, user: { phone: null } });
  const { rows } = await gateway.database.query(
    'select length(body) as bytes, state from webhook_inbox order by id',
  );
  const bytes = 1 + 'test'.length + 12 + 16;
  expect(rows).toEqual([
    { bytes, state: 'DONE' },
    { bytes, state: 'PARKED' },
  ]);
  expect(again.data.startSession.code).toBe('IDEMPOTENCY_CONFLICT');
});

test('npm run erase locks the sessions of a person in the same order as the recording of webhooks, which prevents a deadlock', async () => {
  const gateway = await bootGateway();
  const user = { userId: 'u-locked', phone: '7098765432' };
  // Session ids are assigned in order of creation, so `b` has the smaller id although its name sorts later.
  for (const name of ['b', 'a']) await gateway.start(`lock-${name}.insufficient-balance`, { user });
  await webhooksSettled(gateway.database);
  const recording = await gateway.database.connect();
  const lock = (name: string) =>
    recording.query('select from vkyc_session where verification_id = $1 for update', [
      `lock-${name}.insufficient-balance`,
    ]);

  await recording.query('begin');
  await lock('a');
  const erased = erase(gateway, '0', '--user', 'u-locked', '--by', 'the officer');
  await eventually(async () => {
    const { rowCount } = await gateway.database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rowCount === 1;
  });
  await lock('b');
  await recording.query('commit');
  recording.release();

  expect(await erased).toContain('Erased the person');
});
