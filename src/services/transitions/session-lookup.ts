import DataLoader from 'dataloader';
import { findAuditHeadsOfVerifications } from '../../db/audit/audit.ts';
import type { Transaction } from '../../db/connection/client.ts';
import { type LockedSession, lockSessions } from '../../db/sessions/sessions.ts';
import { findEarlierObservationTimes } from '../../db/sessions/transitions.ts';
import { lockImmediatelyRecordableSessions } from '../../db/webhooks/inbox.ts';
import type { ObservedEventTime } from '../../domain/session.ts';
import type { AuditedWriter } from './audited-writes.ts';
import {
  getVerificationIdOfUpdate,
  type ProviderUpdate,
  toRawStatus,
  type UnstoredWebhookUpdate,
} from './provider-update.ts';

/**
 * Result of looking up a provider update (a webhook or an answer): the session, whose row is now locked, and
 * the earlier reports of the same raw status.
 */
interface Found {
  /** Null if no session has the verification id or, for `lockIfUncontended`, if the webhook must be queued. */
  readonly session: LockedSession | null;
  readonly seen: ObservedEventTime[];
}

/**
 * Locks the sessions of provider updates within one transaction. Updates of the same tick share one query
 * (DataLoader). Results are not cached, because a session may be created between two updates.
 */
export class SessionLocker {
  readonly #tx: Transaction;
  readonly #changes: AuditedWriter;
  readonly #locked = new DataLoader(
    (updates: readonly ProviderUpdate[]) =>
      this.#find(updates, lockSessions(this.#tx, updates.map(getVerificationIdOfUpdate))),
    { cache: false },
  );
  readonly #uncontended = new DataLoader(
    (unstored: readonly UnstoredWebhookUpdate[]) => {
      const updates = unstored.map(({ update }) => update);
      const wanted = unstored.map(({ update, bodyHash }) => ({
        verificationId: getVerificationIdOfUpdate(update),
        bodyHash,
      }));
      return this.#find(updates, lockImmediatelyRecordableSessions(this.#tx, wanted));
    },
    { cache: false },
  );

  constructor(tx: Transaction, changes: AuditedWriter) {
    this.#tx = tx;
    this.#changes = changes;
  }

  /** Locks the session of an update. Waits if another transaction holds the row lock. */
  lock(update: ProviderUpdate): Promise<Found> {
    return this.#locked.load(update);
  }

  /**
   * Locks the session of a webhook that is not stored yet, if the webhook can be applied immediately: the row is
   * free (SKIP LOCKED) and no earlier webhook of the session is queued.
   */
  lockIfUncontended(unstored: UnstoredWebhookUpdate): Promise<Found> {
    return this.#uncontended.load(unstored);
  }

  async observationsOf(update: ProviderUpdate): Promise<ObservedEventTime[]> {
    const [seen] = await findEarlierObservationTimes(this.#tx, [toRawStatus(update)]);
    return seen ?? [];
  }

  async #find(updates: readonly ProviderUpdate[], locking: Promise<LockedSession[]>): Promise<Found[]> {
    // The three statements are pipelined on one connection. The lock is sent first, so the two reads run after
    // the rows are locked and see the newest committed state (READ COMMITTED).
    const [rows, heads, observations] = await Promise.all([
      locking,
      findAuditHeadsOfVerifications(this.#tx, updates.map(getVerificationIdOfUpdate)),
      findEarlierObservationTimes(this.#tx, updates.map(toRawStatus)),
    ]);
    for (const { id } of rows)
      this.#changes.setHead(id, heads.find(({ sessionId }) => sessionId === id) ?? null);
    return updates.map((update, index) => ({
      session: rows.find((row) => row.verificationId === getVerificationIdOfUpdate(update)) ?? null,
      seen: observations[index] ?? [],
    }));
  }
}
