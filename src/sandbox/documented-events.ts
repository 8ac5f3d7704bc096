import type { KnownSubStatus } from '../domain/status.ts';
import type { SandboxSubStatus } from './step.ts';

/**
 * Event type of each step that the provider's documentation has a webhook for; there are ten types. Clients
 * learn of other steps only by GET.
 */
const DOCUMENTED_EVENTS: Partial<Record<KnownSubStatus, string>> = {
  LINK_GENERATED: 'VKYC_USER_LINK_GENERATED',
  VKYC_EXPIRED: 'VKYC_USER_LINK_EXPIRED',
  AADHAAR_VERIFICATION_SUCCESS: 'VKYC_USER_AADHAAR_VERIFIED',
  USER_MEETING_SCHEDULED: 'VKYC_USER_CALL_SCHEDULED',
  USER_PROXY_DETECTED: 'VKYC_USER_PRECHECK_FAILED',
  USER_LOCATION_OUTSIDE_INDIA: 'VKYC_USER_PRECHECK_FAILED',
  USER_LOCATION_PERMISSION_DISABLED: 'VKYC_USER_PRECHECK_FAILED',
  USER_AUDIO_CHECK_FAILED: 'VKYC_USER_PRECHECK_FAILED',
  USER_VIDEO_CHECK_FAILED: 'VKYC_USER_PRECHECK_FAILED',
  TECHNICAL_FAILURE: 'VKYC_USER_PRECHECK_FAILED',
  USER_QUEUED: 'VKYC_USER_CALL_QUEUED',
  SCHEDULED_USER_QUEUED: 'VKYC_USER_CALL_QUEUED',
  USER_ACCEPTED_MEETING: 'VKYC_USER_CALL_STARTED',
  USER_DROPPED_OFF: 'VKYC_USER_DROPOFF_FROM_CALL',
  AGENT_ENDED_CALL: 'VKYC_USER_CALL_COMPLETED',
  AUDITOR_APPROVED: 'VKYC_AUDITOR_REVIEW_COMPLETED',
  AUDITOR_REJECTED: 'VKYC_AUDITOR_REVIEW_COMPLETED',
};

/** Returns the type of the webhook event that reports a step; null if the documentation has none. */
export const findDocumentedEventType = (name: SandboxSubStatus): string | null =>
  DOCUMENTED_EVENTS[name as KnownSubStatus] ?? null;
