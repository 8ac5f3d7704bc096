/** What `user_template` may be, and whether the customer's way has an Aadhaar step. */
export const USER_TEMPLATES = {
  vkyc_user_template_v1: { flow: 'OTP, offline Aadhaar, call', aadhaarStep: true },
  vkyc_user_okyc_template_v1: { flow: 'OTP, offline Aadhaar, call', aadhaarStep: true },
  vkyc_user_template: { flow: 'OTP, offline Aadhaar, call', aadhaarStep: true },
  vkyc_standard_template: { flow: 'OTP, offline Aadhaar, call', aadhaarStep: true },
  // The provider documents this flow; its identifier is not public, so the sandbox has one of its own.
  vkyc_user_call_only_template: { flow: 'OTP, call', aadhaarStep: false },
} as const satisfies Record<string, { flow: string; aadhaarStep: boolean }>;

export type UserTemplate = keyof typeof USER_TEMPLATES;

/** What a request gets that names no template. */
export const DEFAULT_USER_TEMPLATE: UserTemplate = 'vkyc_user_template_v1';

/** What `agent_template` may be; the sandbox's agents make no difference between them. */
export const AGENT_TEMPLATES = ['vkyc_agent_template_v1', 'vkyc_agent_template'] as const;

export const isUserTemplate = (name: string): name is UserTemplate => Object.hasOwn(USER_TEMPLATES, name);

/** The customer's way to the call: through the Aadhaar step, past it, or without any. */
export type Way = 'AADHAAR_STEP' | 'AADHAAR_SENT' | 'CALL_ONLY';

/** Where the merchant sends the Aadhaar details, the provider leaves the step out. */
export function wayOf(template: UserTemplate, aadhaarSent: boolean): Way {
  if (!USER_TEMPLATES[template].aadhaarStep) return 'CALL_ONLY';
  return aadhaarSent ? 'AADHAAR_SENT' : 'AADHAAR_STEP';
}
