import type { SessionAction } from './session.ts';

/**
 * Access rules as two tables, one of operations and one of fields. Only `graphql/access-rules.ts` enforces the
 * rules.
 */

export const ROLES = {
  CUSTOMER: 'Person who is being verified: sees only their own sessions.',
  VIEWER:
    'Sees every session, but not the name, email or link of a customer, and only four digits of the phone number.',
  OPERATOR: 'Starts sessions and books meetings.',
  AGENT: 'Holds the video calls and records the first decision.',
  AUDITOR: 'Confirms or overturns the approvals of agents.',
  ADMIN:
    'May do everything, except audit their own agent review, or resolve a dispute about their own decision.',
} as const;
export type Role = keyof typeof ROLES;

const ALL_ROLES = Object.keys(ROLES) as readonly Role[];
const STAFF = ALL_ROLES.filter((role) => role !== 'CUSTOMER');

const STAFF_WITH_PERSONAL_DATA = ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'] as const;

/** Roles that operate the deployment, such as its merchant webhooks. */
const ADMINISTRATORS = ['ADMIN'] as const;

/** Roles that may perform each action. A CUSTOMER may perform an action only on their own sessions. */
export const ACTION_ROLES = {
  SCHEDULE_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  CANCEL_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  RECORD_AGENT_REVIEW: ['AGENT', 'ADMIN'],
  RECORD_AUDITOR_REVIEW: ['AUDITOR', 'ADMIN'],
  REFRESH: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  REQUEST_RECORDING: ['AGENT', 'AUDITOR', 'ADMIN'],
  CREATE_SDK_TOKEN: ['CUSTOMER', 'OPERATOR', 'ADMIN'],
  CLOSE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  REPLACE: ['OPERATOR', 'ADMIN'],
  RESOLVE_DISPUTE: ['AUDITOR', 'ADMIN'],
  ADD_NOTE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  ESCALATE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  RESOLVE_ESCALATION: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  ASSIGN: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  UNASSIGN: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  LABEL: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  NOTIFY: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
} as const satisfies Record<SessionAction, readonly Role[]>;

/** Roles that may take work from each queue (`claimNext`). */
export const QUEUE_ROLES = {
  AGENT: ACTION_ROLES.RECORD_AGENT_REVIEW,
  AUDITOR: ACTION_ROLES.RECORD_AUDITOR_REVIEW,
} as const satisfies Record<string, readonly Role[]>;

/** Roles that act on a session although it is assigned to another person, and may assign it to somebody else. */
export const ASSIGNMENT_MANAGER_ROLES: readonly Role[] = ['OPERATOR', 'ADMIN'];

/**
 * Roles that may call each root field of the GraphQL schema. The server does not start if a root field is
 * missing here, so that a new field cannot be open to everyone by mistake.
 */
export const OPERATION_ROLES = {
  'Query.viewer': ALL_ROLES,
  'Query.node': ALL_ROLES,
  'Query.nodes': ALL_ROLES,
  'Query.session': ALL_ROLES,
  'Query.sessionByVerificationId': ALL_ROLES,
  'Query.sessions': ALL_ROLES,
  'Query.users': STAFF_WITH_PERSONAL_DATA,
  'Query.sessionStats': ALL_ROLES,
  'Query.meetings': ALL_ROLES,
  'Query.meetingSlots': ALL_ROLES,
  'Query.feedCursor': ALL_ROLES,
  'Query.statusCatalog': ALL_ROLES,
  'Query.transitionRules': ALL_ROLES,
  'Query.userTemplates': ALL_ROLES,
  'Query.agentTemplates': ALL_ROLES,
  'Query.merchantEndpoints': ADMINISTRATORS,
  'Query.webhookDeliveries': ADMINISTRATORS,
  'Mutation.startSession': ['OPERATOR', 'ADMIN'],
  'Mutation.scheduleMeeting': ACTION_ROLES.SCHEDULE_MEETING,
  'Mutation.cancelMeeting': ACTION_ROLES.CANCEL_MEETING,
  'Mutation.recordAgentReview': ACTION_ROLES.RECORD_AGENT_REVIEW,
  'Mutation.recordAuditorReview': ACTION_ROLES.RECORD_AUDITOR_REVIEW,
  'Mutation.closeSession': ACTION_ROLES.CLOSE,
  'Mutation.addNote': ACTION_ROLES.ADD_NOTE,
  'Mutation.escalateSession': ACTION_ROLES.ESCALATE,
  'Mutation.resolveEscalation': ACTION_ROLES.RESOLVE_ESCALATION,
  'Mutation.labelSession': ACTION_ROLES.LABEL,
  'Mutation.notifyCustomer': ACTION_ROLES.NOTIFY,
  'Mutation.resolveDispute': ACTION_ROLES.RESOLVE_DISPUTE,
  'Mutation.assignAgent': ACTION_ROLES.ASSIGN,
  'Mutation.unassignAgent': ACTION_ROLES.UNASSIGN,
  'Mutation.claimNext': ['AGENT', 'AUDITOR', 'ADMIN'],
  'Mutation.replayWebhooks': ADMINISTRATORS,
  'Mutation.refreshSession': ACTION_ROLES.REFRESH,
  'Mutation.requestRecording': ACTION_ROLES.REQUEST_RECORDING,
  'Mutation.createSdkToken': ACTION_ROLES.CREATE_SDK_TOKEN,
  'Subscription.statusTransitions': ALL_ROLES,
  'Subscription.sessionLive': ALL_ROLES,
  'Subscription.feed': ALL_ROLES,
} as const satisfies Record<string, readonly Role[]>;

/** Roles that see a person's phone, name, email and link in full. A CUSTOMER sees only their own data. */
export const PERSONAL_DATA_ROLES: readonly Role[] = ['CUSTOMER', ...STAFF_WITH_PERSONAL_DATA];

/** Access rule that a field can have. */
export interface FieldRule {
  /** Roles that see the field in full. A CUSTOMER sees it only on their own sessions. */
  readonly roles: readonly Role[];
  /** True: the person who wrote the value also sees the value, whatever that person's role. */
  readonly own?: true;
  /**
   * True: the field is personal data. Each read of the field is recorded in the log of reads, and a
   * subscription cannot select the field, because its frames pass through systems that may log them (routers,
   * caches).
   */
  readonly personal?: true;
  readonly others: string;
}

/**
 * Access rules that a field can have: the roles that see the field in full, and what viewers with other roles
 * get instead.
 */
export const FIELD_RULES = {
  OPEN: { roles: ALL_ROLES, others: 'every viewer of the object sees it' },
  PERSONAL: { roles: PERSONAL_DATA_ROLES, personal: true, others: 'null' },
  PHONE: { roles: PERSONAL_DATA_ROLES, personal: true, others: 'the last four digits' },
  /** Free text written by staff. */
  WORDS: { roles: STAFF, own: true, personal: true, others: 'null, except for their own words' },
  /** Free text that staff wrote for the customer. */
  FOR_CUSTOMER: { roles: ALL_ROLES, personal: true, others: 'every viewer of the object sees it' },
  /** Record of staff that customers must not know of. */
  STAFF_ONLY: { roles: STAFF, others: 'null' },
  /** State of the deployment, which is no part of anybody's work on a session. */
  ADMIN_ONLY: { roles: ADMINISTRATORS, others: 'null' },
  /** Identity of a member of staff. */
  WHO: { roles: STAFF, own: true, others: 'null, except for themselves' },
  RECORDING: { roles: ACTION_ROLES.REQUEST_RECORDING, personal: true, others: 'the mutation is refused' },
  SDK_TOKEN: { roles: ACTION_ROLES.CREATE_SDK_TOKEN, personal: true, others: 'the mutation is refused' },
} as const satisfies Record<string, FieldRule>;
export type FieldRuleName = keyof typeof FIELD_RULES;

/**
 * Access rule of every field of every GraphQL type. The server does not start if a field is missing here, so
 * that a new field cannot be open to everyone by mistake.
 */
export const FIELD_ACCESS: Readonly<Record<string, Partial<Record<FieldRuleName, string>>>> = {
  VkycSession: {
    OPEN: `id verificationId referenceId user userTemplate agentTemplate languages linkExpiresAt startCursor
      status subStatus rawStatus rawSubStatus statusInfo statusSince version disputed closed replaced
      createdAt updatedAt
      providerStatus providerSubStatus providerAgrees
      replaces replacedBy meeting meetings reviews transitions availableActions blockedActions`,
    PERSONAL: 'link',
    WORDS: 'agentRemarks',
    STAFF_ONLY: `notes closure escalated escalation escalations providerDecision disputeResolutions
      assignedAgent assignedAt assignedUntil assignments dueAt overdue metadata tags notifications`,
    ADMIN_ONLY: 'webhookDeliveries',
  },
  VkycUser: { OPEN: 'id userId sessions', PERSONAL: 'name email', PHONE: 'phone' },
  StatusTransition: {
    OPEN: `id cursor previousCursor sequence session from status subStatus rawStatus rawSubStatus statusInfo
      applied changes source reason occurredAt recordedAt`,
    WHO: 'actor',
  },
  Meeting: {
    OPEN: 'id startsAt status source createdAt session',
    WHO: 'scheduledBy cancelledBy',
    WORDS: 'reason cancelReason',
  },
  Review: {
    OPEN: 'id stage decision reasons reasonTexts source recordedAt',
    WHO: 'reviewer',
    WORDS: 'remarks',
    FOR_CUSTOMER: 'customerMessage',
    STAFF_ONLY: 'callComplete',
  },
  Note: { OPEN: 'id recordedAt', WHO: 'author', WORDS: 'text' },
  CustomerNotification: {
    OPEN: 'id kind channel locale state outcome dueAt queuedAt settledAt causedBy',
    WHO: 'requestedBy',
    WORDS: 'text',
  },
  CustomerNotificationConnection: { OPEN: 'edges nodes pageInfo totalCount' },
  CustomerNotificationEdge: { OPEN: 'node cursor' },
  NoteConnection: { OPEN: 'edges nodes pageInfo totalCount' },
  NoteEdge: { OPEN: 'node cursor' },
  Closure: { OPEN: 'id outcome reason closedAt', WHO: 'closedBy', WORDS: 'note' },
  Escalation: {
    OPEN: 'id reason escalatedAt resolvedAt',
    WHO: 'escalatedBy resolvedBy',
    WORDS: 'note resolution',
  },
  MetadataEntry: { OPEN: 'key value' },
  DisputeResolution: { OPEN: 'id resolution resolvedAt', WHO: 'resolvedBy', WORDS: 'note' },
  Assignment: { OPEN: 'id agent claimed takenOverFrom assignedBy assignedAt unassignedBy unassignedAt' },
  StatusInfo: {
    OPEN: 'status subStatus explanation recommendedAction customerMessage waitingOn terminal reportedBy',
  },
  TransitionRule: { OPEN: 'from to sources action' },
  UserTemplate: { OPEN: 'id title steps' },
  AgentTemplate: { OPEN: 'id title' },
  BlockedAction: { OPEN: 'action reason' },
  Viewer: { OPEN: 'id roles expiresAt' },
  SessionStats: { OPEN: 'asOf total byStatus byWaitingOn funnel intervals' },
  StatusCount: { OPEN: 'status subStatus count oldestSince' },
  PartyCount: { OPEN: 'waitingOn count oldestSince' },
  FunnelStage: { OPEN: 'status reached medianSecondsToReach medianSecondsSpent' },
  StatsInterval: { OPEN: 'from to started approved ended' },
  PageInfo: { OPEN: 'hasNextPage hasPreviousPage startCursor endCursor' },
  VkycSessionConnection: { OPEN: 'edges nodes pageInfo totalCount' },
  VkycSessionEdge: { OPEN: 'node cursor' },
  MeetingSlot: { OPEN: 'startsAt endsAt available', STAFF_ONLY: 'capacity booked free' },
  MeetingConnection: { OPEN: 'edges nodes pageInfo totalCount' },
  MeetingEdge: { OPEN: 'node cursor' },
  StatusTransitionConnection: { OPEN: 'edges nodes pageInfo' },
  StatusTransitionEdge: { OPEN: 'node cursor' },
  SessionSnapshot: { OPEN: 'session cursor previousCursor resync' },
  Heartbeat: { OPEN: 'serverTime cursor previousCursor' },
  DeadlinePassed: { OPEN: 'session dueAt cursor previousCursor' },
  FeedReset: { OPEN: 'cursor previousCursor cause reason' },
  StartSessionSuccess: { OPEN: 'session replayed' },
  ScheduleMeetingSuccess: { OPEN: 'session meeting replayed' },
  CancelMeetingSuccess: { OPEN: 'session meeting replayed' },
  RecordReviewSuccess: { OPEN: 'session review replayed' },
  CloseSessionSuccess: { OPEN: 'session closure replayed' },
  AddNoteSuccess: { OPEN: 'session note replayed' },
  EscalateSessionSuccess: { OPEN: 'session escalation replayed' },
  ResolveEscalationSuccess: { OPEN: 'session escalation replayed' },
  LabelSessionSuccess: { OPEN: 'session replayed' },
  NotifyCustomerSuccess: { OPEN: 'session notification replayed' },
  ResolveDisputeSuccess: { OPEN: 'session resolution replayed' },
  AssignAgentSuccess: { OPEN: 'session assignment replayed' },
  UnassignAgentSuccess: { OPEN: 'session assignment replayed' },
  ClaimNextSuccess: { OPEN: 'session assignment replayed' },
  MerchantEndpoint: { OPEN: 'name host eventTypes state failingSince pausedUntil pending parked' },
  WebhookDelivery: {
    OPEN: 'id endpoint type session sequence state attempts queuedAt dueAt settledAt outcome webhookId',
  },
  WebhookDeliveryConnection: { OPEN: 'edges nodes pageInfo' },
  WebhookDeliveryEdge: { OPEN: 'node cursor' },
  ReplayWebhooksSuccess: { OPEN: 'queued mayHaveMore' },
  QueueEmpty: { OPEN: 'queue' },
  RefreshSessionSuccess: { OPEN: 'session changed' },
  RequestRecordingSuccess: { OPEN: 'session', RECORDING: 'recording' },
  Recording: { OPEN: 'url expiresAt' },
  CreateSdkTokenSuccess: { OPEN: 'session expiresAt', SDK_TOKEN: 'token' },
  InvalidInputError: { OPEN: 'code message retryable problems' },
  FieldProblem: { OPEN: 'path message' },
  NotFoundError: { OPEN: 'code message retryable' },
  ActionNotAllowedError: { OPEN: 'code message retryable action session' },
  TimeUnavailableError: { OPEN: 'code message retryable reason nextFreeSlots session' },
  ConflictError: { OPEN: 'code message retryable currentSession' },
  ProviderError: { OPEN: 'code message retryable providerCode retryAfterSeconds' },
};

/** Returns the access rule of a field; null if the table of fields does not list the field. */
export function findFieldRule(type: string, field: string): FieldRuleName | null {
  const rules = Object.entries(FIELD_ACCESS[type] ?? {}) as [FieldRuleName, string][];
  return rules.find(([, fields]) => fields.split(/\s+/).includes(field))?.[0] ?? null;
}

/** Authenticated caller. */
export interface Viewer {
  /** `sub` claim (subject) of the caller's token. */
  readonly id: string;
  /**
   * Pseudonyms (keyed hashes) of a customer's `id`, one for each audit key, that of the current key first. A
   * pseudonym is stored instead of the `id`, because the `id` may identify the person.
   */
  readonly pseudonyms?: readonly string[];
  readonly roles: readonly Role[];
  /** Verification ids of the sessions that a customer may see; unused for staff, who see all sessions. */
  readonly verificationIds: readonly string[];
  /** Time at which the token expires; null if there is no token (development). */
  readonly expiresAt: Date | null;
}

/** Returns a cache key. Two viewers have the same key only if both see the same data. */
export const getViewerCacheKey = ({ id, roles, verificationIds }: Viewer): string =>
  JSON.stringify([id, roles, verificationIds]);

export const hasAnyRole = (viewer: Viewer, allowed: readonly Role[]): boolean =>
  viewer.roles.some((role) => allowed.includes(role));

/**
 * Whether the viewer has an allowed role on this session. The role CUSTOMER counts only on the customer's own
 * sessions.
 */
export const hasAnyRoleOnSession = (
  viewer: Viewer,
  allowed: readonly Role[],
  verificationId: string,
): boolean =>
  viewer.roles.some(
    (role) =>
      allowed.includes(role) && (role !== 'CUSTOMER' || viewer.verificationIds.includes(verificationId)),
  );

/**
 * Returns the name that is stored for the viewer as actor or author. The name of a customer is a pseudonym, so
 * that after the customer's data was erased no stored name identifies the person.
 */
export const getRecordedName = ({ id, pseudonyms }: Viewer): string => pseudonyms?.[0] ?? id;

/**
 * Whether a stored name of an actor or author means this viewer: it is the viewer's `id` or one of the
 * pseudonyms.
 */
export const isRecordedNameOf = ({ id, pseudonyms }: Viewer, name: unknown): boolean =>
  name === id || (pseudonyms?.includes(name as string) ?? false);

/**
 * Returns all names that may be stored for the viewer: the pseudonym under each audit key, and the plain `id`,
 * which earlier releases stored.
 */
export const getPossibleRecordedNames = ({ id, pseudonyms = [] }: Viewer): readonly string[] => [
  ...pseudonyms,
  id,
];

/** Whether the viewer has a staff role. Staff see all sessions. */
export const isStaff = (viewer: Viewer): boolean => hasAnyRole(viewer, STAFF);

/**
 * Returns the verification ids of the sessions that the viewer may see; null if the viewer may see all
 * sessions.
 */
export const getVisibleVerificationIds = (viewer: Viewer): readonly string[] | null =>
  isStaff(viewer) ? null : viewer.verificationIds;

/** Whether the viewer may see the session. */
export const maySeeSession = (viewer: Viewer, verificationId: string): boolean =>
  getVisibleVerificationIds(viewer)?.includes(verificationId) ?? true;

/** Whether every staff role sees the field in full. */
export const isVisibleToAllStaff = (rule: FieldRuleName): boolean => {
  const roles: readonly Role[] = FIELD_RULES[rule].roles;
  return STAFF.every((role) => roles.includes(role));
};

/** Known facts about the owner of a field's value. From these facts follows whether a viewer sees the value. */
export interface FieldOwner {
  readonly verificationId?: string | undefined;
  /** Stored name of the person who wrote the value (`getRecordedName`). */
  readonly author?: unknown;
}

/** Whether the viewer sees the field in full. */
export function maySeeField(
  viewer: Viewer,
  rule: FieldRuleName,
  { verificationId, author }: FieldOwner,
): boolean {
  const { roles, own }: FieldRule = FIELD_RULES[rule];
  if (own && isRecordedNameOf(viewer, author)) return true;
  if (verificationId !== undefined) return hasAnyRoleOnSession(viewer, roles, verificationId);
  // The caller did not say which session the field belongs to. A viewer who is only a customer can reach only
  // their own data; a viewer who is also staff reaches all data, so only the staff roles count.
  return hasAnyRole(
    viewer,
    getVisibleVerificationIds(viewer) ? roles : roles.filter((role) => role !== 'CUSTOMER'),
  );
}
