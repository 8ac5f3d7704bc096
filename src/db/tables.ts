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
} from '../domain/actions.ts';
import { AUDIT_FIELDS, type AuditKind } from '../domain/audit.ts';
import type { CallPurpose } from '../domain/ports.ts';
import { TRANSITION_SOURCES, type TransitionSource, VERDICTS, type Verdict } from '../domain/session.ts';
import { type Party, STATUS_CATALOG, type Status, type SubStatus } from '../domain/status.ts';

/** Milliseconds, as JavaScript's Date has them: finer times would not survive a round trip through a cursor. */
const time = (name: string) => timestamp(name, { precision: 3, withTimezone: true });

/** Personal data, encrypted before it comes here (`sealing.ts`). */
const sealed = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const digest = sealed;

/** The trace in which a row was written, so that who goes on with it goes on with the trace; null without tracing. */
const traceparent = () => text('traceparent');

const literals = (values: readonly string[]) => sql.raw(values.map((value) => `'${value}'`).join(', '));

/**
 * Only pairs of the status table can be stored: by a function that the migrations make, since PostgreSQL reads a check's
 * text anew for every statement, and all pairs in it took longer than writing the row.
 */
const belongsTogether = (status: AnyPgColumn, subStatus: AnyPgColumn) =>
  sql`is_status_pair(${status}, ${subStatus})`;

/** Where the session is over. */
export const isOver = (subStatus: AnyPgColumn) => {
  const terminal = STATUS_CATALOG.filter((info) => info.terminal).map((info) => info.subStatus);
  return sql`${subStatus} in (${literals(terminal)})`;
};

/** People being verified. */
export const users = pgTable(
  'vkyc_user',
  {
    id: uuid('id').primaryKey(),
    userId: text('user_id').notNull().unique(),
    /** Sealed JSON of phone, name, email and address. */
    personal: sealed('personal').notNull(),
    /** Keyed hash, to tell whether a phone is the same without reading it. */
    phoneHash: digest('phone_hash'),
    createdAt: time('created_at').notNull(),
    /** When the personal data was erased for good. */
    erasedAt: time('erased_at'),
  },
  (t) => [index('vkyc_user_phone').on(t.phoneHash)],
);

/**
 * OPEN: may have been sent. DONE: recorded; a repetition replays it. REFUSED: nothing came of it, so that another
 * input may take its place. TAKEN: the provider had the verification id before it was ever sent: somebody else's.
 */
export type IntentState = 'OPEN' | 'DONE' | 'REFUSED' | 'TAKEN';

/** What somebody asked to start, stored before the provider hears of it. */
export const startIntents = pgTable(
  'start_intent',
  {
    verificationId: text('verification_id').primaryKey(),
    sessionId: uuid('session_id').notNull().unique(),
    /** Who asked; only they may ask again. */
    caller: text('caller').notNull(),
    /** Keyed hash of the whole input. */
    inputHash: digest('input_hash').notNull(),
    userId: uuid('user_id').references(() => users.id),
    userTemplate: text('user_template'),
    agentTemplate: text('agent_template'),
    replacesId: uuid('replaces_id'),
    /** Counted up just before the provider is asked: from here on a GET decides before anything is sent again. */
    sends: integer('sends').notNull(),
    state: text('state').$type<IntentState>().notNull(),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    // Of several that would take the place of the same session, one may try.
    uniqueIndex('start_intent_replaces').on(t.replacesId).where(sql`${t.state} in ('OPEN', 'DONE')`),
  ],
);

/** One row a session: the fold of its log, and beside it what the provider last said. */
export const sessions = pgTable(
  'vkyc_session',
  {
    id: uuid('id').primaryKey(),
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
    /** When the newest transition that moved it was recorded. */
    statusSince: time('status_since').notNull(),
    /** Of the pair, or MERCHANT while the session is disputed. */
    waitingOn: text('waiting_on').$type<Party>().notNull(),
    decidedHere: boolean('decided_here').notNull(),
    providerStatus: text('provider_status').notNull(),
    providerSubStatus: text('provider_sub_status').notNull(),
    providerEventTime: time('provider_event_time'),
    providerWebhooks: integer('provider_webhooks').notNull(),
    /** When the provider was last heard of this session, in whatever way. */
    providerHeardAt: time('provider_heard_at').notNull(),
    /** When a poll found the provider's present words; null where a webhook dated them. */
    providerFoundAt: time('provider_found_at'),
    /** The order of what was heard is in doubt until the provider is asked. */
    unsettled: boolean('unsettled').notNull(),
    /** When the provider is to be asked next; null: no more. */
    nextPollAt: time('next_poll_at'),
    link: sealed('link'),
    linkExpiresAt: time('link_expires_at'),
    /** The provider's newest word on a meeting, so that each is taken over once. */
    providerMeetingAt: time('provider_meeting_at'),
    /** Of the meeting that is booked, wherever it was. */
    meetingAt: time('meeting_at'),
    /** The session whose place this one took. */
    replacesId: uuid('replaces_id').references((): AnyPgColumn => sessions.id),
    /** Salt of the commitment to the person in the audit chain; erased with the person. Null: not bound. */
    personSalt: digest('person_salt'),
    /** When the person's data was erased: late news brings none of it back. */
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
    // What a floor asks every second, without a look at the table, and as cheap however many sessions are over.
    index('vkyc_session_open')
      .on(t.status, t.subStatus, t.waitingOn, t.statusSince)
      .where(sql`not ${isOver(t.subStatus)}`),
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
    /** Sealed: people write what they like. */
    cancelReason: sealed('cancel_reason'),
    /** Of the commitment to it in the audit chain: to be erased with it. */
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
    /** Of the transition that recorded it. */
    sequence: integer('sequence').notNull(),
    stage: text('stage').$type<ReviewStage>().notNull(),
    decision: text('decision').$type<ReviewDecision>().notNull(),
    /** Sealed: people write what they like. */
    remarks: sealed('remarks'),
    /** Of the commitment to them in the audit chain: to be erased with them. */
    remarksSalt: digest('remarks_salt'),
    source: text('source').$type<TransitionSource>().notNull(),
    /** Null where the provider did not say who. */
    reviewer: text('reviewer'),
    recordedAt: time('recorded_at').notNull(),
  },
  (t) => [
    unique('review_transition').on(t.sessionId, t.sequence),
    check('review_stage', sql`${t.stage} in (${literals(Object.keys(REVIEW_STAGES))})`),
    check('review_decision', sql`${t.decision} in (${literals(Object.keys(REVIEW_DECISIONS))})`),
  ],
);

/** Which calls were made already. A key belongs to its caller and mutation. */
export const idempotencyKeys = pgTable(
  'idempotency_key',
  {
    caller: text('caller').notNull(),
    mutation: text('mutation').notNull(),
    key: text('key').notNull(),
    /** Keyed hash of the input. */
    inputHash: digest('input_hash').notNull(),
    sessionId: uuid('session_id').notNull(),
    /** The meeting or review that the call made or changed. */
    outcomeId: uuid('outcome_id').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.caller, t.mutation, t.key] }),
    index('idempotency_key_session').on(t.sessionId),
  ],
);

/** The log: every transition of every session, never changed. */
export const transitions = pgTable(
  'status_transition',
  {
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id),
    /** 1, 2, 3 … within the session, without gaps: given out under the session's row lock. */
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

/** A hash chain a session, over all that was recorded of it (`domain/audit.ts`). Only ever appended to. */
export const auditEntries = pgTable(
  'audit_entry',
  {
    sessionId: uuid('session_id').notNull(),
    /** 1, 2, 3 … within the session: given out under the session's row lock. */
    number: integer('number').notNull(),
    kind: text('kind').$type<AuditKind>().notNull(),
    /** JSON as it was hashed, to the letter: jsonb would not keep it so. */
    content: text('content').notNull(),
    /** The key of the hash, which the database does not have. */
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

/** Sessions from before there were chains, whose chain is still to be begun: filled once, by the migration. */
export const auditBacklog = pgTable('audit_backlog', { sessionId: uuid('session_id').primaryKey() });

/** Who was shown whose personal data: one row an answer that holds some. Only ever appended to. */
export const personalDataReads = pgTable(
  'personal_data_read',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    at: time('at').notNull(),
    /** `sub` of the token, or the command and who ran it. */
    viewer: text('viewer').notNull(),
    /** Root fields, such as `Query.sessions`. */
    operations: text('operations').array().notNull(),
    /** Such as `VkycUser.phone`. */
    fields: text('fields').array().notNull(),
    /** Of what, such as `vkyc_user:…`. */
    subjects: text('subjects').array().notNull(),
    /** Chain of the read log (`domain/read-chain.ts`); null: recorded by a release before there were any. */
    chainId: uuid('chain_id'),
    /** 1, 2, 3 … within the chain. */
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
 * Beginnings of the chains of the read log. A replica begins chains of its own, so that replicas never wait for each
 * other; each begins with the hash of an earlier beginning, so that none can be removed without a trace but the newest.
 */
export const readChains = pgTable('read_chain', {
  id: uuid('id').primaryKey(),
  startedAt: time('started_at').notNull(),
  /** Chain that was the newest then; null for the first. */
  previousId: uuid('previous_id'),
  previousHash: digest('previous_hash'),
  /** Key of the hashes of the whole chain. */
  keyId: text('key_id').notNull(),
  hash: digest('hash').notNull(),
});

/** Each distinct piece of news and the transition that records it; a poll's finding has no time until confirmed. */
export const sightings = pgTable(
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

/** Answers of the provider that wait for a second one to confirm them (`Doubt`): at most one a session, few at a time. */
export const doubts = pgTable('doubted_answer', {
  sessionId: uuid('session_id').primaryKey(),
  rawStatus: text('raw_status').notNull(),
  rawSubStatus: text('raw_sub_status').notNull(),
  since: time('since').notNull(),
  webhooks: integer('webhooks').notNull(),
});

/** Transitions that were recorded and have no position yet. Rows live for milliseconds. */
export const outbox = pgTable('transition_outbox', {
  id: bigserial('id', { mode: 'bigint' }).primaryKey(),
  sessionId: uuid('session_id').notNull(),
  sequence: integer('sequence').notNull(),
});

/**
 * The order over all sessions: 1, 2, 3 … given out after commit, by one replica at a time. A serial column
 * would not do: its numbers become visible in the order of commits, and "all after 7" would miss a slower 6.
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

/** One row: what makes cursors of this log verifiable, by every replica and across restarts. */
export const logIdentity = pgTable('log_identity', {
  /** Raised after a restore from backup, so that a cursor from before is refused and not misread. */
  epoch: integer('epoch').primaryKey(),
  cursorKey: digest('cursor_key').notNull(),
  /** The newest position that an archived transition had: before it the feed has gaps, and nobody goes on from there. */
  archivedPosition: bigint('archived_position', { mode: 'number' }).notNull().default(0),
  /** Until then cursors have the form of the last release, whose replicas may still run; null if there was no upgrade. */
  oldCursorsUntil: time('old_cursors_until'),
});

/** What is left here of sessions that were moved to an archive: whose they were, and where they are. */
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
    /** The archive's name, without its folder. */
    file: text('file').notNull(),
  },
  (t) => [index('archived_session_user').on(t.userId)],
);

/**
 * PENDING: in line. DONE: recorded, or nothing new. WAITING: for a session of its id, for which the provider is
 * asked. PARKED: for somebody to look at, and to replay.
 */
export const INBOX_STATES = ['PENDING', 'DONE', 'WAITING', 'PARKED'] as const;
export type InboxState = (typeof INBOX_STATES)[number];

/** Verified webhooks, stored before they are answered and processed from here. */
export const inbox = pgTable(
  'webhook_inbox',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    /** SHA-256 of the raw bytes: a repeated delivery is the same row. */
    bodyHash: digest('body_hash').notNull().unique(),
    /** Sealed raw bytes. */
    body: sealed('body').notNull(),
    /** Null where none could be read; such a row is parked. */
    verificationId: text('verification_id'),
    state: text('state').$type<InboxState>().notNull(),
    /** Why it waits or was parked. */
    reason: text('reason'),
    attempts: integer('attempts').notNull().default(0),
    receivedAt: time('received_at').notNull(),
    traceparent: traceparent(),
  },
  (t) => [
    index('webhook_inbox_queue').on(t.id).where(sql`${t.state} = 'PENDING'`),
    index('webhook_inbox_session').on(t.verificationId, t.id).where(sql`${t.state} <> 'DONE'`),
    // Few, and counted at every scrape.
    index('webhook_inbox_left').on(t.state).where(sql`${t.state} in ('WAITING', 'PARKED')`),
    check('webhook_inbox_state', sql`${t.state} in (${literals(INBOX_STATES)})`),
  ],
);

/**
 * Verification ids to look for at the provider, since no session of theirs is here: of starts that were sent and not
 * answered, and of strangers that webhooks speak of.
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

/** The calls made to the provider in the last minute, by all replicas. */
export const providerCalls = pgTable(
  'provider_call',
  {
    id: bigserial('id', { mode: 'bigint' }).primaryKey(),
    at: time('at').notNull(),
    purpose: text('purpose').$type<CallPurpose>().notNull(),
  },
  (t) => [index('provider_call_at').on(t.at)],
);

/** One row: replicas take turns at it. The pauses are those that the provider asked for. */
export const providerBudget = pgTable('provider_budget', {
  id: integer('id').primaryKey(),
  callsPausedUntil: time('calls_paused_until'),
  pollsPausedUntil: time('polls_paused_until'),
});

/** Running gateways and the data keys that each of them knows, so that no key is used before all of them have it. */
export const replicas = pgTable('replica', {
  /** Made up by the process. */
  id: uuid('id').primaryKey(),
  /** Ids of DATA_KEYS. */
  dataKeys: text('data_keys').array().notNull(),
  /** By the clock of the database. */
  seenAt: time('seen_at').notNull(),
});

/** Ids of all data keys that values may be stored under, so that a start without one of them looks for such values. */
export const dataKeys = pgTable('data_key', { id: text('id').primaryKey() });
