import { Arg, Ctx, createUnionType, Field, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { AnnotationRow } from '../db/sessions/annotations.ts';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type {
  ClosureOutcome,
  ClosureReason,
  DisputeResolutionChoice,
  EscalationReason,
} from '../domain/annotations.ts';
import type { SubStatus } from '../domain/status.ts';
import type { Annotated } from '../services/sessions/annotate.ts';
import {
  Closure,
  DisputeResolution,
  Escalation,
  type EscalationRow,
  Note,
  toEscalations,
} from './annotations.ts';
import type { Context } from './context.ts';
import {
  ClosureOutcomeEnum,
  ClosureReasonEnum,
  DisputeResolutionChoiceEnum,
  EscalationReasonEnum,
  SubStatusEnum,
} from './enums.ts';
import { ActionInput, withDecodedSessionId } from './meeting.ts';
import {
  ActionNotAllowedError,
  ConflictError,
  InvalidInputError,
  NotFoundError,
  resolveByName,
  toMutationResult,
} from './mutation-error.ts';
import { VkycSession } from './session-type.ts';

const NOTE_TEXT = 'Up to 2000 characters. Only staff can read it.';

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
      'Sub-status that the session should have afterwards. The call is refused if it would get another one, because the provider has decided otherwise since you read the session: `expectedVersion` does not notice that. Pass it whenever you accept an approval.',
  })
  expectedSubStatus?: SubStatus;
}

const SESSION = 'The session in its current state.';
const REPLAYED = 'True if this call repeated an earlier one and changed nothing.';

@ObjectType({ description: 'The session was closed.', simpleResolvers: true })
class CloseSessionSuccess {
  @Field(() => VkycSession, { description: SESSION })
  session: SessionRow;
  @Field(() => Closure, {
    description: 'The closure that this call, or the earlier one that it repeats, recorded.',
  })
  closure: AnnotationRow;
  @Field(() => Boolean, { description: REPLAYED })
  replayed: boolean;
}

@ObjectType({ description: 'The note was added.', simpleResolvers: true })
class AddNoteSuccess {
  @Field(() => VkycSession, { description: SESSION })
  session: SessionRow;
  @Field(() => Note, {
    description: 'The note that this call, or the earlier one that it repeats, recorded.',
  })
  note: AnnotationRow;
  @Field(() => Boolean, { description: REPLAYED })
  replayed: boolean;
}

@ObjectType({ description: 'The session was escalated.', simpleResolvers: true })
class EscalateSessionSuccess {
  @Field(() => VkycSession, { description: SESSION })
  session: SessionRow;
  @Field(() => Escalation, { description: 'The escalation in its current state.' })
  escalation: EscalationRow;
  @Field(() => Boolean, { description: REPLAYED })
  replayed: boolean;
}

@ObjectType({ description: 'The escalation was resolved.', simpleResolvers: true })
class ResolveEscalationSuccess {
  @Field(() => VkycSession, { description: SESSION })
  session: SessionRow;
  @Field(() => Escalation, { description: 'The escalation with its resolution.' })
  escalation: EscalationRow;
  @Field(() => Boolean, { description: REPLAYED })
  replayed: boolean;
}

@ObjectType({ description: 'The dispute was decided.', simpleResolvers: true })
class ResolveDisputeSuccess {
  @Field(() => VkycSession, { description: SESSION })
  session: SessionRow;
  @Field(() => DisputeResolution, {
    description: 'The decision that this call, or the earlier one that it repeats, recorded.',
  })
  resolution: AnnotationRow;
  @Field(() => Boolean, { description: REPLAYED })
  replayed: boolean;
}

/** Refusals of every mutation that records an annotation. */
export const refusals = [InvalidInputError, NotFoundError, ActionNotAllowedError, ConflictError] as const;

const CloseSessionResult = createUnionType({
  name: 'CloseSessionResult',
  description: 'The closed session, or the reason for refusing.',
  types: () => [CloseSessionSuccess, ...refusals] as const,
  ...resolveByName,
});
const AddNoteResult = createUnionType({
  name: 'AddNoteResult',
  description: 'The note, or the reason for refusing it.',
  types: () => [AddNoteSuccess, ...refusals] as const,
  ...resolveByName,
});
const EscalateSessionResult = createUnionType({
  name: 'EscalateSessionResult',
  description: 'The escalation, or the reason for refusing it.',
  types: () => [EscalateSessionSuccess, ...refusals] as const,
  ...resolveByName,
});
const ResolveEscalationResult = createUnionType({
  name: 'ResolveEscalationResult',
  description: 'The resolved escalation, or the reason for refusing.',
  types: () => [ResolveEscalationSuccess, ...refusals] as const,
  ...resolveByName,
});
const ResolveDisputeResult = createUnionType({
  name: 'ResolveDisputeResult',
  description: 'The decided dispute, or the reason for refusing.',
  types: () => [ResolveDisputeSuccess, ...refusals] as const,
  ...resolveByName,
});

/** Returns the result of a mutation whose payload shows the annotation under the given name. */
const toResult = <Name extends string>(
  typename: string,
  context: Context,
  work: Promise<Annotated>,
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
      'Closes a session in this gateway, and cancels its booked meeting: rejects the customer, or ends the session without a decision. The provider is not told; if it reports an approval later, the session becomes disputed.',
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
    description: 'Records the result of the investigation, and ends the escalation.',
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
  work: Promise<Annotated>,
  kind: 'ESCALATION' | 'ESCALATION_RESOLUTION',
) {
  const { session, annotation, replayed } = await work;
  loaders.annotations.clear(session.id);
  const escalations = toEscalations(await loaders.annotations.load(session.id));
  const escalation = escalations.find((each) =>
    kind === 'ESCALATION' ? each.id === annotation.id : each.resolvedWith?.id === annotation.id,
  );
  return { session, escalation, replayed };
}
