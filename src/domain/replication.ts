/**
 * Kinds of replication, by the transactions that a failover or a crash can lose. Judged from the database's
 * settings.
 */
export type Durability =
  /** Commits wait for a standby: a failover to it loses nothing that was acknowledged. */
  | 'SYNCHRONOUS'
  /** Standbys are connected, but commits do not wait for them: a failover can lose the newest transitions. */
  | 'ASYNCHRONOUS'
  /** No standby is connected: only a backup is left, which lacks everything recorded after it. */
  | 'NO_STANDBY'
  /** Commits do not wait for the server's own disk: a crash of the server can lose the newest transitions. */
  | 'COMMIT_NOT_AWAITED';

export interface Replication {
  readonly durability: Durability;
  /** Number of connected standbys. */
  readonly standbys: number;
}
