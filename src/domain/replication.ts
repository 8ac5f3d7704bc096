/** What the database's replication settings can lose in a failover. */
export type Durability =
  /** Commits wait for a standby: a failover to that standby loses nothing that was acknowledged. */
  | 'SYNCHRONOUS'
  /** Standbys follow, and no commit waits for them: a failover can lose the newest transitions. */
  | 'ASYNCHRONOUS'
  /** No standby is connected: only a backup is left, which has nothing that was recorded after it. */
  | 'NO_STANDBY'
  /** Commits do not even wait for the server's own disk: a crash of the server can lose the newest transitions. */
  | 'COMMIT_NOT_AWAITED';

export interface Replication {
  readonly durability: Durability;
  /** Standbys that are connected. */
  readonly standbys: number;
}
