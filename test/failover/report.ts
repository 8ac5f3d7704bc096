/** Prints the report of a failover test. */
import { inWords } from '../chaos/account.ts';
import { balanceOf, enter } from '../chaos/book.ts';
import type { Proof } from './floor.ts';

export const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Error counts that a failover test expects. Resyncs are left out, because they are allowed. */
export const NO_FAULTS = {
  lost: 0,
  repeated: 0,
  outOfOrder: 0,
  uncalledFor: 0,
  ended: 0,
  liveOverAGap: 0,
};

const MAX_COMPLAINTS = 20;

/**
 * Prints the error counts of a test, and appends them under `name` (the test file) to the counts that all.mjs sums up.
 */
export function tell(name: string, proof: Proof, faults: number): void {
  const { account, acknowledged, missing, forgotten, unrepeatable, wrong, errors, gone, transitions } = proof;
  for (const complaint of account.complaints.slice(0, MAX_COMPLAINTS)) say(complaint);
  if (account.complaints.length > MAX_COMPLAINTS)
    say(`… and ${account.complaints.length - MAX_COMPLAINTS} more complaints`);
  for (const each of [...unrepeatable, ...wrong]) say(each);
  say(
    `${name}: ${transitions} transitions, ${gone} lost in ${faults} failovers; of ${acknowledged} acknowledged requests the database lost ${missing.webhooks.length} webhooks, ${missing.meetings.length} meetings, ${missing.starts.length} starts`,
  );
  say(
    `${forgotten.length} sessions did not get the status of the provider again, ${unrepeatable.length} lost starts could not be repeated; error codes: ${JSON.stringify(Object.fromEntries(errors))}`,
  );
  say(inWords(account));
  const { complaints, reset, resetInVain, liveOverAGap, ...ofChaos } = account;
  const allWrong = wrong.length + forgotten.length + unrepeatable.length + liveOverAGap;
  enter(name, balanceOf(ofChaos, { requests: acknowledged, faults, wrong: allWrong }));
}
