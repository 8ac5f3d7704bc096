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

export type UserTemplate = keyof typeof USER_TEMPLATES;

/** User template of a request that names no template. */
export const DEFAULT_USER_TEMPLATE: UserTemplate = 'vkyc_user_template_v1';

/** Known values of `agent_template`. The values make no difference in the sandbox. */
export const AGENT_TEMPLATES = ['vkyc_agent_template_v1', 'vkyc_agent_template'] as const;

export const isUserTemplate = (name: string): name is UserTemplate => Object.hasOwn(USER_TEMPLATES, name);

/** Source of the customer's Aadhaar verification: a step of the flow, the details in the request, or none. */
export type AadhaarFlow = 'AADHAAR_STEP' | 'AADHAAR_SENT' | 'CALL_ONLY';

/**
 * Returns the Aadhaar flow of a customer. The provider skips the Aadhaar step if the merchant sent the
 * Aadhaar details.
 */
export function aadhaarFlowFor(template: UserTemplate, aadhaarSent: boolean): AadhaarFlow {
  if (!USER_TEMPLATES[template].aadhaarStep) return 'CALL_ONLY';
  return aadhaarSent ? 'AADHAAR_SENT' : 'AADHAAR_STEP';
}
