import type { Clock } from '../../src/domain/ports.ts';

/** A clock that only goes when told to: for what is told to the millisecond. */
export function stillClock(at = new Date()): Clock & { forward(ms: number): void } {
  let now = at.getTime();
  return {
    now: () => new Date(now),
    forward(ms) {
      now += ms;
    },
  };
}

/** A clock that goes with the real one, and forwards when told to. */
export function movableClock(): Clock & { forward(ms: number): void } {
  let ahead = 0;
  return {
    now: () => new Date(Date.now() + ahead),
    forward(ms) {
      ahead += ms;
    },
  };
}
