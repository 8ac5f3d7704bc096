import { type KnownSubStatus, toStatusPair } from '../domain/status.ts';

/**
 * Status that the provider does not document. This status tests how clients take an unknown status, because
 * the provider has added statuses before.
 */
export const UNDOCUMENTED_STATUS = { status: 'ON_HOLD', subStatus: 'USER_WAVED_AT_CAMERA' } as const;

export type SandboxSubStatus = KnownSubStatus | typeof UNDOCUMENTED_STATUS.subStatus;

/** One step of a journey: its delay in seconds after the step before, and the sub-status that it leads to. */
export interface JourneyStep {
  readonly afterSeconds: number;
  readonly subStatus: SandboxSubStatus;
  /** If the step books a meeting: seconds from this step to the start of the meeting. */
  readonly meetingInSeconds?: number;
  /** True if the webhook of this step is lost: only `GET /vkyc` reports the step. */
  readonly webhookLost?: true;
  /** Seconds from the start to the end of the link, if the provider never reports that the link has expired. */
  readonly linkEndsInSeconds?: number;
}

/** Returns the status and sub-status of a step in the provider's spelling. */
export const toRawStatus = (name: SandboxSubStatus): { status: string; subStatus: string } =>
  name === UNDOCUMENTED_STATUS.subStatus ? UNDOCUMENTED_STATUS : toStatusPair(name);
