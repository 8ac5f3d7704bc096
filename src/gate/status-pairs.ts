/** The status pairs that the migrations let the database store, compared with the status table. */

/** A status and a sub-status that belong together, as `STATUS/SUB_STATUS`. */
export type PairName = `${string}/${string}`;

const FUNCTION = /FUNCTION "is_status_pair"[\s\S]*?AS \$\$([\s\S]*?)\$\$/g;
const PAIR = /\('([^']+)', '([^']+)'\)/g;
const LINE_WIDTH = 108;

/** The pairs that the newest function body among these migrations accepts. They are given in their order. */
export function pairsStoredBy(migrations: readonly string[]): PairName[] {
  const bodies = migrations.flatMap((sql) => [...sql.matchAll(FUNCTION)].map(([, body = '']) => body));
  return [...(bodies.at(-1) ?? '').matchAll(PAIR)].map(
    ([, status, subStatus]): PairName => `${status}/${subStatus}`,
  );
}

export interface PairDifference {
  /** In the status table, and the database would refuse them. */
  readonly missing: readonly PairName[];
  /** Not in the status table, and the database may hold them. */
  readonly gone: readonly PairName[];
}

export const comparePairs = (stored: readonly PairName[], wanted: readonly PairName[]): PairDifference => ({
  missing: wanted.filter((pair) => !stored.includes(pair)),
  gone: stored.filter((pair) => !wanted.includes(pair)),
});

/**
 * The migration that lets the database store these pairs. The last release goes on beside it: the function is replaced
 * in a moment, keeps its rights, and what it accepted before it accepts again.
 */
export function statusPairsMigration(pairs: readonly PairName[]): string {
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
