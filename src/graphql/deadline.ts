import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { SessionSummary } from '../db/sessions/sessions.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { VkycSession } from './session-type.ts';

@Resolver(() => VkycSession)
export class SessionDeadlineResolver {
  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'Time at which the session becomes overdue: `statusSince` plus the time that the deployment allows for this step, or for the party that the session waits on. Null if no time is set for them, if the session has ended or is disputed, and for customers.',
  })
  dueAt(@Root() { dueAt }: SessionSummary): Date | null {
    return dueAt;
  }

  @FieldResolver(() => Boolean, {
    nullable: true,
    description:
      'Whether `dueAt` has passed. It turns true by the clock, without a transition: select `DeadlinePassed` in a subscription to be told. Null for customers.',
  })
  overdue(@Root() { dueAt }: SessionSummary, @Ctx() { services }: Context): boolean {
    return dueAt !== null && dueAt <= services.clock.now();
  }
}
