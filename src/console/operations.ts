// Printed by `npm run schema` from schema/operations.graphql, as it is in schema/trusted-documents.json.
import { document } from './gateway/document.ts';

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** The phase a session is in. More values may be added: treat unknown ones as UNRECOGNIZED. */
export type Status =
  /** The provider accepted the request and made a link; the customer has not used it yet. */
  | 'RECEIVED'
  /** The customer is on the way to the call: Aadhaar, IP, location and device checks, then a queue or a meeting. */
  | 'PRE_VIDEO_CALL'
  /** The call: accepted, declined, missed, interrupted or ended. May alternate with PRE_VIDEO_CALL. */
  | 'VIDEO_CALL'
  /** The agent has decided. An approval is provisional until an auditor confirms it. */
  | 'AGENT_REVIEWED'
  /** The auditor has decided; the session is over. */
  | 'AUDITOR_REVIEWED'
  /** The provider did not accept the request. */
  | 'REJECTED'
  /** The session failed for a technical reason. */
  | 'FAILED'
  /** The customer's link expired before the verification was complete. */
  | 'EXPIRED'
  /** The provider sent a value this release does not know; rawStatus holds it. Never a reason for an error. */
  | 'UNRECOGNIZED';

/** The exact step within a status. Each value belongs to exactly one status. More values may be added: treat unknown ones as UNRECOGNIZED. */
export type SubStatus =
  /** The link for the customer exists. Share the link with the customer. (Status RECEIVED.) */
  | 'LINK_GENERATED'
  /** The customer's Aadhaar was verified. Nothing to do: the customer goes on to the IP check. (Status PRE_VIDEO_CALL.) */
  | 'AADHAAR_VERIFICATION_SUCCESS'
  /** The Aadhaar details could not be verified. Ask the customer to try again with correct details. (Status PRE_VIDEO_CALL.) */
  | 'AADHAAR_VERIFICATION_FAILED'
  /** The customer took too long over the Aadhaar step and it timed out. Ask the customer to start the Aadhaar step again. (Status PRE_VIDEO_CALL.) */
  | 'AADHAAR_VERIFICATION_EXPIRED'
  /** The customer's IP address passed the check. Nothing to do: the customer goes on to the location check. (Status PRE_VIDEO_CALL.) */
  | 'USER_IP_VERIFICATION_SUCCESSFUL'
  /** The customer is connecting through a proxy or VPN. Ask the customer to switch the proxy or VPN off and try again. (Status PRE_VIDEO_CALL.) */
  | 'USER_PROXY_DETECTED'
  /** A passing technical problem stopped a step before the call. Ask the customer to try again later; contact support if it persists. (Status PRE_VIDEO_CALL.) */
  | 'TECHNICAL_FAILURE'
  /** The customer was located inside India. Nothing to do: the customer goes on to the device checks. (Status PRE_VIDEO_CALL.) */
  | 'USER_LOCATION_VERIFICATION_SUCCESS'
  /** The customer was located outside India, from where Video KYC is not allowed. Ask the customer to try again from inside India, or turn the application down. (Status PRE_VIDEO_CALL.) */
  | 'USER_LOCATION_OUTSIDE_INDIA'
  /** The microphone is not available to the page. Ask the customer to enable the microphone and try again. (Status PRE_VIDEO_CALL.) */
  | 'USER_AUDIO_CHECK_FAILED'
  /** The camera is not available to the page. Ask the customer to enable the camera and try again. (Status PRE_VIDEO_CALL.) */
  | 'USER_VIDEO_CHECK_FAILED'
  /** The customer has not allowed the page to read the location. Ask the customer to allow location access and try again. (Status PRE_VIDEO_CALL.) */
  | 'USER_LOCATION_PERMISSION_DISABLED'
  /** Camera, microphone and device are ready for the call. Nothing to do: the customer joins the queue or books a meeting. (Status PRE_VIDEO_CALL.) */
  | 'USER_DEVICE_CHECK_SUCCESS'
  /** The customer is in the queue for an agent. Wait until an agent is free. (Status PRE_VIDEO_CALL.) */
  | 'USER_QUEUED'
  /** The time of the meeting has come and the customer is queued for it. Wait until an agent takes the meeting. (Status PRE_VIDEO_CALL.) */
  | 'SCHEDULED_USER_QUEUED'
  /** No agent was available. Ask the customer to try again later, or schedule a meeting. (Status PRE_VIDEO_CALL.) */
  | 'NO_AGENT_FOUND'
  /** An agent has taken the customer and is about to call. Nothing to do: the customer is asked to join the call. (Status PRE_VIDEO_CALL.) */
  | 'AGENT_ASSIGNED_TO_USER'
  /** A meeting is booked. Remind the customer of the time. (Status PRE_VIDEO_CALL.) */
  | 'USER_MEETING_SCHEDULED'
  /** The meeting was cancelled. Schedule another meeting, or let the customer join the queue. (Status PRE_VIDEO_CALL.) */
  | 'USER_MEETING_CANCELLED'
  /** The customer has joined; the call is going on. Wait until the call ends. (Status VIDEO_CALL.) */
  | 'USER_ACCEPTED_MEETING'
  /** The customer declined the call. Schedule another meeting. (Status VIDEO_CALL.) */
  | 'USER_REJECTED_MEETING'
  /** The customer did not come to the call. Schedule another meeting. (Status VIDEO_CALL.) */
  | 'USER_MISSED_MEETING'
  /** The customer lost the connection during the call. Ask the customer to come back, or schedule another meeting. (Status VIDEO_CALL.) */
  | 'USER_DROPPED_OFF'
  /** The agent lost the connection during the call. The customer may join the queue again or schedule another meeting. (Status VIDEO_CALL.) */
  | 'AGENT_DROPPED_OFF'
  /** The customer ended the call. Check whether the call was complete; the agent may reject it, or meet the customer again. (Status VIDEO_CALL.) */
  | 'USER_ENDED_CALL'
  /** The agent ended the call. Wait for the agent's review. (Status VIDEO_CALL.) */
  | 'AGENT_ENDED_CALL'
  /** The agent approved. This is provisional: only the auditor makes it final. Wait for the auditor; do not onboard the customer yet. (Status AGENT_REVIEWED.) */
  | 'AGENT_APPROVED'
  /** The agent rejected the customer. Tell the customer why; start a new session if another try makes sense. (Status AGENT_REVIEWED.) */
  | 'AGENT_REJECTED'
  /** The agent could neither approve nor reject. Arrange a further call, if possible with another agent. (Status AGENT_REVIEWED.) */
  | 'AGENT_UNABLE_TO_VALIDATE'
  /** The auditor approved: the verification succeeded, unless the session is disputed. Onboard the customer. (Status AUDITOR_REVIEWED.) */
  | 'AUDITOR_APPROVED'
  /** The auditor rejected: the verification failed. Tell the customer; start a new session if another try makes sense. (Status AUDITOR_REVIEWED.) */
  | 'AUDITOR_REJECTED'
  /** The merchant's balance at the provider is too low. Add funds at the provider, then start a new session. (Status REJECTED.) */
  | 'INSUFFICIENT_BALANCE'
  /** A technical error stopped the session. Start a new session; escalate to the provider if it persists. (Status FAILED.) */
  | 'TECHNICAL_ERROR'
  /** The link expired. Start a new session, which sends the customer a new link. (Status EXPIRED.) */
  | 'VKYC_EXPIRED'
  /** The provider sent a value this release does not know; rawSubStatus holds it. Never a reason for an error. */
  | 'UNRECOGNIZED';

/** Who has to act next. */
export type Party =
  /** The person being verified. */
  | 'CUSTOMER'
  /** The agent who holds the call and decides first. */
  | 'AGENT'
  /** The auditor who confirms or overturns what the agent approved. */
  | 'AUDITOR'
  /** You: the bank or lender that started the session. */
  | 'MERCHANT'
  /** The Video KYC provider; nothing to do but wait. */
  | 'PROVIDER'
  /** The session is over. */
  | 'NOBODY';

/** What can be done with a session. */
export type SessionAction =
  /** Book a meeting, or move the one that is booked. */
  | 'SCHEDULE_MEETING'
  /** Cancel the meeting that is booked and has not begun. */
  | 'CANCEL_MEETING'
  /** Record the agent's decision, once a call has ended. */
  | 'RECORD_AGENT_REVIEW'
  /** Record the auditor's decision on what an agent approved. */
  | 'RECORD_AUDITOR_REVIEW'
  /** Ask the provider for the present state. */
  | 'REFRESH'
  /** Get a link to the call's recording. */
  | 'REQUEST_RECORDING'
  /** Get a token for the provider's SDK in the customer's app. */
  | 'CREATE_SDK_TOKEN';

/** What became of a meeting. */
export type MeetingStatus =
  /** It is booked. */
  | 'SCHEDULED'
  /** Another meeting took its place. */
  | 'RESCHEDULED'
  /** It was called off, here or at the provider. */
  | 'CANCELLED'
  /** The call took place. */
  | 'COMPLETED'
  /** The customer did not come, or declined. */
  | 'MISSED';

/** How the gateway came to know. */
export type TransitionSource =
  /** The provider reported it. */
  | 'WEBHOOK'
  /** The gateway asked the provider. */
  | 'POLL'
  /** Somebody acted through this API. */
  | 'MUTATION';

/** Whose decision a review is. */
export type ReviewStage =
  /** The first decision, by the agent of the call. */
  | 'AGENT'
  /** The final decision. */
  | 'AUDITOR';

/** What a review decided. */
export type ReviewDecision =
  /** The customer is who they say they are. */
  | 'APPROVED'
  /** The customer is turned down. */
  | 'REJECTED'
  /** Neither can be said; a further call is needed. */
  | 'UNABLE_TO_VALIDATE';

/** Which sessions. What is left out does not filter; everything given must hold. */
export type SessionFilter = {
  /** Only these phases. */
  status?: Array<Status> | null | undefined;
  /** Only these steps. */
  subStatus?: Array<SubStatus> | null | undefined;
  /** Only those that wait on one of these. */
  waitingOn?: Array<Party> | null | undefined;
  /** Only of this person: their `userId`. */
  userId?: string | null | undefined;
  /** Only those whose verification id begins so, letter by letter; case counts. */
  verificationIdPrefix?: string | null | undefined;
  /** Only those recorded after this time. */
  createdAfter?: string | null | undefined;
  /** Only those recorded before this time. */
  createdBefore?: string | null | undefined;
  /** Only those about which something was recorded after this time. */
  updatedAfter?: string | null | undefined;
};

/** In which order; ties are broken by age. */
export type SessionOrder = {
  /** By which of its times. */
  field: SessionOrderField;
  /** Whether the oldest or the newest comes first. */
  direction: SortDirection;
};

/** What sessions are ordered by. */
export type SessionOrderField =
  /** When the session was recorded here. */
  | 'CREATED_AT'
  /** When something about the session was last recorded. */
  | 'UPDATED_AT';

/** Which end of a list comes first. */
export type SortDirection =
  /** Oldest first. */
  | 'ASC'
  /** Newest first. */
  | 'DESC';

/** What a viewer may do. */
export type Role =
  /** The person being verified: sees their own sessions. */
  | 'CUSTOMER'
  /** Sees every session, without personal data. */
  | 'VIEWER'
  /** Starts sessions and books meetings. */
  | 'OPERATOR'
  /** Holds the calls and records the first decision. */
  | 'AGENT'
  /** Confirms or overturns what agents approved. */
  | 'AUDITOR'
  /** May do everything, except audit their own agent review. */
  | 'ADMIN';

/** Why a mutation refused. */
export type ErrorCode =
  /** Something in the input is not acceptable; `problems` says what and where. */
  | 'INVALID_INPUT'
  /** There is no such thing, or it is not yours to see. */
  | 'NOT_FOUND'
  /** The session's state does not allow this now. */
  | 'ACTION_NOT_ALLOWED'
  /** Somebody else moved the session since you read it; read it again. */
  | 'VERSION_CONFLICT'
  /** This key was used before with another input. */
  | 'IDEMPOTENCY_CONFLICT'
  /** This verification id belongs to another session; choose a new one. */
  | 'VERIFICATION_ID_TAKEN'
  /** The provider understood the request and refused it. */
  | 'PROVIDER_REFUSED'
  /** The provider did not answer usefully; the same call may succeed later. */
  | 'PROVIDER_UNAVAILABLE';

/** When the call is to take place. A meeting that is booked already is moved. */
export type ScheduleMeetingInput = {
  /** The `id` of a VkycSession, which is not its verificationId. */
  sessionId: string | number;
  /** Yours to choose, such as a UUID, anew for each thing that a person wants: the same key with the same input answers as the first call did, with another input it is refused. */
  idempotencyKey: string;
  /** The session's version as you read it: refuses where somebody else moved the session since. Left out: whatever the version. */
  expectedVersion?: number | null | undefined;
  /** When it begins: in the future, and before the customer's link expires. */
  startsAt: string;
};

/** Which booked meeting is called off: a session has one at most. */
export type CancelMeetingInput = {
  /** The `id` of a VkycSession, which is not its verificationId. */
  sessionId: string | number;
  /** Yours to choose, such as a UUID, anew for each thing that a person wants: the same key with the same input answers as the first call did, with another input it is refused. */
  idempotencyKey: string;
  /** The session's version as you read it: refuses where somebody else moved the session since. Left out: whatever the version. */
  expectedVersion?: number | null | undefined;
  /** Why it is cancelled, up to 500 characters; shown to staff. */
  reason?: string | null | undefined;
};

/** What the agent of the call decided. Approving is provisional until an auditor confirms it. */
export type RecordAgentReviewInput = {
  /** The `id` of a VkycSession, which is not its verificationId. */
  sessionId: string | number;
  /** Yours to choose, such as a UUID, anew for each thing that a person wants: the same key with the same input answers as the first call did, with another input it is refused. */
  idempotencyKey: string;
  /** The session's version as you read it: refuses where somebody else moved the session since. Left out: whatever the version. */
  expectedVersion?: number | null | undefined;
  /** What was decided. */
  decision: AgentDecision;
  /** Why, up to 2000 characters. Required unless the decision is APPROVED. */
  remarks?: string | null | undefined;
};

/** What an agent may decide. */
export type AgentDecision =
  /** The customer is who they say they are. */
  | 'APPROVED'
  /** The customer is turned down. */
  | 'REJECTED'
  /** Neither can be said; a further call is needed. */
  | 'UNABLE_TO_VALIDATE';

/** What the auditor decided, which is final. */
export type RecordAuditorReviewInput = {
  /** The `id` of a VkycSession, which is not its verificationId. */
  sessionId: string | number;
  /** Yours to choose, such as a UUID, anew for each thing that a person wants: the same key with the same input answers as the first call did, with another input it is refused. */
  idempotencyKey: string;
  /** The session's version as you read it: refuses where somebody else moved the session since. Left out: whatever the version. */
  expectedVersion?: number | null | undefined;
  /** What was decided. */
  decision: AuditorDecision;
  /** Why, up to 2000 characters. Required unless the decision is APPROVED. */
  remarks?: string | null | undefined;
};

/** What an auditor may decide. */
export type AuditorDecision =
  /** The customer is who they say they are. */
  | 'APPROVED'
  /** The customer is turned down. */
  | 'REJECTED';

/** Who is to be verified, under which id of yours, and how. Only `verificationId` and `user` have to be given. */
export type StartSessionInput = {
  /** Your own id, 1-50 of A-Z a-z 0-9 . _ -. Also what makes a retry safe: the same id with the same input answers with the same session. */
  verificationId: string;
  /** Who is to be verified. */
  user: SessionUserInput;
  /** The provider's template of the customer's steps, such as vkyc_user_template_v1. */
  userTemplate?: string | null | undefined;
  /** The provider's template of the agent's steps, such as vkyc_agent_template_v1. */
  agentTemplate?: string | null | undefined;
  /** How the provider sends the link; left out: not at all. EMAIL needs an address: `user.email`, or that of a user whom the provider knows. */
  notificationTypes?: Array<NotificationType> | null | undefined;
  /** Aadhaar details that you verified before. */
  aadhaarDetails?: AadhaarDetailsInput | null | undefined;
  /** Questions for the agent to ask, at most 20. */
  securityQuestions?: Array<SecurityQuestionInput> | null | undefined;
  /** An expired, rejected or failed session that this one takes the place of. */
  replacesSessionId?: string | number | null | undefined;
};

/** Who is to be verified. Give a phone, or the userId of somebody whom the provider knows. Given with their phone, a known person's name, email and address are brought up to date; without it they stay as they are. */
export type SessionUserInput = {
  /** Your id of the person, 1-50 of A-Z a-z 0-9 . _ -; left out: one is made. */
  userId?: string | null | undefined;
  /** 10 digits, without country code. The link goes there. */
  phone?: string | null | undefined;
  /** Full name, up to 200 characters. */
  name?: string | null | undefined;
  /** Email address, up to 200 characters, such as asha@example.com. A domain in another script than Latin is kept in its ASCII form, xn--…. */
  email?: string | null | undefined;
  /** Postal address, up to 500 characters. */
  address?: string | null | undefined;
};

/** How the provider sends the customer the link. */
export type NotificationType =
  /** A text message, to the phone of the user. */
  | 'SMS'
  /** A WhatsApp message, to the phone of the user. */
  | 'WHATSAPP'
  /** An email, to the address of the user. */
  | 'EMAIL';

/** Aadhaar details that you verified before; the customer then skips that step. Passed through to the provider, never stored here. */
export type AadhaarDetailsInput = {
  /** Full name, spelt as on the Aadhaar card. */
  name: string;
  /** Date of birth, DD-MM-YYYY, such as 31-12-1990: a day that exists, up to today in India. */
  dob: string;
  /** M, F or O: male, female or other. */
  gender: string;
  /** Parent's or spouse's name, as Aadhaar has it. */
  careOf: string;
  /** URL of the photo, which the provider fetches: https, or http, without user name and password. */
  photoLink: string;
  /** When you verified these details; not in the future. */
  lastVerifiedAt: string;
  /** Where they live, as Aadhaar has it. */
  address: AddressInput;
};

/** An address as Aadhaar has it, under Aadhaar's own names; each line has up to 200 characters. */
export type AddressInput = {
  /** Country, such as India. */
  country: string;
  /** District of the state, such as Pune. */
  dist: string;
  /** House number or name, such as 12 B. */
  house: string;
  /** PIN code, 6 digits of which the first is not 0, such as 411001. */
  pincode: string;
  /** State or union territory, such as Maharashtra. */
  state: string;
  /** Street or road, such as MG Road. */
  street: string;
  /** The post office that serves it. */
  po?: string | null | undefined;
  /** Sub-district, such as a taluk or tehsil. */
  subdist?: string | null | undefined;
  /** Village, town or city. */
  vtc?: string | null | undefined;
};

/** A question that the agent asks in the call. Passed through to the provider, never stored here. */
export type SecurityQuestionInput = {
  /** The place in the list: 1, 2, 3 … in this order. */
  order: number;
  /** What the agent asks. */
  question: string;
  /** What the customer should answer. */
  answer: string;
};

/** Which transitions to stream. What is left out does not filter. */
export type TransitionFilter = {
  /** Only these phases. */
  status?: Array<Status> | null | undefined;
  /** Only these steps. */
  subStatus?: Array<SubStatus> | null | undefined;
  /** Only transitions that moved their session. */
  appliedOnly?: boolean | null | undefined;
};

/** Why a feed was reset. More values may be added: treat unknown ones as TOO_FAR_BEHIND. */
export type FeedResetCause =
  /** More happened since than is worth streaming, or the connection did not take it fast enough. */
  | 'TOO_FAR_BEHIND'
  /** What followed the cursor was moved to an archive. */
  | 'ARCHIVED'
  /** The database lost its newest transitions in a failover or a restore. Some that you were shown may be void; the gateway asks the provider for them again. */
  | 'LOG_REWOUND';

export type VkycStatusFragment = { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean };

export type VkycSessionRowFragment = { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null };

export type VkycSessionActionsFragment = { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> };

export type VkycTransitionFragment = { id: string, cursor: string, sequence: number, applied: boolean, reason: string | null, source: TransitionSource, actor: string | null, rawStatus: string | null, rawSubStatus: string | null, occurredAt: string | null, recordedAt: string, from: { status: Status, subStatus: SubStatus } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean } };

export type VkycMeetingFragment = { id: string, startsAt: string, status: MeetingStatus, source: TransitionSource, scheduledBy: string | null, cancelledBy: string | null, createdAt: string };

export type VkycReviewFragment = { id: string, stage: ReviewStage, decision: ReviewDecision, remarks: string | null, reviewer: string | null, source: TransitionSource, recordedAt: string };

export type VkycCustomerFragment = { id: string, userId: string, name: string | null, phone: string | null, email: string | null };

export type VkycSessionPageFragment = { referenceId: string | null, link: string | null, startCursor: string, id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, user: { id: string, userId: string, name: string | null, phone: string | null, email: string | null }, meetings: { nodes: Array<{ cancelReason: string | null, id: string, startsAt: string, status: MeetingStatus, source: TransitionSource, scheduledBy: string | null, cancelledBy: string | null, createdAt: string }> }, reviews: Array<{ id: string, stage: ReviewStage, decision: ReviewDecision, remarks: string | null, reviewer: string | null, source: TransitionSource, recordedAt: string }>, transitions: { nodes: Array<{ id: string, cursor: string, sequence: number, applied: boolean, reason: string | null, source: TransitionSource, actor: string | null, rawStatus: string | null, rawSubStatus: string | null, occurredAt: string | null, recordedAt: string, from: { status: Status, subStatus: SubStatus } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean } }>, pageInfo: { hasPreviousPage: boolean, startCursor: string | null } }, replaces: { id: string, verificationId: string } | null, replacedBy: { id: string, verificationId: string } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> };

type VkycRefusal_InvalidInputError_Fragment = { code: ErrorCode, message: string, retryable: boolean, problems: Array<{ path: Array<string>, message: string }> };

type VkycRefusal_NotFoundError_Fragment = { code: ErrorCode, message: string, retryable: boolean };

type VkycRefusal_ActionNotAllowedError_Fragment = { action: SessionAction, code: ErrorCode, message: string, retryable: boolean, session: { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> } };

type VkycRefusal_ConflictError_Fragment = { code: ErrorCode, message: string, retryable: boolean, currentSession: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null } | null };

type VkycRefusal_ProviderError_Fragment = { providerCode: string | null, retryAfterSeconds: number | null, code: ErrorCode, message: string, retryable: boolean };

export type VkycRefusalFragment =
  | VkycRefusal_InvalidInputError_Fragment
  | VkycRefusal_NotFoundError_Fragment
  | VkycRefusal_ActionNotAllowedError_Fragment
  | VkycRefusal_ConflictError_Fragment
  | VkycRefusal_ProviderError_Fragment
;

export type VkycViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type VkycViewerQuery = { viewer: { id: string, roles: Array<Role>, expiresAt: string | null } };

export type VkycFloorQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: SessionFilter | null | undefined;
  orderBy?: SessionOrder | null | undefined;
}>;


export type VkycFloorQuery = { feedCursor: string, sessions: { totalCount: number | null, nodes: Array<{ id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type VkycSessionQueryVariables = Exact<{
  id: string | number;
}>;


export type VkycSessionQuery = { session: { referenceId: string | null, link: string | null, startCursor: string, id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, user: { id: string, userId: string, name: string | null, phone: string | null, email: string | null }, meetings: { nodes: Array<{ cancelReason: string | null, id: string, startsAt: string, status: MeetingStatus, source: TransitionSource, scheduledBy: string | null, cancelledBy: string | null, createdAt: string }> }, reviews: Array<{ id: string, stage: ReviewStage, decision: ReviewDecision, remarks: string | null, reviewer: string | null, source: TransitionSource, recordedAt: string }>, transitions: { nodes: Array<{ id: string, cursor: string, sequence: number, applied: boolean, reason: string | null, source: TransitionSource, actor: string | null, rawStatus: string | null, rawSubStatus: string | null, occurredAt: string | null, recordedAt: string, from: { status: Status, subStatus: SubStatus } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean } }>, pageInfo: { hasPreviousPage: boolean, startCursor: string | null } }, replaces: { id: string, verificationId: string } | null, replacedBy: { id: string, verificationId: string } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> } | null };

export type VkycSessionByVerificationIdQueryVariables = Exact<{
  verificationId: string;
}>;


export type VkycSessionByVerificationIdQuery = { sessionByVerificationId: { referenceId: string | null, link: string | null, startCursor: string, id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, user: { id: string, userId: string, name: string | null, phone: string | null, email: string | null }, meetings: { nodes: Array<{ cancelReason: string | null, id: string, startsAt: string, status: MeetingStatus, source: TransitionSource, scheduledBy: string | null, cancelledBy: string | null, createdAt: string }> }, reviews: Array<{ id: string, stage: ReviewStage, decision: ReviewDecision, remarks: string | null, reviewer: string | null, source: TransitionSource, recordedAt: string }>, transitions: { nodes: Array<{ id: string, cursor: string, sequence: number, applied: boolean, reason: string | null, source: TransitionSource, actor: string | null, rawStatus: string | null, rawSubStatus: string | null, occurredAt: string | null, recordedAt: string, from: { status: Status, subStatus: SubStatus } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean } }>, pageInfo: { hasPreviousPage: boolean, startCursor: string | null } }, replaces: { id: string, verificationId: string } | null, replacedBy: { id: string, verificationId: string } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> } | null };

export type VkycSessionLogQueryVariables = Exact<{
  id: string | number;
  last: number;
  before?: string | null | undefined;
}>;


export type VkycSessionLogQuery = { session: { id: string, transitions: { nodes: Array<{ id: string, cursor: string, sequence: number, applied: boolean, reason: string | null, source: TransitionSource, actor: string | null, rawStatus: string | null, rawSubStatus: string | null, occurredAt: string | null, recordedAt: string, from: { status: Status, subStatus: SubStatus } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean } }>, pageInfo: { hasPreviousPage: boolean, startCursor: string | null } } } | null };

export type VkycPersonQueryVariables = Exact<{
  id: string | number;
  first: number;
  after?: string | null | undefined;
}>;


export type VkycPersonQuery = { node:
    | { id: string, userId: string, name: string | null, phone: string | null, email: string | null, sessions: { nodes: Array<{ id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
   | null };

export type VkycStatsQueryVariables = Exact<{
  from?: string | null | undefined;
  to?: string | null | undefined;
  intervals?: number;
}>;


export type VkycStatsQuery = { sessionStats: { total: number, byStatus: Array<{ status: Status, subStatus: SubStatus, count: number }>, byWaitingOn: Array<{ waitingOn: Party, count: number }>, funnel: Array<{ status: Status, reached: number, medianSecondsToReach: number | null, medianSecondsSpent: number | null }>, intervals: Array<{ from: string, to: string, started: number, approved: number, ended: number }> } };

export type VkycFloorCountsQueryVariables = Exact<{ [key: string]: never; }>;


export type VkycFloorCountsQuery = { sessionStats: { total: number, byStatus: Array<{ status: Status, subStatus: SubStatus, count: number, oldestSince: string }>, byWaitingOn: Array<{ waitingOn: Party, count: number, oldestSince: string }> } };

export type VkycStatusCatalogQueryVariables = Exact<{ [key: string]: never; }>;


export type VkycStatusCatalogQuery = { statusCatalog: Array<{ status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }> };

export type VkycTransitionRulesQueryVariables = Exact<{ [key: string]: never; }>;


export type VkycTransitionRulesQuery = { transitionRules: Array<{ sources: Array<TransitionSource>, action: SessionAction | null, from: { status: Status, subStatus: SubStatus } | null, to: { status: Status, subStatus: SubStatus } }> };

export type VkycStartSessionMutationVariables = Exact<{
  input: StartSessionInput;
}>;


export type VkycStartSessionMutation = { startSession:
    | { __typename: 'StartSessionSuccess', replayed: boolean, session: { link: string | null, startCursor: string, id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null } }
    | { __typename: 'InvalidInputError', code: ErrorCode, message: string, retryable: boolean, problems: Array<{ path: Array<string>, message: string }> }
    | { __typename: 'ConflictError', code: ErrorCode, message: string, retryable: boolean, currentSession: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null } | null }
    | { __typename: 'ProviderError', providerCode: string | null, retryAfterSeconds: number | null, code: ErrorCode, message: string, retryable: boolean }
   };

export type VkycScheduleMeetingMutationVariables = Exact<{
  input: ScheduleMeetingInput;
}>;


export type VkycScheduleMeetingMutation = { scheduleMeeting:
    | { __typename: 'ScheduleMeetingSuccess', replayed: boolean, meeting: { id: string, startsAt: string, status: MeetingStatus, source: TransitionSource, scheduledBy: string | null, cancelledBy: string | null, createdAt: string }, session: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'InvalidInputError', code: ErrorCode, message: string, retryable: boolean, problems: Array<{ path: Array<string>, message: string }> }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string, retryable: boolean }
    | { __typename: 'ActionNotAllowedError', action: SessionAction, code: ErrorCode, message: string, retryable: boolean, session: { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'ConflictError', code: ErrorCode, message: string, retryable: boolean, currentSession: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null } | null }
   };

export type VkycCancelMeetingMutationVariables = Exact<{
  input: CancelMeetingInput;
}>;


export type VkycCancelMeetingMutation = { cancelMeeting:
    | { __typename: 'CancelMeetingSuccess', replayed: boolean, meeting: { id: string, startsAt: string, status: MeetingStatus, source: TransitionSource, scheduledBy: string | null, cancelledBy: string | null, createdAt: string }, session: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'InvalidInputError', code: ErrorCode, message: string, retryable: boolean, problems: Array<{ path: Array<string>, message: string }> }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string, retryable: boolean }
    | { __typename: 'ActionNotAllowedError', action: SessionAction, code: ErrorCode, message: string, retryable: boolean, session: { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'ConflictError', code: ErrorCode, message: string, retryable: boolean, currentSession: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null } | null }
   };

export type VkycRecordAgentReviewMutationVariables = Exact<{
  input: RecordAgentReviewInput;
}>;


export type VkycRecordAgentReviewMutation = { recordAgentReview:
    | { __typename: 'RecordReviewSuccess', replayed: boolean, review: { id: string, stage: ReviewStage, decision: ReviewDecision, remarks: string | null, reviewer: string | null, source: TransitionSource, recordedAt: string }, session: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'InvalidInputError', code: ErrorCode, message: string, retryable: boolean, problems: Array<{ path: Array<string>, message: string }> }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string, retryable: boolean }
    | { __typename: 'ActionNotAllowedError', action: SessionAction, code: ErrorCode, message: string, retryable: boolean, session: { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'ConflictError', code: ErrorCode, message: string, retryable: boolean, currentSession: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null } | null }
   };

export type VkycRecordAuditorReviewMutationVariables = Exact<{
  input: RecordAuditorReviewInput;
}>;


export type VkycRecordAuditorReviewMutation = { recordAuditorReview:
    | { __typename: 'RecordReviewSuccess', replayed: boolean, review: { id: string, stage: ReviewStage, decision: ReviewDecision, remarks: string | null, reviewer: string | null, source: TransitionSource, recordedAt: string }, session: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'InvalidInputError', code: ErrorCode, message: string, retryable: boolean, problems: Array<{ path: Array<string>, message: string }> }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string, retryable: boolean }
    | { __typename: 'ActionNotAllowedError', action: SessionAction, code: ErrorCode, message: string, retryable: boolean, session: { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'ConflictError', code: ErrorCode, message: string, retryable: boolean, currentSession: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null } | null }
   };

export type VkycRefreshSessionMutationVariables = Exact<{
  sessionId: string | number;
}>;


export type VkycRefreshSessionMutation = { refreshSession:
    | { __typename: 'RefreshSessionSuccess', changed: boolean, session: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string, retryable: boolean }
    | { __typename: 'ActionNotAllowedError', action: SessionAction, code: ErrorCode, message: string, retryable: boolean, session: { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'ProviderError', providerCode: string | null, retryAfterSeconds: number | null, code: ErrorCode, message: string, retryable: boolean }
   };

export type VkycRequestRecordingMutationVariables = Exact<{
  sessionId: string | number;
}>;


export type VkycRequestRecordingMutation = { requestRecording:
    | { __typename: 'RequestRecordingSuccess', session: { id: string }, recording: { url: string, expiresAt: string | null } }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string, retryable: boolean }
    | { __typename: 'ActionNotAllowedError', action: SessionAction, code: ErrorCode, message: string, retryable: boolean, session: { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'ProviderError', providerCode: string | null, retryAfterSeconds: number | null, code: ErrorCode, message: string, retryable: boolean }
   };

export type VkycCreateSdkTokenMutationVariables = Exact<{
  sessionId: string | number;
}>;


export type VkycCreateSdkTokenMutation = { createSdkToken:
    | { __typename: 'CreateSdkTokenSuccess', token: string, expiresAt: string | null, session: { id: string } }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string, retryable: boolean }
    | { __typename: 'ActionNotAllowedError', action: SessionAction, code: ErrorCode, message: string, retryable: boolean, session: { id: string, version: number, availableActions: Array<SessionAction>, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'ProviderError', providerCode: string | null, retryAfterSeconds: number | null, code: ErrorCode, message: string, retryable: boolean }
   };

export type VkycWatchSessionSubscriptionVariables = Exact<{
  sessionId: string | number;
  after?: string | null | undefined;
}>;


export type VkycWatchSessionSubscription = { sessionLive:
    | { __typename: 'SessionSnapshot', cursor: string, previousCursor: string | null, resync: boolean, session: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> } }
    | { __typename: 'StatusTransition', previousCursor: string | null, id: string, cursor: string, sequence: number, applied: boolean, reason: string | null, source: TransitionSource, actor: string | null, rawStatus: string | null, rawSubStatus: string | null, occurredAt: string | null, recordedAt: string, session: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, availableActions: Array<SessionAction>, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null, blockedActions: Array<{ action: SessionAction, reason: string }> }, from: { status: Status, subStatus: SubStatus } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean } }
    | { __typename: 'Heartbeat', cursor: string, previousCursor: string | null, serverTime: string }
   };

export type VkycWatchFloorSubscriptionVariables = Exact<{
  filter?: TransitionFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type VkycWatchFloorSubscription = { feed:
    | { __typename: 'StatusTransition', previousCursor: string | null, id: string, cursor: string, sequence: number, applied: boolean, reason: string | null, source: TransitionSource, actor: string | null, rawStatus: string | null, rawSubStatus: string | null, occurredAt: string | null, recordedAt: string, session: { id: string, verificationId: string, version: number, disputed: boolean, statusSince: string, createdAt: string, updatedAt: string, linkExpiresAt: string | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean }, meeting: { id: string, startsAt: string, status: MeetingStatus } | null }, from: { status: Status, subStatus: SubStatus } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean } }
    | { __typename: 'Heartbeat', cursor: string, previousCursor: string | null, serverTime: string }
    | { __typename: 'FeedReset', cursor: string, previousCursor: string | null, cause: FeedResetCause, reason: string | null }
   };

export type VkycWatchTransitionsSubscriptionVariables = Exact<{
  sessionId?: string | number | null | undefined;
  filter?: TransitionFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type VkycWatchTransitionsSubscription = { statusTransitions: { previousCursor: string | null, id: string, cursor: string, sequence: number, applied: boolean, reason: string | null, source: TransitionSource, actor: string | null, rawStatus: string | null, rawSubStatus: string | null, occurredAt: string | null, recordedAt: string, session: { id: string, verificationId: string }, from: { status: Status, subStatus: SubStatus } | null, statusInfo: { status: Status, subStatus: SubStatus, explanation: string, recommendedAction: string, waitingOn: Party, terminal: boolean } } };

export const VkycViewer = document<VkycViewerQuery, VkycViewerQueryVariables>(`\
query VkycViewer {
  viewer {
    id
    roles
    expiresAt
  }
}`);

export const VkycFloor = document<VkycFloorQuery, VkycFloorQueryVariables>(`\
query VkycFloor($first: Int!, $after: String, $filter: SessionFilter, $orderBy: SessionOrder) {
  feedCursor
  sessions(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    nodes {
      ...VkycSessionRow
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    totalCount
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}`);

export const VkycSession = document<VkycSessionQuery, VkycSessionQueryVariables>(`\
query VkycSession($id: ID!) {
  session(id: $id) {
    ...VkycSessionPage
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycTransition on StatusTransition {
  id
  cursor
  sequence
  applied
  reason
  source
  actor
  rawStatus
  rawSubStatus
  occurredAt
  recordedAt
  from {
    status
    subStatus
  }
  statusInfo {
    ...VkycStatus
  }
}

fragment VkycMeeting on Meeting {
  id
  startsAt
  status
  source
  scheduledBy
  cancelledBy
  createdAt
}

fragment VkycReview on Review {
  id
  stage
  decision
  remarks
  reviewer
  source
  recordedAt
}

fragment VkycCustomer on VkycUser {
  id
  userId
  name
  phone
  email
}

fragment VkycSessionPage on VkycSession {
  ...VkycSessionRow
  ...VkycSessionActions
  referenceId
  link
  startCursor
  user {
    ...VkycCustomer
  }
  meetings(first: 20) {
    nodes {
      ...VkycMeeting
      cancelReason
    }
  }
  reviews {
    ...VkycReview
  }
  transitions(last: 50) {
    nodes {
      ...VkycTransition
    }
    pageInfo {
      hasPreviousPage
      startCursor
    }
  }
  replaces {
    id
    verificationId
  }
  replacedBy {
    id
    verificationId
  }
}`);

export const VkycSessionByVerificationId = document<VkycSessionByVerificationIdQuery, VkycSessionByVerificationIdQueryVariables>(`\
query VkycSessionByVerificationId($verificationId: String!) {
  sessionByVerificationId(verificationId: $verificationId) {
    ...VkycSessionPage
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycTransition on StatusTransition {
  id
  cursor
  sequence
  applied
  reason
  source
  actor
  rawStatus
  rawSubStatus
  occurredAt
  recordedAt
  from {
    status
    subStatus
  }
  statusInfo {
    ...VkycStatus
  }
}

fragment VkycMeeting on Meeting {
  id
  startsAt
  status
  source
  scheduledBy
  cancelledBy
  createdAt
}

fragment VkycReview on Review {
  id
  stage
  decision
  remarks
  reviewer
  source
  recordedAt
}

fragment VkycCustomer on VkycUser {
  id
  userId
  name
  phone
  email
}

fragment VkycSessionPage on VkycSession {
  ...VkycSessionRow
  ...VkycSessionActions
  referenceId
  link
  startCursor
  user {
    ...VkycCustomer
  }
  meetings(first: 20) {
    nodes {
      ...VkycMeeting
      cancelReason
    }
  }
  reviews {
    ...VkycReview
  }
  transitions(last: 50) {
    nodes {
      ...VkycTransition
    }
    pageInfo {
      hasPreviousPage
      startCursor
    }
  }
  replaces {
    id
    verificationId
  }
  replacedBy {
    id
    verificationId
  }
}`);

export const VkycSessionLog = document<VkycSessionLogQuery, VkycSessionLogQueryVariables>(`\
query VkycSessionLog($id: ID!, $last: Int!, $before: String) {
  session(id: $id) {
    id
    transitions(last: $last, before: $before) {
      nodes {
        ...VkycTransition
      }
      pageInfo {
        hasPreviousPage
        startCursor
      }
    }
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycTransition on StatusTransition {
  id
  cursor
  sequence
  applied
  reason
  source
  actor
  rawStatus
  rawSubStatus
  occurredAt
  recordedAt
  from {
    status
    subStatus
  }
  statusInfo {
    ...VkycStatus
  }
}`);

export const VkycPerson = document<VkycPersonQuery, VkycPersonQueryVariables>(`\
query VkycPerson($id: ID!, $first: Int!, $after: String) {
  node(id: $id) {
    id
    ... on VkycUser {
      ...VkycCustomer
      sessions(first: $first, after: $after) {
        nodes {
          ...VkycSessionRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycCustomer on VkycUser {
  id
  userId
  name
  phone
  email
}`);

export const VkycStats = document<VkycStatsQuery, VkycStatsQueryVariables>(`\
query VkycStats($from: DateTime, $to: DateTime, $intervals: Int! = 24) {
  sessionStats(from: $from, to: $to) {
    total
    byStatus {
      status
      subStatus
      count
    }
    byWaitingOn {
      waitingOn
      count
    }
    funnel {
      status
      reached
      medianSecondsToReach
      medianSecondsSpent
    }
    intervals(count: $intervals) {
      from
      to
      started
      approved
      ended
    }
  }
}`);

export const VkycFloorCounts = document<VkycFloorCountsQuery, VkycFloorCountsQueryVariables>(`\
query VkycFloorCounts {
  sessionStats(openOnly: true) {
    total
    byStatus {
      status
      subStatus
      count
      oldestSince
    }
    byWaitingOn {
      waitingOn
      count
      oldestSince
    }
  }
}`);

export const VkycStatusCatalog = document<VkycStatusCatalogQuery, VkycStatusCatalogQueryVariables>(`\
query VkycStatusCatalog {
  statusCatalog {
    ...VkycStatus
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}`);

export const VkycTransitionRules = document<VkycTransitionRulesQuery, VkycTransitionRulesQueryVariables>(`\
query VkycTransitionRules {
  transitionRules {
    from {
      status
      subStatus
    }
    to {
      status
      subStatus
    }
    sources
    action
  }
}`);

export const VkycStartSession = document<VkycStartSessionMutation, VkycStartSessionMutationVariables>(`\
mutation VkycStartSession($input: StartSessionInput!) {
  startSession(input: $input) {
    __typename
    ... on StartSessionSuccess {
      replayed
      session {
        ...VkycSessionRow
        link
        startCursor
      }
    }
    ...VkycRefusal
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycRefusal on MutationError {
  code
  message
  retryable
  ... on InvalidInputError {
    problems {
      path
      message
    }
  }
  ... on ActionNotAllowedError {
    action
    session {
      ...VkycSessionActions
    }
  }
  ... on ConflictError {
    currentSession {
      ...VkycSessionRow
    }
  }
  ... on ProviderError {
    providerCode
    retryAfterSeconds
  }
}`);

export const VkycScheduleMeeting = document<VkycScheduleMeetingMutation, VkycScheduleMeetingMutationVariables>(`\
mutation VkycScheduleMeeting($input: ScheduleMeetingInput!) {
  scheduleMeeting(input: $input) {
    __typename
    ... on ScheduleMeetingSuccess {
      replayed
      meeting {
        ...VkycMeeting
      }
      session {
        ...VkycSessionRow
        ...VkycSessionActions
      }
    }
    ...VkycRefusal
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycMeeting on Meeting {
  id
  startsAt
  status
  source
  scheduledBy
  cancelledBy
  createdAt
}

fragment VkycRefusal on MutationError {
  code
  message
  retryable
  ... on InvalidInputError {
    problems {
      path
      message
    }
  }
  ... on ActionNotAllowedError {
    action
    session {
      ...VkycSessionActions
    }
  }
  ... on ConflictError {
    currentSession {
      ...VkycSessionRow
    }
  }
  ... on ProviderError {
    providerCode
    retryAfterSeconds
  }
}`);

export const VkycCancelMeeting = document<VkycCancelMeetingMutation, VkycCancelMeetingMutationVariables>(`\
mutation VkycCancelMeeting($input: CancelMeetingInput!) {
  cancelMeeting(input: $input) {
    __typename
    ... on CancelMeetingSuccess {
      replayed
      meeting {
        ...VkycMeeting
      }
      session {
        ...VkycSessionRow
        ...VkycSessionActions
      }
    }
    ...VkycRefusal
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycMeeting on Meeting {
  id
  startsAt
  status
  source
  scheduledBy
  cancelledBy
  createdAt
}

fragment VkycRefusal on MutationError {
  code
  message
  retryable
  ... on InvalidInputError {
    problems {
      path
      message
    }
  }
  ... on ActionNotAllowedError {
    action
    session {
      ...VkycSessionActions
    }
  }
  ... on ConflictError {
    currentSession {
      ...VkycSessionRow
    }
  }
  ... on ProviderError {
    providerCode
    retryAfterSeconds
  }
}`);

export const VkycRecordAgentReview = document<VkycRecordAgentReviewMutation, VkycRecordAgentReviewMutationVariables>(`\
mutation VkycRecordAgentReview($input: RecordAgentReviewInput!) {
  recordAgentReview(input: $input) {
    __typename
    ... on RecordReviewSuccess {
      replayed
      review {
        ...VkycReview
      }
      session {
        ...VkycSessionRow
        ...VkycSessionActions
      }
    }
    ...VkycRefusal
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycReview on Review {
  id
  stage
  decision
  remarks
  reviewer
  source
  recordedAt
}

fragment VkycRefusal on MutationError {
  code
  message
  retryable
  ... on InvalidInputError {
    problems {
      path
      message
    }
  }
  ... on ActionNotAllowedError {
    action
    session {
      ...VkycSessionActions
    }
  }
  ... on ConflictError {
    currentSession {
      ...VkycSessionRow
    }
  }
  ... on ProviderError {
    providerCode
    retryAfterSeconds
  }
}`);

export const VkycRecordAuditorReview = document<VkycRecordAuditorReviewMutation, VkycRecordAuditorReviewMutationVariables>(`\
mutation VkycRecordAuditorReview($input: RecordAuditorReviewInput!) {
  recordAuditorReview(input: $input) {
    __typename
    ... on RecordReviewSuccess {
      replayed
      review {
        ...VkycReview
      }
      session {
        ...VkycSessionRow
        ...VkycSessionActions
      }
    }
    ...VkycRefusal
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycReview on Review {
  id
  stage
  decision
  remarks
  reviewer
  source
  recordedAt
}

fragment VkycRefusal on MutationError {
  code
  message
  retryable
  ... on InvalidInputError {
    problems {
      path
      message
    }
  }
  ... on ActionNotAllowedError {
    action
    session {
      ...VkycSessionActions
    }
  }
  ... on ConflictError {
    currentSession {
      ...VkycSessionRow
    }
  }
  ... on ProviderError {
    providerCode
    retryAfterSeconds
  }
}`);

export const VkycRefreshSession = document<VkycRefreshSessionMutation, VkycRefreshSessionMutationVariables>(`\
mutation VkycRefreshSession($sessionId: ID!) {
  refreshSession(sessionId: $sessionId) {
    __typename
    ... on RefreshSessionSuccess {
      changed
      session {
        ...VkycSessionRow
        ...VkycSessionActions
      }
    }
    ...VkycRefusal
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycRefusal on MutationError {
  code
  message
  retryable
  ... on InvalidInputError {
    problems {
      path
      message
    }
  }
  ... on ActionNotAllowedError {
    action
    session {
      ...VkycSessionActions
    }
  }
  ... on ConflictError {
    currentSession {
      ...VkycSessionRow
    }
  }
  ... on ProviderError {
    providerCode
    retryAfterSeconds
  }
}`);

export const VkycRequestRecording = document<VkycRequestRecordingMutation, VkycRequestRecordingMutationVariables>(`\
mutation VkycRequestRecording($sessionId: ID!) {
  requestRecording(sessionId: $sessionId) {
    __typename
    ... on RequestRecordingSuccess {
      session {
        id
      }
      recording {
        url
        expiresAt
      }
    }
    ...VkycRefusal
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycRefusal on MutationError {
  code
  message
  retryable
  ... on InvalidInputError {
    problems {
      path
      message
    }
  }
  ... on ActionNotAllowedError {
    action
    session {
      ...VkycSessionActions
    }
  }
  ... on ConflictError {
    currentSession {
      ...VkycSessionRow
    }
  }
  ... on ProviderError {
    providerCode
    retryAfterSeconds
  }
}`);

export const VkycCreateSdkToken = document<VkycCreateSdkTokenMutation, VkycCreateSdkTokenMutationVariables>(`\
mutation VkycCreateSdkToken($sessionId: ID!) {
  createSdkToken(sessionId: $sessionId) {
    __typename
    ... on CreateSdkTokenSuccess {
      session {
        id
      }
      token
      expiresAt
    }
    ...VkycRefusal
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycRefusal on MutationError {
  code
  message
  retryable
  ... on InvalidInputError {
    problems {
      path
      message
    }
  }
  ... on ActionNotAllowedError {
    action
    session {
      ...VkycSessionActions
    }
  }
  ... on ConflictError {
    currentSession {
      ...VkycSessionRow
    }
  }
  ... on ProviderError {
    providerCode
    retryAfterSeconds
  }
}`);

export const VkycWatchSession = document<VkycWatchSessionSubscription, VkycWatchSessionSubscriptionVariables>(`\
subscription VkycWatchSession($sessionId: ID!, $after: String) {
  sessionLive(sessionId: $sessionId, after: $after) {
    __typename
    ... on SessionSnapshot {
      cursor
      previousCursor
      resync
      session {
        ...VkycSessionRow
        ...VkycSessionActions
      }
    }
    ... on StatusTransition {
      ...VkycTransition
      previousCursor
      session {
        ...VkycSessionRow
        ...VkycSessionActions
      }
    }
    ... on Heartbeat {
      cursor
      previousCursor
      serverTime
    }
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycSessionActions on VkycSession {
  id
  version
  availableActions
  blockedActions {
    action
    reason
  }
}

fragment VkycTransition on StatusTransition {
  id
  cursor
  sequence
  applied
  reason
  source
  actor
  rawStatus
  rawSubStatus
  occurredAt
  recordedAt
  from {
    status
    subStatus
  }
  statusInfo {
    ...VkycStatus
  }
}`);

export const VkycWatchFloor = document<VkycWatchFloorSubscription, VkycWatchFloorSubscriptionVariables>(`\
subscription VkycWatchFloor($filter: TransitionFilter, $after: String) {
  feed(filter: $filter, after: $after) {
    __typename
    ... on StatusTransition {
      ...VkycTransition
      previousCursor
      session {
        ...VkycSessionRow
      }
    }
    ... on Heartbeat {
      cursor
      previousCursor
      serverTime
    }
    ... on FeedReset {
      cursor
      previousCursor
      cause
      reason
    }
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycSessionRow on VkycSession {
  id
  verificationId
  version
  disputed
  statusSince
  createdAt
  updatedAt
  linkExpiresAt
  statusInfo {
    ...VkycStatus
  }
  meeting {
    id
    startsAt
    status
  }
}

fragment VkycTransition on StatusTransition {
  id
  cursor
  sequence
  applied
  reason
  source
  actor
  rawStatus
  rawSubStatus
  occurredAt
  recordedAt
  from {
    status
    subStatus
  }
  statusInfo {
    ...VkycStatus
  }
}`);

export const VkycWatchTransitions = document<VkycWatchTransitionsSubscription, VkycWatchTransitionsSubscriptionVariables>(`\
subscription VkycWatchTransitions($sessionId: ID, $filter: TransitionFilter, $after: String) {
  statusTransitions(sessionId: $sessionId, filter: $filter, after: $after) {
    ...VkycTransition
    previousCursor
    session {
      id
      verificationId
    }
  }
}

fragment VkycStatus on StatusInfo {
  status
  subStatus
  explanation
  recommendedAction
  waitingOn
  terminal
}

fragment VkycTransition on StatusTransition {
  id
  cursor
  sequence
  applied
  reason
  source
  actor
  rawStatus
  rawSubStatus
  occurredAt
  recordedAt
  from {
    status
    subStatus
  }
  statusInfo {
    ...VkycStatus
  }
}`);
