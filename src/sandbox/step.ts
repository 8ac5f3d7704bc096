import { type KnownSubStatus, pairOf } from '../domain/status.ts';

/** A state that the provider does not document; its list of states has grown before. */
export const UNHEARD_OF = { status: 'ON_HOLD', subStatus: 'USER_WAVED_AT_CAMERA' } as const;

export type StepName = KnownSubStatus | typeof UNHEARD_OF.subStatus;

/** One step of a journey: the seconds after the step before, and the sub-status that it leads to. */
export interface Step {
  readonly afterSeconds: number;
  readonly subStatus: StepName;
  /** The step books a meeting this many seconds ahead. */
  readonly meetingInSeconds?: number;
}

/** Returns the status and sub-status of a step, as the provider writes them. */
export const wordsOf = (name: StepName): { status: string; subStatus: string } =>
  name === UNHEARD_OF.subStatus ? UNHEARD_OF : pairOf(name);
