/**
 * 500 agents on 10,000 waiting sessions, at two processes of which one is killed in the middle. CLAIM_AGENTS and
 * CLAIM_SESSIONS set other numbers.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import pg from 'pg';
import { expect, test } from 'vitest';
import { atTheEnd, DATA_KEYS, freshDatabase } from '../harness/gateway.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { type GatewayProcess, startGatewayProcess, startSandboxProcess } from '../harness/process.ts';
import { seedQueue } from '../harness/queue.ts';

const AGENTS = Number(process.env.CLAIM_AGENTS ?? 500);
const SESSIONS = Number(process.env.CLAIM_SESSIONS ?? 10_000);
/** Every so many sessions, one is escalated: these come first. */
const ESCALATED_EVERY = 100;
/** Every so many agents, one is gone after the first claim. */
const GONE_EVERY = 10;
/** Long enough for the agents who work to renew their leases in time on a loaded machine. */
const LEASE_MINUTES = SESSIONS > 2_000 ? 3 : 1;
const LEASE_MS = LEASE_MINUTES * 60_000;

const SECRET = randomBytes(32).toString('hex');
const CLAIM = `mutation ($input: ClaimNextInput!) { result: claimNext(input: $input) {
  __typename ... on MutationError { code message } ... on ClaimNextSuccess { replayed session { id verificationId } } } }`;
const REVIEW = `mutation ($input: RecordAgentReviewInput!) { result: recordAgentReview(input: $input) {
  __typename ... on MutationError { code message } } }`;

// Invariant 20 of ARCHITECTURE.md
test(`of ${SESSIONS} waiting sessions, ${AGENTS} agents get each one once, oldest first, and the work of those who are gone comes back`, {
  timeout: 1_800_000,
}, async () => {
  const url = await freshDatabase();
  const database = new pg.Pool({ connectionString: url, max: 3 });
  atTheEnd(() => database.end());
  await seedQueue(database, SESSIONS, ESCALATED_EVERY);
  const { access } = await startSandboxProcess();
  const environment = {
    ...{
      ...access,
      DATABASE_URL: url,
      DATA_KEYS,
      AUTH_SECRET: SECRET,
      CLAIM_LEASE_MINUTES: String(LEASE_MINUTES),
    },
    // The sessions were never started at the provider, and the test is about agents alone.
    ...{ PROVIDER_CALLS_PER_MINUTE: '5', RATE_LIMIT_COST_PER_MINUTE: '0', LOG_LEVEL: 'info' },
    ...{ ACCESS_LOG: '0', REQUEST_SECONDS: '60' },
  };
  const [one, two] = await Promise.all([startGatewayProcess(environment), startGatewayProcess(environment)]);
  let isTwoAlive = true;
  let claimed = 0;

  /**
   * Sends a mutation with the same key until it is answered: to the other process if one is gone, and again if a
   * process has no connection to the database free for so many at once.
   */
  async function call(first: GatewayProcess, query: string, input: object, token: string): Promise<any> {
    for (;;) {
      try {
        return (await (isTwoAlive ? first : one).graphql(query, { input }, token)).result;
      } catch (error) {
        const isBusy = /Repeat the same request/.test((error as Error).message);
        if (!isBusy && isTwoAlive) throw error;
        if (isBusy) await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 2_000));
        else first = one;
      }
    }
  }

  /** People who did not review the session that they had claimed, by session. */
  const goneWith = new Map<string, string[]>();
  const lapse = (verificationId: string, who: string) =>
    void goneWith.set(verificationId, [...(goneWith.get(verificationId) ?? []), who]);
  const startedAt = performance.now();
  async function work(index: number): Promise<void> {
    const token = await new SignJWT({ roles: ['AGENT'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(`agent ${index}`)
      .setExpirationTime('2h')
      .sign(new TextEncoder().encode(SECRET));
    const process = index % 2 ? two : one;
    for (;;) {
      const next = await call(process, CLAIM, { queue: 'AGENT', idempotencyKey: randomUUID() }, token);
      if (next.__typename === 'QueueEmpty') {
        // Those who stay take over what was left, once its lease has ended.
        const { rows } = await database.query(
          `select count(*)::int as open from vkyc_session where waiting_on = 'AGENT'`,
        );
        if (rows[0].open === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 2_000 + (index % 100) * 20));
        continue;
      }
      expect(next.__typename, JSON.stringify(next)).toBe('ClaimNextSuccess');
      claimed += 1;
      if (claimed % 1_000 === 0)
        globalThis.process.stdout.write(
          `${claimed} claims in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s\n`,
        );
      if (claimed === Math.floor(SESSIONS / 2)) {
        isTwoAlive = false;
        await two.end('SIGKILL');
      }
      const { id, verificationId } = next.session;
      if (index % GONE_EVERY === 0) return lapse(verificationId, `agent ${index}`);
      const review = { sessionId: id, decision: 'APPROVED', idempotencyKey: randomUUID() };
      const reviewed = await call(process, REVIEW, review, token);
      // On a busy machine an answer may take so long that the lease has ended, and somebody else has the session.
      if (reviewed.code === 'ACTION_NOT_ALLOWED') lapse(verificationId, `agent ${index}`);
      else expect(reviewed.__typename, JSON.stringify(reviewed)).toBe('RecordReviewSuccess');
    }
  }
  await Promise.all(Array.from({ length: AGENTS }, (_, index) => work(index)));
  const seconds = (performance.now() - startedAt) / 1_000;
  globalThis.process.stdout.write(`${claimed} claims and reviews in ${seconds.toFixed(0)} s\n`);

  const { rows } = await database.query<{
    verification_id: string;
    escalated: boolean;
    claims: { who: string; from: string | null; at: string }[];
    reviews: string[];
    place: string;
  }>(
    `select verification_id, escalated,
       (select json_agg(json_build_object('who', author, 'from', code, 'at', recorded_at) order by sequence)
        from annotation a where a.session_id = s.id) as claims,
       (select json_agg(reviewer) from review r where r.session_id = s.id) as reviews,
       (select min(f.position) from feed f join status_transition t using (session_id, sequence)
        where t.session_id = s.id and t.verdict = 'ASSIGNED') as place
     from vkyc_session s join status_transition waiting on waiting.session_id = s.id and waiting.sequence = 1
     order by escalated desc, waiting.recorded_at, s.id`,
  );
  expect(rows).toHaveLength(SESSIONS);
  for (const { verification_id, claims, reviews } of rows) {
    const gone = goneWith.get(verification_id) ?? [];
    const before = claims.slice(0, -1).map(({ who }) => who);
    expect(before.toSorted(), verification_id).toEqual(gone.toSorted());
    expect(claims.map(({ from }) => from)).toEqual([null, ...before]);
    for (const [index, { at }] of claims.slice(1).entries())
      expect(Date.parse(at) - Date.parse(claims[index]?.at as string)).toBeGreaterThanOrEqual(LEASE_MS);
    expect(reviews, verification_id).toEqual([claims.at(-1)?.who]);
  }
  // Calls that run at the same time may pass each other: none is earlier than its turn by more than their number.
  const byPlace = rows.map(({ place }, turn) => ({ place: BigInt(place), turn }));
  byPlace.sort((a, b) => (a.place < b.place ? -1 : 1));
  const early = Math.max(...byPlace.map(({ turn }, at) => turn - at));
  globalThis.process.stdout.write(`a session was claimed ${early} turns early at most\n`);
  expect(early).toBeLessThanOrEqual(AGENTS);
  await expectFolds(database);
  await expectFeedOfLog(database);
});
