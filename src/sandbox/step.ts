import { type KnownSubStatus, pairOf } from '../domain/status.ts';

/** Words of a state that no page of the provider's mentions: its list has grown before. */
export const UNHEARD_OF = { status: 'ON_HOLD', subStatus: 'USER_WAVED_AT_CAMERA' } as const;

export type StepName = KnownSubStatus | typeof UNHEARD_OF.subStatus;

/** One step of a journey: how many seconds after the one before, and where it leads. */
export interface Step {
  readonly afterSeconds: number;
  readonly subStatus: StepName;
  /** From here on the customer has a meeting, so many seconds after this step. */
  readonly meetingInSeconds?: number;
}

/** The two words of a step as the provider writes them. */
export const wordsOf = (name: StepName): { status: string; subStatus: string } =>
  name === UNHEARD_OF.subStatus ? UNHEARD_OF : pairOf(name);
