/** What the files of this folder try is counted, and each says at its end how much of it got through. */
import { expect, test } from 'vitest';

export interface Tally {
  /** Counts an attempt, and whether it got through. */
  note(attack: string, gotThrough: boolean): void;
  /** The file's last test: all of it was tried, and none got through. */
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
      test('none got through', () => {
        process.stdout.write(`attacks by ${attacks}: ${tried} tried, ${gotThrough.length} got through\n`);
        expect(gotThrough).toEqual([]);
        expect(tried).toBe(expected);
      });
    },
  };
}
