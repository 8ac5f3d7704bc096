import type { Database } from '../db/connection/client.ts';
import { assignFeedPositions } from '../db/sessions/feed.ts';
import type { Doorbell } from '../domain/ports.ts';
import { withoutTrace } from '../telemetry/trace.ts';

/**
 * Delay before trying the advisory lock again while another replica holds it: doubles from `first` up to
 * `last`.
 */
const RETRY_MS = { first: 3, last: 100 };
/**
 * Timeout for giving a committed transition its feed position. After this time an error is raised, because no
 * replica seems to assign positions.
 */
export const POSITION_ASSIGNMENT_TIMEOUT_MS = 10_000;
const BATCH_SIZE = 1_000;

interface PositionAssignmentOptions {
  readonly db: Database;
  readonly doorbell: Doorbell;
  /**
   * Called if another replica held the advisory lock: that replica may have assigned positions without
   * sending a notification.
   */
  readonly onAssignedElsewhere: () => void;
  /** Called with the error of a pass (one run over the outbox) that no caller awaits. */
  readonly onError: (error: unknown) => void;
}

/**
 * Moves committed transitions from the outbox (transitions without a feed position) into the feed, and
 * notifies listeners. Most transitions get their position in the transaction that records them; this class
 * handles those whose transaction did not get the advisory lock.
 */
export class PositionAssigner {
  readonly #options: PositionAssignmentOptions;
  #pass: Promise<void> = Promise.resolve();
  #nextPass: Promise<void> | null = null;
  #stopped = false;

  constructor(options: PositionAssignmentOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every transition that was committed before the call has a feed position. A pass (one run
   * over the outbox) that is already running may have read before the caller's commit, so each call waits for
   * the next pass, which all waiting calls share.
   */
  assign(): Promise<void> {
    this.#nextPass ??= this.#pass.then(() => {
      this.#nextPass = null;
      const pass = withoutTrace(() => this.#assignAll());
      this.#pass = pass.catch(() => {});
      return pass;
    });
    return this.#nextPass;
  }

  /**
   * Queues a pass (one run over the outbox) without waiting for it, unless a pass is queued already. Errors
   * of the pass go to `onError`.
   */
  assignSoon(): void {
    if (!this.#nextPass) this.assign().catch(this.#options.onError);
  }

  /** Stops assigning positions. Resolves when the running batch is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#pass;
  }

  async #assignAll(): Promise<void> {
    const { db, doorbell, onAssignedElsewhere } = this.#options;
    const deadline = performance.now() + POSITION_ASSIGNMENT_TIMEOUT_MS;
    let retryMs = RETRY_MS.first;
    let hadToWait = false;
    while (!this.#stopped) {
      const assigned = await assignFeedPositions(db, BATCH_SIZE);
      // The replica that held the lock may run an older release, which sends no notification for the
      // positions that it assigned.
      if (hadToWait) onAssignedElsewhere();
      for (const entry of assigned ?? []) doorbell.ring(entry.sessionId, entry.sequence, entry);
      if (assigned !== null && assigned.length < BATCH_SIZE) return;
      if (assigned !== null) continue;
      if (performance.now() > deadline)
        throw new Error(
          'feed: advisory lock for positions not obtained in time; another replica still holds it',
        );
      hadToWait = true;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      retryMs = Math.min(retryMs * 2, RETRY_MS.last);
    }
  }
}
