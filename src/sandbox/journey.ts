import { chanceOf } from './random.ts';
import { SCENARIOS, type Scenario, scenarioNameOf } from './scenarios.ts';
import type { Step } from './step.ts';
import { type UserTemplate, type Way, wayOf } from './templates.ts';
import { walkOf } from './walk.ts';

/** All that a journey depends on. */
export interface JourneyRequest {
  /** Names the scenario; see `scenarioNameOf`. */
  readonly verificationId: string;
  readonly seed: string;
  readonly template: UserTemplate;
  /** Whether the merchant sent `aadhaar_details`. */
  readonly aadhaarSent: boolean;
}

/**
 * What will happen to a verification, step by step: the first is the answer to `POST /vkyc`, and each says how many
 * seconds it comes after the one before. Depends on nothing but the request. Empty where the start is refused.
 */
export function journeyOf({ verificationId, seed, template, aadhaarSent }: JourneyRequest): readonly Step[] {
  const scenario: Scenario = SCENARIOS[scenarioNameOf(verificationId)];
  if ('refusal' in scenario) return [];
  const way = wayOf(template, aadhaarSent);
  if ('walk' in scenario) return walkOf(chanceOf(seed, verificationId, 'journey'), way, scenario.walk);
  return ADAPTED[way](scenario.steps);
}

const isAadhaarStep = ({ subStatus }: Step): boolean => subStatus.startsWith('AADHAAR_');
const AADHAAR_IS_KNOWN: Step = { afterSeconds: 0, subStatus: 'AADHAAR_VERIFICATION_SUCCESS' };

/** Written scenarios have the Aadhaar step; this takes it out. */
const ADAPTED = {
  AADHAAR_STEP: (steps) => steps,
  CALL_ONLY: (steps) => steps.filter((step) => !isAadhaarStep(step)),
  AADHAAR_SENT: ([first, ...rest]) => [
    first?.subStatus === 'LINK_GENERATED' ? AADHAAR_IS_KNOWN : (first as Step),
    ...rest.filter((step) => !isAadhaarStep(step)),
  ],
} as const satisfies Record<Way, (steps: readonly Step[]) => readonly Step[]>;
