import { Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql';
import type { AgentTemplate as Agent, UserTemplate as User } from '../domain/templates.ts';
import type { Context } from './context.ts';

@ObjectType({
  description: 'Template for the steps that the customer goes through.',
  simpleResolvers: true,
})
class UserTemplate implements User {
  @Field(() => String, { description: 'Name to pass as `userTemplate` of startSession.' })
  id: string;
  @Field(() => String, { description: 'Short text to show in a menu, in English.' })
  title: string;
  @Field(() => [String], {
    description:
      'What the customer does, in this order: short texts to show, in English. Do not branch on them: templates of an account may have any steps.',
  })
  steps: readonly string[];
}

@ObjectType({ description: 'Template for what the agent does in the call.', simpleResolvers: true })
class AgentTemplate implements Agent {
  @Field(() => String, { description: 'Name to pass as `agentTemplate` of startSession.' })
  id: string;
  @Field(() => String, { description: 'Short text to show in a menu, in English.' })
  title: string;
}

@Resolver()
export class TemplateResolver {
  @Query(() => [UserTemplate], {
    description:
      'Templates for the customer that this gateway knows, for the menu of a start form. The list is the same for all viewers and changes only with the settings of the gateway.',
  })
  userTemplates(@Ctx() { services }: Context): readonly User[] {
    return services.templates.user.templates;
  }

  @Query(() => [AgentTemplate], {
    description:
      'Templates for the agent that this gateway knows, for the menu of a start form. The list is the same for all viewers and changes only with the settings of the gateway.',
  })
  agentTemplates(@Ctx() { services }: Context): readonly Agent[] {
    return services.templates.agent.templates;
  }
}
