import type { AgentTemplate, TemplateCatalogue, UserTemplate } from '../domain/templates.ts';

const LOGIN = 'Sign in with a one-time password';
const CALL = 'Video call';

/**
 * User templates of the provider's documentation. The documentation describes both, but names only the first;
 * the name of the second is our assumption, which the sandbox shares.
 */
const USER_TEMPLATES: readonly UserTemplate[] = [
  {
    id: 'vkyc_user_template_v1',
    title: 'Aadhaar and video call',
    steps: [LOGIN, 'Offline Aadhaar verification', CALL],
  },
  { id: 'vkyc_user_call_only_template', title: 'Video call without Aadhaar', steps: [LOGIN, CALL] },
];

/** Agent template that every account has. */
const AGENT_TEMPLATES: readonly AgentTemplate[] = [
  { id: 'vkyc_agent_template_v1', title: 'Default agent template' },
];

/** Templates from the settings; null if the setting is not set. */
export interface ConfiguredTemplates {
  readonly user: readonly UserTemplate[] | null;
  readonly agent: readonly AgentTemplate[] | null;
}

/**
 * Returns the catalogue of an account. A configured list is complete. The built-in lists are not, because the
 * provider's account managers add templates to accounts.
 */
export const createTemplateCatalogue = ({ user, agent }: ConfiguredTemplates): TemplateCatalogue => ({
  user: { templates: user ?? USER_TEMPLATES, complete: user !== null },
  agent: { templates: agent ?? AGENT_TEMPLATES, complete: agent !== null },
});
