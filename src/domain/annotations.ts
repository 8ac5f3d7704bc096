/**
 * Annotations: what staff record about a session in addition to meetings and reviews. Each annotation belongs to one
 * transition, which subscribers get. The text of an annotation may be personal data, so it is encrypted and never
 * streamed.
 */

/** Kinds of annotations. */
export const ANNOTATION_KINDS = {
  NOTE: 'Note for other staff.',
  CLOSURE: 'Why staff closed the session; the code is a `ClosureReason`.',
  ESCALATION: 'Why staff escalated the session; the code is an `EscalationReason`.',
  ESCALATION_RESOLUTION: "Result of the session's latest escalation.",
  DISPUTE_RESOLUTION:
    'Decision of a dispute, with the reason as text; the code is a `DisputeResolutionChoice`.',
  MEETING_REASON:
    'Why a meeting was booked (required while an ended call waits for its review); the code is the id of the meeting.',
  ASSIGNMENT: 'Staff assigned the session; the code is the token subject of the person who works on it.',
  CLAIM:
    'The author took the session from a queue; the code is the token subject of the person who had it before, whose lease had ended, or null.',
  UNASSIGNMENT: 'Staff ended the assignment before it.',
  NOTIFICATION:
    'Notification of the customer, with its text as it is sent; the code is a `NotificationKind`.',
} as const;
export type AnnotationKind = keyof typeof ANNOTATION_KINDS;

/** Sub-status that `closeSession` sets, by outcome. */
export const SUB_STATUS_BY_CLOSURE_OUTCOME = {
  REJECTED: 'REJECTED_BY_MERCHANT',
  FAILED: 'FAILED_BY_MERCHANT',
} as const;
export type ClosureOutcome = keyof typeof SUB_STATUS_BY_CLOSURE_OUTCOME;

/** Reasons for closing a session. */
export const CLOSURE_REASONS = {
  CUSTOMER_OUTSIDE_INDIA: 'The customer is outside India, from where Video KYC is not allowed.',
  CUSTOMER_WITHDREW: 'The customer no longer wants the product or the verification.',
  CUSTOMER_UNREACHABLE: 'The customer cannot be reached.',
  MEETING_REJECTED: 'The customer declined the video call.',
  DUPLICATE_REQUEST: 'The same person has another session.',
  SUSPECTED_FRAUD: 'The customer is suspected of fraud.',
  TECHNICAL: 'A technical problem prevents the verification.',
  OTHER: 'Another reason; a note is required.',
} as const;
export type ClosureReason = keyof typeof CLOSURE_REASONS;

/** Reasons for escalating a session. */
export const ESCALATION_REASONS = {
  CUSTOMER_DROPPED_OFF: 'The customer lost the connection, and the cause must be investigated.',
  TECHNICAL: 'A technical problem persists.',
  PROVIDER: 'The provider does not work as agreed.',
  SUSPECTED_FRAUD: 'The customer is suspected of fraud.',
  COMPLAINT: 'The customer complained.',
  OTHER: 'Another reason; a note is required.',
} as const;
export type EscalationReason = keyof typeof ESCALATION_REASONS;

/** Decisions of a dispute. */
export const DISPUTE_RESOLUTIONS = {
  KEEP_OURS: "The session's decision stands.",
  ACCEPT_PROVIDER: "The provider's decision replaces the session's.",
} as const;
export type DisputeResolutionChoice = keyof typeof DISPUTE_RESOLUTIONS;
