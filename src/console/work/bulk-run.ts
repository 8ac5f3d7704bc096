import type { GatewayError } from '../gateway/gateway.ts';
import type { Row } from '../live/rows.ts';
import { Store } from '../live/store.ts';
import type { VkycRefusalFragment } from '../operations.ts';

/** Answer of the mutation that acts on one of the sessions: its success, with the changed session, or a refusal. */
type Answer = { readonly session: Row } | VkycRefusalFragment;
/** Sends the mutation for one session, with the version of the row as `expectedVersion`. */
export type Send = (row: Row, idempotencyKey: string) => Promise<Answer>;

interface Attempt {
  readonly row: Row;
  readonly idempotencyKey: string;
}

/** Session on which the action was not performed. */
export interface BulkFailure {
  /** The session before the action. */
  readonly row: Row;
  /** Refusal of the gateway, or the error of the request. */
  readonly reason: VkycRefusalFragment | GatewayError;
  /** The session now, if it has changed since the user selected it; null otherwise. */
  readonly current: Row | null;
  /** The call to repeat; null if a repetition would be refused as well. */
  readonly retry: Attempt | null;
}

export interface BulkRunState {
  /** Number of sessions; 0 before the start. */
  readonly total: number;
  readonly succeeded: number;
  readonly refused: readonly BulkFailure[];
  /** Number of sessions that were not tried, because the user stopped the run. */
  readonly stopped: number;
  readonly isRunning: boolean;
}

/** Number of mutations that are sent at the same time. More would not be faster, and would hold up other users. */
const MAX_AT_ONCE = 4;

/** Performs an action on several sessions, by a mutation for each. A refusal for one session does not stop the others. */
export class BulkRun extends Store<BulkRunState> {
  #waiting: Attempt[] = [];
  readonly #send: Send;
  readonly #onSuccess: (row: Row) => void;

  constructor(send: Send, onSuccess: (row: Row) => void) {
    super({ total: 0, succeeded: 0, refused: [], stopped: 0, isRunning: false });
    this.#send = send;
    this.#onSuccess = onSuccess;
  }

  start(rows: readonly Row[]): Promise<void> {
    this.show({ total: rows.length });
    return this.#run(rows.map(toAttempt));
  }

  /** Repeats the calls that may be repeated. */
  retry(): Promise<void> {
    const { refused } = this.view;
    this.show({ refused: refused.filter((each) => !each.retry) });
    return this.#run(refused.flatMap((each) => each.retry ?? []));
  }

  /** Sends no more mutations. Those that were sent are still answered. */
  stop(): void {
    this.show({ stopped: this.view.stopped + this.#waiting.length });
    this.#waiting = [];
  }

  async #run(attempts: Attempt[]): Promise<void> {
    this.#waiting = attempts;
    this.show({ isRunning: true });
    await Promise.all(Array.from({ length: MAX_AT_ONCE }, () => this.#work()));
    this.show({ isRunning: false });
  }

  async #work(): Promise<void> {
    for (let attempt = this.#waiting.shift(); attempt; attempt = this.#waiting.shift()) {
      const answer = await this.#send(attempt.row, attempt.idempotencyKey).catch(
        (failure: GatewayError) => failure,
      );
      if (answer instanceof Error || 'retryable' in answer)
        this.show({ refused: [...this.view.refused, toRefused(attempt, answer)] });
      else {
        this.#onSuccess(answer.session);
        this.show({ succeeded: this.view.succeeded + 1 });
      }
    }
  }
}

const toAttempt = (row: Row): Attempt => ({ row, idempotencyKey: crypto.randomUUID() });

function toRefused(attempt: Attempt, reason: BulkFailure['reason']): BulkFailure {
  const { row } = attempt;
  // With the same key, because the answer may be lost although the action was performed.
  if (reason instanceof Error)
    return { row, reason, current: null, retry: reason.isTransient ? attempt : null };
  const current = 'currentSession' in reason ? reason.currentSession : null;
  if (current) return { row, reason, current, retry: toAttempt(current) };
  return { row, reason, current, retry: reason.retryable ? attempt : null };
}
