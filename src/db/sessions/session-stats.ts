import { and, gte, lt, min, not, type SQL, sql } from 'drizzle-orm';
import type { Party, Status, SubStatus } from '../../domain/status.ts';
import type { StatsDatabase } from '../connection/statistics.ts';
import { isTerminal, sessions, transitions } from '../schema/tables.ts';
import { restrictedTo } from './sessions.ts';

/** Conditions for the sessions that statistics cover. */
export interface StatsWindow {
  /** Earliest creation time (inclusive); null: no limit. */
  readonly from: Date | null;
  /** Latest creation time (exclusive); null: no limit. */
  readonly to: Date | null;
  /** Only sessions that are not in a terminal state. */
  readonly openOnly: boolean;
  /** Only sessions with these verification ids, which are those that a customer may see; null: all. */
  readonly verificationIds: readonly string[] | null;
}

const within = ({ from, to, openOnly, verificationIds }: StatsWindow): SQL | undefined =>
  and(
    from ? gte(sessions.createdAt, from) : undefined,
    to ? lt(sessions.createdAt, to) : undefined,
    openOnly ? not(isTerminal(sessions.subStatus)) : undefined,
    restrictedTo(verificationIds),
  );

const count = sql<number>`count(*)::int`;

export interface StateCount {
  readonly status: Status;
  readonly subStatus: SubStatus;
  /**
   * Party that has to act next. The status pair alone does not determine it: a disputed session waits for the
   * merchant.
   */
  readonly waitingOn: Party;
  readonly count: number;
  readonly oldestSince: Date;
}

/**
 * Counts sessions by status, sub-status and the party that has to act next, with the oldest `statusSince` of
 * each group.
 */
export async function countStates(db: StatsDatabase, window: StatsWindow): Promise<StateCount[]> {
  const { status, subStatus, waitingOn, statusSince } = sessions;
  return db
    .select({
      status,
      subStatus,
      waitingOn,
      count,
      oldestSince: sql<Date>`min(${statusSince})`.mapWith(statusSince),
    })
    .from(sessions)
    .where(within(window))
    .groupBy(status, subStatus, waitingOn)
    .orderBy(status, subStatus, waitingOn);
}

/** SQL condition for transitions that enter a phase (status), as opposed to transitions within it. */
const entered = sql`t.verdict = 'MOVED' and t.from_status is distinct from t.status`;

export interface PhaseReached {
  readonly status: Status;
  readonly reached: number;
  readonly medianSecondsToReach: number;
}

/** Counts the sessions that reached each phase, with the median time to reach it. */
export async function countReachedPhases(db: StatsDatabase, window: StatsWindow): Promise<PhaseReached[]> {
  const { rows } = await db.execute<PhaseReached & Record<string, unknown>>(sql`
    with chosen as not materialized (
      select id, created_at from ${sessions} where ${within(window) ?? sql`true`}
    ),
    reached as (
      select t.session_id, t.status, min(t.recorded_at) as at
      from ${transitions} t join chosen on chosen.id = t.session_id
      where ${entered}
      group by t.session_id, t.status
    )
    select reached.status, count(*)::int as reached,
      percentile_cont(0.5) within group (order by extract(epoch from reached.at - chosen.created_at)) as "medianSecondsToReach"
    from reached join chosen on chosen.id = reached.session_id group by 1`);
  return rows;
}

export interface PhaseStay {
  readonly status: Status;
  readonly medianSeconds: number;
}

/**
 * Computes the median time spent in each phase, over sessions that have left it. If a session was in a phase
 * several times, the times are added up.
 */
export async function readMedianStays(db: StatsDatabase, window: StatsWindow): Promise<PhaseStay[]> {
  const { rows } = await db.execute<PhaseStay & Record<string, unknown>>(sql`
    with visits as (
      select t.session_id, t.status, t.recorded_at as at,
        lead(t.recorded_at) over (partition by t.session_id order by t.sequence) as left_at
      from ${transitions} t
      where t.session_id in (select id from ${sessions} where ${within(window) ?? sql`true`}) and ${entered}
    ),
    stays as (
      select status, sum(extract(epoch from left_at - at)) as seconds
      from visits group by session_id, status
      having bool_and(left_at is not null)
    )
    select status, percentile_cont(0.5) within group (order by seconds) as "medianSeconds"
    from stays group by 1`);
  return rows;
}

/** Returns the creation time of the oldest session; null if there is none. */
export async function findFirstCreated(db: StatsDatabase, window: StatsWindow): Promise<Date | null> {
  const [row] = await db
    .select({ first: min(sessions.createdAt) })
    .from(sessions)
    .where(within(window));
  return row?.first ?? null;
}

export interface Outcomes {
  readonly started: number;
  readonly approved: number;
  readonly ended: number;
}

/**
 * Counts, for each interval between two edges, the sessions created in it and their outcomes. Sessions
 * created after the last edge count for the last interval.
 */
export async function countOutcomes(
  db: StatsDatabase,
  window: StatsWindow,
  edges: readonly Date[],
): Promise<Outcomes[]> {
  const stretches = edges.length - 1;
  const starts = sql.param(edges.slice(0, -1).map((edge) => edge.toISOString()));
  const stretch = sql<number>`width_bucket(${sessions.createdAt}, ${starts}::timestamptz[])`;
  const rows = await db
    .select({
      stretch,
      started: count,
      approved: sql<number>`count(*) filter (where ${sessions.subStatus} = 'AUDITOR_APPROVED' and not ${sessions.disputed})::int`,
      ended: sql<number>`count(*) filter (where ${isTerminal(sessions.subStatus)})::int`,
    })
    .from(sessions)
    .where(within(window))
    .groupBy(sql`1`);
  const byStretch = new Map(rows.map(({ stretch: number, ...outcomes }) => [number, outcomes]));
  return Array.from(
    { length: stretches },
    (_, index) => byStretch.get(index + 1) ?? { started: 0, approved: 0, ended: 0 },
  );
}
