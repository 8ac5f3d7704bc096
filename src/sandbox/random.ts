import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

const CODE_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A source of chance that always takes the same course. */
export interface Chance {
  /** At least `from` and less than `to`. */
  between(from: number, to: number): number;
  /** An integer; both ends may come. */
  integer(from: number, to: number): number;
  /** True with this probability of 0 to 1. */
  happens(probability: number): boolean;
  /** One of the keys, each as likely as its weight says. */
  pick<Key extends string>(weights: Readonly<Partial<Record<Key, number>>>): Key;
  /** Half of the values lie below the median; the spread is the standard deviation of their logarithm. */
  logNormal(median: number, spread: number): number;
  /** Lower-case letters and digits. */
  code(length: number): string;
}

/** The chance that belongs to these words: the same words give the same course, on every machine. */
export function chanceOf(...words: readonly (string | number)[]): Chance {
  const digest = createHash('sha256').update(JSON.stringify(words)).digest();
  const source = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
  const between = (from: number, to: number) => from + uniformFloat64(source) * (to - from);
  const integer = (from: number, to: number) => uniformInt(source, from, to);
  return {
    between,
    integer,
    happens: (probability) => between(0, 1) < probability,
    pick<Key extends string>(weights: Readonly<Partial<Record<Key, number>>>) {
      const entries = Object.entries(weights) as [Key, number][];
      const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
      let left = between(0, total);
      const picked = entries.find(([, weight]) => {
        left -= weight;
        return left < 0;
      });
      // Rounding may leave a trace behind the last.
      const [key] = picked ?? (entries.at(-1) as [Key, number]);
      return key;
    },
    logNormal(median, spread) {
      // Box and Muller's transform; 1 - u is never 0.
      const normal = Math.sqrt(-2 * Math.log(1 - between(0, 1))) * Math.cos(2 * Math.PI * between(0, 1));
      return median * Math.exp(spread * normal);
    },
    code: (length) =>
      Array.from({ length }, () => CODE_LETTERS[integer(0, CODE_LETTERS.length - 1)]).join(''),
  };
}
