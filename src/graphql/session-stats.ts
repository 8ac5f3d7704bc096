import { setImmediate as nextTurn } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import { Arg, Ctx, Field, FieldResolver, Float, Int, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { type Count, isCanceled } from '../db/connection/statistics.ts';
import {
  countOutcomes,
  countReachedPhases,
  countStates,
  findFirstCreated,
  readMedianStays,
  type StateCount,
  type StatsWindow,
} from '../db/sessions/session-stats.ts';
import { visibleVerificationIds } from '../domain/access.ts';
import { PARTIES, type Party, STATUSES, type Status, type SubStatus } from '../domain/status.ts';
import { type Dated, FiguresPending } from '../services/sessions/session-figures.ts';
import { badInput } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { PartyEnum, StatusEnum, SubStatusEnum } from './enums.ts';
import { LIMITS } from './limits.ts';

@ObjectType({ description: 'How many sessions are in a state.', simpleResolvers: true })
class StatusCount {
  @Field(() => StatusEnum, { description: 'The phase; its steps are the sub-statuses.' })
  status: Status;
  @Field(() => SubStatusEnum, { description: 'The exact step within that phase.' })
  subStatus: SubStatus;
  @Field(() => Int, { description: 'How many are there now.' })
  count: number;
  @Field(() => DateTime, { description: 'Since when the one that has been there longest is there.' })
  oldestSince: Date;
}

@ObjectType({ description: 'How many sessions wait on somebody.', simpleResolvers: true })
class PartyCount {
  @Field(() => PartyEnum, { description: 'Who has to act next.' })
  waitingOn: Party;
  @Field(() => Int, { description: 'How many wait on them now.' })
  count: number;
  @Field(() => DateTime, {
    description: 'Since when the one of them that has not moved for the longest is in its state.',
  })
  oldestSince: Date;
}

@ObjectType({ description: 'How many sessions came as far as a phase, and how fast.' })
class FunnelStage {
  @Field(() => StatusEnum, { description: 'The phase; its steps are the sub-statuses.' })
  status: Status;
  @Field(() => Int, { description: 'How many have been there, whether they still are or not.' })
  reached: number;
  @Field(() => Float, {
    nullable: true,
    description:
      'Seconds from the start of a session: half of those that reached the phase were faster. Null where none did.',
  })
  medianSecondsToReach: number | null;
  @Field(() => Float, {
    nullable: true,
    description:
      'Seconds in the phase, of those that have left it: half were faster. Of one that came back it is the sum of its stays, once it has left again. Null where none has: of what ends a session, always.',
  })
  medianSecondsSpent: Promise<number | null>;
}

@ObjectType({
  description: 'Sessions created in a stretch of time, and what became of them so far.',
  simpleResolvers: true,
})
class StatsInterval {
  @Field(() => DateTime, { description: 'Its beginning, which belongs to it.' })
  from: Date;
  @Field(() => DateTime, { description: 'Its end, which belongs to the next.' })
  to: Date;
  @Field(() => Int, { description: 'How many sessions were created in it.' })
  started: number;
  @Field(() => Int, {
    description: 'How many of them the auditor approved, without those that are disputed.',
  })
  approved: number;
  @Field(() => Int, { description: 'How many of them are in a terminal state, approved or not.' })
  ended: number;
}

@ObjectType({
  description:
    'Counts and the drop-off between phases, for sessions created in the window. Only what is asked for is counted.',
})
class SessionStats {
  readonly window: StatsWindow;
  /** Counts figures once, for all fields that are computed from them. */
  readonly read: <Figures>(name: string, count: Counting<Figures>) => Promise<Dated<Figures>>;
  /** All counts that were started so far. */
  readonly asked: readonly Promise<Dated<unknown>>[];
}

type Counting<Figures> = (window: StatsWindow) => Count<Figures>;

/** Error for figures that are still being counted. It has the code of any operation that takes too long. */
const pending = (): GraphQLError =>
  new GraphQLError(
    'Counting these sessions takes long, and is not done yet: ask again in a minute, or choose a shorter window.',
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

/** Adds up counts with the same key, in the order in which the keys first occur. */
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

/** Returns the edges of intervals of equal length, to the millisecond. */
const edgesOf = (from: Date, to: Date, stretches: number): Date[] =>
  Array.from(
    { length: stretches + 1 },
    (_, index) =>
      new Date(from.getTime() + Math.round(((to.getTime() - from.getTime()) * index) / stretches)),
  );

@Resolver(() => SessionStats)
export class SessionStatsResolver {
  @Query(() => SessionStats, { description: 'Where sessions are, how far they came and how fast.' })
  sessionStats(
    @Arg('from', () => DateTime, {
      nullable: true,
      description: 'Sessions created from here on; left out: from the first.',
    })
    from: Date | null,
    @Arg('to', () => DateTime, {
      nullable: true,
      description: 'Sessions created before this; left out: to the newest.',
    })
    to: Date | null,
    @Arg('openOnly', () => Boolean, {
      defaultValue: false,
      description:
        'Only sessions that are not over: none in a terminal state, disputed or not. Cheap however many are over, for a screen that asks every second.',
    })
    openOnly: boolean,
    @Ctx() { services, viewer, signal }: Context,
  ): SessionStats {
    const window = {
      from: from ?? null,
      to: to ?? null,
      openOnly,
      verificationIds: visibleVerificationIds(viewer),
    };
    const now = services.clock.now();
    const known = new Map<string, Promise<Dated<unknown>>>();
    const asked: Promise<Dated<unknown>>[] = [];
    return {
      window,
      asked,
      read<Figures>(name: string, count: Counting<Figures>) {
        const before = known.get(name) as Promise<Dated<Figures>> | undefined;
        if (before) return before;
        const figures = services.figures
          .read({ name, window, count, now, signal })
          .catch((error: unknown) => {
            if (error instanceof FiguresPending || isCanceled(error)) throw pending();
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
      'When the oldest of these figures was counted. It is now, unless counting takes too long for each answer: then figures are kept and refreshed, and `from` and `to` are rounded down to the hour. Null if nothing is counted.',
  })
  async asOf(@Root() { asked }: SessionStats): Promise<Date | null> {
    let seen = -1;
    let dates: number[] = [];
    // Waits until no further count is started: fields next to this one, and below those, may start theirs
    // later.
    while (seen < asked.length) {
      seen = asked.length;
      const settled = await Promise.allSettled(asked);
      dates = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.asOf.getTime()] : []));
      await nextTurn();
    }
    return dates.length > 0 ? new Date(Math.min(...dates)) : null;
  }

  @FieldResolver(() => Int, { description: 'How many sessions were created in the window.' })
  async total(@Root() stats: SessionStats): Promise<number> {
    return (await statesOf(stats)).reduce((total, { count }) => total + count, 0);
  }

  @FieldResolver(() => [StatusCount], {
    description: 'Where they are now; states without any are left out.',
  })
  async byStatus(@Root() stats: SessionStats): Promise<StatusCount[]> {
    return summed(await statesOf(stats), ({ status, subStatus }) => `${status}/${subStatus}`);
  }

  @FieldResolver(() => [PartyCount], {
    description:
      'On whom they wait now, NOBODY included; parties without any are left out. Disputed sessions wait on the MERCHANT.',
  })
  async byWaitingOn(@Root() stats: SessionStats): Promise<PartyCount[]> {
    const counts = new Map(
      summed(await statesOf(stats), ({ waitingOn }) => waitingOn).map((row) => [row.waitingOn, row]),
    );
    return (Object.keys(PARTIES) as Party[]).flatMap((party) => counts.get(party) ?? []);
  }

  @FieldResolver(() => [FunnelStage], { description: "Every phase, in the order of a session's life." })
  async funnel(@Root() { read }: SessionStats): Promise<FunnelStage[]> {
    const reached = await read('reached', (window) => (db) => countReachedPhases(db, window));
    const stages = new Map(reached.figures.map((stage) => [stage.status, stage]));
    const stays = once(async () => {
      const { figures } = await read('stays', (window) => (db) => readMedianStays(db, window));
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
      'The window in stretches of equal length, oldest first, those without sessions too. Where `from` is not given it begins with the first session, where `to` is not it ends now. Empty where that leaves no time.',
  })
  async intervals(
    @Root() { read }: SessionStats,
    @Arg('count', () => Int, {
      defaultValue: 24,
      description: `In how many stretches, 1 to ${LIMITS.page}.`,
    })
    count: number,
    @Ctx() { services }: Context,
  ): Promise<StatsInterval[]> {
    if (count < 1 || count > LIMITS.page)
      throw badInput(`\`count\` must be 1 to ${LIMITS.page}, not ${count}.`);
    const now = services.clock.now();
    const { figures } = await read(`intervals ${count}`, (rounded) => async (db) => {
      const from = rounded.from ?? (await findFirstCreated(db, rounded));
      const to = rounded.to ?? now;
      if (!from || from >= to) return [];
      const edges = edgesOf(from, to, count);
      const outcomes = await countOutcomes(db, rounded, edges);
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
  (await read('states', (window) => (db) => countStates(db, window))).figures;
