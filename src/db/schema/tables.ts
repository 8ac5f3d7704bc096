import { sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  bigserial,
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import {
  MEETING_STATUSES,
  type MeetingStatus,
  REVIEW_DECISIONS,
  REVIEW_STAGES,
  type ReviewDecision,
  type ReviewStage,
} from '../../domain/actions.ts';
import { AUDIT_FIELDS, type AuditKind } from '../../domain/audit.ts';
import type { CallPurpose } from '../../domain/ports.ts';
import { TRANSITION_SOURCES, type TransitionSource, VERDICTS, type Verdict } from '../../domain/session.ts';
import { ALL_PAIRS, type Party, type Status, type SubStatus } from '../../domain/status.ts';

/**
 * Timestamps in milliseconds, the precision of JavaScript's Date. Finer ones would not survive a round trip
 * through a cursor.
 */
const time = (name: string) => timestamp(name, { precision: 3, withTimezone: true });

/** Personal data, encrypted before it is stored (`sealing.ts`). */
const sealed = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const digest = sealed;

/**
 * W3C traceparent of the trace in which a row was written, so that later processing continues the trace; null
 * without tracing.
 */
const traceparent = () => text('traceparent');

const literals = (values: readonly string[]) => sql.raw(values.map((value) => `'${value}'`).join(', '));

/**
 * CHECK condition that allows only pairs of the status table. It calls a function that a migration creates:
 * PostgreSQL parses the text of a check for every statement, and a list of all pairs took longer to parse
 * than the row to write.
 */
const belongsTogether = (status: AnyPgColumn, subStatus: AnyPgColumn) =>
  sql`is_status_pair(${status}, ${subStatus})`;

/**
 * Default of the column `provider`, for rows that an earlier release writes, which does not know the column.
 */
const FIRST_PROVIDER = 'cashfree';

/** Name of the provider (`Provider.name`) that a row is about. */
const provider = () => text('provider').notNull().default(FIRST_PROVIDER);

/** SQL condition for sessions that have ended. */
export const isTerminal = (subStatus: AnyPgColumn) => {
  const terminal = ALL_PAIRS.filter((info) => info.terminal).map((info) => info.subStatus);
  return sql`${subStatus} in (${literals(terminal)})`;
};

/** Customers who are verified, one row each. */
export const users = pgTable(
  'vkyc_user',
  {
    id: uuid('id').primaryKey(),
    userId: text('user_id').notNull().unique(),
    /** Encrypted JSON of phone, name, email and address. */
    personal: sealed('personal').notNull(),
    /** Keyed hash of the phone, to find equal phones without decrypting them. */
    phoneHash: digest('phone_hash'),
    createdAt: time('created_at').notNull(),
    /** Time at which the personal data was erased. */
    erasedAt: time('erased_at'),
  },
  (t) => [index('vkyc_user_phone').on(t.phoneHash)],
);

/**
 * State of a start intent. OPEN: may have been sent. DONE: recorded; a repeated call replays it. REFUSED:
 * nothing came of it, so another input may replace it. TAKEN: the provider had the verification id before our
 * first send; another system started it.
 */
export type IntentState = 'OPEN' | 'DONE' | 'REFUSED' | 'TAKEN';

/** Start intents: requests to start a session, stored before the provider is called. */
export const startIntents = pgTable(
  'start_intent',
  {
    verificationId: text('verification_id').primaryKey(),
    provider: provider(),
    sessionId: uuid('session_id').notNull().unique(),
    /** Caller of the start. Only the same caller may repeat it. */
    caller: text('caller').notNull(),
    /** Keyed hash of the whole input, which must be the same if the start is repeated. */
    inputHash: digest('input_hash').notNull(),
    userId: uuid('user_id').references(() => users.id),
    userTemplate: text('user_template'),
    agentTemplate: text('agent_template'),
    replacesId: uuid('replaces_id'),
    /**
     * Number of times that the start may have been sent, incremented just before each call. If it is above 0,
     * a GET decides whether to send again.
     */
    sends: integer('sends').notNull(),
    state: text('state').$type<IntentState>().notNull(),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    // Only one intent at a time may replace a given session.
    uniqueIndex('start_intent_replaces').on(t.replacesId).where(sql`${t.state} in ('OPEN', 'DONE')`),
  ],
);

/** Sessions, one row each: the session's log reduced, and the newest provider update. */
export const sessions = pgTable(
  'vkyc_session',
  {
    id: uuid('id').primaryKey(),
    provider: provider(),
    verificationId: text('verification_id').notNull().unique(),
    referenceId: text('reference_id'),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    userTemplate: text('user_template'),
    agentTemplate: text('agent_template'),
    status: text('status').$type<Status>().notNull(),
    subStatus: text('sub_status').$type<SubStatus>().notNull(),
    rawStatus: text('raw_status'),
    rawSubStatus: text('raw_sub_status'),
    version: integer('version').notNull(),
    lastSequence: integer('last_sequence').notNull(),
    disputed: boolean('disputed').notNull(),
    /**
     * Time at which the newest transition that changed the status was recorded; late and ignored updates do
     * not count.
     */
    statusSince: time('status_since').notNull(),
    /** Party that has to act next: that of the status pair, or MERCHANT while the session is disputed. */
    waitingOn: text('waiting_on').$type<Party>().notNull(),
    decidedHere: boolean('decided_here').notNull(),
    providerStatus: text('provider_status').notNull(),
    providerSubStatus: text('provider_sub_status').notNull(),
    providerEventTime: time('provider_event_time'),
    providerWebhooks: integer('provider_webhooks').notNull(),
    /** Time of the newest provider update, by webhook or poll. */
    providerHeardAt: time('provider_heard_at').notNull(),
    /**
     * Time at which the current raw status was learned by a poll, or by a webhook without a usable event
     * time; null if a webhook with a usable event time reported it.
     */
    providerFoundAt: time('provider_found_at'),
    /**
     * True if timestamps do not tell the order of the updates. The provider is then polled as soon as
     * possible.
     */
    unsettled: boolean('unsettled').notNull(),
    /** Time of the next poll; null: no more polls. */
    nextPollAt: time('next_poll_at'),
    link: sealed('link'),
    linkExpiresAt: time('link_expires_at'),
    /**
     * Newest meeting time that the provider reported, so that a repeated report does not become a second
     * meeting.
     */
    providerMeetingAt: time('provider_meeting_at'),
    /** Start of the booked meeting, whether it was booked here or at the provider. */
    meetingAt: time('meeting_at'),
    /** Session that this one replaces. */
    replacesId: uuid('replaces_id').references((): AnyPgColumn => sessions.id),
    /**
     * Salt of the commitment to the person in the audit chain; erased with the person. Null also if the chain
     * is unbound: it does not say whose session it is.
     */
    personSalt: digest('person_salt'),
    /** Time at which the person's data was erased. Later updates store none of it again. */
    erasedAt: time('erased_at'),
    createdAt: time('created_at').notNull(),
    updatedAt: time('updated_at').notNull(),
  },
  (t) => [
    check('vkyc_session_status_pair', belongsTogether(t.status, t.subStatus)),
    index('vkyc_session_created').on(t.createdAt, t.id),
    index('vkyc_session_updated').on(t.updatedAt, t.id),
    index('vkyc_session_status').on(t.status, t.createdAt, t.id),
    index('vkyc_session_sub_status').on(t.subStatus, t.createdAt, t.id),
    index('vkyc_session_waiting_on').on(t.waitingOn, t.createdAt, t.id),
    index('vkyc_session_prefix').on(t.verificationId.op('text_pattern_ops')),
    uniqueIndex('vkyc_session_replaces').on(t.replacesId),
    index('vkyc_session_user').on(t.userId, t.createdAt, t.id),
    index('vkyc_session_next_poll').on(t.nextPollAt).where(sql`${t.nextPollAt} is not null`),
    // Covering index for the dashboards, which count open sessions every second. It needs no access to the
    // table, and ended sessions do not slow it down.
    index('vkyc_session_open')
      .on(t.status, t.subStatus, t.waitingOn, t.statusSince)
      .where(sql`not ${isTerminal(t.subStatus)}`),
    index('vkyc_session_unsettled').on(t.nextPollAt).where(sql`${t.unsettled}`),
  ],
);

/** Meetings booked here or at the provider. */
export const meetings = pgTable(
  'meeting',
  {
    id: uuid('id').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id),
    startsAt: time('starts_at').notNull(),
    status: text('status').$type<MeetingStatus>().notNull(),
    source: text('source').$type<TransitionSource>().notNull(),
    scheduledBy: text('scheduled_by'),
    cancelledBy: text('cancelled_by'),
    /** Encrypted free text, which may contain personal data. */
    cancelReason: sealed('cancel_reason'),
    /** Salt of the commitment to the reason in the audit chain; erased together with the reason. */
    cancelReasonSalt: digest('cancel_reason_salt'),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    index('meeting_session').on(t.sessionId, t.createdAt, t.id),
    uniqueIndex('meeting_booked').on(t.sessionId).where(sql`${t.status} = 'SCHEDULED'`),
    check('meeting_status', sql`${t.status} in (${literals(Object.keys(MEETING_STATUSES))})`),
  ],
);

/** Decisions of agents and auditors, made here or at the provider. */
export const reviews = pgTable(
  'review',
  {
    id: uuid('id').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id),
    /** Sequence of the transition that recorded the review. */
    sequence: integer('sequence').notNull(),
    stage: text('stage').$type<ReviewStage>().notNull(),
    decision: text('decision').$type<ReviewDecision>().notNull(),
    /** Encrypted free text, which may contain personal data. */
    remarks: sealed('remarks'),
    /** Salt of the commitment to the remarks in the audit chain; erased together with the remarks. */
    remarksSalt: digest('remarks_salt'),
    source: text('source').$type<TransitionSource>().notNull(),
    /** Null if the provider did not name the reviewer. */
    reviewer: text('reviewer'),
    recordedAt: time('recorded_at').notNull(),
  },
  (t) => [
    unique('review_transition').on(t.sessionId, t.sequence),
    check('review_stage', sql`${t.stage} in (${literals(Object.keys(REVIEW_STAGES))})`),
    check('review_decision', sql`${t.decision} in (${literals(Object.keys(REVIEW_DECISIONS))})`),
  ],
);

/** Idempotency keys of earlier calls. A key is unique per caller and mutation. */
export const idempotencyKeys = pgTable(
  'idempotency_key',
  {
    caller: text('caller').notNull(),
    mutation: text('mutation').notNull(),
    key: text('key').notNull(),
    /** Keyed hash of the input, to refuse a key that is used again with another input. */
    inputHash: digest('input_hash').notNull(),
    sessionId: uuid('session_id').notNull(),
    /** Id of the meeting or review that the call created or changed. */
    outcomeId: uuid('outcome_id').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.caller, t.mutation, t.key] }),
    index('idempotency_key_session').on(t.sessionId),
  ],
);

/** The log: every transition of every session, append-only. */
export const transitions = pgTable(
  'status_transition',
  {
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id),
    /** Number within the session: 1, 2, 3 … without gaps, assigned under the session's row lock. */
    sequence: integer('sequence').notNull(),
    fromStatus: text('from_status').$type<Status>(),
    fromSubStatus: text('from_sub_status').$type<SubStatus>(),
    status: text('status').$type<Status>().notNull(),
    subStatus: text('sub_status').$type<SubStatus>().notNull(),
    rawStatus: text('raw_status'),
    rawSubStatus: text('raw_sub_status'),
    verdict: text('verdict').$type<Verdict>().notNull(),
    source: text('source').$type<TransitionSource>().notNull(),
    actor: text('actor'),
    occurredAt: time('occurred_at'),
    recordedAt: time('recorded_at').notNull(),
    traceparent: traceparent(),
  },
  (t) => [
    primaryKey({ columns: [t.sessionId, t.sequence] }),
    check('status_transition_status_pair', belongsTogether(t.status, t.subStatus)),
    check('status_transition_verdict', sql`${t.verdict} in (${literals(Object.keys(VERDICTS))})`),
    check('status_transition_source', sql`${t.source} in (${literals(Object.keys(TRANSITION_SOURCES))})`),
    check('status_transition_sequence', sql`${t.sequence} > 0`),
  ],
);

/**
 * Audit chains: one hash chain per session over everything recorded about it (`domain/audit.ts`).
 * Append-only.
 */
export const auditEntries = pgTable(
  'audit_entry',
  {
    sessionId: uuid('session_id').notNull(),
    /** Number within the session: 1, 2, 3 …, assigned under the session's row lock. */
    number: integer('number').notNull(),
    kind: text('kind').$type<AuditKind>().notNull(),
    /** JSON exactly as it was hashed; jsonb would not preserve the text. */
    content: text('content').notNull(),
    /** Id of the HMAC key that made the hash. The key itself is not in the database. */
    keyId: text('key_id').notNull(),
    hash: digest('hash').notNull(),
    recordedAt: time('recorded_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.sessionId, t.number] }),
    check('audit_entry_number', sql`${t.number} > 0`),
    check('audit_entry_kind', sql`${t.kind} in (${literals(Object.keys(AUDIT_FIELDS))})`),
  ],
);

/**
 * Sessions that are older than audit chains and whose chain has not begun yet. The migration that introduced
 * audit chains filled this table once.
 */
export const auditBacklog = pgTable('audit_backlog', { sessionId: uuid('session_id').primaryKey() });

/** Read log: who was shown whose personal data, one row per answer that contains some. Append-only. */
export const personalDataReads = pgTable(
  'personal_data_read',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    at: time('at').notNull(),
    /** `sub` of the token, or the command and the person who ran it. */
    viewer: text('viewer').notNull(),
    /** Root fields, such as `Query.sessions`. */
    operations: text('operations').array().notNull(),
    /** Fields that were shown, such as `VkycUser.phone`. */
    fields: text('fields').array().notNull(),
    /** Rows that were read, such as `vkyc_user:…`. */
    subjects: text('subjects').array().notNull(),
    /**
     * Chain of the read log (`domain/read-chain.ts`); null if an earlier release without chains recorded the
     * read.
     */
    chainId: uuid('chain_id'),
    /** Number of the read within the chain: 1, 2, 3 … */
    number: integer('number'),
    hash: digest('hash'),
  },
  (t) => [
    uniqueIndex('personal_data_read_chain').on(t.chainId, t.number).where(sql`${t.chainId} is not null`),
    index('personal_data_read_at').using('brin', t.at),
    index('personal_data_read_subjects').using('gin', t.subjects),
  ],
);

/**
 * Beginnings of the chains of the read log. Each replica begins its own chains, so that replicas never wait
 * for each other. Each beginning contains the hash of an earlier one, so that only the newest could be
 * removed undetected.
 */
export const readChains = pgTable('read_chain', {
  id: uuid('id').primaryKey(),
  startedAt: time('started_at').notNull(),
  /** Chain that was the newest when this one began; null for the first chain. */
  previousId: uuid('previous_id'),
  previousHash: digest('previous_hash'),
  /** Id of the key of all hashes in the chain. */
  keyId: text('key_id').notNull(),
  hash: digest('hash').notNull(),
});

/**
 * Sightings: each distinct provider update, with the transition that records it. A sighting from a poll has
 * no event time until a webhook confirms it.
 */
export const observations = pgTable(
  'provider_sighting',
  {
    sessionId: uuid('session_id').notNull(),
    sequence: integer('sequence').notNull(),
    rawStatus: text('raw_status').notNull(),
    rawSubStatus: text('raw_sub_status').notNull(),
    eventTime: time('event_time'),
  },
  (t) => [
    primaryKey({ columns: [t.sessionId, t.sequence] }),
    uniqueIndex('provider_sighting_words').on(t.sessionId, t.rawStatus, t.rawSubStatus, t.eventTime),
  ],
);

/**
 * Doubted answers of the provider, which a second answer has to confirm (`Doubt`): at most one per session,
 * few at a time.
 */
export const doubts = pgTable('doubted_answer', {
  sessionId: uuid('session_id').primaryKey(),
  rawStatus: text('raw_status').notNull(),
  rawSubStatus: text('raw_sub_status').notNull(),
  since: time('since').notNull(),
  webhooks: integer('webhooks').notNull(),
});

/** Outbox: committed transitions without a feed position. Rows live for milliseconds. */
export const outbox = pgTable('transition_outbox', {
  id: bigserial('id', { mode: 'bigint' }).primaryKey(),
  sessionId: uuid('session_id').notNull(),
  sequence: integer('sequence').notNull(),
});

/**
 * Feed: the total order over the transitions of all sessions, 1, 2, 3 …, assigned by one transaction at a
 * time under an advisory lock. A serial column would not do: its numbers become visible in the order of
 * commits, so a reader that asks for all after 7 would miss a 6 that is committed later.
 */
export const feed = pgTable(
  'feed',
  {
    position: bigint('position', { mode: 'number' }).primaryKey(),
    sessionId: uuid('session_id').notNull(),
    sequence: integer('sequence').notNull(),
  },
  (t) => [
    unique('feed_transition').on(t.sessionId, t.sequence),
    foreignKey({
      columns: [t.sessionId, t.sequence],
      foreignColumns: [transitions.sessionId, transitions.sequence],
    }),
  ],
);

/**
 * One row with the epoch and the key of cursors, so that every replica can verify them, also after a restart.
 */
export const logIdentity = pgTable('log_identity', {
  /**
   * Number that is incremented after a restore from a backup, so that earlier cursors are refused and not
   * misread.
   */
  epoch: integer('epoch').primaryKey(),
  cursorKey: digest('cursor_key').notNull(),
  /**
   * Highest feed position that was archived. The feed has gaps before it, so cursors before it cannot be
   * resumed.
   */
  archivedPosition: bigint('archived_position', { mode: 'number' }).notNull().default(0),
  /**
   * Until this time, cursors have the form of the last release, whose replicas may still run (rolling
   * deploy); null if there was no upgrade.
   */
  oldCursorsUntil: time('old_cursors_until'),
});

/** Archived sessions: their user, and the archive that contains them. */
export const archivedSessions = pgTable(
  'archived_session',
  {
    sessionId: uuid('session_id').primaryKey(),
    verificationId: text('verification_id').notNull().unique(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    endedAt: time('ended_at').notNull(),
    archivedAt: time('archived_at').notNull(),
    /** File name of the archive, without folder. */
    file: text('file').notNull(),
  },
  (t) => [index('archived_session_user').on(t.userId)],
);

/**
 * States of a webhook. PENDING: queued. DONE: recorded, or nothing new. WAITING: its session is unknown, and
 * the provider is asked. PARKED: dead letter, for a person to inspect and replay.
 */
export const INBOX_STATES = ['PENDING', 'DONE', 'WAITING', 'PARKED'] as const;
export type InboxState = (typeof INBOX_STATES)[number];

/** Webhook inbox: verified webhooks, stored before they are answered, and processed from here. */
export const inbox = pgTable(
  'webhook_inbox',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    provider: provider(),
    /** SHA-256 of the raw bytes, unique: a repeated delivery maps to the same row (idempotent). */
    bodyHash: digest('body_hash').notNull().unique(),
    /** Encrypted raw bytes. */
    body: sealed('body').notNull(),
    /** Null if the body names no verification id that could be read; such a webhook is PARKED. */
    verificationId: text('verification_id'),
    state: text('state').$type<InboxState>().notNull(),
    /** Reason why the webhook is WAITING or PARKED. */
    reason: text('reason'),
    attempts: integer('attempts').notNull().default(0),
    receivedAt: time('received_at').notNull(),
    traceparent: traceparent(),
  },
  (t) => [
    index('webhook_inbox_queue').on(t.id).where(sql`${t.state} = 'PENDING'`),
    index('webhook_inbox_session').on(t.verificationId, t.id).where(sql`${t.state} <> 'DONE'`),
    // Index for the metrics, which count these few rows at every scrape.
    index('webhook_inbox_left').on(t.state).where(sql`${t.state} in ('WAITING', 'PARKED')`),
    check('webhook_inbox_state', sql`${t.state} in (${literals(INBOX_STATES)})`),
  ],
);

/**
 * Look-ups: verification ids that the provider must be asked about. They come from starts that were sent and
 * not answered, from webhooks of unknown verifications, and from parked webhooks.
 */
export const lookups = pgTable(
  'provider_lookup',
  {
    verificationId: text('verification_id').primaryKey(),
    since: time('since').notNull(),
    dueAt: time('due_at').notNull(),
  },
  (t) => [index('provider_lookup_due').on(t.dueAt)],
);

/** Provider calls of the last minute, by all replicas. */
export const providerCalls = pgTable(
  'provider_call',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    at: time('at').notNull(),
    purpose: text('purpose').$type<CallPurpose>().notNull(),
  },
  (t) => [index('provider_call_at').on(t.at)],
);

/**
 * One row, whose lock serializes the calls of all replicas to the provider. It holds the times until which
 * all calls, or only polls, are paused.
 */
export const providerBudget = pgTable('provider_budget', {
  id: integer('id').primaryKey(),
  callsPausedUntil: time('calls_paused_until'),
  pollsPausedUntil: time('polls_paused_until'),
});

/**
 * Running replicas and the data keys that each of them has, so that no key is used before all of them have
 * it.
 */
export const replicas = pgTable('replica', {
  /** Random id that each process generates when it starts. */
  id: uuid('id').primaryKey(),
  /** Ids of the keys in DATA_KEYS. */
  dataKeys: text('data_keys').array().notNull(),
  /** Time of the last heartbeat, by the clock of the database. */
  seenAt: time('seen_at').notNull(),
});

/**
 * Ids of all data keys under which values may be stored. A gateway that starts without one of these keys
 * searches for values stored under it.
 */
export const dataKeys = pgTable('data_key', { id: text('id').primaryKey() });

/**
 * Figures of session statistics that take long to count, for all replicas (`SessionFigures`). A few hundred rows at
 * most, with numbers of sessions and no personal data. A row that is lost or cannot be read is counted again.
 */
export const sessionFigures = pgTable(
  'session_figures',
  {
    /** Kind of figures, version of their form, and everything of the window except its start. */
    series: text('series').notNull(),
    /** Start of the window, rounded down; 1970 if the window has none. */
    from: time('from_at').notNull(),
    figures: jsonb('figures').notNull(),
    /** Time at which the count began. */
    asOf: time('as_of').notNull(),
    /** Duration of the count. The longer it took, the longer the figures are used. */
    tookMs: integer('took_ms').notNull(),
  },
  (t) => [primaryKey({ columns: [t.series, t.from] })],
);
