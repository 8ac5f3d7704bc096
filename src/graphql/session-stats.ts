import { setImmediate as nextTurn } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import { Arg, Ctx, Field, FieldResolver, Float, Int, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { z } from 'zod';
import { isQueryCanceled, type RunCountStatement } from '../db/connection/statistics.ts';
import {
  computeMedianPhaseStays,
  countOutcomesByInterval,
  countSessionsByReachedPhase,
  countSessionsByState,
  findFirstSessionCreationTime,
  type StateCount,
  type StatsFilter,
} from '../db/sessions/session-stats.ts';
import { getVisibleVerificationIds } from '../domain/access.ts';
import { PARTIES, type Party, STATUSES, type Status, type SubStatus } from '../domain/status.ts';
import { type DatedFigures, FiguresPendingError } from '../services/sessions/session-figures.ts';
import {
  storedIntervalsSchema,
  storedPhaseStaysSchema,
  storedPhasesReachedSchema,
  storedStateCountsSchema,
} from '../services/sessions/stored-shapes.ts';
import { createBadInputError } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { PartyEnum, StatusEnum, SubStatusEnum } from './enums.ts';
import { LIMITS } from './limits.ts';

@ObjectType({ description: 'Number of sessions in one status.', simpleResolvers: true })
class StatusCount {
  @Field(() => StatusEnum, { description: 'Phase, which groups several sub-statuses.' })
  status: Status;
  @Field(() => SubStatusEnum, { description: 'Step within the phase.' })
  subStatus: SubStatus;
  @Field(() => Int, { description: 'Number of sessions in this status now.' })
  count: number;
  @Field(() => DateTime, {
    description: '`statusSince` of the session that has been in this status longest.',
  })
  oldestSince: Date;
}

@ObjectType({ description: 'Number of sessions that wait for one party.', simpleResolvers: true })
class PartyCount {
  @Field(() => PartyEnum, { description: 'The party that has to act next.' })
  waitingOn: Party;
  @Field(() => Int, { description: 'Number of sessions that wait for this party now.' })
  count: number;
  @Field(() => DateTime, {
    description:
      '`statusSince` of the session that has been in its status longest, among those that wait for this party.',
  })
  oldestSince: Date;
}

@ObjectType({
  description:
    'Number of sessions that reached a phase, how long that took, and how long they stayed in the phase.',
})
class FunnelStage {
  @Field(() => StatusEnum, { description: 'Phase, which groups several sub-statuses.' })
  status: Status;
  @Field(() => Int, {
    description: 'Number of sessions that reached the phase, including those that have left it.',
  })
  reached: number;
  @Field(() => Float, {
    nullable: true,
    description:
      "Median number of seconds from a session's start to its first arrival in the phase. Null if no session reached it.",
  })
  medianSecondsToReach: number | null;
  @Field(() => Float, {
    nullable: true,
    description:
      'Median number of seconds spent in the phase by sessions that have left it. Several stays of one session are added up. Null if no session has left the phase; always null for phases that end a session.',
  })
  medianSecondsSpent: Promise<number | null>;
}

@ObjectType({
  description: 'Sessions created in one interval of time, and how many of them have ended so far.',
  simpleResolvers: true,
})
class StatsInterval {
  @Field(() => DateTime, { description: 'Start of the interval, inclusive.' })
  from: Date;
  @Field(() => DateTime, { description: 'End of the interval, exclusive.' })
  to: Date;
  @Field(() => Int, { description: 'Number of sessions created in the interval.' })
  started: number;
  @Field(() => Int, {
    description:
      'Number of the sessions created in the interval that the auditor approved, without disputed sessions.',
  })
  approved: number;
  @Field(() => Int, {
    description:
      'Number of the sessions created in the interval that are now in a terminal status, approved or not.',
  })
  ended: number;
}

@ObjectType({
  description:
    'Counts of the sessions created in the window (`from` to `to`), and the drop-off between phases. Only selected fields are computed.',
})
class SessionStats {
  readonly window: StatsFilter;
  /**
   * Returns the figures of this name and shape. `count` runs at the first call; later calls share its result, so
   * that several fields can be computed from one count.
   */
  readonly read: <Figures>(
    name: string,
    shape: z.ZodType<Figures>,
    count: Counting<Figures>,
  ) => Promise<DatedFigures<Figures>>;
  /** Results of all counts that the fields of this answer have started so far. */
  readonly asked: readonly Promise<DatedFigures<unknown>>[];
}

type Counting<Figures> = (window: StatsFilter) => RunCountStatement<Figures>;

/**
 * Error for figures that are still being counted. The code of the error is TIMEOUT, which clients also get
 * for any other operation that takes too long.
 */
const pending = (): GraphQLError =>
  new GraphQLError(
    'Counting these sessions takes long and has not finished: repeat the query in a minute, or choose a shorter window.',
    { extensions: { code: 'TIMEOUT', http: { status: 503 } } },
  );

/** Returns a function that calls `make` at its first call, and later returns the same promise. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * Merges the rows with the same key: adds up their counts, and keeps the oldest `oldestSince`. Keys are in
 * the order of their first row.
 */
function summed<Row extends StateCount>(rows: readonly Row[], keyOf: (row: Row) => string): Row[] {
  const sums = new Map<string, Row>();
  for (const row of rows) {
    const sum = sums.get(keyOf(row));
    const count = row.count + (sum?.count ?? 0);
    const oldestSince = sum && sum.oldestSince < row.oldestSince ? sum.oldestSince : row.oldestSince;
    sums.set(keyOf(row), { ...row, count, oldestSince });
  }
  return [...sums.values()];
}

/**
 * Returns the boundaries of `intervalCount` intervals of equal length between two times, to the millisecond.
 */
const edgesOf = (from: Date, to: Date, intervalCount: number): Date[] =>
  Array.from(
    { length: intervalCount + 1 },
    (_, index) =>
      new Date(from.getTime() + Math.round(((to.getTime() - from.getTime()) * index) / intervalCount)),
  );

@Resolver(() => SessionStats)
export class SessionStatsResolver {
  @Query(() => SessionStats, {
    description:
      'Session counts by status and by waiting party, a funnel over the phases, and counts over time.',
  })
  sessionStats(
    @Arg('from', () => DateTime, {
      nullable: true,
      description:
        'Counts only sessions created at or after this time. If left out, from the first session on.',
    })
    from: Date | null,
    @Arg('to', () => DateTime, {
      nullable: true,
      description: 'Counts only sessions created before this time. If left out, up to the newest session.',
    })
    to: Date | null,
    @Arg('openOnly', () => Boolean, {
      defaultValue: false,
      description:
        'If true, counts only sessions that are not in a terminal status, disputed or not. The time to count does not grow with the number of ended sessions, so a screen may repeat the query every second.',
    })
    openOnly: boolean,
    @Ctx() { services, viewer, signal }: Context,
  ): SessionStats {
    const window = {
      from: from ?? null,
      to: to ?? null,
      openOnly,
      verificationIds: getVisibleVerificationIds(viewer),
    };
    const now = services.clock.now();
    const known = new Map<string, Promise<DatedFigures<unknown>>>();
    const asked: Promise<DatedFigures<unknown>>[] = [];
    return {
      window,
      asked,
      read<Figures>(name: string, shape: z.ZodType<Figures>, count: Counting<Figures>) {
        const before = known.get(name) as Promise<DatedFigures<Figures>> | undefined;
        if (before) return before;
        const figures = services.figures
          .read({ name, shape, window, count, now, signal })
          .catch((error: unknown) => {
            if (error instanceof FiguresPendingError || isQueryCanceled(error)) throw pending();
            throw error;
          });
        known.set(name, figures);
        asked.push(figures);
        return figures;
      },
    };
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'Time at which the oldest of these figures was counted. Usually now; if counting is slow, figures are stored and refreshed in the background. They then cover the window as it was at this time, with `from` and `to` rounded down to the hour, or to the minute if the window is at most 48 hours long. Null if no counted field is selected.',
  })
  async asOf(@Root() { asked }: SessionStats): Promise<Date | null> {
    let seen = -1;
    let dates: number[] = [];
    // Waits in a loop until no more counts are started, because fields that are executed after `asOf` may
    // start counts later.
    while (seen < asked.length) {
      seen = asked.length;
      const settled = await Promise.allSettled(asked);
      dates = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.asOf.getTime()] : []));
      await nextTurn();
    }
    return dates.length > 0 ? new Date(Math.min(...dates)) : null;
  }

  @FieldResolver(() => Int, { description: 'Number of sessions created in the window.' })
  async total(@Root() stats: SessionStats): Promise<number> {
    return (await statesOf(stats)).reduce((total, { count }) => total + count, 0);
  }

  @FieldResolver(() => [StatusCount], {
    description: 'Number of sessions in each status now. Statuses without sessions are omitted.',
  })
  async byStatus(@Root() stats: SessionStats): Promise<StatusCount[]> {
    return summed(await statesOf(stats), ({ status, subStatus }) => `${status}/${subStatus}`);
  }

  @FieldResolver(() => [PartyCount], {
    description:
      'Number of sessions that wait for each party now, including NOBODY. Parties without sessions are omitted. Disputed sessions count as MERCHANT.',
  })
  async byWaitingOn(@Root() stats: SessionStats): Promise<PartyCount[]> {
    const counts = new Map(
      summed(await statesOf(stats), ({ waitingOn }) => waitingOn).map((row) => [row.waitingOn, row]),
    );
    return (Object.keys(PARTIES) as Party[]).flatMap((party) => counts.get(party) ?? []);
  }

  @FieldResolver(() => [FunnelStage], {
    description: 'One entry per phase, in the order in which a session passes them.',
  })
  async funnel(@Root() { read }: SessionStats): Promise<FunnelStage[]> {
    const reached = await read(
      'reached',
      storedPhasesReachedSchema,
      (window) => (db) => countSessionsByReachedPhase(db, window),
    );
    const stages = new Map(reached.figures.map((stage) => [stage.status, stage]));
    const stays = once(async () => {
      const { figures } = await read(
        'stays',
        storedPhaseStaysSchema,
        (window) => (db) => computeMedianPhaseStays(db, window),
      );
      return new Map(figures.map(({ status, medianSeconds }) => [status, medianSeconds]));
    });
    return STATUSES.map((status) => ({
      ...(stages.get(status) ?? { status, reached: 0, medianSecondsToReach: null }),
      get medianSecondsSpent() {
        return stays().then((seconds) => seconds.get(status) ?? null);
      },
    }));
  }

  @FieldResolver(() => [StatsInterval], {
    description:
      'The window divided into intervals of equal length, oldest first, including intervals without sessions. Without `from` the window begins with the first session; without `to` it ends now. Empty if the window has no length.',
  })
  async intervals(
    @Root() { read }: SessionStats,
    @Arg('count', () => Int, {
      defaultValue: 24,
      description: `Number of intervals, 1 to ${LIMITS.page}.`,
    })
    count: number,
    @Ctx() { services }: Context,
  ): Promise<StatsInterval[]> {
    if (count < 1 || count > LIMITS.page)
      throw createBadInputError(`\`count\` must be 1 to ${LIMITS.page}, not ${count}.`);
    const now = services.clock.now();
    const { figures } = await read(`intervals ${count}`, storedIntervalsSchema, (rounded) => async (db) => {
      const from = rounded.from ?? (await findFirstSessionCreationTime(db, rounded));
      const to = rounded.to ?? now;
      if (!from || from >= to) return [];
      const edges = edgesOf(from, to, count);
      const outcomes = await countOutcomesByInterval(db, rounded, edges);
      return outcomes.map((each, index) => ({
        from: edges[index] as Date,
        to: edges[index + 1] as Date,
        ...each,
      }));
    });
    return figures;
  }
}

const statesOf = async ({ read }: SessionStats): Promise<readonly StateCount[]> =>
  (await read('states', storedStateCountsSchema, (window) => (db) => countSessionsByState(db, window)))
    .figures;
