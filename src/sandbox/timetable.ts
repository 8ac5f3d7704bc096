import TinyQueue from 'tinyqueue';
import type { Clock } from '../domain/ports.ts';
import type { Verification } from './verification.ts';

/** What a timer takes at most; a link's 30 days are longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Appointment {
  readonly dueAt: number;
  readonly verification: Verification;
}

/**
 * Lets verifications take their steps when these are due: in the order of their times, whoever wakes it up and
 * however late, so that what happened depends on the clock and on nothing else.
 */
export class Timetable {
  readonly #clock: Clock;
  readonly #onStep: (verification: Verification) => void;
  readonly #appointments = new TinyQueue<Appointment>([], byTime);
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, onStep: (verification: Verification) => void) {
    this.#clock = clock;
    this.#onStep = onStep;
  }

  /** Takes care of the next step of this verification, and of those after it. */
  follow(verification: Verification): void {
    const { dueAt } = verification;
    if (dueAt === null) return;
    this.#appointments.push({ dueAt, verification });
    if (this.#appointments.peek()?.verification === verification) this.#wait();
  }

  /** Takes every step that is due. */
  catchUp(now = this.#clock.now().getTime()): void {
    const appointments = this.#appointments;
    for (let next = appointments.peek(); next && next.dueAt <= now; next = appointments.peek()) {
      appointments.pop();
      const { verification, dueAt } = next;
      // Somebody may have advanced it by hand, and then its appointment is another one.
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
    this.#timer = setTimeout(() => this.catchUp(), Math.min(Math.max(wait, 1), LONGEST_TIMER_MS));
  }
}

/** At the same moment, the one that began first. */
const byTime = (a: Appointment, b: Appointment): number =>
  a.dueAt - b.dueAt || a.verification.referenceId - b.verification.referenceId;
