import type { SessionAction } from './session.ts';

/** Who may do what: one table. Enforced in one place, around the root fields of the schema. */

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

const STAFF = EVERYONE.filter((role) => role !== 'CUSTOMER');

/** The verification ids that a viewer is limited to; null: all. */
export const limitOf = (viewer: Viewer): readonly string[] | null =>
  hasRole(viewer, STAFF) ? null : viewer.verificationIds;

/** Whether a session is the viewer's to see. */
export const maySee = (viewer: Viewer, verificationId: string): boolean =>
  limitOf(viewer)?.includes(verificationId) ?? true;
