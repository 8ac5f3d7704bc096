import { expect, test } from 'vitest';
import { type Life, memoryGrownBy } from './lives.ts';

/** A sample every 15 seconds, for so many minutes. */
const lifeOf = (minutes: number, heldMb: (atMinute: number) => number): Life => ({
  name: 'one',
  samples: Array.from({ length: minutes * 4 }, (_, index) => ({
    atSeconds: index * 15,
    residentMb: 200,
    heldMb: heldMb(index / 4) + (index % 2),
    descriptors: 50,
    ownDescriptors: 30,
  })),
});

test('memory that fills and then stands still has not grown, and memory that goes on growing has', () => {
  expect(memoryGrownBy(lifeOf(25, (at) => Math.min(50 + at * 4, 90)))).toBe(0);
  expect(memoryGrownBy(lifeOf(25, (at) => 50 + at * 4))).toBeGreaterThan(0);
});

test('of a life that was not long enough to fill nothing is said', () => {
  expect(memoryGrownBy(lifeOf(15, (at) => 50 + at * 4))).toBeNull();
});
