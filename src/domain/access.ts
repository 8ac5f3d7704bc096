import type { SessionAction } from './session.ts';

/** Who may do and see what: one table of operations, one of fields. Enforced in one place, `graphql/guard.ts`. */

export const ROLES = {
  CUSTOMER: 'The person being verified: sees their own sessions.',
  VIEWER: 'Sees every session, without personal data.',
  OPERATOR: 'Starts sessions and books meetings.',
  AGENT: 'Holds the calls and records the first decision.',
  AUDITOR: 'Confirms or overturns what agents approved.',
  ADMIN: 'May do everything, except audit their own agent review.',
} as const;
export type Role = keyof typeof ROLES;

const EVERYONE = Object.keys(ROLES) as readonly Role[];
const STAFF = EVERYONE.filter((role) => role !== 'CUSTOMER');

/** What may be done with a session, by role. Customers: with their own. */
export const ACTION_ROLES = {
  SCHEDULE_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  CANCEL_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  RECORD_AGENT_REVIEW: ['AGENT', 'ADMIN'],
  RECORD_AUDITOR_REVIEW: ['AUDITOR', 'ADMIN'],
  REFRESH: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  REQUEST_RECORDING: ['AGENT', 'AUDITOR', 'ADMIN'],
  CREATE_SDK_TOKEN: ['CUSTOMER', 'OPERATOR', 'ADMIN'],
} as const satisfies Record<SessionAction, readonly Role[]>;

/** Operation by role. A root field that is missing here does not start. */
export const OPERATIONS = {
  'Query.viewer': EVERYONE,
  'Query.node': EVERYONE,
  'Query.nodes': EVERYONE,
  'Query.session': EVERYONE,
  'Query.sessionByVerificationId': EVERYONE,
  'Query.sessions': EVERYONE,
  'Query.sessionStats': EVERYONE,
  'Query.feedCursor': EVERYONE,
  'Query.statusCatalog': EVERYONE,
  'Query.transitionRules': EVERYONE,
  'Mutation.startSession': ['OPERATOR', 'ADMIN'],
  'Mutation.scheduleMeeting': ACTION_ROLES.SCHEDULE_MEETING,
  'Mutation.cancelMeeting': ACTION_ROLES.CANCEL_MEETING,
  'Mutation.recordAgentReview': ACTION_ROLES.RECORD_AGENT_REVIEW,
  'Mutation.recordAuditorReview': ACTION_ROLES.RECORD_AUDITOR_REVIEW,
  'Mutation.refreshSession': ACTION_ROLES.REFRESH,
  'Mutation.requestRecording': ACTION_ROLES.REQUEST_RECORDING,
  'Mutation.createSdkToken': ACTION_ROLES.CREATE_SDK_TOKEN,
  'Subscription.statusTransitions': EVERYONE,
  'Subscription.sessionLive': EVERYONE,
  'Subscription.feed': EVERYONE,
} as const satisfies Record<string, readonly Role[]>;

/** Who sees a person's phone, name, email and link in full. Customers see their own. */
export const SEES_PERSONAL_DATA: readonly Role[] = ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'];

interface FieldRule {
  /** Who is shown it in full; CUSTOMER: of their own sessions. */
  readonly roles: readonly Role[];
  /** Shown to who wrote it as well, whatever their role. */
  readonly own?: true;
  /** Every reading is recorded, and frames of subscriptions, which pass through more hands, never carry it. */
  readonly personal?: true;
  readonly others: string;
}

/** How fields differ from one another. */
export const FIELD_RULES = {
  OPEN: { roles: EVERYONE, others: 'all who may see the object see it' },
  PERSONAL: { roles: SEES_PERSONAL_DATA, personal: true, others: 'null' },
  PHONE: { roles: SEES_PERSONAL_DATA, personal: true, others: 'the last four digits' },
  /** What staff wrote in their own words. */
  WORDS: { roles: STAFF, own: true, personal: true, others: 'null, but for their own words' },
  /** Which of the staff it was. */
  WHO: { roles: STAFF, own: true, others: 'null, but for themselves' },
  RECORDING: { roles: ACTION_ROLES.REQUEST_RECORDING, personal: true, others: 'the mutation is refused' },
  SDK_TOKEN: { roles: ACTION_ROLES.CREATE_SDK_TOKEN, personal: true, others: 'the mutation is refused' },
} as const satisfies Record<string, FieldRule>;
export type FieldRuleName = keyof typeof FIELD_RULES;

/** Every field of every type, by its rule. A field that is missing here does not start. */
export const FIELDS: Readonly<Record<string, Partial<Record<FieldRuleName, string>>>> = {
  VkycSession: {
    OPEN: `id verificationId referenceId user userTemplate agentTemplate linkExpiresAt startCursor
      status subStatus rawStatus rawSubStatus statusInfo statusSince version disputed createdAt updatedAt
      replaces replacedBy meeting meetings reviews transitions availableActions blockedActions`,
    PERSONAL: 'link',
  },
  VkycUser: { OPEN: 'id userId sessions', PERSONAL: 'name email', PHONE: 'phone' },
  StatusTransition: {
    OPEN: `id cursor previousCursor sequence session from status subStatus rawStatus rawSubStatus statusInfo
      applied source reason occurredAt recordedAt`,
    WHO: 'actor',
  },
  Meeting: {
    OPEN: 'id startsAt status source createdAt',
    WHO: 'scheduledBy cancelledBy',
    WORDS: 'cancelReason',
  },
  Review: { OPEN: 'id stage decision source recordedAt', WHO: 'reviewer', WORDS: 'remarks' },
  StatusInfo: { OPEN: 'status subStatus explanation recommendedAction waitingOn terminal' },
  TransitionRule: { OPEN: 'from to sources action' },
  BlockedAction: { OPEN: 'action reason' },
  Viewer: { OPEN: 'id roles expiresAt' },
  SessionStats: { OPEN: 'total byStatus byWaitingOn funnel intervals' },
  StatusCount: { OPEN: 'status subStatus count oldestSince' },
  PartyCount: { OPEN: 'waitingOn count oldestSince' },
  FunnelStage: { OPEN: 'status reached medianSecondsToReach medianSecondsSpent' },
  StatsInterval: { OPEN: 'from to started approved ended' },
  PageInfo: { OPEN: 'hasNextPage hasPreviousPage startCursor endCursor' },
  VkycSessionConnection: { OPEN: 'edges nodes pageInfo totalCount' },
  VkycSessionEdge: { OPEN: 'node cursor' },
  MeetingConnection: { OPEN: 'edges nodes pageInfo' },
  MeetingEdge: { OPEN: 'node cursor' },
  StatusTransitionConnection: { OPEN: 'edges nodes pageInfo' },
  StatusTransitionEdge: { OPEN: 'node cursor' },
  SessionSnapshot: { OPEN: 'session cursor previousCursor resync' },
  Heartbeat: { OPEN: 'serverTime cursor previousCursor' },
  FeedReset: { OPEN: 'cursor previousCursor cause reason' },
  StartSessionSuccess: { OPEN: 'session replayed' },
  ScheduleMeetingSuccess: { OPEN: 'session meeting replayed' },
  CancelMeetingSuccess: { OPEN: 'session meeting replayed' },
  RecordReviewSuccess: { OPEN: 'session review replayed' },
  RefreshSessionSuccess: { OPEN: 'session changed' },
  RequestRecordingSuccess: { OPEN: 'session', RECORDING: 'recording' },
  Recording: { OPEN: 'url expiresAt' },
  CreateSdkTokenSuccess: { OPEN: 'session expiresAt', SDK_TOKEN: 'token' },
  InvalidInputError: { OPEN: 'code message retryable problems' },
  FieldProblem: { OPEN: 'path message' },
  NotFoundError: { OPEN: 'code message retryable' },
  ActionNotAllowedError: { OPEN: 'code message retryable action session' },
  ConflictError: { OPEN: 'code message retryable currentSession' },
  ProviderError: { OPEN: 'code message retryable providerCode retryAfterSeconds' },
};

/** The rule of a field; null where the table does not know it. */
export function ruleOf(type: string, field: string): FieldRuleName | null {
  const rules = Object.entries(FIELDS[type] ?? {}) as [FieldRuleName, string][];
  return rules.find(([, fields]) => fields.split(/\s+/).includes(field))?.[0] ?? null;
}

/** Who is asking. */
export interface Viewer {
  /** `sub` of the token. */
  readonly id: string;
  readonly roles: readonly Role[];
  /** The sessions of a customer; meaningless for staff. */
  readonly verificationIds: readonly string[];
  /** When the token ends; null where there is none (development). */
  readonly expiresAt: Date | null;
}

/** The same for viewers who see the same. */
export const identityOf = ({ id, roles, verificationIds }: Viewer): string =>
  JSON.stringify([id, roles, verificationIds]);

export const hasRole = (viewer: Viewer, allowed: readonly Role[]): boolean =>
  viewer.roles.some((role) => allowed.includes(role));

/** The same for one session: what CUSTOMER allows, it allows with the customer's own sessions alone. */
export const hasRoleOn = (viewer: Viewer, allowed: readonly Role[], verificationId: string): boolean =>
  viewer.roles.some(
    (role) =>
      allowed.includes(role) && (role !== 'CUSTOMER' || viewer.verificationIds.includes(verificationId)),
  );

/** Whether somebody sees the sessions of all, in whatever role. */
export const isStaff = (viewer: Viewer): boolean => hasRole(viewer, STAFF);

/** The verification ids that a viewer is limited to; null: all. */
export const limitOf = (viewer: Viewer): readonly string[] | null =>
  isStaff(viewer) ? null : viewer.verificationIds;

/** Whether a session is the viewer's to see. */
export const maySee = (viewer: Viewer, verificationId: string): boolean =>
  limitOf(viewer)?.includes(verificationId) ?? true;

/** Whether all of the staff see a field in full, whoever of them it is. */
export const allStaffSee = (rule: FieldRuleName): boolean => {
  const roles: readonly Role[] = FIELD_RULES[rule].roles;
  return STAFF.every((role) => roles.includes(role));
};

/** What a field belongs to, as far as that is known. */
export interface FieldOf {
  readonly verificationId?: string | undefined;
  /** Who wrote it. */
  readonly author?: unknown;
}

/** Whether a field is the viewer's to see in full. */
export function maySeeField(
  viewer: Viewer,
  rule: FieldRuleName,
  { verificationId, author }: FieldOf,
): boolean {
  const { roles, own }: FieldRule = FIELD_RULES[rule];
  if (own && author === viewer.id) return true;
  if (verificationId !== undefined) return hasRoleOn(viewer, roles, verificationId);
  // A customer alone meets only themselves; one who is staff as well needs a staff role for it.
  return hasRole(viewer, limitOf(viewer) ? roles : roles.filter((role) => role !== 'CUSTOMER'));
}
