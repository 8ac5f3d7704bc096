/** Where tests enter their own accounts, to be summed over all of them. */
import { appendFileSync } from 'node:fs';
import type { Account } from './account.ts';

/** What a test asked of gateways, what it did to them, and what was then not as it should be: counts. */
export interface Balance {
  readonly requests: number;
  readonly faults: number;
  readonly lost: number;
  readonly repeated: number;
  readonly outOfOrder: number;
  readonly wrong: number;
}

type Beside = Pick<Balance, 'requests' | 'faults'> & Partial<Balance>;

/** A test's counts with those of what its subscribers got. */
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

/** Appends it as a line of JSON to the file that CHAOS_ACCOUNT names, if it does; before anything is expected of it. */
export function enter(name: string, balance: Balance): void {
  const file = process.env.CHAOS_ACCOUNT;
  if (file) appendFileSync(file, `${JSON.stringify({ name, ...balance })}\n`);
}
