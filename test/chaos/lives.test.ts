import { expect, test } from 'vitest';
import { type Life, memoryGrownBy } from './lives.ts';

/** Returns the samples of a process that lived for the given minutes, with a sample every 15 seconds. */
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

test('memoryGrownBy is 0 if memory grows at first and then stays level, and positive if memory keeps growing', () => {
  expect(memoryGrownBy(lifeOf(25, (at) => Math.min(50 + at * 4, 90)))).toBe(0);
  expect(memoryGrownBy(lifeOf(25, (at) => 50 + at * 4))).toBeGreaterThan(0);
});

test('memoryGrownBy is null for a process that lived for only 15 minutes, because its caches may still be filling', () => {
  expect(memoryGrownBy(lifeOf(15, (at) => 50 + at * 4))).toBeNull();
});
