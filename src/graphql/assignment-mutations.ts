import { Arg, Ctx, createUnionType, Field, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { Queue } from '../domain/actions.ts';
import { MAX_LANGUAGES } from '../domain/languages.ts';
import type { AnnotationResult } from '../services/sessions/annotate.ts';
import { Assignment, type AssignmentWithEnd, pairAssignmentsWithEnds } from './assignment.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { QueueEnum } from './enums.ts';
import { ConflictError, InvalidInputError, RESOLVE_BY_TYPENAME, toMutationResult } from './mutation-error.ts';
import {
  ActionInput,
  ActionSuccess,
  createActionResultUnion,
  withDecodedSessionId,
} from './session-action.ts';
import { VkycSession } from './session-type.ts';

@InputType({ description: 'Input of assignAgent: the session, and who works on it.' })
class AssignAgentInput extends ActionInput {
  @Field(() => String, {
    description:
      'Token subject of the agent, or of the auditor if an approval waits for its audit. The gateway does not know the roles of other people: that person needs the role for the work.',
  })
  agent: string;
  @Field(() => DateTime, {
    nullable: true,
    description:
      'Time at which the assignment ends by itself; actions of the assignee move it on. Without it, the assignment lasts until the review, the end of the session, or unassignAgent.',
  })
  until?: Date;
}

@InputType({ description: 'Input of unassignAgent: the session that nobody is to work on any more.' })
class UnassignAgentInput extends ActionInput {}

@InputType({ description: 'Input of claimNext: the queue to take work from.' })
class ClaimNextInput {
  @Field(() => QueueEnum, {
    description: 'AGENT needs the role AGENT, AUDITOR the role AUDITOR; ADMIN may take work from both.',
  })
  queue: Queue;
  @Field(() => String, {
    description:
      'Key that makes retries safe: choose a new one, such as a UUID, for each piece of work. The same key returns the same session, even if it has been reviewed since.',
  })
  idempotencyKey: string;
  @Field(() => [String], {
    nullable: true,
    description: `Languages that you speak, as BCP 47 tags such as hi or en-IN; at most ${MAX_LANGUAGES.staff}. You get only sessions whose customer speaks one of them, or that state no languages; a session that you have already you get whatever its languages. Scripts and regions do not count: hi and hi-IN are one language. If left out, sessions of all languages.`,
  })
  languages?: string[];
}

@ObjectType({ description: 'The session was assigned.', simpleResolvers: true })
class AssignAgentSuccess extends ActionSuccess {
  @Field(() => Assignment, {
    description: 'The assignment that this call, or the earlier one that it repeats, recorded.',
  })
  assignment: AssignmentWithEnd;
}

@ObjectType({ description: 'The assignment was ended.', simpleResolvers: true })
class UnassignAgentSuccess extends ActionSuccess {
  @Field(() => Assignment, { description: 'The assignment that was ended.' })
  assignment: AssignmentWithEnd;
}

@ObjectType({ description: 'The next piece of work.', simpleResolvers: true })
class ClaimNextSuccess {
  @Field(() => VkycSession, { description: 'The session to work on, in its current state.' })
  session: SessionRow;
  @Field(() => Assignment, { description: 'Your assignment of the session.' })
  assignment: AssignmentWithEnd;
  @Field(() => Boolean, {
    description:
      'True if the session was assigned to you before this call, by an earlier claim or by other staff.',
  })
  replayed: boolean;
}

@ObjectType({
  description:
    'The queue has no session that you may take, in your languages if you passed any. No refusal: ask again later, with the same or another idempotencyKey.',
  simpleResolvers: true,
})
class QueueEmpty {
  @Field(() => QueueEnum, { description: 'The queue that you asked for.' })
  queue: Queue;
}

const AssignAgentResult = createActionResultUnion(
  'AssignAgentResult',
  'The assignment, or the reason for refusing it.',
  AssignAgentSuccess,
);
const UnassignAgentResult = createActionResultUnion(
  'UnassignAgentResult',
  'The ended assignment, or the reason for refusing.',
  UnassignAgentSuccess,
);
const ClaimNextResult = createUnionType({
  name: 'ClaimNextResult',
  description: 'The next piece of work, nothing (QueueEmpty), or the reason for refusing.',
  types: () => [ClaimNextSuccess, QueueEmpty, InvalidInputError, ConflictError] as const,
  ...RESOLVE_BY_TYPENAME,
});

@Resolver()
export class AssignmentMutationsResolver {
  @Mutation(() => AssignAgentResult, {
    description:
      'Assigns a session to an agent or auditor, whoever had it before. Agents and auditors may hand on only their own sessions and take those that nobody has; operators and administrators may assign every session. Refused for an agent who could not validate the customer, and for one who would audit their own approval. The provider is not told.',
  })
  assignAgent(
    @Arg('input', () => AssignAgentInput, { description: 'The session, and who works on it.' })
    input: AssignAgentInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.assignAgent(context.viewer, withDecodedSessionId(input));
    return toMutationResult('AssignAgentSuccess', context, withAssignment(context, work));
  }

  @Mutation(() => UnassignAgentResult, {
    description:
      'Ends the assignment of a session, so that another person may take it. For the assignee, operators and administrators.',
  })
  unassignAgent(
    @Arg('input', () => UnassignAgentInput, { description: 'The session that somebody works on.' })
    input: UnassignAgentInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.unassignAgent(context.viewer, withDecodedSessionId(input));
    return toMutationResult('UnassignAgentSuccess', context, withAssignment(context, work));
  }

  @Mutation(() => ClaimNextResult, {
    description:
      'Takes the next session from a queue: the one that has waited longest, escalated sessions first. No session is given to two people. The session is yours for some minutes (`assignedUntil`), which each of your actions on it renews; then it goes back to the queue by itself. While you have a session of the queue, you get that session again, with a renewed lease: review it, or give it back by unassignAgent, to get the next one.',
  })
  claimNext(
    @Arg('input', () => ClaimNextInput, { description: 'The queue to take work from.' })
    input: ClaimNextInput,
    @Ctx() context: Context,
  ) {
    const work = context.services
      .claimNext(context.viewer, input)
      .then((claimed) => claimed ?? { __typename: 'QueueEmpty', queue: input.queue });
    return toMutationResult('ClaimNextSuccess', context, work);
  }
}

/** Replaces the annotation in the result by the assignment that the call began or ended, in its current state. */
async function withAssignment({ loaders }: Context, work: Promise<AnnotationResult>) {
  const { session, annotation, replayed } = await work;
  loaders.assignments.clear(session.id);
  const assignment = pairAssignmentsWithEnds(await loaders.assignments.load(session.id)).find(
    ({ id, endedWith }) => id === annotation.id || endedWith?.id === annotation.id,
  );
  return { session, assignment, replayed };
}
