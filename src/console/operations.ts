// Printed by `npm run schema` from schema/operations.graphql, as it is in schema/trusted-documents.json.
import { document } from './gateway/document.ts';

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** Phase of a session. More values may be added: treat unknown ones as UNRECOGNIZED. */
export type Status =
  /** The provider accepted the start and made a link; the customer has not used it yet. */
  | 'RECEIVED'
  /** The customer prepares for the call: Aadhaar, IP, location and device checks, then a queue or a booked meeting. */
  | 'PRE_VIDEO_CALL'
  /** The video call was accepted, declined, missed, interrupted or ended. The session may go back to PRE_VIDEO_CALL. */
  | 'VIDEO_CALL'
  /** The agent has decided. An approval is provisional until an auditor confirms it. */
  | 'AGENT_REVIEWED'
  /** The auditor has decided; the session is over. */
  | 'AUDITOR_REVIEWED'
  /** The provider did not accept the start of the session. */
  | 'REJECTED'
  /** The session failed for a technical reason. */
  | 'FAILED'
  /** The customer's link expired before the verification was complete. */
  | 'EXPIRED'
  /** The provider sent a value that this release does not know; rawStatus contains it. Do not treat it as an error. */
  | 'UNRECOGNIZED';

/** Step within a status. Each value belongs to exactly one status. More values may be added: treat unknown ones as UNRECOGNIZED. */
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
  /** The provider sent a value that this release does not know; rawSubStatus contains it. Do not treat it as an error. */
  | 'UNRECOGNIZED';

/** The party that has to act next. */
export type Party =
  /** The person who is being verified. */
  | 'CUSTOMER'
  /** The agent who holds the video call and makes the first decision. */
  | 'AGENT'
  /** The auditor who confirms or overturns the agent's approval. */
  | 'AUDITOR'
  /** You: the bank or lender that started the session. */
  | 'MERCHANT'
  /** The Video KYC provider. Wait; you need not do anything. */
  | 'PROVIDER'
  /** The session is over. */
  | 'NOBODY';

/** Action that a user may perform on a session. */
export type SessionAction =
  /** Book a meeting, or move the booked meeting to another time. */
  | 'SCHEDULE_MEETING'
  /** Cancel the booked meeting before it begins. */
  | 'CANCEL_MEETING'
  /** Record the agent's decision after a call has ended. */
  | 'RECORD_AGENT_REVIEW'
  /** Record the auditor's decision on an agent's approval. */
  | 'RECORD_AUDITOR_REVIEW'
  /** Ask the provider for the current status. */
  | 'REFRESH'
  /** Get a link to the recording of the call. */
  | 'REQUEST_RECORDING'
  /** Get a token for the provider's SDK in the customer's app. */
  | 'CREATE_SDK_TOKEN';

/** Whether a meeting is booked, moved, cancelled, held or missed. */
export type MeetingStatus =
  /** The meeting is booked. */
  | 'SCHEDULED'
  /** The meeting was moved: another meeting replaces it. */
  | 'RESCHEDULED'
  /** The meeting was cancelled, through this API or at the provider. */
  | 'CANCELLED'
  /** The call took place. */
  | 'COMPLETED'
  /** The customer did not join the call, or declined it. */
  | 'MISSED';

/** How the gateway learned of a transition, meeting or review. */
export type TransitionSource =
  /** The provider reported it by webhook. */
  | 'WEBHOOK'
  /** The gateway found it by asking the provider. */
  | 'POLL'
  /** A user performed a mutation of this API. */
  | 'MUTATION';

/** Whether the agent or the auditor made a review. */
export type ReviewStage =
  /** The first decision, by the agent who held the call. */
  | 'AGENT'
  /** The final decision, by an auditor. */
  | 'AUDITOR';

/** Outcome of an agent's or auditor's review. */
export type ReviewDecision =
  /** The customer's identity is confirmed. */
  | 'APPROVED'
  /** The customer is rejected. */
  | 'REJECTED'
  /** The agent could neither approve nor reject; another call is needed. */
  | 'UNABLE_TO_VALIDATE';

/** Conditions on sessions. A session must match every condition given; omitted fields do not filter. */
export type SessionFilter = {
  /** Only sessions in one of these phases. */
  status?: Array<Status> | null | undefined;
  /** Only sessions in one of these steps. */
  subStatus?: Array<SubStatus> | null | undefined;
  /** Only sessions that wait for one of these parties. */
  waitingOn?: Array<Party> | null | undefined;
  /** Only sessions of the person with this `userId`. */
  userId?: string | null | undefined;
  /** Only sessions whose verificationId starts with this text. Case-sensitive. */
  verificationIdPrefix?: string | null | undefined;
  /** Only sessions with `createdAt` after this time. */
  createdAfter?: string | null | undefined;
  /** Only sessions with `createdAt` before this time. */
  createdBefore?: string | null | undefined;
  /** Only sessions with `updatedAt` after this time. */
  updatedAfter?: string | null | undefined;
};

/** Sort order of sessions. Sessions with equal times are sorted by age. */
export type SessionOrder = {
  /** Time to sort by. */
  field: SessionOrderField;
  /** Sort direction: oldest or newest first. */
  direction: SortDirection;
};

/** Time that sessions are sorted by. */
export type SessionOrderField =
  /** Time at which the gateway recorded the session. */
  | 'CREATED_AT'
  /** Time at which the gateway last recorded something about the session. */
  | 'UPDATED_AT';

/** Whether the oldest or the newest entries come first. */
export type SortDirection =
  /** Oldest first. */
  | 'ASC'
  /** Newest first. */
  | 'DESC';

/** Role of a viewer: what the viewer may do and see. */
export type Role =
  /** Person who is being verified: sees only their own sessions. */
  | 'CUSTOMER'
  /** Sees every session, without personal data. */
  | 'VIEWER'
  /** Starts sessions and books meetings. */
  | 'OPERATOR'
  /** Holds the video calls and records the first decision. */
  | 'AGENT'
  /** Confirms or overturns the approvals of agents. */
  | 'AUDITOR'
  /** May do everything except audit their own agent review. */
  | 'ADMIN';

/** Reason why a mutation was refused. */
export type ErrorCode =
  /** The input is invalid; `problems` lists each invalid field. */
  | 'INVALID_INPUT'
  /** The object does not exist, or you may not see it. */
  | 'NOT_FOUND'
  /** The action is not allowed on this session now; `message` says why. */
  | 'ACTION_NOT_ALLOWED'
  /** The session's version differs from `expectedVersion`: its status changed after you read it. Read it again. */
  | 'VERSION_CONFLICT'
  /** The `idempotencyKey` was used before with a different input. Choose a new key. */
  | 'IDEMPOTENCY_CONFLICT'
  /** The `verificationId` belongs to another session. Choose a new one. */
  | 'VERIFICATION_ID_TAKEN'
  /** The provider understood the request and refused it. */
  | 'PROVIDER_REFUSED'
  /** The provider did not answer, or gave an unusable answer. Retry the same call later. */
  | 'PROVIDER_UNAVAILABLE';

/** Input of scheduleMeeting. If a meeting is already booked, it is moved. */
export type ScheduleMeetingInput = {
  /** Global `id` of a VkycSession; not its verificationId. */
  sessionId: string | number;
  /** Key that makes retries safe: choose a new one, such as a UUID, for each user action. The same key with the same input returns the first call's result; with a different input the call is refused. */
  idempotencyKey: string;
  /** `version` of the session when you read it. The call is refused with VERSION_CONFLICT if the version has changed since. Without it, the version is not checked. */
  expectedVersion?: number | null | undefined;
  /** Start time: in the future, and before the customer's link expires. */
  startsAt: string;
};

/** Input of cancelMeeting. A session has at most one booked meeting, which is cancelled. */
export type CancelMeetingInput = {
  /** Global `id` of a VkycSession; not its verificationId. */
  sessionId: string | number;
  /** Key that makes retries safe: choose a new one, such as a UUID, for each user action. The same key with the same input returns the first call's result; with a different input the call is refused. */
  idempotencyKey: string;
  /** `version` of the session when you read it. The call is refused with VERSION_CONFLICT if the version has changed since. Without it, the version is not checked. */
  expectedVersion?: number | null | undefined;
  /** Reason for the cancellation, up to 500 characters. Staff can read it. */
  reason?: string | null | undefined;
};

/** Input of recordAgentReview: the decision of the agent who held the call. An approval is provisional until an auditor confirms it. */
export type RecordAgentReviewInput = {
  /** Global `id` of a VkycSession; not its verificationId. */
  sessionId: string | number;
  /** Key that makes retries safe: choose a new one, such as a UUID, for each user action. The same key with the same input returns the first call's result; with a different input the call is refused. */
  idempotencyKey: string;
  /** `version` of the session when you read it. The call is refused with VERSION_CONFLICT if the version has changed since. Without it, the version is not checked. */
  expectedVersion?: number | null | undefined;
  /** Outcome to record. Anything but APPROVED needs `remarks`. */
  decision: AgentDecision;
  /** Reason for the decision, up to 2000 characters. Required unless the decision is APPROVED. */
  remarks?: string | null | undefined;
};

/** Decision that an agent may record. */
export type AgentDecision =
  /** The customer's identity is confirmed. */
  | 'APPROVED'
  /** The customer is rejected. */
  | 'REJECTED'
  /** The agent could neither approve nor reject; another call is needed. */
  | 'UNABLE_TO_VALIDATE';

/** Input of recordAuditorReview: the auditor's decision, which is final. */
export type RecordAuditorReviewInput = {
  /** Global `id` of a VkycSession; not its verificationId. */
  sessionId: string | number;
  /** Key that makes retries safe: choose a new one, such as a UUID, for each user action. The same key with the same input returns the first call's result; with a different input the call is refused. */
  idempotencyKey: string;
  /** `version` of the session when you read it. The call is refused with VERSION_CONFLICT if the version has changed since. Without it, the version is not checked. */
  expectedVersion?: number | null | undefined;
  /** Outcome to record. Anything but APPROVED needs `remarks`. */
  decision: AuditorDecision;
  /** Reason for the decision, up to 2000 characters. Required unless the decision is APPROVED. */
  remarks?: string | null | undefined;
};

/** Decision that an auditor may record. */
export type AuditorDecision =
  /** The customer's identity is confirmed. */
  | 'APPROVED'
  /** The customer is rejected. */
  | 'REJECTED';

/** Input of startSession. Only `verificationId` and `user` are required. */
export type StartSessionInput = {
  /** Your own id of the verification: 1 to 50 characters of A-Z a-z 0-9 . _ - It is also the idempotency key: the same id with the same input returns the same session. */
  verificationId: string;
  /** Person to verify. */
  user: SessionUserInput;
  /** Name of the provider's template for the customer's steps: the `id` of one of `userTemplates`, such as vkyc_user_template_v1. Without it, the provider's default is used. */
  userTemplate?: string | null | undefined;
  /** Name of the provider's template for the agent's steps: the `id` of one of `agentTemplates`, such as vkyc_agent_template_v1. Without it, the provider's default is used. */
  agentTemplate?: string | null | undefined;
  /** Channels on which the provider sends the link. Without it, the provider does not send the link. EMAIL needs `user.email`, or a user whose email the provider already has. */
  notificationTypes?: Array<NotificationType> | null | undefined;
  /** Aadhaar details that you have already verified. With them, the customer skips the Aadhaar step. */
  aadhaarDetails?: AadhaarDetailsInput | null | undefined;
  /** Questions that the agent asks during the call, at most 20. */
  securityQuestions?: Array<SecurityQuestionInput> | null | undefined;
  /** Global `id` of an expired, rejected or failed session that this session replaces. */
  replacesSessionId?: string | number | null | undefined;
};

/** Person to verify. Pass a phone, or the userId of a person whom the provider already knows. With the phone, a known person's name, email and address are updated at the provider; without it, they stay unchanged. */
export type SessionUserInput = {
  /** Your own id of the person: 1 to 50 characters of A-Z a-z 0-9 . _ - Without it, the gateway generates one. */
  userId?: string | null | undefined;
  /** Phone number: 10 digits without country code. SMS and WhatsApp messages with the link go to it. */
  phone?: string | null | undefined;
  /** Full name, up to 200 characters. */
  name?: string | null | undefined;
  /** Email address, up to 200 characters, such as asha@example.com. A domain in a non-Latin script is stored in its ASCII form (Punycode, xn--…). */
  email?: string | null | undefined;
  /** Postal address, up to 500 characters. */
  address?: string | null | undefined;
};

/** Channel on which the provider sends the customer the link. */
export type NotificationType =
  /** Text message to the user's phone. */
  | 'SMS'
  /** WhatsApp message to the user's phone. */
  | 'WHATSAPP'
  /** Email to the user's address. */
  | 'EMAIL';

/** Aadhaar details that you have already verified, so that the customer skips the Aadhaar step. The gateway passes them to the provider and never stores them. */
export type AadhaarDetailsInput = {
  /** Full name, spelt as on the Aadhaar card. */
  name: string;
  /** Date of birth as DD-MM-YYYY, such as 31-12-1990. It must be an existing day, not after today in India. */
  dob: string;
  /** M, F or O: male, female or other. */
  gender: string;
  /** Name of a parent or spouse, as in the Aadhaar record. */
  careOf: string;
  /** URL from which the provider fetches the photo. It must use https or http and contain no user name or password. */
  photoLink: string;
  /** Time at which you verified these details. It must not be in the future, and not more than three working days ago in India (the gateway may have another limit); Saturdays and Sundays do not count. Repeating a start is not refused for its age. */
  lastVerifiedAt: string;
  /** The customer's address, as in the Aadhaar record. */
  address: AddressInput;
};

/** Address as in the Aadhaar record, with Aadhaar's own field names. Each field has up to 200 characters. */
export type AddressInput = {
  /** Country, such as India. */
  country: string;
  /** District of the state, such as Pune. */
  dist: string;
  /** House number or name, such as 12 B. */
  house: string;
  /** PIN code: 6 digits, the first of which is not 0, such as 411001. */
  pincode: string;
  /** State or union territory, such as Maharashtra. */
  state: string;
  /** Street or road, such as MG Road. */
  street: string;
  /** Post office that serves the address. */
  po?: string | null | undefined;
  /** Sub-district, such as a taluk or tehsil. */
  subdist?: string | null | undefined;
  /** Village, town or city. */
  vtc?: string | null | undefined;
};

/** Question that the agent asks during the call. The gateway passes it to the provider and never stores it. */
export type SecurityQuestionInput = {
  /** Position in the list. The questions must be numbered 1, 2, 3 … in this order. */
  order: number;
  /** Text that the agent reads to the customer. */
  question: string;
  /** Answer that the agent expects from the customer. */
  answer: string;
};

/** Conditions on transitions. Omitted fields do not filter. */
export type TransitionFilter = {
  /** Only transitions to one of these phases. */
  status?: Array<Status> | null | undefined;
  /** Only transitions to one of these steps. */
  subStatus?: Array<SubStatus> | null | undefined;
  /** If true, only transitions that changed their session's status (`applied`). */
  appliedOnly?: boolean | null | undefined;
};

/** Cause of a FeedReset. More values may be added: treat unknown ones as TOO_FAR_BEHIND. */
export type FeedResetCause =
  /** Too many transitions happened since the cursor to replay them, or the connection was too slow to receive them. */
  | 'TOO_FAR_BEHIND'
  /** The transitions after the cursor were moved to an archive. */
  | 'ARCHIVED'
  /** The database lost its newest transitions in a failover or a restore. Some transitions that you received may be void; the gateway asks the provider for the affected sessions again. */
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

export type VkycTemplatesQueryVariables = Exact<{ [key: string]: never; }>;


export type VkycTemplatesQuery = { userTemplates: Array<{ id: string, title: string, steps: Array<string> }>, agentTemplates: Array<{ id: string, title: string }> };

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

export const VkycTemplates = document<VkycTemplatesQuery, VkycTemplatesQueryVariables>(`\
query VkycTemplates {
  userTemplates {
    id
    title
    steps
  }
  agentTemplates {
    id
    title
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
