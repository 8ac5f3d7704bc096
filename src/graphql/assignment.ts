import { Ctx, Field, FieldResolver, ID, ObjectType, Resolver, Root } from 'type-graphql';
import type { AnnotationRow } from '../db/sessions/annotations.ts';
import type { SessionSummary } from '../db/sessions/sessions.ts';
import { findCurrentAssignee } from '../domain/actions.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { LIMITS } from './limits.ts';
import { ID_DESCRIPTION, Node, toGlobalId } from './node.ts';
import { VkycSession } from './session-type.ts';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description:
    "Assignment of a session to one person. It ends with that person's review, with the end of the session, with unassignAgent, with the next assignment, or with its lease.",
})
export class Assignment extends Node {
  @Field(() => String, { description: 'Token subject of the person who got the session.' })
  agent: string;
  @Field(() => Boolean, {
    description: 'True if the person took the session by claimNext. False if assignAgent gave it to them.',
  })
  claimed: boolean;
  @Field(() => String, {
    nullable: true,
    description:
      'Token subject of the person who had the session before this claim, and whose lease had ended. Null if nobody had it, and for assignments by assignAgent.',
  })
  takenOverFrom?: string;
  @Field(() => String, { description: 'Token subject of the person who assigned or claimed the session.' })
  assignedBy: string;
  @Field(() => DateTime, { description: 'Time at which the person got the session.' })
  assignedAt: Date;
  @Field(() => String, {
    nullable: true,
    description:
      'Token subject of the person who ended the assignment by unassignAgent. Null if nobody did, whether or not the assignment still lasts.',
  })
  unassignedBy?: string;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Time at which unassignAgent ended the assignment. Null if it did not.',
  })
  unassignedAt?: Date;
}

/** Row of an assignment, and the row of the unassignAgent that ended it, if any. */
export interface AssignmentWithEnd extends AnnotationRow {
  readonly endedWith?: AnnotationRow | undefined;
}

/** Pairs each assignment with the unassignment that directly follows it, if any. */
export const pairAssignmentsWithEnds = (rows: readonly AnnotationRow[]): AssignmentWithEnd[] => {
  const own = rows.filter(({ kind }) => isAssignment(kind) || kind === 'UNASSIGNMENT');
  return own.flatMap((row, index) => {
    const next = own[index + 1];
    const endedWith = next?.kind === 'UNASSIGNMENT' ? next : undefined;
    return isAssignment(row.kind) ? [{ ...row, endedWith }] : [];
  });
};

const isAssignment = (kind: AnnotationRow['kind']) => kind === 'ASSIGNMENT' || kind === 'CLAIM';

@Resolver(() => Assignment)
export class AssignmentResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: AssignmentWithEnd): string {
    return toGlobalId('Assignment', id);
  }
  @FieldResolver(() => String)
  agent(@Root() { kind, author, code }: AssignmentWithEnd): string | null {
    return kind === 'CLAIM' ? author : code;
  }
  @FieldResolver(() => Boolean)
  claimed(@Root() { kind }: AssignmentWithEnd): boolean {
    return kind === 'CLAIM';
  }
  @FieldResolver(() => String, { nullable: true })
  takenOverFrom(@Root() { kind, code }: AssignmentWithEnd): string | null {
    return kind === 'CLAIM' ? code : null;
  }
  @FieldResolver(() => String)
  assignedBy(@Root() { author }: AssignmentWithEnd): string {
    return author;
  }
  @FieldResolver(() => DateTime)
  assignedAt(@Root() { recordedAt }: AssignmentWithEnd): Date {
    return recordedAt;
  }
  @FieldResolver(() => String, { nullable: true })
  unassignedBy(@Root() { endedWith }: AssignmentWithEnd): string | null {
    return endedWith?.author ?? null;
  }
  @FieldResolver(() => DateTime, { nullable: true })
  unassignedAt(@Root() { endedWith }: AssignmentWithEnd): Date | null {
    return endedWith?.recordedAt ?? null;
  }
}

@Resolver(() => VkycSession)
export class SessionAssignmentResolver {
  @FieldResolver(() => String, {
    nullable: true,
    description:
      'Token subject of the person who works on the session: only this person, an operator or an administrator may review or close it. Null if nobody does, if the lease has ended, and for customers.',
  })
  assignedAgent(@Root() session: SessionSummary, @Ctx() { services }: Context): string | null {
    return findCurrentAssignee(session, services.clock.now());
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description: 'Time at which the person got the session. Null if `assignedAgent` is null.',
  })
  assignedAt(@Root() session: SessionSummary, @Ctx() { services }: Context): Date | null {
    return findCurrentAssignee(session, services.clock.now()) === null ? null : session.assignedAt;
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'Time at which the assignment ends by itself (lease). Each action of the assignee on the session, and claimNext, moves it into the future. Its end is no transition: watch the clock. Null if `assignedAgent` is null, or the assignment has no end.',
  })
  assignedUntil(@Root() session: SessionSummary, @Ctx() { services }: Context): Date | null {
    return findCurrentAssignee(session, services.clock.now()) === null ? null : session.assignedUntil;
  }

  @FieldResolver(() => [Assignment], {
    nullable: true,
    description: `The newest ${LIMITS.page} assignments of the session, oldest first. Null for customers.`,
  })
  async assignments(
    @Root() { id }: SessionSummary,
    @Ctx() { loaders }: Context,
  ): Promise<AssignmentWithEnd[]> {
    return pairAssignmentsWithEnds(await loaders.assignments.load(id)).slice(-LIMITS.page);
  }
}
