import { Arg, Ctx, Field, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { AnnotationRow } from '../db/sessions/annotations.ts';
import type {
  ClosureOutcome,
  ClosureReason,
  DisputeResolutionChoice,
  EscalationReason,
} from '../domain/annotations.ts';
import type { SubStatus } from '../domain/status.ts';
import { MAX_TEXT_CHARACTERS } from '../domain/text.ts';
import type { AnnotationResult } from '../services/sessions/annotate.ts';
import {
  Closure,
  DisputeResolution,
  Escalation,
  type EscalationWithResolution,
  Note,
  pairEscalationsWithResolutions,
} from './annotations.ts';
import type { Context } from './context.ts';
import {
  ClosureOutcomeEnum,
  ClosureReasonEnum,
  DisputeResolutionChoiceEnum,
  EscalationReasonEnum,
  SubStatusEnum,
} from './enums.ts';
import { toMutationResult } from './mutation-error.ts';
import {
  ActionInput,
  ActionSuccess,
  createActionResultUnion,
  withDecodedSessionId,
} from './session-action.ts';

const NOTE_TEXT = `Up to ${MAX_TEXT_CHARACTERS.note} characters. Only staff can read it.`;

@InputType({ description: 'Input of closeSession: the session, its outcome, and the reason.' })
class CloseSessionInput extends ActionInput {
  @Field(() => ClosureOutcomeEnum, {
    description:
      'REJECTED rejects the customer; FAILED ends the session without a decision about the customer.',
  })
  outcome: ClosureOutcome;
  @Field(() => ClosureReasonEnum, { description: 'Coded reason. OTHER needs a `note`.' })
  reason: ClosureReason;
  @Field(() => String, { nullable: true, description: `Details of the reason. ${NOTE_TEXT}` })
  note?: string;
}

@InputType({ description: 'Input of addNote: the session and the text of the note.' })
class AddNoteInput extends ActionInput {
  @Field(() => String, { description: `Text of the note. ${NOTE_TEXT}` })
  note: string;
}

@InputType({ description: 'Input of escalateSession: the session, and the reason to investigate it.' })
class EscalateSessionInput extends ActionInput {
  @Field(() => EscalationReasonEnum, { description: 'Coded reason. OTHER needs a `note`.' })
  reason: EscalationReason;
  @Field(() => String, { nullable: true, description: `Details of the reason. ${NOTE_TEXT}` })
  note?: string;
}

@InputType({ description: 'Input of resolveEscalation: the session, and the result of the investigation.' })
class ResolveEscalationInput extends ActionInput {
  @Field(() => String, { description: `Result of the investigation. ${NOTE_TEXT}` })
  note: string;
}

@InputType({ description: 'Input of resolveDispute: the session, the decision that stands, and the reason.' })
class ResolveDisputeInput extends ActionInput {
  @Field(() => DisputeResolutionChoiceEnum, { description: 'The decision that stands.' })
  resolution: DisputeResolutionChoice;
  @Field(() => String, { description: `Why you decide the dispute this way. ${NOTE_TEXT}` })
  note: string;
  @Field(() => SubStatusEnum, {
    nullable: true,
    description:
      'Sub-status that the session should have afterwards. The call is refused if it would get another one, because the provider has decided otherwise since you read the session: `expectedVersion` does not notice that. Required if ACCEPT_PROVIDER would accept an approval. Pass `VkycSession.providerDecision` as you showed it to the person who decides.',
  })
  expectedSubStatus?: SubStatus;
}

@ObjectType({ description: 'The session was closed.', simpleResolvers: true })
class CloseSessionSuccess extends ActionSuccess {
  @Field(() => Closure, {
    description: 'The closure that this call, or the earlier one that it repeats, recorded.',
  })
  closure: AnnotationRow;
}

@ObjectType({ description: 'The note was added.', simpleResolvers: true })
class AddNoteSuccess extends ActionSuccess {
  @Field(() => Note, {
    description: 'The note that this call, or the earlier one that it repeats, recorded.',
  })
  note: AnnotationRow;
}

@ObjectType({ description: 'The session was escalated.', simpleResolvers: true })
class EscalateSessionSuccess extends ActionSuccess {
  @Field(() => Escalation, { description: 'The escalation in its current state.' })
  escalation: EscalationWithResolution;
}

@ObjectType({ description: 'The escalation was resolved.', simpleResolvers: true })
class ResolveEscalationSuccess extends ActionSuccess {
  @Field(() => Escalation, { description: 'The escalation with its resolution.' })
  escalation: EscalationWithResolution;
}

@ObjectType({ description: 'The dispute was decided.', simpleResolvers: true })
class ResolveDisputeSuccess extends ActionSuccess {
  @Field(() => DisputeResolution, {
    description: 'The decision that this call, or the earlier one that it repeats, recorded.',
  })
  resolution: AnnotationRow;
}

const CloseSessionResult = createActionResultUnion(
  'CloseSessionResult',
  'The closed session, or the reason why it was not closed.',
  CloseSessionSuccess,
);
const AddNoteResult = createActionResultUnion(
  'AddNoteResult',
  'The note, or the reason for refusing it.',
  AddNoteSuccess,
);
const EscalateSessionResult = createActionResultUnion(
  'EscalateSessionResult',
  'The escalation, or the reason for refusing it.',
  EscalateSessionSuccess,
);
const ResolveEscalationResult = createActionResultUnion(
  'ResolveEscalationResult',
  'The resolved escalation, or the reason why it was not resolved.',
  ResolveEscalationSuccess,
);
const ResolveDisputeResult = createActionResultUnion(
  'ResolveDisputeResult',
  'The decision of the dispute, or the reason why it was not recorded.',
  ResolveDisputeSuccess,
);

/** Returns the result of a mutation whose payload shows the annotation under the given name. */
const toResult = <Name extends string>(
  typename: string,
  context: Context,
  work: Promise<AnnotationResult>,
  name: Name,
) =>
  toMutationResult(
    typename,
    context,
    work.then(({ session, annotation, replayed }) => ({ session, replayed, [name]: annotation })),
  );

@Resolver()
export class AnnotationMutationsResolver {
  @Mutation(() => CloseSessionResult, {
    description:
      'Closes a session in this gateway, and cancels its booked meeting: rejects the customer, or ends the session without a decision. A session that has already ended keeps its status. The provider is not told; if it reports an approval later, the session becomes disputed.',
  })
  closeSession(
    @Arg('input', () => CloseSessionInput, { description: 'The session, the outcome and the reason.' })
    input: CloseSessionInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.closeSession(context.viewer, withDecodedSessionId(input));
    return toResult('CloseSessionSuccess', context, work, 'closure');
  }

  @Mutation(() => AddNoteResult, { description: 'Adds a note that only staff can read.' })
  addNote(
    @Arg('input', () => AddNoteInput, { description: 'The session and the note.' }) input: AddNoteInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.addNote(context.viewer, withDecodedSessionId(input));
    return toResult('AddNoteSuccess', context, work, 'note');
  }

  @Mutation(() => EscalateSessionResult, {
    description:
      'Escalates a session, so that staff investigate it. The status of the session does not change.',
  })
  escalateSession(
    @Arg('input', () => EscalateSessionInput, { description: 'The session and the reason.' })
    input: EscalateSessionInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.escalateSession(context.viewer, withDecodedSessionId(input));
    return toMutationResult('EscalateSessionSuccess', context, withEscalation(context, work, 'ESCALATION'));
  }

  @Mutation(() => ResolveEscalationResult, {
    description: "Records the result of the investigation, and ends the session's escalation.",
  })
  resolveEscalation(
    @Arg('input', () => ResolveEscalationInput, {
      description: 'The session, and the result of the investigation.',
    })
    input: ResolveEscalationInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.resolveEscalation(context.viewer, withDecodedSessionId(input));
    return toMutationResult(
      'ResolveEscalationSuccess',
      context,
      withEscalation(context, work, 'ESCALATION_RESOLUTION'),
    );
  }

  @Mutation(() => ResolveDisputeResult, {
    description:
      "Decides a dispute: keeps the session's decision, or accepts the provider's. Refused if you reviewed, closed or replaced the session (four-eyes rule).",
  })
  resolveDispute(
    @Arg('input', () => ResolveDisputeInput, { description: 'The session, and the decision that stands.' })
    input: ResolveDisputeInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.resolveDispute(context.viewer, withDecodedSessionId(input));
    return toResult('ResolveDisputeSuccess', context, work, 'resolution');
  }
}

/** Replaces the annotation in the result by the escalation that the call began or ended, in its current state. */
async function withEscalation(
  { loaders }: Context,
  work: Promise<AnnotationResult>,
  kind: 'ESCALATION' | 'ESCALATION_RESOLUTION',
) {
  const { session, annotation, replayed } = await work;
  loaders.escalations.clear(session.id);
  const escalations = pairEscalationsWithResolutions(await loaders.escalations.load(session.id));
  const escalation = escalations.find((each) =>
    kind === 'ESCALATION' ? each.id === annotation.id : each.resolvedWith?.id === annotation.id,
  );
  return { session, escalation, replayed };
}
