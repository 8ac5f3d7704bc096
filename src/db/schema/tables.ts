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
  WORK_QUEUES,
} from '../../domain/actions.ts';
import { ANNOTATION_KINDS, type AnnotationKind } from '../../domain/annotations.ts';
import { AUDIT_FIELDS, type AuditEntryKind } from '../../domain/audit.ts';
import type { Labels } from '../../domain/labels.ts';
import type { Locale } from '../../domain/locales.ts';
import type { EventType } from '../../domain/merchant-events.ts';
import {
  NOTIFICATION_CHANNELS,
  NOTIFICATION_KINDS,
  NOTIFICATION_STATES,
  type NotificationChannel,
  type NotificationKind,
  type NotificationState,
} from '../../domain/notifications.ts';
import type { ProviderCallPurpose } from '../../domain/ports.ts';
import type { ReviewReason } from '../../domain/review-reasons.ts';
import { TRANSITION_SOURCES, type TransitionSource, VERDICTS, type Verdict } from '../../domain/session.ts';
import { ALL_PAIRS, type Party, type Status, type SubStatus } from '../../domain/status.ts';

/**
 * Timestamp column in milliseconds, the precision of JavaScript's Date. A finer timestamp would lose digits
 * in a cursor, and pagination by it would skip or repeat rows.
 */
const time = (name: string) => timestamp(name, { precision: 3, withTimezone: true });

/**
 * Column type for bytes that the gateway encrypts before storing them (`sealing.ts`), such as personal data.
 */
const sealed = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const digest = sealed;

/**
 * Column for the W3C traceparent of the trace in which the row was written, so that later processing
 * continues the trace; null without tracing.
 */
const traceparent = () => text('traceparent');

/**
 * Column for the languages that the customer speaks: BCP 47 tags, separated by spaces (`domain/languages.ts`); null if none
 * was stated, or the person's data was erased.
 */
const languages = () => text('languages');

const literals = (values: readonly string[]) => sql.raw(values.map((value) => `'${value}'`).join(', '));

/**
 * CHECK condition that allows only pairs of the status table (`domain/status.ts`). It calls a function that a
 * migration creates: PostgreSQL parses the text of a check for every statement, and parsing a list of all
 * pairs took longer than writing the row.
 */
const belongsTogether = (status: AnyPgColumn, subStatus: AnyPgColumn) =>
  sql`is_status_pair(${status}, ${subStatus})`;

/**
 * Default of the column `provider`, for rows written by an earlier release, which does not know the column
 * (rolling deploy).
 */
const FIRST_PROVIDER = 'cashfree';

/** Column for the name of the provider (`Provider.name`) that the row is about. */
const provider = () => text('provider').notNull().default(FIRST_PROVIDER);

/** Returns the SQL condition for sessions that have ended: their sub-status is terminal. */
export const whereTerminal = (subStatus: AnyPgColumn) => {
  const terminal = ALL_PAIRS.filter((info) => info.terminal).map((info) => info.subStatus);
  return sql`${subStatus} in (${literals(terminal)})`;
};

/**
 * Returns the SQL condition for sessions that ended by a decision made here and are polled until the provider agrees
 * or contradicts.
 */
export const whereAwaitingConfirmation = (t: { nextPollAt: AnyPgColumn; subStatus: AnyPgColumn }) =>
  sql`${t.nextPollAt} is not null and ${whereTerminal(t.subStatus)}`;

/** Returns the SQL condition for sessions that are in one of the queues (`claimNext`). */
export const whereInWorkQueue = (waitingOn: AnyPgColumn) =>
  sql`${waitingOn} in (${literals(Object.keys(WORK_QUEUES))})`;

/** Users: the customers whose identity is verified, one row each. */
export const users = pgTable(
  'vkyc_user',
  {
    id: uuid('id').primaryKey(),
    userId: text('user_id').notNull().unique(),
    /** Encrypted JSON of phone, name, email and address. */
    personal: sealed('personal').notNull(),
    /** Keyed hash of the phone number, to find a user by phone without decrypting all rows. */
    phoneHash: digest('phone_hash'),
    createdAt: time('created_at').notNull(),
    /** Time at which the personal data was erased; null if it was not. */
    erasedAt: time('erased_at'),
  },
  (t) => [index('vkyc_user_phone').on(t.phoneHash)],
);

/**
 * State of a start intent. OPEN: the request may have been sent to the provider. DONE: the session is
 * recorded; a repeated call returns it. REFUSED: this start created no verification, so a start with another
 * input may replace the intent. TAKEN: another system started a verification under this id before our first
 * request.
 */
export type StartIntentState = 'OPEN' | 'DONE' | 'REFUSED' | 'TAKEN';

/**
 * Start intents: requests to start a session, stored before the provider is called, so that a crash during
 * the call loses no start.
 */
export const startIntents = pgTable(
  'start_intent',
  {
    verificationId: text('verification_id').primaryKey(),
    provider: provider(),
    sessionId: uuid('session_id').notNull().unique(),
    /** Caller who started the session. Only the same caller may repeat the start. */
    caller: text('caller').notNull(),
    /** Keyed hash of the whole input; a repeated start must have the same input. */
    inputHash: digest('input_hash').notNull(),
    userId: uuid('user_id').references(() => users.id),
    userTemplate: text('user_template'),
    agentTemplate: text('agent_template'),
    replacesId: uuid('replaces_id'),
    /** Metadata and tags that the session gets when it is recorded; null if the start has none. */
    metadata: jsonb('metadata').$type<Labels['metadata']>(),
    tags: text('tags').array().$type<string[]>(),
    languages: languages(),
    /**
     * Number of times that the start may have been sent to the provider, incremented just before each call.
     * If the number is above 0, a GET to the provider decides whether to send again.
     */
    sends: integer('sends').notNull(),
    state: text('state').$type<StartIntentState>().notNull(),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    // A session can be replaced by only one start at a time.
    uniqueIndex('start_intent_replaces').on(t.replacesId).where(sql`${t.state} in ('OPEN', 'DONE')`),
  ],
);

/**
 * Sessions, one row each: the result of applying the session's log in order (projection), and the newest
 * provider update.
 */
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
    languages: languages(),
    status: text('status').$type<Status>().notNull(),
    subStatus: text('sub_status').$type<SubStatus>().notNull(),
    rawStatus: text('raw_status'),
    rawSubStatus: text('raw_sub_status'),
    version: integer('version').notNull(),
    lastSequence: integer('last_sequence').notNull(),
    disputed: boolean('disputed').notNull(),
    /**
     * Time at which the newest transition that changed the status was recorded. Late and ignored updates do
     * not change this time.
     */
    statusSince: time('status_since').notNull(),
    /**
     * Party that must act next: the party given by the status pair, MERCHANT while the session is disputed, NOBODY
     * if it was closed or replaced.
     */
    waitingOn: text('waiting_on').$type<Party>().notNull(),
    decidedHere: boolean('decided_here').notNull(),
    /** True if staff escalated the session, and the escalation is not resolved. */
    escalated: boolean('escalated').notNull().default(false),
    /** True if staff closed the session. */
    closed: boolean('closed').notNull().default(false),
    /** True if another session replaces this one. */
    replaced: boolean('replaced').notNull().default(false),
    /** Token subject of the person to whom the session is assigned; null if it is assigned to nobody. */
    assignedAgent: text('assigned_agent'),
    /** Time at which the person got the session; null if it is assigned to nobody. */
    assignedAt: time('assigned_at'),
    /**
     * Time at which the assignment ends by itself (lease). After it the session counts as not assigned, although
     * `assignedAgent` stays until the next assignment. Null if the assignment has no end.
     */
    assignedUntil: time('assigned_until'),
    /**
     * Time at which the session becomes overdue (`findDueAt`); null if its state has no deadline. Follows from
     * `statusSince` and the settings, and is stored for lists and for the frames that tell of it.
     */
    dueAt: time('due_at'),
    providerStatus: text('provider_status').notNull(),
    providerSubStatus: text('provider_sub_status').notNull(),
    providerEventTime: time('provider_event_time'),
    providerWebhooks: integer('provider_webhooks').notNull(),
    /** Time at which the gateway last received a provider update, by webhook or poll. */
    providerHeardAt: time('provider_heard_at').notNull(),
    /**
     * Time at which a poll, or a webhook without a usable event time, reported the current raw status; null
     * if a webhook with a usable event time reported it.
     */
    providerFoundAt: time('provider_found_at'),
    /**
     * True if timestamps do not tell the order of provider updates. The provider is then polled as soon as
     * possible.
     */
    unsettled: boolean('unsettled').notNull(),
    /**
     * Time of the next poll of the provider; null if no more polls are planned. Also set for an ended session
     * while the provider has not confirmed the decision made here.
     */
    nextPollAt: time('next_poll_at'),
    link: sealed('link'),
    /**
     * Encrypted remarks of the provider's agent. Stored with the session, because the provider may report
     * them before the agent's review is recorded.
     */
    agentRemarks: sealed('remarks_at_provider'),
    linkExpiresAt: time('link_expires_at'),
    /**
     * Newest meeting time that the provider reported. A repeated report is recognized by this time, and so
     * does not create a second meeting.
     */
    providerMeetingAt: time('provider_meeting_at'),
    /** Start of the booked meeting, booked here or at the provider; null if no meeting is booked. */
    meetingAt: time('meeting_at'),
    /** Earlier session that this session replaces; null if it replaces none. */
    replacesId: uuid('replaces_id').references((): AnyPgColumn => sessions.id),
    /**
     * Salt of the hash commitment to the person in the audit chain; erased together with the person's data.
     * Null also if the chain does not say whose session this is (unbound).
     */
    personSalt: digest('person_salt'),
    /**
     * Time at which the person's data was erased; null if it was not. Later updates store no personal data
     * again.
     */
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
    // Covering index (index-only scans) for dashboards, which count open sessions often. The index leaves out
    // ended sessions, so their number does not slow the count down.
    index('vkyc_session_ongoing')
      .on(t.status, t.subStatus, t.waitingOn, t.statusSince)
      .where(sql`not ${whereTerminal(t.subStatus)}`),
    index('vkyc_session_unsettled').on(t.nextPollAt).where(sql`${t.unsettled}`),
    // Indexes for the filters that select few sessions of many.
    index('vkyc_session_disputed').on(t.createdAt, t.id).where(sql`${t.disputed}`),
    index('vkyc_session_escalated').on(t.createdAt, t.id).where(sql`${t.escalated}`),
    index('vkyc_session_closed').on(t.createdAt, t.id).where(sql`${t.closed}`),
    index('vkyc_session_replaced').on(t.createdAt, t.id).where(sql`${t.replaced}`),
    index('vkyc_session_assigned')
      .on(t.assignedAgent, t.createdAt, t.id)
      .where(sql`${t.assignedAgent} is not null`),
    index('vkyc_session_due').on(t.dueAt, t.id).where(sql`${t.dueAt} is not null`),
    // Order in which `claimNext` gives sessions away.
    index('vkyc_session_queue')
      .on(t.waitingOn, t.escalated.desc().nullsFirst(), t.statusSince, t.id)
      .where(whereInWorkQueue(t.waitingOn)),
    // Indexes for the sort orders and filters that only apply to sessions which have not ended, or have a booked meeting.
    index('vkyc_session_status_since')
      .on(t.statusSince, t.id)
      .where(sql`not ${whereTerminal(t.subStatus)}`),
    index('vkyc_session_open_created')
      .on(t.createdAt, t.id)
      .where(sql`not ${whereTerminal(t.subStatus)}`),
    index('vkyc_session_open_updated')
      .on(t.updatedAt, t.id)
      .where(sql`not ${whereTerminal(t.subStatus)}`),
    index('vkyc_session_link_expires')
      .on(t.linkExpiresAt, t.id)
      .where(sql`not ${whereTerminal(t.subStatus)}`),
    index('vkyc_session_meeting').on(t.meetingAt, t.id).where(sql`${t.meetingAt} is not null`),
    // `countPolled` counts these sessions every 30 s, by an index-only scan.
    index('vkyc_session_confirming').on(t.nextPollAt).where(whereAwaitingConfirmation(t)),
  ],
);

/**
 * Texts by which a session is found: its verification id and its reference id, in lower case. A trigger on `vkyc_session`
 * writes the rows, so that sessions which the last release starts are found too. A table of its own, because a
 * transition rewrites the session's row, and with it each index entry of the row: a trigram index is too costly for that.
 */
export const sessionTerms = pgTable(
  'session_term',
  {
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    term: text('term').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.sessionId, t.term] }),
    // The function is created by a migration. PostgreSQL's own trigrams are an extension, which not every server has.
    index('session_term_trigrams').using('gin', sql`trigrams(${t.term})`),
  ],
);

/**
 * Labels: the metadata and tags of sessions, in the merchant's own words and without personal data. A session without
 * labels may have no row. A table of its own, because a transition rewrites the session's row, and with it each index
 * entry of the row.
 */
export const sessionLabels = pgTable(
  'session_label',
  {
    sessionId: uuid('session_id')
      .primaryKey()
      .references(() => sessions.id),
    metadata: jsonb('metadata').$type<Labels['metadata']>().notNull(),
    tags: text('tags').array().$type<string[]>().notNull(),
  },
  (t) => [
    // An array, because PostgreSQL keeps no statistics of the pairs in a jsonb: it would take each pair for frequent, and
    // scan the sessions. The function is created by a migration.
    index('session_label_metadata').using('gin', sql`metadata_pairs(${t.metadata})`),
    index('session_label_tags').using('gin', t.tags),
  ],
);

/** Meetings (video calls) booked here or at the provider. */
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
    /** Reason for the cancellation, encrypted because a free text may contain personal data. */
    cancelReason: sealed('cancel_reason'),
    /** Salt of the hash commitment to the reason in the audit chain; erased together with the reason. */
    cancelReasonSalt: digest('cancel_reason_salt'),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    index('meeting_session').on(t.sessionId, t.createdAt, t.id),
    // Lists of meetings by time, and the numbers of booked meetings by slot.
    index('meeting_time').on(t.status, t.startsAt, t.id),
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
    /** Sequence of the transition that was recorded together with the review. */
    sequence: integer('sequence').notNull(),
    stage: text('stage').$type<ReviewStage>().notNull(),
    decision: text('decision').$type<ReviewDecision>().notNull(),
    /** Remarks of the reviewer, encrypted because a free text may contain personal data. */
    remarks: sealed('remarks'),
    /** Salt of the hash commitment to the remarks in the audit chain; erased together with the remarks. */
    remarksSalt: digest('remarks_salt'),
    source: text('source').$type<TransitionSource>().notNull(),
    /** Name of the reviewer; null if the review was made at the provider, which does not name reviewers. */
    reviewer: text('reviewer'),
    /** Coded reasons; null in reviews of earlier releases and of the provider. */
    reasons: text('reasons').array().$type<ReviewReason[]>(),
    /** Encrypted text for the customer. */
    customerMessage: sealed('customer_message'),
    customerMessageSalt: digest('customer_message_salt'),
    /** The reviewer's statement that the call was complete; null if none was made. */
    callComplete: boolean('call_complete'),
    recordedAt: time('recorded_at').notNull(),
  },
  (t) => [
    unique('review_transition').on(t.sessionId, t.sequence),
    check('review_stage', sql`${t.stage} in (${literals(Object.keys(REVIEW_STAGES))})`),
    check('review_decision', sql`${t.decision} in (${literals(Object.keys(REVIEW_DECISIONS))})`),
  ],
);

/** Annotations of sessions: notes, closures, escalations and other records (`domain/annotations.ts`). Append-only. */
export const annotations = pgTable(
  'annotation',
  {
    id: uuid('id').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id),
    /** Sequence of the transition that tells subscribers of the annotation. */
    sequence: integer('sequence').notNull(),
    kind: text('kind').$type<AnnotationKind>().notNull(),
    /** Coded reason or choice; null for kinds without codes. */
    code: text('code'),
    /** Encrypted free text, which may contain personal data. */
    text: sealed('text'),
    /** Salt of the commitment to the text in the audit chain; erased together with the text. */
    textSalt: digest('text_salt'),
    /** Token subject of the author. */
    author: text('author').notNull(),
    recordedAt: time('recorded_at').notNull(),
  },
  (t) => [
    unique('annotation_transition').on(t.sessionId, t.sequence),
    check('annotation_kind', sql`${t.kind} in (${literals(Object.keys(ANNOTATION_KINDS))})`),
  ],
);

/** Idempotency keys of earlier mutations. A key is unique per caller and mutation. */
export const idempotencyKeys = pgTable(
  'idempotency_key',
  {
    caller: text('caller').notNull(),
    mutation: text('mutation').notNull(),
    key: text('key').notNull(),
    /** Keyed hash of the mutation's input, to refuse a key that is used again with another input. */
    inputHash: digest('input_hash').notNull(),
    sessionId: uuid('session_id').notNull(),
    /** Id of the meeting, review or annotation that the mutation created, changed or found; a repeated call returns it. */
    outcomeId: uuid('outcome_id').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.caller, t.mutation, t.key] }),
    index('idempotency_key_session').on(t.sessionId),
  ],
);

/** Log of every session: one row per transition, append-only. */
export const transitions = pgTable(
  'status_transition',
  {
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id),
    /**
     * Number of the transition within its session: 1, 2, 3 … without gaps, assigned under the session's row
     * lock.
     */
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
 * Audit chains: one HMAC chain per session over everything recorded about the session (`domain/audit.ts`).
 * Append-only.
 */
export const auditEntries = pgTable(
  'audit_entry',
  {
    sessionId: uuid('session_id').notNull(),
    /** Number of the entry within its session: 1, 2, 3 …, assigned under the session's row lock. */
    number: integer('number').notNull(),
    kind: text('kind').$type<AuditEntryKind>().notNull(),
    /**
     * JSON text exactly as it was hashed. A jsonb column would not preserve the text, so the hash could not
     * be checked.
     */
    content: text('content').notNull(),
    /**
     * Id of the HMAC key of the hash. The key itself is not in the database, so write access to the tables is
     * not enough to forge a chain.
     */
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
 * Sessions that are older than audit chains, and whose chain has not begun yet. The migration that introduced
 * audit chains filled this table once; the gateway never inserts rows, so that a forged session cannot pass
 * for an old one.
 */
export const auditBacklog = pgTable('audit_backlog', { sessionId: uuid('session_id').primaryKey() });

/**
 * Read log: who was shown whose personal data, one row per GraphQL response or command output that contains
 * some. Append-only.
 */
export const personalDataReads = pgTable(
  'personal_data_read',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    at: time('at').notNull(),
    /** Reader of the data: the `sub` of the token, or the command and the name of the person who ran it. */
    viewer: text('viewer').notNull(),
    /** GraphQL root fields of the operation, such as `Query.sessions`. */
    operations: text('operations').array().notNull(),
    /** Fields with personal data that were shown, such as `VkycUser.phone`. */
    fields: text('fields').array().notNull(),
    /** Rows whose personal data was shown, such as `vkyc_user:…`. */
    subjects: text('subjects').array().notNull(),
    /**
     * Hash chain that the read belongs to (`domain/read-chain.ts`); null if an earlier release without chains
     * recorded the read.
     */
    chainId: uuid('chain_id'),
    /** Number of the read within its chain: 1, 2, 3 …; null without a chain. */
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
 * Beginnings of the hash chains of the read log. Each replica begins its own chains, so that replicas never
 * wait for each other. Each beginning contains the hash of an earlier one, so that only the newest beginning
 * could be removed undetected.
 */
export const readChains = pgTable('read_chain', {
  id: uuid('id').primaryKey(),
  startedAt: time('started_at').notNull(),
  /** Chain that was the newest when this chain began; null for the first chain. */
  previousId: uuid('previous_id'),
  previousHash: digest('previous_hash'),
  /** Id of the HMAC key of all hashes in the chain. The key itself is not in the database. */
  keyId: text('key_id').notNull(),
  hash: digest('hash').notNull(),
});

/**
 * Observations: one row per distinct provider update, with the transition that recorded it, to recognize
 * repeated updates. An update found by a poll has no event time until a webhook confirms it.
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
 * Doubted answers: poll answers that repeat an older status of the session and may be outdated, so a second
 * poll must confirm them (`DoubtfulPollAnswer`). At most one row per session.
 */
export const doubts = pgTable('doubted_answer', {
  sessionId: uuid('session_id').primaryKey(),
  rawStatus: text('raw_status').notNull(),
  rawSubStatus: text('raw_sub_status').notNull(),
  since: time('since').notNull(),
  webhooks: integer('webhooks').notNull(),
});

/** Outbox: committed transitions that have no feed position yet. A row usually lives for milliseconds. */
export const outbox = pgTable('transition_outbox', {
  id: bigserial('id', { mode: 'bigint' }).primaryKey(),
  sessionId: uuid('session_id').notNull(),
  sequence: integer('sequence').notNull(),
});

/**
 * Feed: the total order over the transitions of all sessions. Positions 1, 2, 3 … are assigned by one
 * transaction at a time (advisory lock). A serial column would not do: its numbers become visible in the
 * order of commits, so a reader that asks for everything after 7 would miss a 6 that is committed later.
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
 * One row with the epoch and the secret key of cursors. Both are stored in the database so that every replica
 * can verify every cursor, also after a restart.
 */
export const logIdentity = pgTable('log_identity', {
  /**
   * Number that is incremented after a restore from a backup: cursors of an earlier epoch name lost
   * transitions, and are refused.
   */
  epoch: integer('epoch').primaryKey(),
  cursorKey: digest('cursor_key').notNull(),
  /**
   * Highest feed position that was archived. The feed has gaps below this position, so cursors before it
   * cannot be resumed.
   */
  archivedPosition: bigint('archived_position', { mode: 'number' }).notNull().default(0),
  /**
   * Until this time, cursors are encoded in the form of the last release, whose replicas may still run and do
   * not understand the new form (rolling deploy); null if there was no upgrade.
   */
  oldCursorsUntil: time('old_cursors_until'),
});

/**
 * Sessions that were moved to an archive: one row each, with the session's user and the archive file that
 * contains the session.
 */
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
    /** Name of the archive file, without folder. */
    file: text('file').notNull(),
  },
  (t) => [index('archived_session_user').on(t.userId)],
);

/**
 * States of a stored webhook. PENDING: queued for processing. DONE: recorded, or it contained nothing new.
 * WAITING: its session is unknown, and the provider is asked. PARKED: dead letter, to be inspected and
 * replayed by a person.
 */
export const WEBHOOK_INBOX_STATES = ['PENDING', 'DONE', 'WAITING', 'PARKED'] as const;
export type WebhookInboxState = (typeof WEBHOOK_INBOX_STATES)[number];

/**
 * Webhook inbox: webhooks with a valid signature, stored before they are answered with 200, and processed
 * from here.
 */
export const inbox = pgTable(
  'webhook_inbox',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    provider: provider(),
    /**
     * SHA-256 of the raw body. Unique, so that a repeated delivery of the same body is stored only once
     * (idempotent).
     */
    bodyHash: digest('body_hash').notNull().unique(),
    /** Raw body of the webhook, encrypted. */
    body: sealed('body').notNull(),
    /** Verification id in the body; null if none could be read, and then the webhook is PARKED. */
    verificationId: text('verification_id'),
    state: text('state').$type<WebhookInboxState>().notNull(),
    /** Reason why the webhook is WAITING or PARKED; null in other states. */
    reason: text('reason'),
    attempts: integer('attempts').notNull().default(0),
    receivedAt: time('received_at').notNull(),
    traceparent: traceparent(),
  },
  (t) => [
    index('webhook_inbox_queue').on(t.id).where(sql`${t.state} = 'PENDING'`),
    index('webhook_inbox_session').on(t.verificationId, t.id).where(sql`${t.state} <> 'DONE'`),
    // Index for the metrics: every scrape counts the WAITING and PARKED webhooks, which are few.
    index('webhook_inbox_left').on(t.state).where(sql`${t.state} in ('WAITING', 'PARKED')`),
    check('webhook_inbox_state', sql`${t.state} in (${literals(WEBHOOK_INBOX_STATES)})`),
  ],
);

/**
 * Look-ups: verification ids that the provider must be asked about. The reasons are starts whose request got
 * no answer, webhooks of unknown verifications, and parked webhooks.
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

/** Calls to the provider in the last minute, by all replicas: the sliding window of the call budget. */
export const providerCalls = pgTable(
  'provider_call',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    at: time('at').notNull(),
    purpose: text('purpose').$type<ProviderCallPurpose>().notNull(),
  },
  (t) => [index('provider_call_at').on(t.at)],
);

/**
 * One row, under whose lock all replicas take provider calls from the budget one at a time. Its columns hold
 * the times until which all calls, or only polls, are paused.
 */
export const providerBudget = pgTable('provider_budget', {
  id: integer('id').primaryKey(),
  callsPausedUntil: time('calls_paused_until'),
  pollsPausedUntil: time('polls_paused_until'),
});

/**
 * Running replicas, with the ids of each replica's data keys (encryption keys), so that no key is used before
 * every replica can decrypt with it.
 */
export const replicas = pgTable('replica', {
  /** Random id that the process generates when it starts. */
  id: uuid('id').primaryKey(),
  /** Ids of the keys in the replica's DATA_KEYS setting, the encrypting key first. */
  dataKeys: text('data_keys').array().notNull(),
  /** Time of the replica's last heartbeat, by the database's clock. */
  seenAt: time('seen_at').notNull(),
});

/**
 * Ids of all data keys with which stored values may be encrypted. A gateway that lacks one of these keys does
 * not start while a stored value needs that key.
 */
export const dataKeys = pgTable('data_key', { id: text('id').primaryKey() });

/**
 * Figures of session statistics that take long to count, for all replicas (`SessionFiguresService`). A few hundred
 * rows at most, with numbers of sessions and no personal data. Figures whose row is lost or cannot be read
 * are counted again.
 */
export const sessionFigures = pgTable(
  'session_figures',
  {
    /** Kind of the figures, version of their form, and all properties of the window except its start. */
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

/**
 * Endpoints of merchant webhooks (setting WEBHOOK_ENDPOINTS): one row each, with the cursor in the feed and the state
 * of the circuit breaker. The URL and the secrets are only in the settings.
 */
export const merchantEndpoints = pgTable('merchant_endpoint', {
  name: text('name').primaryKey(),
  /** Feed position up to which deliveries were created. A new endpoint begins at the head of the feed. */
  position: bigint('position', { mode: 'number' }).notNull(),
  /** Failed attempts since the last success, not counted exactly if several run at once. */
  failures: integer('failures').notNull().default(0),
  /** Time of the first failure after the last success; null if the last attempt succeeded. */
  failingSince: time('failing_since'),
  /** Time until which nothing is sent, because the endpoint keeps failing or asked for it; null: not paused. */
  pausedUntil: time('paused_until'),
  /** End of the claim of the replica that tests a failing endpoint with one delivery; null: no replica does. */
  probedUntil: time('probed_until'),
});

/**
 * States of a delivery. PENDING: to be sent, or sent again. DONE: the endpoint accepted it. PARKED: dead letter, not
 * accepted within three days.
 */
export const MERCHANT_DELIVERY_STATES = ['PENDING', 'DONE', 'PARKED'] as const;
export type MerchantDeliveryState = (typeof MERCHANT_DELIVERY_STATES)[number];

/**
 * Deliveries: one row per event and endpoint. A row has no body: the body follows from rows that never change, so that
 * it is the same at each attempt. No personal data.
 */
export const merchantDeliveries = pgTable(
  'merchant_delivery',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    endpoint: text('endpoint')
      .notNull()
      .references(() => merchantEndpoints.name, { onDelete: 'cascade' }),
    /** Feed position of the transition that the event tells of. */
    position: bigint('position', { mode: 'number' }).notNull(),
    type: text('type').$type<EventType>().notNull(),
    sessionId: uuid('session_id').notNull(),
    sequence: integer('sequence').notNull(),
    state: text('state').$type<MerchantDeliveryState>().notNull().default('PENDING'),
    /** Attempts since the delivery was queued. The number also tells apart the replicas that claimed it one after another. */
    attempts: integer('attempts').notNull().default(0),
    /** Time at which the delivery was created or replayed. */
    queuedAt: time('queued_at').notNull(),
    /** Time of the first attempt since the delivery was queued. */
    triedSince: time('tried_since'),
    /** Earliest time of the next attempt. While a replica sends the delivery: the end of that replica's claim. */
    dueAt: time('due_at').notNull(),
    claimed: boolean('claimed').notNull().default(false),
    /** Outcome of the last attempt, such as `HTTP 500`; null before the first. */
    outcome: text('outcome'),
    settledAt: time('settled_at'),
  },
  (t) => [
    unique('merchant_delivery_event').on(t.endpoint, t.position, t.type),
    index('merchant_delivery_due').on(t.endpoint, t.dueAt, t.id).where(sql`${t.state} = 'PENDING'`),
    // Order of the deliveries of a session to an endpoint.
    index('merchant_delivery_line')
      .on(t.endpoint, t.sessionId, t.position, t.type)
      .where(sql`${t.state} = 'PENDING'`),
    index('merchant_delivery_left').on(t.endpoint, t.state, t.queuedAt).where(sql`${t.state} <> 'DONE'`),
    // Lists of deliveries by any condition, newest first.
    index('merchant_delivery_listed').on(t.endpoint, t.state, t.type, t.id),
    index('merchant_delivery_session').on(t.sessionId),
    // Accepted deliveries are deleted after a while.
    index('merchant_delivery_done').on(t.settledAt).where(sql`${t.state} = 'DONE'`),
    check('merchant_delivery_state', sql`${t.state} in (${literals(MERCHANT_DELIVERY_STATES)})`),
  ],
);

/**
 * Notifications of customers: one row for each cause, kind and channel, so that no cause notifies twice. A row is
 * deleted when its session is archived; what staff requested stays in the annotation of the same id.
 */
export const customerNotifications = pgTable(
  'customer_notification',
  {
    id: uuid('id').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id),
    /** Sequence of the transition that is the cause. */
    sequence: integer('sequence').notNull(),
    kind: text('kind').$type<NotificationKind>().notNull(),
    channel: text('channel').$type<NotificationChannel>().notNull(),
    locale: text('locale').$type<Locale>().notNull(),
    /** Encrypted text, because staff may write their own; null after the customer's data was erased. */
    text: sealed('text'),
    /** Token subject of the person who requested it; null if the gateway notified by itself. */
    requestedBy: text('requested_by'),
    /** Whether it is sent in the quiet hours too. */
    urgent: boolean('urgent').notNull(),
    state: text('state').$type<NotificationState>().notNull(),
    /** Whether deliveries to the endpoints of merchant webhooks were created, whose outcome decides the state. */
    released: boolean('released').notNull(),
    /** Earliest time of the next attempt. While a replica sends it: the end of that replica's claim. */
    dueAt: time('due_at').notNull(),
    queuedAt: time('queued_at').notNull(),
    settledAt: time('settled_at'),
    /** Number of attempts, which also tells apart the replicas that claimed it one after another. */
    attempts: integer('attempts').notNull(),
    /** Code of the outcome, such as `SMTP 550`; null before the first. */
    outcome: text('outcome'),
  },
  (t) => [
    unique('customer_notification_cause').on(t.sessionId, t.sequence, t.kind, t.channel),
    index('customer_notification_due')
      .on(t.dueAt, t.id)
      .where(sql`${t.state} = 'QUEUED' and not ${t.released}`),
    index('customer_notification_released').on(t.id).where(sql`${t.state} = 'QUEUED' and ${t.released}`),
    check('customer_notification_kind', sql`${t.kind} in (${literals(Object.keys(NOTIFICATION_KINDS))})`),
    check('customer_notification_state', sql`${t.state} in (${literals(Object.keys(NOTIFICATION_STATES))})`),
    check(
      'customer_notification_channel',
      sql`${t.channel} in (${literals(Object.keys(NOTIFICATION_CHANNELS))})`,
    ),
  ],
);

/** One row with the feed position up to which automatic notifications were created; none while they are off. */
export const notificationCursor = pgTable('notification_cursor', {
  id: integer('id').primaryKey(),
  position: bigint('position', { mode: 'number' }).notNull(),
});
