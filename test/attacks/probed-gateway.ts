/** A gateway in its own process, with a probe that measures how long tasks block its event loop. */
import { SignJWT } from 'jose';
import pg from 'pg';
import { LIMITS } from '../../src/graphql/limits.ts';
import { figuresOf, WATCHED } from '../chaos/process-figures.ts';
import { eventually, freshDatabase, type Gateway, PRODUCTION } from '../harness/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../harness/process.ts';
import { TRANSPORTS } from '../harness/transports.ts';

/** Limit for the time that a request may block the event loop. */
export const MAX_HOLD_MS = 50;
const SESSIONS = 100;
const START =
  'mutation ($input: StartSessionInput!) { startSession(input: $input) { ... on MutationError { message } } }';

export interface ProbedGateway {
  readonly process: GatewayProcess;
  /** The gateway process, in the form that the transports of the test harness take. */
  readonly target: Gateway;
  /** Authorization header of a user with the role ADMIN. */
  readonly authorization: string;
  /** Returns the longest time that one task has blocked the event loop since the last call, in milliseconds. */
  longestHold(): Promise<number>;
}

/** Starts a gateway process with production settings but without rate limits, and 100 sessions with long logs. */
export async function startProbedGateway(): Promise<ProbedGateway> {
  const DATABASE_URL = await freshDatabase();
  const process = await startGatewayProcess({
    ...PRODUCTION,
    ...WATCHED,
    DATABASE_URL,
    PROVIDER_CALLS_PER_MINUTE: '6000',
    // Switches rate limits off, since each attack must reach its target.
    RATE_LIMIT_COST_PER_MINUTE: '0',
    RATE_LIMIT_FAILURES_PER_MINUTE: '0',
  });
  const token = await new SignJWT({ sub: 'asha', roles: ['ADMIN'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(PRODUCTION.AUTH_ISSUER)
    .setAudience(PRODUCTION.AUTH_AUDIENCE)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(PRODUCTION.AUTH_SECRET));
  const authorization = `Bearer ${token}`;
  const target = { url: process.url } as Gateway;
  for (let started = 0; started < SESSIONS; started += 1) {
    const variables = { input: { verificationId: `attacked-${started}`, user: { phone: '9988776655' } } };
    // The sandbox may be slow at first; a repeated start is idempotent.
    await eventually(
      async () =>
        (await TRANSPORTS.HTTP(target, { query: START, variables }, authorization)).errors.length === 0,
    );
  }
  await lengthenLogs(DATABASE_URL);
  return {
    process,
    target,
    authorization,
    longestHold: async () => (await figuresOf(process)).longestHoldMs,
  };
}

/**
 * Adds transitions to the log of every session until the log fills the largest page, so that attacks can ask for many
 * transitions.
 */
async function lengthenLogs(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  // Disables the triggers of the tables, which would refuse these rows or notify replicas of them.
  await client.query('set session_replication_role = replica');
  await client.query(
    `insert into status_transition (session_id, sequence, from_status, from_sub_status, status, sub_status, raw_status,
       raw_sub_status, verdict, source, occurred_at, recorded_at)
     select id, last_sequence + n, status, sub_status, status, sub_status, raw_status, raw_sub_status, 'MOVED', 'WEBHOOK',
       now(), now()
     from vkyc_session cross join generate_series(1, ${LIMITS.page}) as n`,
  );
  await client.query(`update vkyc_session set last_sequence = last_sequence + ${LIMITS.page}`);
  await client.end();
}

/** Starts an honest client, which sends the smallest query in a loop until `stop` is called. */
export function startHonestClient({ target, authorization }: ProbedGateway) {
  const waits: number[] = [];
  let isStopped = false;
  const ended = (async () => {
    while (!isStopped) {
      const since = performance.now();
      const { data } = await TRANSPORTS.HTTP(target, { query: '{ viewer { id } }' }, authorization);
      waits.push(performance.now() - since);
      if (data?.viewer.id !== 'asha') throw new Error('an honest client was not served');
    }
  })();
  return {
    /** Stops the client; returns how many queries it sent and how long it waited, in milliseconds (percentiles). */
    async stop(): Promise<{ asked: number; p50: number; p99: number }> {
      isStopped = true;
      await ended;
      waits.sort((a, b) => a - b);
      const at = (share: number) => waits[Math.floor((waits.length - 1) * share)] as number;
      return { asked: waits.length, p50: at(0.5), p99: at(0.99) };
    },
  };
}
