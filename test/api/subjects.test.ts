/** Four eyes: who reviewed as the agent may not audit, also with a lookalike of their `sub` (invisible characters). */
import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';

const SECRET = randomBytes(32).toString('hex');
const SAME_LOOK = ['alice ', ' alice', 'alice\u200b', 'al\u00adice', 'alice\u00a0', '\u202aalice', 'ali\tce'];
const REVIEW = (stage: 'Agent' | 'Auditor') => `mutation ($input: Record${stage}ReviewInput!) {
  result: record${stage}Review(input: $input) { __typename ... on MutationError { code message } } }`;

const tokenOf = (sub: string, ...roles: string[]) =>
  new SignJWT({ roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime('5m')
    .sign(Buffer.from(SECRET));

const as = async (gateway: Gateway, sub: string, role: string, query: string, input: object = {}) =>
  gateway.graphql(query, { input }, { authorization: `Bearer ${await tokenOf(sub, role)}` });

test("a token whose sub only looks like the agent's is refused with 401, and the agent may not audit", async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
  const start = `mutation ($input: StartSessionInput!) { startSession(input: $input) { ... on StartSessionSuccess { session { id } } } }`;
  const user = { phone: '7012345678' };
  const started = await as(gateway, 'olga', 'OPERATOR', start, { verificationId: 'eyes.1', user });
  const sessionId = started.data.startSession.session.id;
  const time = (minute: number) => new Date(Date.now() + minute * 60_000).toISOString();
  await gateway.webhook({
    event_time: time(1),
    data: { verification_id: 'eyes.1', status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' },
  });
  const decide = { sessionId, decision: 'APPROVED' };
  await eventually(async () => {
    const input = { ...decide, idempotencyKey: 'a' };
    const { data } = await as(gateway, 'alice', 'AGENT', REVIEW('Agent'), input);
    return data.result.__typename === 'RecordReviewSuccess';
  });

  for (const sub of ['alice', ...SAME_LOOK]) {
    const input = { ...decide, idempotencyKey: 'b' };
    const { status, errors, data } = await as(gateway, sub, 'AUDITOR', REVIEW('Auditor'), input);
    if (sub === 'alice') expect(data.result.code).toBe('ACTION_NOT_ALLOWED');
    else {
      expect(status, JSON.stringify(sub)).toBe(401);
      expect(errors?.[0]?.message).toContain('`sub` must not begin or end with white space');
    }
  }
  // An earlier release stored the reviewer with invisible characters and white space.
  await gateway.database.query(`update review set reviewer = 'alice' || chr(8203) || ' '`);
  const input = { ...decide, idempotencyKey: 'c' };
  const { data } = await as(gateway, 'alice', 'AUDITOR', REVIEW('Auditor'), input);
  expect(data.result.code).toBe('ACTION_NOT_ALLOWED');
  const another = await as(gateway, 'Alice', 'AUDITOR', REVIEW('Auditor'), input);
  expect(another.data.result.__typename).toBe('RecordReviewSuccess');
});
