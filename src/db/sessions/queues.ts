import { IN_CALL_SUB_STATUS, type Queue } from '../../domain/actions.ts';
import type { Transaction } from '../connection/client.ts';
import { sessions } from '../schema/tables.ts';
import { prepareCommand, prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';
import type { SessionRow } from './sessions.ts';

/**
 * First key of the advisory locks under which a person takes work. The number is arbitrary, but must be the same in
 * all replicas.
 */
const CLAIM_LOCK = 8_529_007;

/**
 * Makes the calls of one person wait for each other until the transaction ends (advisory lock). Otherwise two
 * concurrent calls could each give the person a session.
 */
export const lockClaimsOfPerson = prepareCommand(
  'lock claims',
  `select pg_advisory_xact_lock(${CLAIM_LOCK}, hashtext($1))`,
);

const fields = createRowMapper(sessions, 's');
/** Condition of the index `vkyc_session_queue`, and the queue. */
const IN_QUEUE = `s.waiting_on in ('AGENT', 'AUDITOR') and s.waiting_on = $1`;
const OLDEST_FIRST = 'order by s.escalated desc, s.status_since, s.id limit 1';

const assignedTo = prepareQuery(
  'queued session of person',
  fields,
  `select ${fields.list} from vkyc_session s
   where ${IN_QUEUE} and s.assigned_agent is not null and s.assigned_agent = $2
     and (s.assigned_until is null or s.assigned_until > $3::timestamptz) and s.id <> all($4::uuid[])
   ${OLDEST_FIRST} for update`,
);

/** Locks the oldest session of a queue that is assigned to the person, escalated sessions first. */
export async function lockAssignedSessionInQueue(
  tx: Transaction,
  queue: Queue,
  person: string,
  now: Date,
  except: readonly string[],
): Promise<SessionRow | null> {
  const [row] = await assignedTo(tx, queue, person, now.toISOString(), except);
  return row ?? null;
}

/**
 * Conditions that hold if the rules of `findClaimDenial` allow the session to the person $2. They keep sessions that
 * this person may not have from being locked and read one by one; the rules still decide about each session.
 */
const ALLOWED: Readonly<Record<Queue, string>> = {
  AGENT: `not exists (
    select from review r where r.session_id = s.id and r.stage = 'AGENT'
      and r.decision = 'UNABLE_TO_VALIDATE' and r.reviewer = $2
      and not exists (select from review later
        where later.session_id = s.id and later.stage = 'AGENT' and later.sequence > r.sequence))`,
  // $6: an approval of an unknown agent may be audited. After a dispute the approval is older than the version. The
  // subqueries return a value: as `exists` in an `or`, the planner would hash the whole tables for each call.
  AUDITOR: `not exists (
    select from review r where r.session_id = s.id and r.stage = 'AGENT' and r.reviewer = $2)
    and ($6::boolean or (
      select r.reviewer is not null from review r where r.session_id = s.id and r.sequence = s.version)
    or (
      select a.kind = 'DISPUTE_RESOLUTION' from annotation a
      where a.session_id = s.id and a.sequence = s.version))`,
};

/**
 * Holds if the customer speaks one of the languages $5, or states none. Compares the first subtag of each tag, so that
 * hi-IN is hi. Null: the condition holds for every session.
 */
const SPEAKS = `($5::text[] is null or s.languages is null
  or string_to_array(regexp_replace(s.languages, '-[^ ]+', '', 'g'), ' ') && $5::text[])`;

const nextOf = (queue: Queue) =>
  prepareQuery(
    `next of queue ${queue}`,
    fields,
    // A row that another call has locked is skipped (SKIP LOCKED): that call is about to take it.
    `select ${fields.list} from vkyc_session s
     where ${IN_QUEUE} and (s.assigned_agent is null or s.assigned_until <= $3::timestamptz)
       and s.sub_status <> '${IN_CALL_SUB_STATUS}' and s.id <> all($4::uuid[]) and ${SPEAKS}
       and ${ALLOWED[queue]}
     ${OLDEST_FIRST} for update skip locked`,
  );
const nextForAgent = nextOf('AGENT');
const nextForAuditor = nextOf('AUDITOR');

interface WantedWork {
  readonly queue: Queue;
  readonly person: string;
  readonly now: Date;
  /** Ids of sessions that the rules have refused to the person. */
  readonly except: readonly string[];
  /** Languages of the person, without scripts and regions; null: sessions of all languages. */
  readonly languages: readonly string[] | null;
  readonly auditUnknownAgents: boolean;
}

/**
 * Locks the next unassigned session of a queue (SKIP LOCKED, so that concurrent claims get different sessions):
 * escalated sessions first, then by waiting time.
 */
export async function lockNextUnassignedSession(
  tx: Transaction,
  { queue, person, now, except, languages, auditUnknownAgents }: WantedWork,
): Promise<SessionRow | null> {
  const values = [queue, person, now.toISOString(), except, languages];
  const [row] =
    queue === 'AGENT'
      ? await nextForAgent(tx, ...values)
      : await nextForAuditor(tx, ...values, auditUnknownAgents);
  return row ?? null;
}
