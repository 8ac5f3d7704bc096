/** Catalogue of templates. A template is the provider's name for the steps of a verification. */

/** Template for the customer's steps. */
export interface UserTemplate {
  /** The provider's name of the template, as startSession takes it. */
  readonly id: string;
  readonly title: string;
  /** Steps in their order, as texts to show. */
  readonly steps: readonly string[];
}

/** Template for the agent's steps. The provider does not publish the steps. */
export type AgentTemplate = Pick<UserTemplate, 'id' | 'title'>;

/** Templates of one kind. */
export interface TemplateList<Template extends AgentTemplate = AgentTemplate> {
  readonly templates: readonly Template[];
  /** True: the account has no other templates, so any other name is refused. False: the provider decides. */
  readonly complete: boolean;
}

/** Templates that a session can be started with. */
export interface TemplateCatalogue {
  readonly user: TemplateList<UserTemplate>;
  readonly agent: TemplateList;
}

/** Control and format characters, such as U+0007 and U+200B. No template has them, but a copied text may. */
const NEVER_IN_A_NAME = /[\p{Cc}\p{Cf}]/u;

export const hasTemplate = ({ templates }: TemplateList, name: string): boolean =>
  templates.some(({ id }) => id === name);

/** Returns the ids of all templates of a list, separated by commas, for a message. */
export const formatTemplateIds = ({ templates }: TemplateList): string =>
  templates.map(({ id }) => id).join(', ');

/** Returns why a start may not use this template, as the predicate of a sentence; null if it may. */
export function findTemplateProblem(name: string, list: TemplateList): string | null {
  if (hasTemplate(list, name)) return null;
  if (list.complete) return `must be one of these templates: ${formatTemplateIds(list)}`;
  if (name === '') return "must not be empty: leave it out to use the provider's default";
  return NEVER_IN_A_NAME.test(name) ? 'must not contain control characters or invisible characters' : null;
}
