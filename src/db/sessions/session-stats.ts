import { and, gte, lt, min, not, type SQL, sql } from 'drizzle-orm';
import { APPLIED_VERDICTS } from '../../domain/session.ts';
import type { Party, Status, SubStatus } from '../../domain/status.ts';
import type { StatsDatabase } from '../connection/statistics.ts';
import { sessions, transitions, whereTerminal } from '../schema/tables.ts';
import { whereVerificationIdIn } from './sessions.ts';

/** Conditions that select the sessions of a statistic. */
export interface StatsFilter {
  /** Earliest creation time of a session (inclusive); null means no limit. */
  readonly from: Date | null;
  /** Latest creation time of a session (exclusive); null means no limit. */
  readonly to: Date | null;
  /** If true, only sessions that have not ended (no terminal status). */
  readonly openOnly: boolean;
  /**
   * If set, only sessions with these verification ids: those that the asking customer may see. Null means all
   * sessions.
   */
  readonly verificationIds: readonly string[] | null;
}

const within = ({ from, to, openOnly, verificationIds }: StatsFilter): SQL | undefined =>
  and(
    from ? gte(sessions.createdAt, from) : undefined,
    to ? lt(sessions.createdAt, to) : undefined,
    openOnly ? not(whereTerminal(sessions.subStatus)) : undefined,
    whereVerificationIdIn(verificationIds),
  );

const count = sql<number>`count(*)::int`;

export interface StateCount {
  readonly status: Status;
  readonly subStatus: SubStatus;
  /**
   * Party that must act next. The status pair alone does not determine the party: a disputed session waits
   * for the merchant.
   */
  readonly waitingOn: Party;
  readonly count: number;
  readonly oldestSince: Date;
}

/**
 * Counts sessions by status, sub-status and the party that must act next, with the oldest `statusSince` of
 * each group.
 */
export async function countSessionsByState(db: StatsDatabase, window: StatsFilter): Promise<StateCount[]> {
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

/**
 * SQL condition for transitions that enter a phase (`status`), in contrast to transitions between
 * sub-statuses of one phase. The resolution of a dispute may enter a phase, too.
 */
const entered = sql`t.verdict in (${sql.raw(APPLIED_VERDICTS.map((verdict) => `'${verdict}'`).join(', '))}) and t.from_status is distinct from t.status`;

export interface PhaseReachStats {
  readonly status: Status;
  readonly reached: number;
  readonly medianSecondsToReach: number;
}

/**
 * Counts for each phase (`status`) the sessions that reached it, with the median time from creation to
 * reaching it.
 */
export async function countSessionsByReachedPhase(
  db: StatsDatabase,
  window: StatsFilter,
): Promise<PhaseReachStats[]> {
  const { rows } = await db.execute<PhaseReachStats & Record<string, unknown>>(sql`
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

export interface PhaseMedianStay {
  readonly status: Status;
  readonly medianSeconds: number;
}

/**
 * Computes the median time spent in each phase (`status`), over sessions that have left the phase. The times
 * of several visits of one session are added up.
 */
export async function computeMedianPhaseStays(
  db: StatsDatabase,
  window: StatsFilter,
): Promise<PhaseMedianStay[]> {
  const { rows } = await db.execute<PhaseMedianStay & Record<string, unknown>>(sql`
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

/** Returns the creation time of the oldest session in the window; null if the window has no session. */
export async function findFirstSessionCreationTime(
  db: StatsDatabase,
  window: StatsFilter,
): Promise<Date | null> {
  const [row] = await db
    .select({ first: min(sessions.createdAt) })
    .from(sessions)
    .where(within(window));
  return row?.first ?? null;
}

export interface OutcomeCounts {
  readonly started: number;
  readonly approved: number;
  readonly ended: number;
}

/**
 * Counts, for each interval between two neighbouring `edges`, the sessions created in the interval and their
 * outcomes. Sessions created after the last edge count for the last interval.
 */
export async function countOutcomesByInterval(
  db: StatsDatabase,
  window: StatsFilter,
  edges: readonly Date[],
): Promise<OutcomeCounts[]> {
  const stretches = edges.length - 1;
  const starts = sql.param(edges.slice(0, -1).map((edge) => edge.toISOString()));
  const stretch = sql<number>`width_bucket(${sessions.createdAt}, ${starts}::timestamptz[])`;
  const rows = await db
    .select({
      stretch,
      started: count,
      approved: sql<number>`count(*) filter (where ${sessions.subStatus} = 'AUDITOR_APPROVED' and not ${sessions.disputed})::int`,
      ended: sql<number>`count(*) filter (where ${whereTerminal(sessions.subStatus)})::int`,
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
