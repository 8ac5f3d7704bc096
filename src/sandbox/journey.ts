import { buildRandomJourney } from './random-journey.ts';
import { parseScenarioNameFromId, SCENARIOS, type Scenario } from './scenarios.ts';
import { createSeededRandom } from './seeded-random.ts';
import type { JourneyStep } from './step.ts';
import { type AadhaarFlow, getAadhaarFlow } from './templates.ts';

/** Input that determines the journey (all steps) of a verification. */
export interface JourneyInput {
  /** Verification id, which may contain the name of a scenario, see `parseScenarioNameFromId`. */
  readonly verificationId: string;
  readonly seed: string;
  readonly template: string;
  /** Whether the merchant sent `aadhaar_details`. */
  readonly aadhaarSent: boolean;
}

/**
 * Returns all steps of a verification, each with its delay in seconds after the step before. The first step
 * is the response to `POST /vkyc`. The result depends only on the request (deterministic), and is empty if
 * the start is refused.
 */
export function buildJourney({
  verificationId,
  seed,
  template,
  aadhaarSent,
}: JourneyInput): readonly JourneyStep[] {
  const scenario: Scenario = SCENARIOS[parseScenarioNameFromId(verificationId)];
  if ('refusal' in scenario) return [];
  const flow = getAadhaarFlow(template, aadhaarSent);
  if ('walk' in scenario)
    return buildRandomJourney(createSeededRandom(seed, verificationId, 'journey'), flow, scenario.walk);
  return ADAPTED[flow](scenario.steps);
}

const isAadhaarStep = ({ subStatus }: JourneyStep): boolean => subStatus.startsWith('AADHAAR_');
const AADHAAR_IS_KNOWN: JourneyStep = { afterSeconds: 0, subStatus: 'AADHAAR_VERIFICATION_SUCCESS' };

/**
 * Adapts the steps of a scenario to each Aadhaar flow. Scenarios are written for the flow with an Aadhaar
 * step.
 */
const ADAPTED = {
  AADHAAR_STEP: (steps) => steps,
  CALL_ONLY: (steps) => steps.filter((step) => !isAadhaarStep(step)),
  AADHAAR_SENT: ([first, ...rest]) => [
    first?.subStatus === 'LINK_GENERATED' ? AADHAAR_IS_KNOWN : (first as JourneyStep),
    ...rest.filter((step) => !isAadhaarStep(step)),
  ],
} as const satisfies Record<AadhaarFlow, (steps: readonly JourneyStep[]) => readonly JourneyStep[]>;
