import { Args, Ctx, Field, FieldResolver, ID, ObjectType, Resolver, Root } from 'type-graphql';
import { type AnnotationRow, getAnnotationSealingContext } from '../db/sessions/annotations.ts';
import type { SessionSummary } from '../db/sessions/sessions.ts';
import {
  type ClosureOutcome,
  type ClosureReason,
  type DisputeResolutionChoice,
  type EscalationReason,
  SUB_STATUS_BY_CLOSURE_OUTCOME,
} from '../domain/annotations.ts';
import {
  createBadInputError,
  createConnectionTypes,
  ForwardArgs,
  Page,
  parsePageArgs,
} from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import {
  ClosureOutcomeEnum,
  ClosureReasonEnum,
  DisputeResolutionChoiceEnum,
  EscalationReasonEnum,
} from './enums.ts';
import { LIMITS } from './limits.ts';
import type { Loaders } from './loaders.ts';
import { ID_DESCRIPTION, Node, type NodeType, parseGlobalId, toGlobalId } from './node.ts';
import { VkycSession } from './session-type.ts';
import { decryptText } from './user.ts';

const PRIVATE = 'Null for customers. Cannot be selected in subscriptions.';

@ObjectType({ implements: Node, simpleResolvers: true, description: 'Note of staff about a session.' })
export class Note extends Node {
  @Field(() => String, {
    nullable: true,
    description: `Text of the note. Null after the customer's personal data was erased. ${PRIVATE}`,
  })
  text?: string;
  @Field(() => String, { nullable: true, description: 'Token subject of the author. Null for customers.' })
  author?: string;
  @Field(() => DateTime, { description: 'Time at which the note was recorded.' })
  recordedAt: Date;
}

export const NoteConnectionTypes = createConnectionTypes('Note', () => Note, true);

@ObjectType({ implements: Node, simpleResolvers: true, description: 'How and why staff closed a session.' })
export class Closure extends Node {
  @Field(() => ClosureOutcomeEnum, {
    description: 'Whether the customer was rejected or the session failed.',
  })
  outcome: ClosureOutcome;
  @Field(() => ClosureReasonEnum, { description: 'Why the session was closed, as a code.' })
  reason: ClosureReason;
  @Field(() => String, {
    nullable: true,
    description: `Details of the reason. Null if none were given, or after the customer's personal data was erased. ${PRIVATE}`,
  })
  note?: string;
  @Field(() => String, {
    nullable: true,
    description: 'Token subject of the person who closed the session. Null for customers.',
  })
  closedBy?: string;
  @Field(() => DateTime, { description: 'Time at which the session was closed.' })
  closedAt: Date;
}

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: 'Request of staff to investigate a session, and the result.',
})
export class Escalation extends Node {
  @Field(() => EscalationReasonEnum, { description: 'Why the session was escalated, as a code.' })
  reason: EscalationReason;
  @Field(() => String, {
    nullable: true,
    description: `Details of the reason. Null if none were given, or after the customer's personal data was erased. ${PRIVATE}`,
  })
  note?: string;
  @Field(() => String, {
    nullable: true,
    description: 'Token subject of the person who escalated the session. Null for customers.',
  })
  escalatedBy?: string;
  @Field(() => DateTime, { description: 'Time at which the session was escalated.' })
  escalatedAt: Date;
  @Field(() => String, {
    nullable: true,
    description: `Result of the investigation. Null while the escalation is open, and after the customer's personal data was erased. ${PRIVATE}`,
  })
  resolution?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Token subject of the person who resolved the escalation. Null while it is open, and for customers.',
  })
  resolvedBy?: string;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Time at which the escalation was resolved. Null while it is open.',
  })
  resolvedAt?: Date;
}

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: "How staff decided a dispute between the session's decision and the provider's.",
})
export class DisputeResolution extends Node {
  @Field(() => DisputeResolutionChoiceEnum, { description: 'The decision that stands.' })
  resolution: DisputeResolutionChoice;
  @Field(() => String, {
    nullable: true,
    description: `Why the dispute was decided this way. Null after the customer's personal data was erased. ${PRIVATE}`,
  })
  note?: string;
  @Field(() => String, {
    nullable: true,
    description: 'Token subject of the person who decided the dispute. Null for customers.',
  })
  resolvedBy?: string;
  @Field(() => DateTime, { description: 'Time at which the dispute was decided.' })
  resolvedAt: Date;
}

/** Row of an escalation. `resolvedWith` is the row of its resolution; undefined while the escalation is open. */
export interface EscalationWithResolution extends AnnotationRow {
  readonly resolvedWith?: AnnotationRow | undefined;
}

const filterByKind = (rows: readonly AnnotationRow[], kind: AnnotationRow['kind']): AnnotationRow[] =>
  rows.filter((row) => row.kind === kind);

/**
 * Pairs each escalation with its resolution. At most one escalation is open at a time, so the nth resolution belongs
 * to the nth escalation.
 */
export const pairEscalationsWithResolutions = (
  rows: readonly AnnotationRow[],
): EscalationWithResolution[] => {
  const resolutions = filterByKind(rows, 'ESCALATION_RESOLUTION');
  return filterByKind(rows, 'ESCALATION').map((row, index) => ({ ...row, resolvedWith: resolutions[index] }));
};

const decryptAnnotation = (context: Context, row: AnnotationRow | undefined): string | null =>
  row ? decryptText(context, row.text, getAnnotationSealingContext(row.id)) : null;

@Resolver(() => Note)
export class NoteResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: AnnotationRow): string {
    return toGlobalId('Note', id);
  }
  @FieldResolver(() => String, { nullable: true })
  text(@Root() row: AnnotationRow, @Ctx() context: Context): string | null {
    return decryptAnnotation(context, row);
  }
}

@Resolver(() => Closure)
export class ClosureResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: AnnotationRow): string {
    return toGlobalId('Closure', id);
  }
  @FieldResolver(() => ClosureOutcomeEnum)
  async outcome(@Root() { sessionId, sequence }: AnnotationRow, @Ctx() { loaders }: Context) {
    const range = {
      after: sequence - 1,
      before: sequence + 1,
      limit: 1,
      end: 'FIRST',
      detail: 'SUMMARY',
    } as const;
    const [transition] = await loaders.transitionPage.load({ sessionId, ...range });
    return transition?.subStatus === SUB_STATUS_BY_CLOSURE_OUTCOME.REJECTED ? 'REJECTED' : 'FAILED';
  }
  @FieldResolver(() => ClosureReasonEnum)
  reason(@Root() { code }: AnnotationRow): ClosureReason {
    return code as ClosureReason;
  }
  @FieldResolver(() => String, { nullable: true })
  note(@Root() row: AnnotationRow, @Ctx() context: Context): string | null {
    return decryptAnnotation(context, row);
  }
  @FieldResolver(() => String, { nullable: true })
  closedBy(@Root() { author }: AnnotationRow): string {
    return author;
  }
  @FieldResolver(() => DateTime)
  closedAt(@Root() { recordedAt }: AnnotationRow): Date {
    return recordedAt;
  }
}

@Resolver(() => Escalation)
export class EscalationResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: EscalationWithResolution): string {
    return toGlobalId('Escalation', id);
  }
  @FieldResolver(() => EscalationReasonEnum)
  reason(@Root() { code }: EscalationWithResolution): EscalationReason {
    return code as EscalationReason;
  }
  @FieldResolver(() => String, { nullable: true })
  note(@Root() row: EscalationWithResolution, @Ctx() context: Context): string | null {
    return decryptAnnotation(context, row);
  }
  @FieldResolver(() => String, { nullable: true })
  escalatedBy(@Root() { author }: EscalationWithResolution): string {
    return author;
  }
  @FieldResolver(() => DateTime)
  escalatedAt(@Root() { recordedAt }: EscalationWithResolution): Date {
    return recordedAt;
  }
  @FieldResolver(() => String, { nullable: true })
  resolution(@Root() { resolvedWith }: EscalationWithResolution, @Ctx() context: Context): string | null {
    return decryptAnnotation(context, resolvedWith);
  }
  @FieldResolver(() => String, { nullable: true })
  resolvedBy(@Root() { resolvedWith }: EscalationWithResolution): string | null {
    return resolvedWith?.author ?? null;
  }
  @FieldResolver(() => DateTime, { nullable: true })
  resolvedAt(@Root() { resolvedWith }: EscalationWithResolution): Date | null {
    return resolvedWith?.recordedAt ?? null;
  }
}

@Resolver(() => DisputeResolution)
export class DisputeResolutionResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: AnnotationRow): string {
    return toGlobalId('DisputeResolution', id);
  }
  @FieldResolver(() => DisputeResolutionChoiceEnum)
  resolution(@Root() { code }: AnnotationRow): DisputeResolutionChoice {
    return code as DisputeResolutionChoice;
  }
  @FieldResolver(() => String, { nullable: true })
  note(@Root() row: AnnotationRow, @Ctx() context: Context): string | null {
    return decryptAnnotation(context, row);
  }
  @FieldResolver(() => String, { nullable: true })
  resolvedBy(@Root() { author }: AnnotationRow): string {
    return author;
  }
  @FieldResolver(() => DateTime)
  resolvedAt(@Root() { recordedAt }: AnnotationRow): Date {
    return recordedAt;
  }
}

const STAFF_ONLY = 'Null for customers.';
const MAX_SEQUENCE = 2_147_483_647;

/**
 * Returns the sequence of the note that a cursor of the list of notes names.
 *
 * @throws GraphQLError if the cursor is not one of this session's notes
 */
async function findSequence(cursor: string, sessionId: string, { annotation }: Loaders): Promise<number> {
  const named = parseGlobalId(cursor);
  const row = named?.type === 'Note' ? await annotation.load(named.key) : null;
  if (row?.kind === 'NOTE' && row.sessionId === sessionId) return row.sequence;
  throw createBadInputError(
    'The cursor was not issued for this list: pass a cursor exactly as you received it.',
  );
}

@Resolver(() => VkycSession)
export class SessionAnnotationsResolver {
  @FieldResolver(() => NoteConnectionTypes.Connection, {
    nullable: true,
    description: `NoteConnectionTypes of staff, newest first. \`first\` is required: 1 to 100. ${STAFF_ONLY}`,
  })
  async notes(
    @Root() { id }: SessionSummary,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() { loaders, pace }: Context,
  ): Promise<Page<AnnotationRow>> {
    const page = parsePageArgs(args);
    const before = args.after == null ? MAX_SEQUENCE : await findSequence(args.after, id, loaders);
    const rows = await loaders.notes.load({ sessionId: id, before, limit: page.limit + 1 });
    await pace.take(rows.length);
    return new Page(
      rows,
      page,
      (row) => toGlobalId('Note', row.id),
      () => loaders.noteCount.load(id),
    );
  }

  @FieldResolver(() => Closure, {
    nullable: true,
    description: 'How and why staff closed the session. Null if staff have not closed it, and for customers.',
  })
  async closure(@Root() { id }: SessionSummary, @Ctx() { loaders }: Context): Promise<AnnotationRow | null> {
    return filterByKind(await loaders.decisions.load(id), 'CLOSURE').at(-1) ?? null;
  }

  @FieldResolver(() => Escalation, {
    nullable: true,
    description: 'The escalation that is not resolved yet. Null if there is none, and for customers.',
  })
  async escalation(
    @Root() { id }: SessionSummary,
    @Ctx() { loaders }: Context,
  ): Promise<EscalationWithResolution | null> {
    return (
      pairEscalationsWithResolutions(await loaders.escalations.load(id)).find(
        ({ resolvedWith }) => !resolvedWith,
      ) ?? null
    );
  }

  @FieldResolver(() => [Escalation], {
    nullable: true,
    description: `The newest ${LIMITS.page} escalations of the session, oldest first. ${STAFF_ONLY}`,
  })
  async escalations(
    @Root() { id }: SessionSummary,
    @Ctx() { loaders }: Context,
  ): Promise<EscalationWithResolution[]> {
    return pairEscalationsWithResolutions(await loaders.escalations.load(id)).slice(-LIMITS.page);
  }

  @FieldResolver(() => [DisputeResolution], {
    nullable: true,
    description: `The newest ${LIMITS.page} decisions of the session's disputes, oldest first. ${STAFF_ONLY}`,
  })
  async disputeResolutions(
    @Root() { id }: SessionSummary,
    @Ctx() { loaders }: Context,
  ): Promise<AnnotationRow[]> {
    return filterByKind(await loaders.decisions.load(id), 'DISPUTE_RESOLUTION').slice(-LIMITS.page);
  }
}

/** Kinds of annotation by GraphQL type, for the types with a global id. */
export const ANNOTATION_KINDS_BY_TYPE = {
  Note: ['NOTE'],
  Closure: ['CLOSURE'],
  Escalation: ['ESCALATION'],
  DisputeResolution: ['DISPUTE_RESOLUTION'],
  Assignment: ['ASSIGNMENT', 'CLAIM'],
} as const satisfies Partial<Record<NodeType, readonly AnnotationRow['kind'][]>>;
