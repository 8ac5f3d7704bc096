import type { AuditEntry } from '../../domain/audit.ts';
import { bindToCurrentTrace, getCurrentTraceparent } from '../../telemetry/trace.ts';
import type { Transaction } from '../connection/client.ts';
import { auditEntries, observations, sessions, transitions } from '../schema/tables.ts';
import { prepareCommand } from '../statements/prepared.ts';
import { createJsonRecordset, type JsonRecordset } from '../statements/row-mapper.ts';
import { START_COLUMNS } from './origin.ts';
import type { SessionRow } from './sessions.ts';
import type { TransitionRow } from './transitions.ts';

export type ObservationRow = typeof observations.$inferSelect;

/**
 * Write batch: collects all writes of a transaction about sessions whose rows are locked, and sends them as
 * one statement for any number of sessions. The overhead of separate statements would exceed the cost of
 * their writes.
 */
export class SessionWriteBatch {
  readonly #sessions = new Map<string, SessionRow>();
  readonly #transitions: (typeof transitions.$inferSelect)[] = [];
  readonly #observations: ObservationRow[] = [];
  readonly #auditEntries: AuditEntry[] = [];
  readonly #doneWebhooks: bigint[] = [];
  /**
   * Sends the batch within the OpenTelemetry trace of its first transition; null while the batch has no
   * transition.
   */
  #flushInTrace: ((tx: Transaction) => void) | null = null;

  /**
   * Adds an update of a session's mutable columns. A later call for the same session replaces the earlier
   * update.
   */
  saveSession(session: SessionRow): void {
    this.#sessions.set(session.id, session);
  }

  /**
   * Adds a transition, to be inserted into the log and into the outbox, from which it gets its feed position.
   */
  addTransition(transition: TransitionRow): void {
    this.#flushInTrace ??= bindToCurrentTrace((tx: Transaction) => this.#flush(tx));
    this.#transitions.push({ ...transition, traceparent: getCurrentTraceparent() });
  }

  addObservation(observation: ObservationRow): void {
    this.#observations.push(observation);
  }

  /**
   * Adds an entry of an audit chain. The batch's statement fails if the chain already has an entry with the
   * same number.
   */
  addAuditEntry(entry: AuditEntry): void {
    this.#auditEntries.push(entry);
  }

  /** Marks a webhook of the inbox as DONE, in the same statement as the changes that the webhook caused. */
  markWebhookDone(id: bigint): void {
    this.#doneWebhooks.push(id);
  }

  /**
   * Sends the batch as one pipelined statement. Must be called last: no other statement of the transaction
   * may depend on the batch.
   */
  flush(tx: Transaction): void {
    const lists = [this.#transitions, this.#observations, this.#auditEntries, this.#doneWebhooks];
    if (this.#sessions.size === 0 && lists.every(({ length }) => length === 0)) return;
    if (this.#flushInTrace) this.#flushInTrace(tx);
    else this.#flush(tx);
  }

  #flush(tx: Transaction): void {
    tx.start(
      writeAll(
        SESSIONS.serialize(this.#sessions.values()),
        TRANSITIONS.serialize(this.#transitions),
        OBSERVATIONS.serialize(this.#observations),
        AUDIT_ENTRIES.serialize(this.#auditEntries),
        this.#doneWebhooks,
        // The session ids are passed a second time as a plain array, so that the planner uses the primary key
        // instead of scanning the table.
        [...this.#sessions.keys()],
      ),
    );
  }
}

const SESSIONS = createJsonRecordset(sessions);
const TRANSITIONS = createJsonRecordset(transitions);
const OBSERVATIONS = createJsonRecordset(observations);
const AUDIT_ENTRIES = createJsonRecordset(auditEntries);

/**
 * Plan node types that are disabled in transactions which record transitions, because every statement there
 * reaches its rows by an index. `sort` stays enabled, because the rows of a CTE can only be sorted: up to
 * PostgreSQL 17, a disabled node adds 10,000,000,000 to the cost of a plan, which would then be JIT-compiled
 * on every call.
 */
const DISABLED_PLANNER_NODES = ['bitmapscan', 'hashjoin', 'material', 'mergejoin', 'seqscan'];

/**
 * Forces index scans and generic plans until the transaction ends. In a burst the statistics are stale: the
 * planner would expect few PENDING webhooks and scan all of them for every claim (quadratic time). Planning
 * every call would take half of the transaction's time. JIT is disabled here too, because a pooler in
 * transaction mode loses the session setting that `createDatabasePools` makes.
 */
export const forceIndexPlans = prepareCommand(
  'go by indexes',
  `select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true),
     ${DISABLED_PLANNER_NODES.map((name) => `set_config('enable_${name}', 'off', true)`).join(', ')}`,
);

const insertInto = (table: string, { columns, fromParameter: of }: JsonRecordset<never>, parameter: string) =>
  `insert into ${table} (${columns}) select ${columns} from ${of(parameter)}`;

/**
 * Columns that a write batch never updates: they are set when the session is created, or changed only by a
 * command with the owner's role.
 */
const IMMUTABLE_COLUMNS = [
  ...START_COLUMNS,
  ...(['id', 'provider', 'verificationId', 'userId', 'personSalt', 'createdAt', 'erasedAt'] as const),
];
const mutableColumns = SESSIONS.columns.filter(
  (column) => !IMMUTABLE_COLUMNS.some((kept) => column === `"${sessions[kept].name}"`),
);

const writeAll = prepareCommand(
  'record all',
  `with saved as (
     update vkyc_session set (${mutableColumns}) = row(${mutableColumns.map((column) => `given.${column}`)})
     from ${SESSIONS.fromParameter('$1')} given where vkyc_session.id = given.id and vkyc_session.id = any($6::uuid[])
   ), logged as (
     ${insertInto('status_transition', TRANSITIONS, '$2')} returning session_id, sequence
   ), queued as (
     insert into transition_outbox (session_id, sequence) select session_id, sequence from logged
   ), heard as (
     ${insertInto('provider_sighting', OBSERVATIONS, '$3')}
   ), chained as (
     ${insertInto('audit_entry', AUDIT_ENTRIES, '$4')}
   )
   update webhook_inbox set state = 'DONE' where id = any($5::bigint[])`,
);
