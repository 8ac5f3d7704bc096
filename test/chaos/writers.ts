/**
 * Records transitions without a gateway, with the same rows as a gateway writes, in transactions that may commit late
 * or roll back.
 */
import type pg from 'pg';
import { getAwaitedParty, type KnownSubStatus, toStatusPair } from '../../src/domain/status.ts';
import type { SeededRandom } from '../../src/sandbox/seeded-random.ts';

/**
 * End of a transaction: PROMPT commits immediately, LATE commits after transactions that began later, ROLLED_BACK does
 * not commit.
 */
export type Fate = 'PROMPT' | 'LATE' | 'ROLLED_BACK';

const LONGEST_DAWDLE_MS = 20;
const LONGEST_HOLD_MS = 1_500;
/** Share of transitions recorded without a NOTIFY (doorbell): gateways must find them by polling the log. */
const UNHEARD = 0.3;
const FATES: Record<Fate, number> = { PROMPT: 7, LATE: 2, ROLLED_BACK: 1 };

/** Sub-statuses that a session may enter repeatedly. */
const STEPS: readonly KnownSubStatus[] = [
  'USER_QUEUED',
  'USER_MEETING_SCHEDULED',
  'AGENT_ASSIGNED_TO_USER',
  'USER_ACCEPTED_MEETING',
  'AGENT_ENDED_CALL',
  'USER_IP_VERIFICATION_SUCCESSFUL',
];

/** Records a transition in a transaction that commits immediately or late, or rolls back at the last moment. */
export async function recordSomehow(pool: pg.Pool, sessionId: string, random: SeededRandom): Promise<Fate> {
  const fate = random.pick(FATES);
  const client = await pool.connect();
  try {
    await client.query('begin');
    // Assigns the transaction id early, as if the transaction did other work first, because the gateway must not rely
    // on transaction ids for the order of commits.
    await client.query('select pg_current_xact_id()');
    await client.query('select pg_sleep($1)', [random.between(0, LONGEST_DAWDLE_MS) / 1000]);
    const step = STEPS[random.integer(0, STEPS.length - 1)] as KnownSubStatus;
    const sequence = await append(client, sessionId, step);
    if (fate !== 'PROMPT')
      await client.query('select pg_sleep($1)', [random.between(0, LONGEST_HOLD_MS) / 1000]);
    await client.query(fate === 'ROLLED_BACK' ? 'rollback' : 'commit');
    if (fate !== 'ROLLED_BACK' && !random.chance(UNHEARD)) await ring(client, sessionId, sequence);
    return fate;
  } finally {
    client.release();
  }
}

/** Records a transition in one statement, which is fast enough for bursts. */
export async function recordPlainly(pool: pg.Pool, sessionId: string, index: number): Promise<void> {
  const pair = toStatusPair(STEPS[index % STEPS.length] as KnownSubStatus);
  const { rows } = await pool.query(
    `with before as (
       select id, status, sub_status, last_sequence + 1 as next from vkyc_session where id = $1 for update
     ), logged as (
       insert into status_transition (session_id, sequence, status, sub_status, from_status, from_sub_status, verdict, source, actor, recorded_at)
       select id, next, $2, $3, status, sub_status, 'MOVED', 'MUTATION', 'writer', now() from before
     ), waiting as (
       insert into transition_outbox (session_id, sequence) select id, next from before
     )
     update vkyc_session s set last_sequence = next, version = next, status = $2, sub_status = $3, decided_here = true,
       raw_status = null, raw_sub_status = null, waiting_on = case when disputed then 'MERCHANT' else $4 end, status_since = now(), updated_at = now()
     from before where s.id = before.id
     returning next`,
    [
      sessionId,
      pair.status,
      pair.subStatus,
      getAwaitedParty(pair, { disputed: false, closed: false, replaced: false }),
    ],
  );
  await ring(pool, sessionId, rows[0].next);
}

/** Locks the session row, appends a transition to the log and to the outbox, and updates the session row. */
async function append(client: pg.PoolClient, sessionId: string, to: KnownSubStatus): Promise<number> {
  const { rows } = await client.query(
    'select status, sub_status, last_sequence, disputed from vkyc_session where id = $1 for update',
    [sessionId],
  );
  const { status: fromStatus, sub_status: fromSubStatus, last_sequence: last, disputed } = rows[0];
  const pair = toStatusPair(to);
  const place = [sessionId, last + 1, pair.status, pair.subStatus];
  await client.query(
    `insert into status_transition (session_id, sequence, status, sub_status, from_status, from_sub_status, verdict, source, actor, recorded_at)
     values ($1, $2, $3, $4, $5, $6, 'MOVED', 'MUTATION', 'writer', now())`,
    [...place, fromStatus, fromSubStatus],
  );
  await client.query('insert into transition_outbox (session_id, sequence) values ($1, $2)', [
    sessionId,
    last + 1,
  ]);
  await client.query(
    `update vkyc_session set last_sequence = $2, version = $2, status = $3, sub_status = $4, decided_here = true,
       raw_status = null, raw_sub_status = null, waiting_on = $5, status_since = now(), updated_at = now() where id = $1`,
    [...place, getAwaitedParty(pair, disputed)],
  );
  return last + 1;
}

/** Sends the NOTIFY that a replica sends after its commit; without effect if no replica listens. */
async function ring(client: pg.Pool | pg.PoolClient, sessionId: string, sequence: number): Promise<void> {
  const message = JSON.stringify({ from: 'writer', rings: [[sessionId, sequence]] });
  await client.query(`select pg_notify('vkyc_doorbell', $1)`, [message]);
}
