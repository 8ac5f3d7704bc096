import { chanceOf } from './random.ts';
import { SCENARIOS, type Scenario, scenarioNameOf } from './scenarios.ts';
import type { Step } from './step.ts';
import { type UserTemplate, type Way, wayOf } from './templates.ts';
import { walkOf } from './walk.ts';

/** Everything that a journey depends on. */
export interface JourneyRequest {
  /** Contains the name of the scenario, see `scenarioNameOf`. */
  readonly verificationId: string;
  readonly seed: string;
  readonly template: UserTemplate;
  /** Whether the merchant sent `aadhaar_details`. */
  readonly aadhaarSent: boolean;
}

/**
 * Returns all steps of a verification: the first is the response to `POST /vkyc`, and each has its delay in seconds
 * after the one before. Deterministic: depends only on the request. Empty if the start is refused.
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

/** Adapts a scenario, whose steps are written with the Aadhaar step, to customers who skip it. */
const ADAPTED = {
  AADHAAR_STEP: (steps) => steps,
  CALL_ONLY: (steps) => steps.filter((step) => !isAadhaarStep(step)),
  AADHAAR_SENT: ([first, ...rest]) => [
    first?.subStatus === 'LINK_GENERATED' ? AADHAAR_IS_KNOWN : (first as Step),
    ...rest.filter((step) => !isAadhaarStep(step)),
  ],
} as const satisfies Record<Way, (steps: readonly Step[]) => readonly Step[]>;
