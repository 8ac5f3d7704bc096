/**
 * Kinds of replication of the database, by the transactions that a failover or a crash can lose. The kind is
 * derived from the settings of the database.
 */
export type ReplicationDurability =
  /** Commits wait for a standby: a failover to that standby loses no acknowledged transaction. */
  | 'SYNCHRONOUS'
  /** Standbys are connected, but commits do not wait for them: a failover can lose the newest transitions. */
  | 'ASYNCHRONOUS'
  /**
   * No standby is connected. After a loss of the server only a backup is left, which lacks everything that was
   * recorded after the backup.
   */
  | 'NO_STANDBY'
  /** Commits do not wait for the server's own disk: a crash of the server can lose the newest transitions. */
  | 'COMMIT_NOT_AWAITED';

export interface ReplicationState {
  readonly durability: ReplicationDurability;
  /** Number of connected standbys. */
  readonly standbys: number;
}
