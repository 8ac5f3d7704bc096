import type { Clock } from '../../src/domain/ports.ts';

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
