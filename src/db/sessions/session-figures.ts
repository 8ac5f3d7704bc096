/** Stored figures of session statistics (`session_figures`), which all replicas share. */
import { and, desc, sql } from 'drizzle-orm';
import type { Database } from '../connection/client.ts';
import type { StatsDatabase } from '../connection/statistics.ts';
import { sessionFigures } from '../schema/tables.ts';

/**
 * First key of the advisory locks under which figures are counted. The number is arbitrary, but must be the same in
 * every replica. The second key is a hash of the series.
 */
const FIGURES_LOCK = 8_529_005;
/** Maximum number of rows. The oldest figures beyond it are deleted. */
const MAX_ROWS = 200;
/** Figures may be this much newer than `now`, because the clocks of replicas differ. */
const CLOCK_SKEW_MS = 60_000;

/** Key and maximum age of wanted figures. */
export interface StoredFiguresRequest {
  /** Kind of the figures, and all properties of their window except its start. */
  readonly series: string;
  /** Start of the window, rounded down to `stepMs`. */
  readonly from: Date;
  /** Unit to which the bounds of the window are rounded. */
  readonly stepMs: number;
  /** Maximum age of the figures. */
  readonly maxAgeMs: number;
}

export interface StoredFigures {
  readonly figures: unknown;
  readonly asOf: Date;
  /** Duration of the count. */
  readonly tookMs: number;
}

const timestamp = (time: number | Date) => sql`${new Date(time).toISOString()}::timestamptz`;
const milliseconds = (count: number) => sql`${count}::float8 * interval '1 ms'`;

const notOutdated = (now: Date, maxAgeMs: number) =>
  sql`${sessionFigures.asOf} between ${timestamp(now.getTime() - maxAgeMs)} and ${timestamp(now.getTime() + CLOCK_SKEW_MS)}`;

/**
 * SQL condition for figures of the same window, or of a window that has moved with the clock since the count:
 * an hour ago, the window of the last 30 days began an hour earlier. PostgreSQL computes the sums, because
 * its timestamps may go beyond the year 9999.
 */
const isSameWindow = ({ series, from, stepMs }: StoredFiguresRequest, now: Date) =>
  and(
    sql`${sessionFigures.series} = ${series}`,
    sql`${sessionFigures.from} <= ${timestamp(from)} + ${milliseconds(stepMs)}`,
    sql`${sessionFigures.from} >= ${timestamp(from)} - ${milliseconds(stepMs)} - (${timestamp(now)} - ${sessionFigures.asOf})`,
  );

/** Returns the newest stored figures of the window that are not too old; null if there are none. */
export async function findFreshFigures(
  db: StatsDatabase,
  question: StoredFiguresRequest,
  now: Date,
): Promise<StoredFigures | null> {
  const { figures, asOf, tookMs } = sessionFigures;
  const [row] = await db
    .select({ figures, asOf, tookMs })
    .from(sessionFigures)
    .where(and(isSameWindow(question, now), notOutdated(now, question.maxAgeMs)))
    .orderBy(desc(asOf))
    .limit(1);
  return row ?? null;
}

/**
 * Tries to lock a series for the transaction, so that one replica at a time counts its figures. Returns false if
 * another transaction holds the lock.
 */
export async function tryLockFiguresSeries(
  tx: StatsDatabase,
  { series }: StoredFiguresRequest,
): Promise<boolean> {
  const { rows } = await tx.execute<{ locked: boolean }>(
    sql`select pg_try_advisory_xact_lock(${FIGURES_LOCK}, hashtext(${series})) as locked`,
  );
  return rows[0]?.locked ?? false;
}

/**
 * Stores figures, replacing earlier figures of the same window. Deletes figures that are older than `keptMs`, and the
 * oldest figures beyond `MAX_ROWS`.
 */
export async function storeFigures(
  db: Database,
  question: StoredFiguresRequest,
  { figures, asOf, tookMs }: StoredFigures,
  keptMs: number,
): Promise<void> {
  const { series, from } = question;
  const replaced = {
    figures: sql`excluded.figures`,
    asOf: sql`excluded.as_of`,
    tookMs: sql`excluded.took_ms`,
  };
  await db
    .insert(sessionFigures)
    .values({ series, from, figures, asOf, tookMs: Math.round(tookMs) })
    .onConflictDoUpdate({ target: [sessionFigures.series, sessionFigures.from], set: replaced });
  // SKIP LOCKED: replicas that store figures of different series at the same time do not wait for each other
  // (no deadlock).
  await db.write(sql`
    delete from ${sessionFigures} where (series, from_at) in (
      select series, from_at from ${sessionFigures}
      where not ${notOutdated(asOf, keptMs)}
        or (from_at <> ${timestamp(from)} and ${isSameWindow(question, asOf)})
        or (series, from_at) in (select series, from_at from ${sessionFigures} order by as_of desc offset ${MAX_ROWS})
      for update skip locked
    )`);
}

/** Deletes the stored figures of a window, because counting it no longer takes long. */
export async function deleteFiguresOfWindow(
  db: Database,
  question: StoredFiguresRequest,
  now: Date,
): Promise<void> {
  await db.delete(sessionFigures).where(isSameWindow(question, now));
}
