import TinyQueue from 'tinyqueue';
import type { Clock } from '../domain/ports.ts';
import type { Verification } from './verification.ts';

/**
 * Longest delay of `setTimeout` (25 days). A step that is due later, such as the expiry of a link after 30
 * days, takes several timers one after another.
 */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Appointment {
  readonly dueAt: number;
  readonly verification: Verification;
}

/**
 * Scheduler of the steps of all verifications. The scheduler takes the steps in the order of their due times,
 * even if a timer fires late, so that the result depends only on the clock.
 */
export class StepScheduler {
  readonly #clock: Clock;
  readonly #onStep: (verification: Verification) => void;
  readonly #appointments = new TinyQueue<Appointment>([], byTime);
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, onStep: (verification: Verification) => void) {
    this.#clock = clock;
    this.#onStep = onStep;
  }

  /** Schedules the next step of a verification; after each step, the following one is scheduled. */
  schedule(verification: Verification): void {
    const { dueAt } = verification;
    if (dueAt === null) return;
    this.#appointments.push({ dueAt, verification });
    if (this.#appointments.peek()?.verification === verification) this.#wait();
  }

  /** Takes every step that is due, in the order of their due times. */
  catchUp(now = this.#clock.now().getTime()): void {
    const appointments = this.#appointments;
    for (let next = appointments.peek(); next && next.dueAt <= now; next = appointments.peek()) {
      appointments.pop();
      const { verification, dueAt } = next;
      // Skips a stale entry: since it was made, a call of `/_sandbox` has advanced the verification.
      if (verification.dueAt !== dueAt) continue;
      verification.advance();
      this.#onStep(verification);
      if (verification.dueAt !== null) appointments.push({ dueAt: verification.dueAt, verification });
    }
    this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
    while (this.#appointments.pop());
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const next = this.#appointments.peek();
    if (!next) return;
    const wait = Math.ceil(next.dueAt - this.#clock.now().getTime());
    this.#timer = setTimeout(() => this.catchUp(), Math.min(Math.max(wait, 1), MAX_TIMER_MS));
  }
}

/** Orders steps by due time. For equal times, the verification that was started first comes first. */
const byTime = (a: Appointment, b: Appointment): number =>
  a.dueAt - b.dueAt || a.verification.referenceId - b.verification.referenceId;
