/** Counts the attacks of a test file, and reports in its last test how many of them succeeded. */
import { expect, test } from 'vitest';

export interface Tally {
  /** Counts an attack; `gotThrough` is true if the attack succeeded. */
  note(attack: string, gotThrough: boolean): void;
  /** Defines the last test of the file, which checks that `expected` attacks were tried and that none succeeded. */
  close(expected: number): void;
}

export function tallyOf(attacks: string): Tally {
  const gotThrough: string[] = [];
  let tried = 0;
  return {
    note(attack, through) {
      tried += 1;
      if (through) gotThrough.push(attack);
    },
    close(expected) {
      test('every attack of this file was tried, and none succeeded', () => {
        process.stdout.write(`attacks by ${attacks}: ${tried} tried, ${gotThrough.length} succeeded\n`);
        expect(gotThrough).toEqual([]);
        expect(tried).toBe(expected);
      });
    },
  };
}
