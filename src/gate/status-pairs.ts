/**
 * Compares the status pairs that the migrations allow in the database with the pairs of the status table in
 * `domain/status.ts`.
 */

/** Status pair, written `STATUS/SUB_STATUS`. */
export type PairName = `${string}/${string}`;

const FUNCTION = 'CREATE OR REPLACE FUNCTION "is_status_pair"';
const PAIR = /\('([^']+)', '([^']+)'\)/g;
const LINE_WIDTH = 108;

/**
 * Returns the status pairs that `is_status_pair` accepts after all these migrations: those in its newest
 * definition. Pass the migrations in the order in which they run.
 */
export function parsePairsFromMigrations(migrations: readonly string[]): PairName[] {
  const bodies = migrations.flatMap((sql) => {
    const definitions = sql.split(FUNCTION).slice(1);
    // The body of the SQL function is between two $$ (dollar quotes).
    return definitions.map((definition) => definition.split('AS $$')[1]?.split('$$')[0] ?? '');
  });
  return [...(bodies.at(-1) ?? '').matchAll(PAIR)].map(
    ([, status, subStatus]): PairName => `${status}/${subStatus}`,
  );
}

export interface PairDifference {
  /** Pairs of the status table that the database would refuse. */
  readonly missing: readonly PairName[];
  /** Pairs that the database may contain but the status table lacks. */
  readonly gone: readonly PairName[];
}

export const comparePairs = (stored: readonly PairName[], wanted: readonly PairName[]): PairDifference => ({
  missing: wanted.filter((pair) => !stored.includes(pair)),
  gone: stored.filter((pair) => !wanted.includes(pair)),
});

/**
 * Returns the migration that allows these pairs. The migration can run while replicas of the last release
 * still run: CREATE OR REPLACE takes only a moment and keeps the grants, and the function still accepts all
 * earlier pairs.
 */
export function generateStatusPairsMigration(pairs: readonly PairName[]): string {
  const lines: string[] = [];
  for (const pair of pairs) {
    const item = `(${pair
      .split('/')
      .map((value) => `'${value}'`)
      .join(', ')})`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + item.length + 2 <= LINE_WIDTH)
      lines[lines.length - 1] = `${last}, ${item}`;
    else lines.push(item);
  }
  return `-- Written by npm run migrate:new from src/domain/status.ts: the pairs that can be stored.
CREATE OR REPLACE FUNCTION "is_status_pair"("status" text, "sub_status" text) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
  AS $$ BEGIN
    RETURN ("status", "sub_status") in (
      ${lines.join(',\n      ')}
    );
  END $$;
`;
}
