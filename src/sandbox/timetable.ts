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
  /** A binary heap: the next appointment is the first, and each comes no later than its two at 2i+1 and 2i+2. */
  readonly #heap: Appointment[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, onStep: (verification: Verification) => void) {
    this.#clock = clock;
    this.#onStep = onStep;
  }

  /** Takes care of the next step of this verification, and of those after it. */
  follow(verification: Verification): void {
    const { dueAt } = verification;
    if (dueAt === null) return;
    this.#push({ dueAt, verification });
    if (this.#heap[0]?.verification === verification) this.#wait();
  }

  /** Takes every step that is due. */
  catchUp(now = this.#clock.now().getTime()): void {
    for (let next = this.#heap[0]; next && next.dueAt <= now; next = this.#heap[0]) {
      this.#pop();
      const { verification, dueAt } = next;
      // Somebody may have advanced it by hand, and then its appointment is another one.
      if (verification.dueAt !== dueAt) continue;
      verification.advance();
      this.#onStep(verification);
      if (verification.dueAt !== null) this.#push({ dueAt: verification.dueAt, verification });
    }
    this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#heap.length = 0;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const [next] = this.#heap;
    if (!next) return;
    const wait = Math.ceil(next.dueAt - this.#clock.now().getTime());
    this.#timer = setTimeout(() => this.catchUp(), Math.min(Math.max(wait, 1), LONGEST_TIMER_MS));
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let at = heap.push(appointment) - 1;
    for (let above = (at - 1) >> 1; at > 0 && this.#isBefore(at, above); above = (at - 1) >> 1) {
      this.#swap(at, above);
      at = above;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    heap.pop();
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = right < heap.length && this.#isBefore(right, left) ? right : left;
      if (least >= heap.length || !this.#isBefore(least, at)) return;
      this.#swap(least, at);
      at = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one] as Appointment, this.#heap[other] as Appointment];
    return a.dueAt === b.dueAt ? a.verification.referenceId < b.verification.referenceId : a.dueAt < b.dueAt;
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    [heap[one], heap[other]] = [heap[other] as Appointment, heap[one] as Appointment];
  }
}
