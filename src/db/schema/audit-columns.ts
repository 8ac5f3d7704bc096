import type { InferSelectModel } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type * as tables from './tables.ts';

type Tables = typeof tables;
export type TableExportName = {
  [Key in keyof Tables]: Tables[Key] extends PgTable ? Key : never;
}[keyof Tables];
type ColumnsOf<Key extends TableExportName> = Extract<
  keyof InferSelectModel<Extract<Tables[Key], PgTable>>,
  string
>;

/**
 * How `npm run audit -- verify` proves the values of a column. BOUND: an entry of an audit chain contains the
 * value. DERIVED: the value follows from proven columns, and is compared with them. `unproven`: not proven,
 * with the reason why nothing depends on the value.
 */
export type ColumnProof = 'BOUND' | 'DERIVED' | { readonly unproven: string };

const because = (unproven: string): ColumnProof => ({ unproven });

const POLLING = because('only decides when the provider is polled next');
const ORDERING = because('only orders later updates; each update is a transition with its own time');
const SEALED = because(
  'encrypted and bound to its row (AAD), so it cannot be forged; the provider may replace it',
);
const TRACE = because('only links traces');
// Not BOUND, so that erasing a person can delete it.
const ROUTING = because('only decides to whom `claimNext` gives a session; who reviewed it is bound');
// Not BOUND (contained in audit entries), because sessions recorded before the column `provider` existed have
// audit chains without the provider.
const PROVIDER = because(
  'only decides which provider is asked; an answer with other ids than the bound ones is refused',
);
const RECOGNITION = because('only recognises repeated updates; each update is a transition');
const REPETITION = because('only recognises repeated calls; the effects of a call are bound');
const QUEUE = because('work in progress; the results are bound');
const FIGURES = because('only keeps counts of sessions; the sessions are bound, and can be counted again');
const SEARCH = because('only finds sessions; derived from bound columns by a trigger');
const DELIVERY = because('only decides what merchants are told, and when; what an event tells is bound');
const NOTICE = because(
  'only decides what customers are told, and when; what staff requested is bound in its annotation',
);
const POSITION = because(
  'only orders the feed for subscribers; the log of each session has its own proven order',
);

/**
 * How each column of each table is proven. A missing table or column is a compile error, so every new column
 * needs a decision.
 */
export const COLUMN_PROOFS: {
  readonly [Key in TableExportName]: { readonly [C in ColumnsOf<Key>]: ColumnProof };
} = {
  sessions: {
    id: 'BOUND',
    provider: PROVIDER,
    verificationId: 'BOUND',
    referenceId: 'BOUND',
    userId: 'BOUND',
    userTemplate: 'BOUND',
    agentTemplate: 'BOUND',
    replacesId: 'BOUND',
    linkExpiresAt: 'BOUND',
    personSalt: 'BOUND',
    createdAt: 'BOUND',
    status: 'DERIVED',
    subStatus: 'DERIVED',
    rawStatus: 'DERIVED',
    rawSubStatus: 'DERIVED',
    version: 'DERIVED',
    lastSequence: 'DERIVED',
    disputed: 'DERIVED',
    statusSince: 'DERIVED',
    waitingOn: 'DERIVED',
    decidedHere: 'DERIVED',
    escalated: 'DERIVED',
    closed: 'DERIVED',
    replaced: 'DERIVED',
    assignedAgent: 'DERIVED',
    assignedAt: 'DERIVED',
    assignedUntil: because('only reserves work for some minutes; who had the session when is bound'),
    dueAt: because('follows from the proven `statusSince` and a setting, and is computed again'),
    providerStatus: 'DERIVED',
    providerSubStatus: 'DERIVED',
    erasedAt: 'DERIVED',
    updatedAt: 'DERIVED',
    providerEventTime: ORDERING,
    providerWebhooks: ORDERING,
    providerFoundAt: ORDERING,
    providerHeardAt: POLLING,
    unsettled: POLLING,
    nextPollAt: POLLING,
    languages: ROUTING,
    link: SEALED,
    agentRemarks: SEALED,
    providerMeetingAt: because('only recognises a meeting that the provider repeats; the meeting is bound'),
    meetingAt: because('only plans polls; the meeting is bound'),
  },
  transitions: {
    sessionId: 'BOUND',
    sequence: 'BOUND',
    fromStatus: 'BOUND',
    fromSubStatus: 'BOUND',
    status: 'BOUND',
    subStatus: 'BOUND',
    rawStatus: 'BOUND',
    rawSubStatus: 'BOUND',
    verdict: 'BOUND',
    source: 'BOUND',
    actor: 'BOUND',
    occurredAt: 'BOUND',
    recordedAt: 'BOUND',
    traceparent: TRACE,
  },
  sessionTerms: { sessionId: SEARCH, term: SEARCH },
  sessionLabels: { sessionId: 'BOUND', metadata: 'BOUND', tags: 'BOUND' },
  meetings: {
    id: 'BOUND',
    sessionId: 'BOUND',
    startsAt: 'BOUND',
    status: 'BOUND',
    source: 'BOUND',
    scheduledBy: 'BOUND',
    cancelledBy: 'BOUND',
    cancelReason: 'BOUND',
    cancelReasonSalt: 'BOUND',
    createdAt: 'BOUND',
  },
  reviews: {
    id: 'BOUND',
    sessionId: 'BOUND',
    sequence: 'BOUND',
    stage: 'BOUND',
    decision: 'BOUND',
    remarks: 'BOUND',
    remarksSalt: 'BOUND',
    source: 'BOUND',
    reviewer: 'BOUND',
    recordedAt: 'BOUND',
    reasons: 'BOUND',
    customerMessage: 'BOUND',
    customerMessageSalt: 'BOUND',
    callComplete: 'BOUND',
  },
  annotations: {
    id: 'BOUND',
    sessionId: 'BOUND',
    sequence: 'BOUND',
    kind: 'BOUND',
    code: 'BOUND',
    text: 'BOUND',
    textSalt: 'BOUND',
    author: 'BOUND',
    recordedAt: 'BOUND',
  },
  auditEntries: {
    sessionId: 'BOUND',
    number: 'BOUND',
    kind: 'BOUND',
    content: 'BOUND',
    keyId: 'BOUND',
    hash: 'BOUND',
    recordedAt: 'BOUND',
  },
  users: {
    id: 'BOUND',
    userId: 'BOUND',
    createdAt: 'BOUND',
    erasedAt: 'DERIVED',
    personal: SEALED,
    phoneHash: because('only finds a person by phone; computed from `personal`, which is sealed'),
  },
  startIntents: {
    verificationId: 'DERIVED',
    provider: because('only decides to which provider a start is sent; the resulting session is bound'),
    caller: 'BOUND',
    sessionId: REPETITION,
    inputHash: REPETITION,
    userId: because('only decides for whom a start is sent; the person of the session is bound'),
    userTemplate: because('only decides what is sent; the template of the session is bound'),
    agentTemplate: because('only decides what is sent; the template of the session is bound'),
    replacesId: because('only decides what is sent; the replaced session is bound'),
    metadata: because('only decides which labels a new session gets; the labels of the session are bound'),
    tags: because('only decides which labels a new session gets; the labels of the session are bound'),
    languages: ROUTING,
    sends: QUEUE,
    state: QUEUE,
    createdAt: QUEUE,
  },
  personalDataReads: {
    id: because('only orders the read log; the chain and the number of a read are bound'),
    at: 'BOUND',
    viewer: 'BOUND',
    operations: 'BOUND',
    fields: 'BOUND',
    subjects: 'BOUND',
    chainId: 'BOUND',
    number: 'BOUND',
    hash: 'BOUND',
  },
  readChains: {
    id: 'BOUND',
    startedAt: 'BOUND',
    previousId: 'BOUND',
    previousHash: 'BOUND',
    keyId: 'BOUND',
    hash: 'BOUND',
  },
  archivedSessions: {
    sessionId: 'DERIVED',
    verificationId: 'DERIVED',
    userId: 'DERIVED',
    endedAt: 'DERIVED',
    file: 'DERIVED',
    archivedAt: because('the last line of the archive contains this time under a MAC'),
  },
  auditBacklog: {
    sessionId: because('only lists the sessions for the adopt command; a named person answers for them'),
  },
  idempotencyKeys: {
    caller: REPETITION,
    mutation: REPETITION,
    key: REPETITION,
    inputHash: REPETITION,
    sessionId: REPETITION,
    outcomeId: REPETITION,
    createdAt: REPETITION,
  },
  observations: {
    sessionId: RECOGNITION,
    sequence: RECOGNITION,
    rawStatus: RECOGNITION,
    rawSubStatus: RECOGNITION,
    eventTime: RECOGNITION,
  },
  doubts: {
    sessionId: QUEUE,
    rawStatus: QUEUE,
    rawSubStatus: QUEUE,
    since: QUEUE,
    webhooks: QUEUE,
  },
  outbox: { id: QUEUE, sessionId: QUEUE, sequence: QUEUE },
  feed: { position: POSITION, sessionId: POSITION, sequence: POSITION },
  logIdentity: {
    epoch: POSITION,
    cursorKey: POSITION,
    archivedPosition: POSITION,
    oldCursorsUntil: POSITION,
  },
  inbox: {
    id: QUEUE,
    provider: QUEUE,
    bodyHash: QUEUE,
    body: SEALED,
    verificationId: QUEUE,
    state: QUEUE,
    reason: QUEUE,
    attempts: QUEUE,
    receivedAt: QUEUE,
    traceparent: TRACE,
  },
  lookups: { verificationId: QUEUE, since: QUEUE, dueAt: QUEUE },
  providerCalls: { id: QUEUE, at: QUEUE, purpose: QUEUE },
  dataKeys: {
    id: because('only stops a gateway from starting without a needed key; each value names its own key'),
  },
  replicas: { id: QUEUE, dataKeys: QUEUE, seenAt: QUEUE },
  sessionFigures: {
    series: FIGURES,
    from: FIGURES,
    figures: FIGURES,
    asOf: FIGURES,
    tookMs: FIGURES,
  },
  providerBudget: { id: QUEUE, callsPausedUntil: QUEUE, pollsPausedUntil: QUEUE },
  merchantEndpoints: {
    name: DELIVERY,
    position: DELIVERY,
    failures: DELIVERY,
    failingSince: DELIVERY,
    pausedUntil: DELIVERY,
    probedUntil: DELIVERY,
  },
  merchantDeliveries: {
    id: DELIVERY,
    endpoint: DELIVERY,
    position: DELIVERY,
    type: DELIVERY,
    sessionId: DELIVERY,
    sequence: DELIVERY,
    state: DELIVERY,
    attempts: DELIVERY,
    queuedAt: DELIVERY,
    triedSince: DELIVERY,
    dueAt: DELIVERY,
    claimed: DELIVERY,
    outcome: DELIVERY,
    settledAt: DELIVERY,
  },
  customerNotifications: {
    id: NOTICE,
    sessionId: NOTICE,
    sequence: NOTICE,
    kind: NOTICE,
    channel: NOTICE,
    locale: NOTICE,
    text: NOTICE,
    requestedBy: NOTICE,
    urgent: NOTICE,
    state: NOTICE,
    released: NOTICE,
    dueAt: NOTICE,
    queuedAt: NOTICE,
    settledAt: NOTICE,
    attempts: NOTICE,
    outcome: NOTICE,
  },
  notificationCursor: { id: NOTICE, position: NOTICE },
};
