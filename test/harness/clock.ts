import type { Clock } from '../../src/domain/ports.ts';

/** Clock that stands still until a test moves it, for tests that are exact to the millisecond. */
export function stillClock(at = new Date()): Clock & { forward(ms: number): void } {
  let now = at.getTime();
  return {
    now: () => new Date(now),
    forward(ms) {
      now += ms;
    },
  };
}

/** Clock that runs in real time and can be moved forward. */
export function movableClock(): Clock & { forward(ms: number): void } {
  let ahead = 0;
  return {
    now: () => new Date(Date.now() + ahead),
    forward(ms) {
      ahead += ms;
    },
  };
}

/** Returns quiet hours in India (NOTIFICATION_QUIET_HOURS) that began an hour ago and end in two hours. */
export function quietHoursNow(): string {
  const inHours = (hours: number) =>
    new Intl.DateTimeFormat('en-GB', {
      ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'Asia/Kolkata' },
    }).format(new Date(Date.now() + hours * 3_600_000));
  return `${inHours(-1)}-${inHours(2)}`;
}
