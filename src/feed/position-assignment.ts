import type { Database } from '../db/connection/client.ts';
import { assignPositions } from '../db/sessions/feed.ts';
import type { Doorbell } from '../domain/ports.ts';
import { withoutTrace } from '../telemetry/trace.ts';

/** Retry delay while another replica holds the advisory lock: doubles from `first` up to `last`. */
const RETRY_MS = { first: 3, last: 100 };
/** A committed transition that still has no position after this long is an error: no replica assigns positions. */
export const POSITION_TIMEOUT_MS = 10_000;
const BATCH_SIZE = 1_000;

interface PositionAssignmentOptions {
  readonly db: Database;
  readonly doorbell: Doorbell;
  /** Called if another replica held the advisory lock: it may have assigned positions without a notification. */
  readonly onAssignedElsewhere: () => void;
  /** Called with the error of a pass (one run over the outbox) that no caller awaits. */
  readonly onError: (error: unknown) => void;
}

/**
 * Moves committed transitions from the outbox into the feed, and notifies. Most transitions get their
 * position in their own transaction; this class handles the rest, such as those whose transaction did not get
 * the advisory lock.
 */
export class PositionAssignment {
  readonly #options: PositionAssignmentOptions;
  #pass: Promise<void> = Promise.resolve();
  #nextPass: Promise<void> | null = null;
  #stopped = false;

  constructor(options: PositionAssignmentOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every transition that was committed before the call has a position. Callers share passes: a
   * pass that is running may have read before the caller's commit, so each call waits for the next pass, and
   * all calls until that pass starts share it.
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
   * Starts a pass without waiting for it, unless one is queued already. An error of the started pass goes to
   * `onError`.
   */
  assignSoon(): void {
    if (!this.#nextPass) this.assign().catch(this.#options.onError);
  }

  /** Starts no further batch, and resolves when the running one is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#pass;
  }

  async #assignAll(): Promise<void> {
    const { db, doorbell, onAssignedElsewhere } = this.#options;
    const deadline = performance.now() + POSITION_TIMEOUT_MS;
    let retryMs = RETRY_MS.first;
    let hadToWait = false;
    while (!this.#stopped) {
      const assigned = await assignPositions(db, BATCH_SIZE);
      // The replica that held the lock may run an older release, which does not notify for the positions it assigned.
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
