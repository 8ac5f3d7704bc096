/** Collects the counts of each fault test in a file, so that all.mjs can sum the counts of all tests. */
import { appendFileSync } from 'node:fs';
import type { Account } from './account.ts';

/** Counts of requests, of injected faults and of errors in one test. */
export interface Balance {
  readonly requests: number;
  readonly faults: number;
  readonly lost: number;
  readonly repeated: number;
  readonly outOfOrder: number;
  readonly wrong: number;
}

type Beside = Pick<Balance, 'requests' | 'faults'> & Partial<Balance>;

/** Combines the counts of a test with the errors that its subscribers met. */
export function balanceOf(account: Omit<Account, 'complaints'>, beside: Beside): Balance {
  const { requests, faults, lost = 0, repeated = 0, outOfOrder = 0, wrong = 0 } = beside;
  return {
    requests,
    faults,
    lost: account.lost + lost,
    repeated: account.repeated + repeated,
    outOfOrder: account.outOfOrder + outOfOrder,
    wrong: account.uncalledFor + account.ended + wrong,
  };
}

/**
 * Appends the counts of a test as a JSON line to the file named by CHAOS_ACCOUNT, if that is set. Call this before the
 * assertions, so that a failing test is counted too.
 */
export function enter(name: string, balance: Balance): void {
  const file = process.env.CHAOS_ACCOUNT;
  if (file) appendFileSync(file, `${JSON.stringify({ name, ...balance })}\n`);
}
