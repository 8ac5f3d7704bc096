import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

const CODE_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Generator of seeded pseudo-random numbers. */
export interface SeededRandom {
  /** Returns a number of at least `from` and less than `to`. */
  between(from: number, to: number): number;
  /** Returns an integer between `from` and `to`, both included. */
  integer(from: number, to: number): number;
  /** Returns true with this probability, 0 to 1. */
  chance(probability: number): boolean;
  /** Returns one of the keys. The probability of a key is proportional to its weight. */
  pick<Key extends string>(weights: Readonly<Partial<Record<Key, number>>>): Key;
  /** Returns a log-normally distributed number. `spread` is the standard deviation of its logarithm. */
  logNormal(median: number, spread: number): number;
  /** Returns a text of lower-case letters and digits. */
  code(length: number): string;
}

/**
 * Creates a generator whose seed is the hash of `words`. The same words give the same numbers on every
 * machine.
 */
export function createSeededRandom(...words: readonly (string | number)[]): SeededRandom {
  const digest = createHash('sha256').update(JSON.stringify(words)).digest();
  const source = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
  const between = (from: number, to: number) => from + uniformFloat64(source) * (to - from);
  const integer = (from: number, to: number) => uniformInt(source, from, to);
  return {
    between,
    integer,
    chance: (probability) => between(0, 1) < probability,
    pick<Key extends string>(weights: Readonly<Partial<Record<Key, number>>>) {
      const entries = Object.entries(weights) as [Key, number][];
      const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
      let left = between(0, total);
      const picked = entries.find(([, weight]) => {
        left -= weight;
        return left < 0;
      });
      // Falls back to the last key, because floating-point rounding may leave a remainder after the last
      // weight.
      const [key] = picked ?? (entries.at(-1) as [Key, number]);
      return key;
    },
    logNormal(median, spread) {
      // Box-Muller transform. The logarithm is finite, because 1 - u is never 0.
      const normal = Math.sqrt(-2 * Math.log(1 - between(0, 1))) * Math.cos(2 * Math.PI * between(0, 1));
      return median * Math.exp(spread * normal);
    },
    code: (length) =>
      Array.from({ length }, () => CODE_LETTERS[integer(0, CODE_LETTERS.length - 1)]).join(''),
  };
}
