/**
 * Known values of `user_template` (which steps the customer takes), and whether the flow has an Aadhaar step.
 */
export const USER_TEMPLATES = {
  vkyc_user_template_v1: { flow: 'OTP, offline Aadhaar, call', aadhaarStep: true },
  vkyc_user_okyc_template_v1: { flow: 'OTP, offline Aadhaar, call', aadhaarStep: true },
  vkyc_user_template: { flow: 'OTP, offline Aadhaar, call', aadhaarStep: true },
  vkyc_standard_template: { flow: 'OTP, offline Aadhaar, call', aadhaarStep: true },
  // The provider documents this flow but not the name of its template, so the sandbox uses a name of its own.
  vkyc_user_call_only_template: { flow: 'OTP, call', aadhaarStep: false },
} as const satisfies Record<string, { flow: string; aadhaarStep: boolean }>;

/** User template for a request that names none. */
export const DEFAULT_USER_TEMPLATE: keyof typeof USER_TEMPLATES = 'vkyc_user_template_v1';

/** Known values of `agent_template`. The values make no difference in the sandbox. */
export const AGENT_TEMPLATES = ['vkyc_agent_template_v1', 'vkyc_agent_template'] as const;

/** Templates that the account has besides those above; they run the flow with the Aadhaar step. */
export interface AdditionalTemplates {
  readonly user: readonly { readonly id: string }[] | null;
  readonly agent: readonly { readonly id: string }[] | null;
}

/** Returns whether the account has both templates of a request; templates that are left out do not matter. */
export function areTemplatesKnown(
  account: AdditionalTemplates,
  user: string | null | undefined,
  agent: string | null | undefined,
): boolean {
  const users = [...Object.keys(USER_TEMPLATES), ...(account.user ?? []).map(({ id }) => id)];
  const agents = [...AGENT_TEMPLATES, ...(account.agent ?? []).map(({ id }) => id)];
  return (user == null || users.includes(user)) && (agent == null || agents.includes(agent));
}

/** Source of the customer's Aadhaar verification: a step of the flow, the details in the request, or none. */
export type AadhaarFlow = 'AADHAAR_STEP' | 'AADHAAR_SENT' | 'CALL_ONLY';

/** Returns the customer's flow. The provider skips the Aadhaar step if the merchant sent the Aadhaar details. */
export function getAadhaarFlow(template: string, aadhaarSent: boolean): AadhaarFlow {
  const known: ReadonlyMap<string, { readonly aadhaarStep: boolean }> = new Map(
    Object.entries(USER_TEMPLATES),
  );
  if (known.get(template)?.aadhaarStep === false) return 'CALL_ONLY';
  return aadhaarSent ? 'AADHAAR_SENT' : 'AADHAAR_STEP';
}
