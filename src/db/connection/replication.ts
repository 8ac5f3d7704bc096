import type pg from 'pg';
import { invariant } from '../../domain/invariant.ts';
import type { ReplicationDurability, ReplicationState } from '../../domain/replication.ts';

/**
 * Reads how commits are replicated to standbys. Needs no special rights: the progress of each standby, which
 * only monitoring roles may see, is not read.
 */
export async function readReplicationState(pool: pg.Pool): Promise<ReplicationState> {
  const { rows } = await pool.query<{ names: string; commit: string; standbys: number }>(
    `select current_setting('synchronous_standby_names') as names, current_setting('synchronous_commit') as commit,
       (select count(*)::int from pg_stat_replication) as standbys`,
  );
  const [row] = rows;
  invariant(row, 'select without a table returned no row');
  return { durability: judge(row), standbys: row.standbys };
}

function judge({
  names,
  commit,
  standbys,
}: {
  names: string;
  commit: string;
  standbys: number;
}): ReplicationDurability {
  if (commit === 'off') return 'COMMIT_NOT_AWAITED';
  if (names.trim() !== '' && commit !== 'local') return 'SYNCHRONOUS';
  return standbys > 0 ? 'ASYNCHRONOUS' : 'NO_STANDBY';
}
